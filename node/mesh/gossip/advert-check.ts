/** Signing adverts and rumours, and checking those of others. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { HostIdentity } from '../identity/identity.ts';
import { hostIdOf, isHostId, verifySignature } from '../identity/signature.ts';
import { gossipBytesMax } from './gossip.ts';

const advertPurpose = 'advert/v1';
const rumourPurpose = 'rumour/v1';

/** Longest text anywhere in an advert, characters; and how many of each repeated field. */
const textCharactersMax = 256;
const listItemsMax = 512;

/** An advert with its signature. */
export function signAdvert(identity: HostIdentity, advert: shoal.v1.IAdvert): shoal.v1.SignedAdvert {
  const bytes = shoal.v1.Advert.encode(advert).finish();
  return shoal.v1.SignedAdvert.create({
    advert: bytes,
    signature: identity.sign(advertPurpose, bytes),
    publicKey: identity.publicKey,
  });
}

/**
 * The advert inside, if its host signed it and it belongs to the mesh. Throws `IDENTITY_MISMATCH` or `INVALID_ARGUMENT`:
 * nobody honest sends such a thing.
 *
 * @param isWanted asked before the signature is looked at, which costs far more than all else: what it says no to comes
 *   back as undefined, true or forged. It must not believe what it sees.
 */
export function openAdvert(signed: shoal.v1.ISignedAdvert, meshId: string): shoal.v1.Advert;

/** As without `isWanted`; undefined for an advert that it turned down. */
export function openAdvert(
  signed: shoal.v1.ISignedAdvert,
  meshId: string,
  isWanted: (advert: shoal.v1.Advert) => boolean,
): shoal.v1.Advert | undefined;

/** Both forms. */
export function openAdvert(
  signed: shoal.v1.ISignedAdvert,
  meshId: string,
  isWanted?: (advert: shoal.v1.Advert) => boolean,
): shoal.v1.Advert | undefined {
  const bytes = signed.advert ?? new Uint8Array(0);
  const publicKey = signed.publicKey ?? new Uint8Array(0);
  const advert = decoded('advert', bytes, () => shoal.v1.Advert.decode(bytes));
  mustBelong(advert.meshId, meshId);
  // Cheap checks first: verifying a signature costs a hundred times as much.
  if (advert.hostId !== hostIdOf(publicKey)) throw mismatch('An advert speaks for another host.');
  for (const value of [advert.epoch, advert.sequence]) mustBeCount(value);
  mustBeBounded(advert);
  if (isWanted?.(advert) === false) return undefined;
  if (!verifySignature(publicKey, advertPurpose, bytes, signed.signature ?? new Uint8Array(0))) {
    throw mismatch('The signature of an advert is wrong.');
  }
  return advert;
}

/** A rumour with its signature. */
export function signRumour(identity: HostIdentity, rumour: shoal.v1.IRumour): shoal.v1.SignedRumour {
  const bytes = shoal.v1.Rumour.encode(rumour).finish();
  return shoal.v1.SignedRumour.create({
    rumour: bytes,
    signature: identity.sign(rumourPurpose, bytes),
    publicKey: identity.publicKey,
  });
}

/** A rumour that has been checked. */
export interface CheckedRumour {
  readonly about: HostId;
  readonly from: HostId;
  readonly epoch: number;
  readonly incarnation: number;
  readonly kind: 'suspect' | 'alive' | 'dead';
}

/** The rumour inside, if the host that it is from signed it. Throws as `openAdvert`. */
export function openRumour(signed: shoal.v1.ISignedRumour, meshId: string): CheckedRumour {
  const bytes = signed.rumour ?? new Uint8Array(0);
  const publicKey = signed.publicKey ?? new Uint8Array(0);
  const rumour = decoded('rumour', bytes, () => shoal.v1.Rumour.decode(bytes));
  const { aboutHostId: about, epoch, incarnation } = rumour;
  mustBelong(rumour.meshId, meshId);
  for (const value of [epoch, incarnation]) mustBeCount(value);
  const from = hostIdOf(publicKey);
  const kind = rumourKinds[rumour.kind];
  if (kind === undefined || !isHostId(about)) throw invalid('A rumour makes no sense.');
  if (rumour.fromHostId !== from) throw mismatch('A rumour is not from whom it says.');
  if (kind === 'alive' && about !== from) throw mismatch('A host says that another one is alive.');
  if (!verifySignature(publicKey, rumourPurpose, bytes, signed.signature ?? new Uint8Array(0))) {
    throw mismatch('The signature of a rumour is wrong.');
  }
  return { about, from, epoch, incarnation, kind };
}

const rumourKinds: Readonly<Record<number, CheckedRumour['kind']>> = {
  [shoal.v1.RumourKind.RUMOUR_KIND_SUSPECT]: 'suspect',
  [shoal.v1.RumourKind.RUMOUR_KIND_ALIVE]: 'alive',
  [shoal.v1.RumourKind.RUMOUR_KIND_DEAD]: 'dead',
};

/** The number of a kind on the wire. */
export const rumourKindNumbers: Readonly<Record<CheckedRumour['kind'], shoal.v1.RumourKind>> = {
  suspect: shoal.v1.RumourKind.RUMOUR_KIND_SUSPECT,
  alive: shoal.v1.RumourKind.RUMOUR_KIND_ALIVE,
  dead: shoal.v1.RumourKind.RUMOUR_KIND_DEAD,
};

function decoded<T>(what: string, bytes: Uint8Array, decode: () => T): T {
  // Not everything that is opened here came by gossip, which has the same bound.
  if (bytes.length > gossipBytesMax) throw invalid(`The bytes of one ${what} are too many.`);
  try {
    return decode();
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', `What should be the bytes of one ${what} cannot be decoded.`, {
      cause: caught,
    });
  }
}

function mustBelong(found: string, meshId: string): void {
  if (found !== meshId) throw mismatch('It belongs to another mesh.');
}

/** Every text and list of a message, however deep, those of fields to come too; bytes are bounded as a whole. */
function mustBeBounded(value: unknown): void {
  if (typeof value === 'string') {
    if (value.length > textCharactersMax) throw invalid('An advert has a text that is too long.');
    return;
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  const entries = Object.entries(value);
  if (entries.length > listItemsMax) throw invalid('An advert has a list that is too long.');
  for (const [name, item] of entries) {
    mustBeBounded(name);
    mustBeBounded(item);
  }
}

function mustBeCount(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid('A number is outside [0, 2^53).');
}

function mismatch(message: string): ShoalError {
  return new ShoalError('IDENTITY_MISMATCH', message);
}

function invalid(message: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message);
}
