/** All pages: their addresses, where they stand in the navigation, and the file of each, loaded when it is opened. */
import type { PageEntry } from './kit/page-entry.ts';
import { texts } from './kit/texts.ts';

/** In the order of the navigation. */
export const pages: readonly PageEntry[] = [
  { path: '/', title: texts.pages.overview, group: '', load: () => import('./pages/overview.tsx') },
];
