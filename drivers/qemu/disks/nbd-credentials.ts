/** What a guest's QEMU proves itself with to the host that serves one of its disks: a pre-shared key, for that disk alone. */
import { chmod, chown, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../../../node/base/errors.ts';
import { checkNbdKey } from '../../nbd/exports/export-command.ts';
import type { GuestDisk, NbdKey } from '../../types.ts';
import type { QemuGuest } from '../guest/guest.ts';
import { credentialsName, type NodeSet } from './disk-nodes.ts';

/**
 * Runs `work` with QEMU knowing the key of a disk that is served over NBD. QEMU reads it from a file in `folder`, which goes;
 * it keeps the key for as long as the disk is plugged in, since it may have to connect again.
 */
export async function withCredentials(
  guest: QemuGuest,
  disk: GuestDisk,
  folder: string | undefined,
  work: () => Promise<void>,
  set: NodeSet = 'd',
): Promise<void> {
  const { source } = disk;
  if (source.kind !== 'nbd' || folder === undefined) return work();
  checkNbdKey(source.key);
  const id = credentialsName(disk.volumeId, set);
  try {
    await addKey(guest, { id, folder, key: source.key, endpoint: 'client' });
    await work();
  } catch (caught) {
    await forgetKey(guest, id);
    throw caught;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Tells QEMU a key by the name `id`, in place of what it knew by it. It is read from a file in `folder`, by a server at each connection. */
export async function addKey(
  guest: QemuGuest,
  told: {
    readonly id: string;
    readonly folder: string;
    readonly key: NbdKey;
    readonly endpoint: 'client' | 'server';
  },
): Promise<void> {
  const { id, folder, key, endpoint } = told;
  await forgetKey(guest, id);
  await writeKey(join(folder, 'keys.psk'), `${key.user}:${key.keyHex}\n`, (await stat(folder)).gid);
  const who = endpoint === 'client' ? { username: key.user } : {};
  await guest.execute('object-add', { 'qom-type': 'tls-creds-psk', id, dir: folder, ...who, endpoint });
}

/** Root's, and readable by the group that the folder is shown to: the guest's own. */
async function writeKey(path: string, text: string, gid: number): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  if (process.getuid?.() !== 0) return;
  await chown(path, 0, gid);
  await chmod(path, 0o640);
}

/** QEMU knows no key by that name any more, unless it is in use. */
export async function forgetKey(guest: QemuGuest, id: string): Promise<void> {
  try {
    await guest.execute('object-del', { id });
  } catch (caught) {
    if (!ShoalError.is(caught, 'DRIVER_FAILED') || !/not found|in use/i.test(caught.message)) throw caught;
  }
}
