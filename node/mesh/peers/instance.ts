/**
 * One run of an agent. The host key says which host calls, and a copy of a host's disk has the same key: the instance tells
 * the two processes apart. It goes along with every peer call, in the header `shoal-instance`.
 */
import { randomBytes } from 'node:crypto';
import { parseAddress } from '../../base/address.ts';
import { ShoalError } from '../../base/errors.ts';

/** Which run of an agent. */
export interface Instance {
  /** Start of the run, ms since 1970 (../identity/epoch-file.ts): of two that run at a time the one with the lower is older. */
  readonly epoch: number;
  /** 16 random hex digits: two may have been started in the same millisecond. */
  readonly nonce: string;
}

/** The header of a peer call that says which instance calls. Absent: an agent of a version that did not tell. */
export const instanceHeader = 'shoal-instance';

/** The header of a peer call that says where the caller listens for its peers, `host:port`: its word, for people and for questions. */
export const listensAtHeader = 'shoal-listens-at';

const form = /^([1-9][0-9]{0,15})-([0-9a-f]{16})$/;

/** The instance of a run that begins now. */
export function newInstance(epoch: number): Instance {
  return { epoch, nonce: randomBytes(8).toString('hex') };
}

/** As it stands in the header: `1764460800000-0123456789abcdef`. */
export function formatInstance({ epoch, nonce }: Instance): string {
  return `${epoch}-${nonce}`;
}

/** The instance in a header; undefined for anything else. */
export function parseInstance(text: string | undefined): Instance | undefined {
  const parts = text === undefined ? null : form.exec(text);
  const epoch = Number(parts?.[1]);
  const nonce = parts?.[2];
  return nonce === undefined || !Number.isSafeInteger(epoch) ? undefined : { epoch, nonce };
}

/** The address in a header; undefined for anything else. */
export function parseListensAt(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    parseAddress(text);
    return text;
  } catch (caught) {
    if (ShoalError.is(caught, 'INVALID_ARGUMENT')) return undefined; // A caller may send anything.
    throw caught;
  }
}

/** Whether both are the same run. */
export function isSameInstance(a: Instance, b: Instance): boolean {
  return a.epoch === b.epoch && a.nonce === b.nonce;
}

/** Whether `a` is the older of two different runs. */
export function isOlderInstance(a: Instance, b: Instance): boolean {
  return a.epoch !== b.epoch ? a.epoch < b.epoch : a.nonce < b.nonce;
}
