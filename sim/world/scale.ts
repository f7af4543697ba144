/**
 * Small worlds are looked at closely; in large ones, where a look at all hosts is dear and events are many, it is less often.
 */
export type Scale = 'small' | 'large';

/** Hosts of a small world, at most. */
const smallMax = 20;

export function scaleOf(hosts: number): Scale {
  return hosts <= smallMax ? 'small' : 'large';
}
