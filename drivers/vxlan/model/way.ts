import type { RouterSpec, RouterWay } from '../../types.ts';

/** The way of what leaves a router, which both families share: the one that says by which transit network. Undefined: there is none. */
export function wayOf({ external, external6 }: Pick<RouterSpec, 'external' | 'external6'>): RouterWay | undefined {
  return external?.transitVni === undefined ? (external6 ?? external) : external;
}
