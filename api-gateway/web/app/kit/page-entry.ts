/** What a page is, to the shell. */
import type { ComponentType } from 'preact';
import type { PathParameters } from './router-paths.ts';

/** What a page is given. */
export interface PageProps {
  readonly parameters: PathParameters;
}

/** One page. */
export interface PageEntry {
  /** As `/servers/:id`. */
  readonly path: string;
  readonly title: string;
  /** Heading in the navigation below which it stands, '' for none; undefined: it is reached from another page. */
  readonly group?: string;
  /** Only for who has the role `admin`. The API decides; others are only spared the way. */
  readonly forOperators?: boolean;
  readonly load: () => Promise<{ readonly default: ComponentType<PageProps> }>;
}
