/** Files that are not Shoal's and may become disks, and disks that become such files: all in the folder `unmanaged`. */
import { link, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../node/base/durable-file.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { VolumeId } from '../../node/base/ids.ts';
import { isMissing } from '../../node/base/system-error.ts';
import { checkUnmanagedName, isUnmanagedName } from '../disk-spec.ts';
import { inspectImage, isRecognisedImage } from '../image/inspect.ts';
import type { UnmanagedDisk } from '../types.ts';
import type { DiskFiles } from './disk-files.ts';
import { sectorBytes } from './qcow2-header.ts';

/** What a file holds, or why it cannot be a disk. */
type Inspected = UnmanagedDisk & { readonly format?: 'qcow2' | 'raw' };

/** Every file there with a name that can be asked for; links and folders are none. */
export async function listUnmanaged(files: DiskFiles): Promise<readonly UnmanagedDisk[]> {
  const entries = await readdir(files.unmanagedDir, { withFileTypes: true });
  const found: UnmanagedDisk[] = [];
  for (const entry of entries) {
    if (!entry.isFile() || !isUnmanagedName(entry.name) || entry.name.endsWith('.tmp')) continue;
    const { name, sizeBytes, unfit } = await inspect(files, entry.name);
    found.push({ name, sizeBytes, ...(unfit === undefined ? {} : { unfit }) });
  }
  return found.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** Makes the file the disk: a qcow2 file as it is, any other by copying it. */
export async function adoptDisk(
  files: DiskFiles,
  name: string,
  volumeId: VolumeId,
  signal: AbortSignal,
): Promise<void> {
  checkUnmanagedName(name);
  const source = join(files.unmanagedDir, name);
  const there = await files.find(volumeId);
  if (there !== undefined) {
    if ((await files.record(volumeId)).adoptedFrom !== name) {
      throw new ShoalError('CONFLICT', `disk ${volumeId} exists already, and was not '${name}'`);
    }
    await rm(source, { force: true });
    return;
  }
  if (!(await isThere(source)))
    throw new ShoalError('NOT_FOUND', `there is no file '${name}' among the unmanaged ones`);
  const { format, unfit } = await inspect(files, name);
  if (unfit !== undefined || format === undefined) {
    throw new ShoalError('CONFLICT', `the file '${name}' cannot be a disk: ${unfit ?? 'its format is not known'}`);
  }
  const path = await files.newDiskPath(volumeId);
  try {
    if (format === 'qcow2') await link(source, path);
    else await files.qemuImg(['convert', '-q', '-f', format, '-O', 'qcow2', source, path], { signal });
    await files.publish(path, volumeId, { adoptedFrom: name });
  } finally {
    await rm(path, { force: true });
  }
  await rm(source, { force: true });
  await syncFolder(files.unmanagedDir);
}

/** Lets the disk go under this name: as it is, or with what lay below it copied in. */
export async function releaseDisk(
  files: DiskFiles,
  volumeId: VolumeId,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  checkUnmanagedName(name);
  const target = join(files.unmanagedDir, name);
  const path = files.diskPath(volumeId);
  if ((await files.find(volumeId)) === undefined) {
    if (await isThere(target)) return;
    throw new ShoalError('NOT_FOUND', `there is no disk ${volumeId} on this host`);
  }
  await files.refuseInUse(volumeId, signal);
  const record = await files.record(volumeId);
  if (record.releasedTo === name && (await isThere(target))) {
    await files.remove(volumeId);
    return;
  }
  if (record.luksHeaderBytes !== undefined) {
    throw new ShoalError('CONFLICT', `disk ${volumeId} is encrypted, and its key would go with its record`);
  }
  if ((await files.snapshots(volumeId, signal)).length > 0) {
    throw new ShoalError('CONFLICT', `disk ${volumeId} has snapshots`);
  }
  if (await isThere(target)) throw new ShoalError('CONFLICT', `a file named '${name}' is there already`);
  const beside = `${target}.tmp`;
  await rm(beside, { force: true });
  try {
    if (record.imageName === undefined) await link(path, beside);
    else await files.qemuImg(['convert', '-q', '-f', 'qcow2', '-O', 'qcow2', path, beside], { signal });
    await files.note(volumeId, { ...record, releasedTo: name });
    // A link never replaces what somebody else put there meanwhile.
    await link(beside, target);
  } finally {
    await rm(beside, { force: true });
  }
  await syncFolder(files.unmanagedDir);
  await files.remove(volumeId);
}

async function inspect(files: DiskFiles, name: string): Promise<Inspected> {
  const path = join(files.unmanagedDir, name);
  const { size } = await stat(path);
  try {
    const isImage = await isRecognisedImage(path);
    const { virtualSizeBytes } = await inspectImage(path, isImage ? 'qcow2' : 'raw');
    if (virtualSizeBytes === 0 || virtualSizeBytes % sectorBytes !== 0) {
      return { name, sizeBytes: virtualSizeBytes, unfit: 'its size is not whole sectors' };
    }
    return { name, sizeBytes: virtualSizeBytes, format: isImage ? 'qcow2' : 'raw' };
  } catch (caught) {
    if (!ShoalError.is(caught, 'IMAGE_REFUSED')) throw caught;
    return { name, sizeBytes: size, unfit: caught.message };
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}
