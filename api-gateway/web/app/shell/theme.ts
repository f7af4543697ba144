/** Light or dark: as the system has it, unless the reader says otherwise. It is no secret, so the browser may keep it. */
import { effect, signal } from '@preact/signals';

/** See above. */
export type Theme = 'system' | 'light' | 'dark';

const key = 'shoal-theme';

/** The reader's choice. */
export const theme = signal<Theme>('system');

/** Reads the choice, and follows it. Call it once. */
export function startTheme(): void {
  const kept = localStorage.getItem(key);
  if (kept === 'light' || kept === 'dark') theme.value = kept;
  effect(() => {
    const chosen = theme.value;
    document.documentElement.dataset['theme'] = chosen;
    if (chosen === 'system') localStorage.removeItem(key);
    else localStorage.setItem(key, chosen);
  });
}
