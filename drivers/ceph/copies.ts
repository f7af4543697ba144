/** Content into a disk in Ceph and out of it: encryption, copies, exports, imports. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShoalError } from '../../node/base/errors.ts';
import type { VolumeSnapshotId } from '../../node/base/ids.ts';
import { makeLuksFile } from '../luks.ts';
import { type DiskReader, withHolesOf } from '../nbd/encrypted-holes.ts';
import { closedAfter, readRanges, writeRanges } from '../nbd/exchange.ts';
import { openServed, serveDisk } from '../nbd/served-disk.ts';
import { optionValue, progressOf, secretsOptions } from '../qemu-tools.ts';
import type { DiskEncryption, DiskExport, DiskOrigin, DiskRange, DiskSpec, Progress } from '../types.ts';
import { exitStatus } from './exit-status.ts';
import { readDifferences } from './rbd.ts';
import { ownSnapshots, type RbdDisk, type RbdImages } from './rbd-images.ts';

/** Features of a disk of one guest; one that several write at once cannot have what needs an exclusive lock. */
export function featuresOf({ shared }: Pick<DiskSpec, 'shared'>): string {
  // `exclusive-lock` is needed by the object map, which makes differences and removal fast. It is no fence.
  return shared === true ? 'layering,deep-flatten' : 'layering,exclusive-lock,object-map,fast-diff,deep-flatten';
}

/** Name of a disk that is being made by this host. It becomes the disk by being renamed. */
function incoming(images: RbdImages, { volumeId }: DiskSpec): string {
  return `incoming-${volumeId}-${images.client.identity.user}`.slice(0, 90);
}

/** Gives what was made under another name the disk's own. Somebody else was faster: theirs stays. */
async function publish(images: RbdImages, from: string, spec: DiskSpec, signal: AbortSignal): Promise<void> {
  const okStatus = [exitStatus.ok, exitStatus.exists];
  await images.client.rbd(['rename', images.name(from), images.name(spec.volumeId)], { signal, okStatus });
  await drop(images, from, signal);
}

async function drop(images: RbdImages, image: string, signal: AbortSignal): Promise<void> {
  const okStatus = [exitStatus.ok, exitStatus.notFound];
  await images.client.rbd(['rm', images.name(image), '--no-progress'], { signal, okStatus, isLong: true });
}

/** Makes an encrypted disk, with the content of a local file where there is one. */
export async function makeEncrypted(
  images: RbdImages,
  spec: DiskSpec & { readonly encryption: DiskEncryption },
  from: { readonly path: string } | { readonly image: string } | undefined,
  signal: AbortSignal,
): Promise<void> {
  const beside = incoming(images, spec);
  await drop(images, beside, signal);
  await formatInto(images, beside, spec, signal);
  if (from !== undefined) {
    const source = 'path' in from ? `driver=raw,file.driver=file,file.filename=${optionValue(from.path)}` : from.image;
    await convert(images, source, { target: targetOf(images, beside, spec.encryption), signal, progress: () => {} });
    if (spec.imageSha256 !== undefined) await images.note(beside, { imageSha256: spec.imageSha256 }, signal);
  }
  await publish(images, beside, spec, signal);
}

/** Makes a disk of what is in a local raw file. */
export async function makeFromFile(
  images: RbdImages,
  spec: DiskSpec,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const beside = incoming(images, spec);
  await drop(images, beside, signal);
  await create(images, beside, spec, spec.sizeBytes, signal);
  await images.client.convertInto({ path, format: 'raw' }, { pool: images.pool, image: beside }, signal);
  await publish(images, beside, spec, signal);
}

async function create(
  images: RbdImages,
  image: string,
  spec: DiskSpec,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const argv = ['create', images.name(image), '--size', `${sizeBytes}B`, '--image-feature', featuresOf(spec)];
  await images.client.rbd(argv, { signal });
}

