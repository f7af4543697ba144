/** Signing adverts and health updates, and checking those of others. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { HostIdentity } from '../identity/identity.ts';
import { hostIdOf, isHostId, verifySignature } from '../identity/signature.ts';
import type { DetectorUpdate, Evidence } from '../rules/health-update.ts';
import { gossipBytesMax } from './gossip.ts';

const advertPurpose = 'advert/v1';
const updatePurpose = 'advert-update/v1';
/** What signatures of health updates begin with, of all versions: it keeps its first name. */
const healthUpdatePurpose = 'rumour/v1';

/** Longest text anywhere in an advert, characters; and how many of each repeated field. */
const textCharactersMax = 256;
const listItemsMax = 512;

/** An advert with its signature. */
export function signAdvert(
  identity: Pick<HostIdentity, 'publicKey' | 'sign'>,
  advert: shoal.v1.IAdvert,
): shoal.v1.SignedAdvert {
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

/** An update of an advert with its signature. */
export function signAdvertUpdate(
  identity: Pick<HostIdentity, 'sign'>,
  update: shoal.v1.IAdvertUpdate,
  meshId: string,
): shoal.v1.SignedAdvertUpdate {
  const bytes = shoal.v1.AdvertUpdate.encode(update).finish();
  return shoal.v1.SignedAdvertUpdate.create({
    update: bytes,
    signature: identity.sign(updatePurpose, ofMesh(bytes, meshId)),
  });
}

/** What an update says, unchecked but for its form. Throws `INVALID_ARGUMENT`. */
export function readAdvertUpdate(signed: shoal.v1.ISignedAdvertUpdate): {
  readonly hostId: HostId;
  readonly update: shoal.v1.AdvertUpdate;
} {
  const bytes = signed.update ?? new Uint8Array(0);
  const update = decoded('advert update', bytes, () => shoal.v1.AdvertUpdate.decode(bytes));
  const hostId = Buffer.from(update.hostId).toString('hex');
  if (!isHostId(hostId)) throw invalid('An advert update names no host.');
  for (const value of Object.values(update)) if (typeof value === 'number') mustBeCount(value);
  return { hostId, update };
}

/** Throws `IDENTITY_MISMATCH` unless the host with this key has signed the update for this mesh. */
export function mustHaveSignedUpdate(
  signed: shoal.v1.ISignedAdvertUpdate,
  publicKey: Uint8Array,
  meshId: string,
): void {
  const content = ofMesh(signed.update ?? new Uint8Array(0), meshId);
  if (!verifySignature(publicKey, updatePurpose, content, signed.signature ?? new Uint8Array(0))) {
    throw mismatch('The signature of an advert update is wrong.');
  }
}

/** A host's key outlives its mesh: what is signed says for which one it is. */
function ofMesh(bytes: Uint8Array, meshId: string): Uint8Array {
  return Buffer.concat([Buffer.from(`${meshId}\0`, 'utf8'), bytes]);
}

/** A health update with its signature. */
export function signHealthUpdate(identity: HostIdentity, update: shoal.v1.IHealthUpdate): shoal.v1.SignedHealthUpdate {
  const bytes = shoal.v1.HealthUpdate.encode(update).finish();
  return shoal.v1.SignedHealthUpdate.create({
    update: bytes,
    signature: identity.sign(healthUpdatePurpose, bytes),
    publicKey: identity.publicKey,
  });
}

/** A health update that has been checked, with the message that shows it. */
export type CheckedHealthUpdate = DetectorUpdate & { readonly signed: shoal.v1.ISignedHealthUpdate };

/** The health update inside, if the host that it is from signed it. Throws as `openAdvert`. */
export function openHealthUpdate(signed: shoal.v1.ISignedHealthUpdate, meshId: string): CheckedHealthUpdate;

/** As without `isWanted`, which is as `openAdvert`'s. */
export function openHealthUpdate(
  signed: shoal.v1.ISignedHealthUpdate,
  meshId: string,
  isWanted: (update: DetectorUpdate) => boolean,
): CheckedHealthUpdate | undefined;

/** Both forms. */
export function openHealthUpdate(
  signed: shoal.v1.ISignedHealthUpdate,
  meshId: string,
  isWanted?: (update: DetectorUpdate) => boolean,
): CheckedHealthUpdate | undefined {
  const bytes = signed.update ?? new Uint8Array(0);
  const publicKey = signed.publicKey ?? new Uint8Array(0);
  const update = decoded('health update', bytes, () => shoal.v1.HealthUpdate.decode(bytes));
  const { aboutHostId: about, epoch, incarnation } = update;
  mustBelong(update.meshId, meshId);
  for (const value of [epoch, incarnation]) mustBeCount(value);
  const from = hostIdOf(publicKey);
  const kind = healthUpdateKinds[update.kind];
  if (kind === undefined || !isHostId(about)) throw invalid('A health update names no known kind or no host.');
  if (update.fromHostId !== from) throw mismatch('A health update is signed by another host than it names.');
  if (kind === 'alive' && about !== from) throw mismatch('A host says that another one is alive.');
  const evidence = evidences.get(update.evidence);
  const found = { about, from, epoch, incarnation, kind, ...(evidence === undefined ? {} : { evidence }) };
  if (isWanted?.(found) === false) return undefined;
  const signature = signed.signature ?? new Uint8Array(0);
  if (!verifySignature(publicKey, healthUpdatePurpose, bytes, signature)) {
    throw mismatch('The signature of a health update is wrong.');
  }
  // What others say with it is theirs, and checked with theirs.
  return { ...found, signed: { update: bytes, signature, publicKey } };
}

const evidences: ReadonlyMap<shoal.v1.HealthEvidence, Evidence> = new Map([
  [shoal.v1.HealthEvidence.HEALTH_EVIDENCE_UNREACHABLE, 'unreachable'],
  [shoal.v1.HealthEvidence.HEALTH_EVIDENCE_STALLED, 'stalled'],
]);

/** The number of what was seen on the wire. */
export const evidenceNumbers: Readonly<Record<Evidence, shoal.v1.HealthEvidence>> = {
  unreachable: shoal.v1.HealthEvidence.HEALTH_EVIDENCE_UNREACHABLE,
  stalled: shoal.v1.HealthEvidence.HEALTH_EVIDENCE_STALLED,
};

const healthUpdateKinds: Readonly<Record<number, CheckedHealthUpdate['kind']>> = {
  [shoal.v1.HealthUpdateKind.HEALTH_UPDATE_KIND_SUSPECT]: 'suspect',
  [shoal.v1.HealthUpdateKind.HEALTH_UPDATE_KIND_ALIVE]: 'alive',
  [shoal.v1.HealthUpdateKind.HEALTH_UPDATE_KIND_DEAD]: 'dead',
};

/** The number of a kind on the wire. */
export const healthUpdateKindNumbers: Readonly<Record<CheckedHealthUpdate['kind'], shoal.v1.HealthUpdateKind>> = {
  suspect: shoal.v1.HealthUpdateKind.HEALTH_UPDATE_KIND_SUSPECT,
  alive: shoal.v1.HealthUpdateKind.HEALTH_UPDATE_KIND_ALIVE,
  dead: shoal.v1.HealthUpdateKind.HEALTH_UPDATE_KIND_DEAD,
};

function decoded<T>(what: string, bytes: Uint8Array, decode: () => T): T {
  // Not everything that is opened here came by gossip, which has the same bound.
  if (bytes.length > gossipBytesMax) throw invalid(`The bytes of one ${what} are too many.`);
  try {
    return decode();
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', `The bytes of a ${what} cannot be decoded.`, {
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
