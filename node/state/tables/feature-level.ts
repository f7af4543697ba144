/** Which feature level is in force: what all members can do, and what no agent that cannot do it may meet. */
import { ShoalError } from '../../base/errors.ts';
import { featureLevel } from '../../base/version.ts';
import type { StateReader } from '../types.ts';
import { meshTable } from './index.ts';

/** Of releases that did not say one. */
const firstLevel = 1;

/** The level in force. */
export function levelInForce(reader: StateReader): number {
  return Math.max(firstLevel, meshTable.get(reader, 'mesh')?.record.featureLevel ?? 0);
}

/** The level that a member's release can do, by its record. */
export function levelOfMember({ featureLevel: level }: { readonly featureLevel: number }): number {
  return Math.max(firstLevel, level);
}

/** Throws `CONFLICT` while a member may be of a release that does not know what is asked for. @param what begins a sentence. */
export function mustBeInForce(reader: StateReader, level: number, what: string): void {
  const inForce = levelInForce(reader);
  if (inForce >= level) return;
  throw new ShoalError(
    'CONFLICT',
    `${what} need feature level ${level}, and ${inForce} is in force: upgrade all agents, then say: shoal upgrade finalize.`,
    { facts: { needed: level, inForce } },
  );
}

/** The refusal of an agent that cannot do what is in force; undefined: it can. */
export function tooOldFor(inForce: number, own = featureLevel): ShoalError | undefined {
  if (inForce <= own) return undefined;
  return new ShoalError(
    'CONFIG_INVALID',
    `This agent can do feature level ${own}, and the mesh has been finalised for ${inForce}: start a newer release here. There is ` +
      'no way back to this one.',
    { facts: { own, inForce } },
  );
}
