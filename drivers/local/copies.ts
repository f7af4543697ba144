/** Content out of a disk and into one: copies, exports, imports. */
import { rm } from 'node:fs/promises';
import { ShoalError } from '../../node/base/errors.ts';
import type { VolumeSnapshotId } from '../../node/base/ids.ts';
import { NbdClient } from '../nbd/client.ts';
import { type DiskReader, withHolesOf } from '../nbd/encrypted-holes.ts';
import { closedAfter, readDifferences, readRanges, writeRanges } from '../nbd/exchange.ts';
import { openServed, type ServedDisk, serveDisk } from '../nbd/served-disk.ts';
import { optionValue, progressOf, secretsOptions } from '../qemu-tools.ts';
import { storageRefusal } from '../storage-refusal.ts';
import type { DiskExport, DiskOrigin, DiskRange, DiskSpec, Progress } from '../types.ts';
import { type DiskFiles, type DiskRecord, qcow2Options } from './disk-files.ts';
import { luksOptions, luksOverSocket, makeEncrypted } from './make-disk.ts';

/** An origin that was looked at, and may be read. */
interface Origin {
  readonly path: string;
  readonly record: DiskRecord;
  readonly sizeBytes: number;
  readonly snapshotId?: VolumeSnapshotId;
  readonly passphrase?: string;
}

