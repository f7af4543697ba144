/** The command line of what serves one disk: `qemu-storage-daemon` with the disk's file, a TCP port and one key. Pure. */
import { ShoalError } from '../../../node/base/errors.ts';
import { mibBytes } from '../../../node/base/units.ts';
import type { DiskSource, NbdKey } from '../../types.ts';

/** The program, found by PATH. */
export const storageDaemon = 'qemu-storage-daemon';

/** Its own allocations, bytes: qcow2's caches and requests under way. A bound against one gone wild. */
export const daemonBytesMax = 1024 * mibBytes;
/** Threads that read and write for it, at most 64, and a few of its own. */
export const daemonThreadsMax = 192;
/** Open files: connections that have not shown the key yet count too. */
export const daemonFilesMax = 256;

/** Its node that reads the file's format: what is served, and what snapshots are made of. */
export const servedNode = 'fmt';
/** Name of the export, the same for every disk: the port says which. */
export const exportName = 'disk';

/** What it is to serve, and where. */
interface Serving {
  readonly source: DiskSource & { readonly kind: 'file' };
  readonly address: string;
  readonly port: number;
  readonly readOnly: boolean;
  readonly tlsFolder: string;
  readonly pidFile: string;
}

/** Words that start it, in the folder where its monitor `qmp` is to be. */
export function exportCommand(serving: Serving): readonly string[] {
  const { source, address, port, readOnly, tlsFolder, pidFile } = serving;
  const json = (value: unknown): string => JSON.stringify(value);
  const also = readOnly ? { 'read-only': true } : {};
  const file = { driver: 'file', 'node-name': 'src', filename: source.path, discard: 'unmap', ...also };
  const format = { driver: source.format, 'node-name': servedNode, file: 'src', discard: 'unmap', ...also };
  return [
    ...[storageDaemon, '--pidfile', pidFile],
    ...['--chardev', 'socket,path=qmp,server=on,wait=off,id=qmp', '--monitor', 'chardev=qmp'],
    ...['--object', json({ 'qom-type': 'tls-creds-psk', id: 'tls', dir: tlsFolder, endpoint: 'server' })],
    ...['--blockdev', json(file), '--blockdev', json({ ...format, ...backingOf(source) })],
    ...['--nbd-server', json({ addr: { type: 'inet', host: address, port: String(port) }, 'tls-creds': 'tls' })],
    ...['--export', json({ type: 'nbd', id: 'disk', 'node-name': servedNode, name: exportName, writable: !readOnly })],
  ];
}

/** What lies below the file, named here, so that what stands in its header counts for nothing. */
function backingOf({ backingPath, backingFormat }: Serving['source']): Readonly<Record<string, unknown>> {
  if (backingPath === undefined || backingFormat === undefined) return {};
  const file = { driver: 'file', filename: backingPath, 'read-only': true };
  return { backing: { driver: backingFormat, file, 'read-only': true } };
}

/** Throws `INVALID_ARGUMENT` for a key that a key file could not hold. */
export function checkNbdKey({ user, keyHex }: NbdKey): void {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(user) && /^[0-9a-f]{64}$/.test(keyHex)) return;
  throw new ShoalError('INVALID_ARGUMENT', 'the key of a served disk is 32 bytes in hex, its user a plain word');
}
