/**
 * A guest's own copy of what librbd needs: ceph.conf and the client's keyring, readable for that guest's user (and root)
 * alone. The key in it opens every disk of the pool, so no guest without a disk in Ceph gets one.
 */
import { chmod, chown, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { GuestSpec } from '../../types.ts';

/** Writes the copies below `folder` for every disk in Ceph; returns the spec that names them, and whether there are any. */
export async function copyCephFiles(
  spec: GuestSpec,
  folder: string,
  uid: number,
): Promise<{ readonly spec: GuestSpec; readonly hasFiles: boolean }> {
  const copies = new Map<string, string>();
  for (const { source } of spec.disks) {
    if (source.kind !== 'rbd') continue;
    const key = `${source.confPath}\n${source.user}`;
    if (!copies.has(key)) copies.set(key, await copyOne(source, { folder, uid, number: copies.size }));
  }
  const disks = spec.disks.map((disk) => {
    if (disk.source.kind !== 'rbd') return disk;
    const confPath = copies.get(`${disk.source.confPath}\n${disk.source.user}`) ?? disk.source.confPath;
    return { ...disk, source: { ...disk.source, confPath } };
  });
  return { spec: { ...spec, disks }, hasFiles: copies.size > 0 };
}

/** Writes the copies for one disk into `folder`, which is there; returns the path of its ceph.conf. */
export function copyCephFilesOf(
  source: { readonly confPath: string; readonly user: string },
  folder: string,
  uid: number,
): Promise<string> {
  return copyOne(source, { folder, uid, number: 0 });
}

async function copyOne(
  source: { readonly confPath: string; readonly user: string },
  to: { readonly folder: string; readonly uid: number; readonly number: number },
): Promise<string> {
  await mkdir(to.folder, { recursive: true, mode: 0o750 });
  await handOver(to.folder, to.uid, 0o750);
  const conf = await readText(source.confPath);
  if (conf === undefined) throw new ShoalError('NOT_FOUND', `there is no ${source.confPath}`);
  const keyringLine = /^[ \t]*keyring[ \t]*=.*$/gm;
  const named = /^[ \t]*keyring[ \t]*=[ \t]*(\S+)/m.exec(conf)?.[1];
  const places = [named, `/etc/ceph/ceph.client.${source.user}.keyring`, '/etc/ceph/ceph.keyring'];
  let keyring: string | undefined;
  for (const place of places)
    if (place !== undefined) keyring ??= await readText(place.replaceAll('$name', `client.${source.user}`));
  const copy = join(to.folder, `ceph-${to.number}.conf`);
  const keyringCopy = join(to.folder, `keyring-${to.number}`);
  if (keyring === undefined) {
    await writeOwned(copy, conf, to.uid);
    return copy;
  }
  await writeOwned(keyringCopy, keyring, to.uid);
  const text =
    named === undefined
      ? `${conf}\n[global]\nkeyring = ${keyringCopy}\n`
      : conf.replace(keyringLine, `keyring = ${keyringCopy}`);
  await writeOwned(copy, text, to.uid);
  return copy;
}

async function writeOwned(path: string, text: string, uid: number): Promise<void> {
  await writeFileDurably(path, text, { mode: 0o400 });
  await handOver(path, uid, 0o440);
}

/** Root's, readable for the guest's group. */
async function handOver(path: string, uid: number, mode: number): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, 0, uid);
  await chmod(path, mode);
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
}