/** Makes the disk of `spec` a full copy: nothing depends on the origin. `sizeBytes`: whole sectors. */
export async function copyDisk(
  files: DiskFiles,
  from: DiskOrigin,
  spec: DiskSpec,
  how: {
    readonly sizeBytes: number;
    readonly freeBytes: number;
    readonly progress: Progress;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { sizeBytes, freeBytes, signal } = how;
  const origin = await openOrigin(files, from, signal);
  if (sizeBytes < origin.sizeBytes) {
    throw new ShoalError('INVALID_ARGUMENT', `a disk of ${sizeBytes} bytes is smaller than its origin`, {
      facts: { asked: sizeBytes, origin: origin.sizeBytes },
    });
  }
  const { usedBytes } = await files.mustFind(from.volumeId);
  if (usedBytes !== undefined && usedBytes > freeBytes) {
    throw storageRefusal('full', `a copy of disk ${from.volumeId} takes ${usedBytes} bytes; ${freeBytes} are free`);
  }
  const path = await files.newDiskPath(spec.volumeId);
  const onOutput = (text: string): void => {
    const percent = progressOf(text);
    if (percent !== undefined) how.progress(percent);
  };
  try {
    const isSameKey = spec.encryption?.passphrase === from.encryption?.passphrase;
    const record = isSameKey
      ? await copyAsItIs(files, origin, path, { sizeBytes, signal, onOutput })
      : await copyReadable(files, origin, path, { spec, sizeBytes, signal, onOutput });
    await files.publish(path, spec.volumeId, record);
    how.progress(100);
  } finally {
    await rm(path, { force: true });
  }
}

interface CopyWork {
  readonly sizeBytes: number;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
}

/** Byte for byte, encrypted or not; the image below it is copied along. */
async function copyAsItIs(files: DiskFiles, origin: Origin, path: string, work: CopyWork): Promise<DiskRecord> {
  const { snapshotId, record } = origin;
  // A snapshot's content does not change while a guest writes the disk: its clusters are its own.
  const source = snapshotId === undefined ? [] : ['-U', '-l', `snapshot.name=${snapshotId}`];
  const { signal, onOutput } = work;
  const argv = ['convert', '-p', ...source, '-f', 'qcow2', '-O', 'qcow2', origin.path, path];
  await files.qemuImg(argv, { signal, onOutput });
  const { luksHeaderBytes } = record;
  const wholeBytes = work.sizeBytes + (luksHeaderBytes ?? 0);
  if (work.sizeBytes > origin.sizeBytes) {
    await files.qemuImg(['resize', '-q', '-f', 'qcow2', path, String(wholeBytes)], { signal });
  }
  return luksHeaderBytes === undefined ? {} : { luksHeaderBytes };
}

/** Read with one key and written with another, or with none on either side. */
async function copyReadable(
  files: DiskFiles,
  origin: Origin,
  path: string,
  work: CopyWork & { readonly spec: DiskSpec },
): Promise<DiskRecord> {
  const { signal, onOutput, sizeBytes } = work;
  const { encryption } = work.spec;
  const served: ServedDisk[] = [];
  try {
    const socketPath = await serveReadable(origin, served, signal);
    let record: DiskRecord = {};
    if (encryption === undefined) {
      await files.qemuImg(['create', '-q', '-f', 'qcow2', path, String(sizeBytes)], { signal });
    } else record = await makeEncrypted(files, path, encryption, { sizeBytes, signal });
    const source = `driver=raw,file.driver=nbd,file.export=disk,file.server.type=unix,file.server.path=${optionValue(socketPath)}`;
    const target = encryption === undefined ? qcow2Options(path) : luksOptions(path);
    await files.qemuImg(
      [
        ...['convert', '-p', '-n', ...(encryption === undefined ? [] : secretsOptions)],
        ...['--image-opts', source, '--target-image-opts', target],
      ],
      { signal, onOutput, ...(encryption === undefined ? {} : { stdin: encryption.passphrase }) },
    );
    return record;
  } finally {
    for (const disk of served.reverse()) await disk.end();
  }
}

/** Reads what a guest sees of a disk or of a snapshot of it. */
export async function exportDisk(
  files: DiskFiles,
  from: DiskOrigin,
  sinceSnapshotId: VolumeSnapshotId | undefined,
  signal: AbortSignal,
): Promise<DiskExport> {
  const origins = [await openOrigin(files, from, signal)];
  if (sinceSnapshotId !== undefined) {
    origins.push(await openOrigin(files, { ...from, snapshotId: sinceSnapshotId }, signal));
  }
  const open: OpenDisk[] = [];
  const close = async (): Promise<void> => {
    for (const disk of open.reverse()) await disk.close();
  };
  try {
    for (const origin of origins) open.push(await openReadable(origin, signal));
  } catch (caught) {
    await close().catch(() => {}); // Why it could not be opened is what counts.
    throw caught;
  }
  const [now, before] = open.map(({ client }) => client);
  if (now === undefined) throw new ShoalError('DRIVER_FAILED', 'nothing was opened');
  const ranges = before === undefined ? readRanges(now) : readDifferences(now, before);
  return { sizeBytes: now.sizeBytes, ranges: closedAfter(ranges, close) };
}

/** Writes into a disk that is closed. */
export async function importDisk(
  files: DiskFiles,
  spec: DiskSpec,
  ranges: AsyncIterable<DiskRange>,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<void> {
  const { volumeId, encryption } = spec;
  await openOrigin(files, { volumeId, ...(encryption === undefined ? {} : { encryption }) }, signal);
  const path = files.diskPath(volumeId);
  const { client, close } = await openServed(
    encryption === undefined
      ? { imageOptions: qcow2Options(path), readOnly: false }
      : { imageOptions: luksOptions(path), readOnly: false, passphrase: encryption.passphrase },
    signal,
  );
  try {
    await writeRanges(client, ranges, progress, signal);
  } catch (caught) {
    await close().catch(() => {}); // Why it could not be written is what counts.
    throw caught;
  }
  await close();
}

/** Looks whether the origin is there, ours, readable with what was given, and not open where it must not be. */
async function openOrigin(files: DiskFiles, from: DiskOrigin, signal: AbortSignal): Promise<Origin> {
  const { volumeId, snapshotId, encryption } = from;
  const { sizeBytes } = await files.mustFind(volumeId);
  await files.mustBeOurs(volumeId);
  const record = await files.record(volumeId);
  if ((record.luksHeaderBytes === undefined) !== (encryption === undefined)) {
    const is = encryption === undefined ? 'is' : 'is not';
    throw new ShoalError('INVALID_ARGUMENT', `disk ${volumeId} ${is} encrypted`);
  }
  if (snapshotId === undefined) await files.refuseInUse(volumeId, signal);
  else if (!(await files.snapshots(volumeId, signal)).includes(snapshotId)) {
    throw new ShoalError('NOT_FOUND', `disk ${volumeId} has no snapshot ${snapshotId}`);
  }
  return {
    path: files.diskPath(volumeId),
    record,
    sizeBytes,
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(encryption === undefined ? {} : { passphrase: encryption.passphrase }),
  };
}

/** What serves the disk, or its snapshot, as it is kept. */
function asItIs({ path, snapshotId }: Origin): Parameters<typeof serveDisk>[0] {
  const options = { imageOptions: qcow2Options(path), readOnly: true };
  return snapshotId === undefined ? options : { ...options, snapshot: snapshotId, isOpenElsewhere: true };
}

/** A disk that is served to be read. */
interface OpenDisk {
  readonly client: DiskReader;
  readonly close: () => Promise<void>;
}

async function openReadable(origin: Origin, signal: AbortSignal): Promise<OpenDisk> {
  if (origin.passphrase === undefined) return openServed(asItIs(origin), signal);
  // qcow2 alone knows its snapshots, so the key comes in one above.
  const below = await serveDisk(asItIs(origin), signal);
  try {
    const { passphrase } = origin;
    const imageOptions = luksOverSocket(below.socketPath);
    const above = await openServed({ imageOptions, readOnly: true, passphrase }, signal);
    const kept = await keptBeside(above, below, signal);
    const close = async (): Promise<void> => {
      kept.close();
      await above.close();
      await below.end();
    };
    return { client: withHolesOf(above.client, kept, origin.record.luksHeaderBytes ?? 0), close };
  } catch (caught) {
    await below.end().catch(() => {}); // Why it could not be opened is what counts.
    throw caught;
  }
}

/** What the disk is kept as, over a connection of its own; without that what serves it above ends, too. */
async function keptBeside(
  above: { readonly close: () => Promise<void> },
  below: ServedDisk,
  signal: AbortSignal,
): Promise<NbdClient> {
  try {
    return await NbdClient.connect(below.socketPath, 'disk', signal);
  } catch (caught) {
    await above.close().catch(() => {}); // Why it could not be reached is what counts.
    throw caught;
  }
}

/** Serves what a guest sees; what was started is in `served`, for its caller to end. */
async function serveReadable(origin: Origin, served: ServedDisk[], signal: AbortSignal): Promise<string> {
  const below = await serveDisk(asItIs(origin), signal);
  served.push(below);
  if (origin.passphrase === undefined) return below.socketPath;
  const imageOptions = luksOverSocket(below.socketPath);
  const above = await serveDisk({ imageOptions, readOnly: true, passphrase: origin.passphrase }, signal);
  served.push(above);
  return above.socketPath;
}
