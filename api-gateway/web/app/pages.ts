/** All pages: their addresses, where they stand in the navigation, and the file of each, loaded when it is opened. */
import type { PageEntry } from './kit/page-entry.ts';
import { texts } from './kit/texts.ts';

const { compute } = texts.pages.groups;

/** In the order of the navigation; of two that fit an address, the first. */
export const pages: readonly PageEntry[] = [
  { path: '/', title: texts.pages.overview, group: '', load: () => import('./pages/overview.tsx') },
  { path: '/servers', title: texts.servers.title, group: compute, load: () => import('./pages/servers/list.tsx') },
  { path: '/servers/new', title: texts.servers.create, load: () => import('./pages/servers/create.tsx') },
  { path: '/servers/:id', title: texts.kinds.server, load: () => import('./pages/servers/show.tsx') },
];
