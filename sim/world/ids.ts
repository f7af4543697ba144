import type { Prng } from '../../node/base/prng.ts';

/** UUIDs (version 4 in form) from the seed. */
export function idMaker(random: Prng): () => string {
  const hex = (digits: number): string => {
    let made = '';
    while (made.length < digits) made += random.uint32().toString(16).padStart(8, '0');
    return made.slice(0, digits);
  };
  return () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}