/** qemu-img formats files only: the header is made in one, and copied. */
async function formatInto(
  images: RbdImages,
  image: string,
  spec: DiskSpec & { readonly encryption: DiskEncryption },
  signal: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-luks-'));
  try {
    const path = join(folder, 'header');
    const headerBytes = await makeLuksFile((args, options) => images.client.qemuImg(args, options), path, spec, signal);
    await create(images, image, spec, spec.sizeBytes + headerBytes, signal);
    await images.client.convertInto({ path, format: 'raw' }, { pool: images.pool, image }, signal);
    await images.note(image, { luksHeaderBytes: headerBytes }, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes the disk of `spec` a copy: a clone of a snapshot where the key stays the same, else all of it. */
export async function copyDisk(
  images: RbdImages,
  from: DiskOrigin,
  spec: DiskSpec,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const origin = await openOrigin(images, from, signal);
  const headerBytes = origin.notes.luksHeaderBytes ?? 0;
  if (spec.sizeBytes < origin.sizeBytes - headerBytes) {
    throw new ShoalError('INVALID_ARGUMENT', `a disk of ${spec.sizeBytes} bytes is smaller than its origin`, {
      facts: { asked: spec.sizeBytes, origin: origin.sizeBytes - headerBytes },
    });
  }
  const isSameKey = from.encryption?.passphrase === spec.encryption?.passphrase;
  const beside = incoming(images, spec);
  await drop(images, beside, signal);
  if (!isSameKey) {
    await copyReadable(images, from, beside, { spec, progress, signal });
  } else {
    const source = images.name(from.volumeId, from.snapshotId);
    const features = ['--image-feature', featuresOf(spec)];
    if (from.snapshotId === undefined) {
      const argv = ['cp', source, images.name(beside), ...features, '--no-progress'];
      await images.client.rbd(argv, { signal, isLong: true });
    } else {
      const argv = ['clone', source, images.name(beside), ...features, '--rbd-default-clone-format=2'];
      await images.client.rbd(argv, { signal });
    }
    const wholeBytes = spec.sizeBytes + headerBytes;
    if (wholeBytes > origin.sizeBytes) {
      await images.client.rbd(['resize', images.name(beside), '--size', `${wholeBytes}B`, '--no-progress'], { signal });
    }
  }
  await publish(images, beside, spec, signal);
  progress(100);
}

async function copyReadable(
  images: RbdImages,
  from: DiskOrigin,
  beside: string,
  work: { readonly spec: DiskSpec; readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const { spec, progress, signal } = work;
  const { encryption } = spec;
  if (encryption === undefined) await create(images, beside, spec, spec.sizeBytes, signal);
  else await formatInto(images, beside, { ...spec, encryption }, signal);
  const served = await serveDisk({ ...readable(images, from), readOnly: true }, signal);
  try {
    const server = `file.server.type=unix,file.server.path=${optionValue(served.socketPath)}`;
    const target = targetOf(images, beside, encryption);
    await convert(images, `driver=raw,file.driver=nbd,file.export=disk,${server}`, { target, progress, signal });
  } finally {
    await served.end();
  }
}

interface Target {
  readonly options: string;
  readonly passphrase?: string;
}

function targetOf(images: RbdImages, image: string, encryption: DiskEncryption | undefined): Target {
  if (encryption === undefined) return { options: `driver=raw,${images.options(image)}` };
  return { options: `driver=luks,key-secret=secret0,${images.options(image)}`, passphrase: encryption.passphrase };
}

async function convert(
  images: RbdImages,
  source: string,
  how: { readonly target: Target; readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const { options, passphrase } = how.target;
  const secrets = passphrase === undefined ? [] : secretsOptions;
  const argv = ['convert', '-p', '-n', ...secrets, '--image-opts', source, '--target-image-opts', options];
  const onOutput = (text: string): void => {
    const percent = progressOf(text);
    if (percent !== undefined) how.progress(percent);
  };
  await images.client.qemuImg(argv, {
    signal: how.signal,
    onOutput,
    ...(passphrase === undefined ? {} : { stdin: passphrase }),
  });
}

/** Reads what a guest sees of a disk or of a snapshot of it. Ceph knows what has changed since another snapshot. */
export async function exportDisk(
  images: RbdImages,
  from: DiskOrigin,
  sinceSnapshotId: VolumeSnapshotId | undefined,
  signal: AbortSignal,
): Promise<DiskExport> {
  const origin = await openOrigin(images, from, signal);
  const stretches =
    sinceSnapshotId === undefined ? undefined : await changedSince(images, from, sinceSnapshotId, { origin, signal });
  const { client, close } = await openToRead(images, from, { origin, signal });
  return { sizeBytes: client.sizeBytes, ranges: closedAfter(readRanges(client, stretches), close) };
}

async function openToRead(
  images: RbdImages,
  from: DiskOrigin,
  { origin, signal }: { readonly origin: RbdDisk; readonly signal: AbortSignal },
): Promise<{ readonly client: DiskReader; readonly close: () => Promise<void> }> {
  const above = await openServed({ ...readable(images, from), readOnly: true }, signal);
  if (from.encryption === undefined) return above;
  const { encryption: _key, ...asKept } = from;
  try {
    const below = await openServed({ ...readable(images, asKept), readOnly: true }, signal);
    const close = async (): Promise<void> => {
      await below.close();
      await above.close();
    };
    return { client: withHolesOf(above.client, below.client, origin.notes.luksHeaderBytes ?? 0), close };
  } catch (caught) {
    await above.close().catch(() => {}); // Why it could not be opened is what counts.
    throw caught;
  }
}

async function changedSince(
  images: RbdImages,
  from: DiskOrigin,
  sinceSnapshotId: VolumeSnapshotId,
  { origin, signal }: { readonly origin: RbdDisk; readonly signal: AbortSignal },
): Promise<readonly { readonly offsetBytes: number; readonly lengthBytes: number }[]> {
  if (!(await images.snapshots(from.volumeId, signal)).includes(sinceSnapshotId)) {
    throw new ShoalError('NOT_FOUND', `disk ${from.volumeId} has no snapshot ${sinceSnapshotId}`);
  }
  const argv = ['diff', '--from-snap', sinceSnapshotId, images.name(from.volumeId, from.snapshotId)];
  const changed = readDifferences(await images.client.rbdJson(argv, { signal, isLong: true }));
  const headerBytes = origin.notes.luksHeaderBytes ?? 0;
  return changed.flatMap(({ offsetBytes, lengthBytes }) => {
    const at = Math.max(0, offsetBytes - headerBytes);
    const end = offsetBytes + lengthBytes - headerBytes;
    return end > at ? [{ offsetBytes: at, lengthBytes: end - at }] : [];
  });
}

/** Writes into a disk that is closed. */
export async function importDisk(
  images: RbdImages,
  spec: DiskSpec,
  ranges: AsyncIterable<DiskRange>,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const { volumeId, encryption } = spec;
  const from: DiskOrigin = { volumeId, ...(encryption === undefined ? {} : { encryption }) };
  await openOrigin(images, from, signal);
  const { client, close } = await openServed({ ...readable(images, from), readOnly: false }, signal);
  try {
    await writeRanges(client, ranges, progress, signal);
  } catch (caught) {
    await close().catch(() => {}); // Why it could not be written is what counts.
    throw caught;
  }
  await close();
}

/** How `qemu-nbd` opens what a guest sees. */
function readable(
  images: RbdImages,
  { volumeId, snapshotId, encryption }: DiskOrigin,
): { readonly imageOptions: string; readonly prefix: readonly string[]; readonly passphrase?: string } {
  const { prefix } = images;
  const options = images.options(volumeId, snapshotId);
  if (encryption === undefined) return { imageOptions: `driver=raw,${options}`, prefix };
  return { imageOptions: `driver=luks,key-secret=secret0,${options}`, prefix, passphrase: encryption.passphrase };
}

/** The origin; refused when it is not there, not readable with what was given, or open where it must not be. */
async function openOrigin(images: RbdImages, from: DiskOrigin, signal: AbortSignal): Promise<RbdDisk> {
  const { volumeId, snapshotId, encryption } = from;
  const disk = await images.mustFind(volumeId, signal);
  if ((disk.notes.luksHeaderBytes === undefined) !== (encryption === undefined)) {
    const is = encryption === undefined ? 'is' : 'is not';
    throw new ShoalError('INVALID_ARGUMENT', `disk ${volumeId} ${is} encrypted`);
  }
  if (snapshotId === undefined) await images.refuseOpen(volumeId, signal);
  else if (!ownSnapshots(await images.snapshots(volumeId, signal)).includes(snapshotId)) {
    throw new ShoalError('NOT_FOUND', `disk ${volumeId} has no snapshot ${snapshotId}`);
  } else {
    // What a clone of it would have: the disk may have grown since.
    const then = await images.info(images.name(volumeId, snapshotId), signal);
    if (then !== undefined) return { ...disk, sizeBytes: then.sizeBytes };
  }
  return disk;
}
