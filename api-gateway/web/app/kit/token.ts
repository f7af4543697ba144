import { signal } from '@preact/signals';

/** What requests are sent with; undefined: nobody is logged in. In memory alone. */
export const token = signal<string | undefined>(undefined);
