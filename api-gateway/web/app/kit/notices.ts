/** What has just been done, said once in one place. */
import { signal } from '@preact/signals';

/** One of them. */
interface Notice {
  readonly id: number;
  readonly text: string;
}

/** How long a notice stays, milliseconds: time to read it. */
const shownMs = 6000;
let last = 0;

/** Those that are shown, oldest first. */
export const notices = signal<readonly Notice[]>([]);

/** Shows a sentence for a while; a screen reader says it. */
export function notify(text: string): void {
  last += 1;
  const id = last;
  notices.value = [...notices.value.slice(-3), { id, text }];
  setTimeout(() => {
    notices.value = notices.value.filter((notice) => notice.id !== id);
  }, shownMs);
}
