/** A87, A89, A90, A91: a host's key of Ceph opens the pools of disks and images and no other, shows nowhere, and old content is gone. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DevCluster, devClusterPackages } from '../../../drivers/ceph/dev-cluster.ts';
import { RbdStorageDriver } from '../../../drivers/ceph/driver.ts';
import { type CommandRunner, runCommand } from '../../../drivers/command.ts';
import type { DiskSpec } from '../../../drivers/types.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { openFolder } from '../../support/guests/qemu-host.ts';
import { enterOwnNetwork, makeHosts } from '../../support/network-namespace.ts';
import { whyNoProgram } from '../../support/programs.ts';

const timeoutMs = 200_000;
const missing = await whyNoProgram('ceph', 'ceph-mon', 'ceph-mgr', 'ceph-osd', 'rbd', 'rados', 'unshare', 'qemu-io');
const skip = missing === false ? false : `${missing} (needs ${devClusterPackages.join(' ')})`;
if (skip === false) await enterOwnNetwork(import.meta.filename, timeoutMs);
// Only now: outside of the own network this process passes on what the one inside says, and has no tests of its own.
const { default: t } = await import('tap');

const { signal } = new AbortController();
t.setTimeout(timeoutMs);
await t.test('keys of Ceph', { skip, timeout: timeoutMs }, async (t) => {
  const folder = await openFolder(t);
  const network = await makeHosts('10.99.0.254', { a: '10.99.0.1' });
  t.teardown(network.remove);
  const cluster = await DevCluster.start({ dir: join(folder, 'ceph'), address: '10.99.0.254' }, signal);
  t.teardown(() => cluster.stop());
  const at = network.hosts.get('a');
  if (at === undefined) throw new Error('there is a host');
  const identity = await cluster.createClient({ name: 'host-a', ownerUid: 65_534 }, signal);
  const key = /key = (\S+)/.exec(await readFile(join(cluster.dir, 'client.host-a.keyring'), 'utf8'))?.[1] ?? '';
  const said: string[] = [];
  const run: CommandRunner = async (argv, options) => {
    said.push(argv.join(' '));
    const running = runCommand([...at.prefix, ...argv], options);
    said.push(await commandLines());
    return running;
  };
  const logged: string[] = [];
  const note = (...args: readonly unknown[]): void => void logged.push(JSON.stringify(args));
  const log = { ...silentLogger, debug: note, info: note, warn: note, error: note };
  const storage = new RbdStorageDriver({ log, run }, { identity });
  await storage.start(signal);
  const newDisk = (): DiskSpec => ({ volumeId: randomUUID() as VolumeId, sizeBytes: 8 * mibBytes, generation: 1 });
  const asHost = (...argv: readonly string[]) =>
    runCommand([...at.prefix, ...argv, '--conf', identity.confPath, '--id', identity.user], {
      okStatus: Array.from({ length: 256 }, (_, status) => status),
      timeoutMs: 20_000,
    });

  await t.test('A90: the key is in no command line, log or error', async (t) => {
    t.match(key, /^[A-Za-z0-9+/=]{30,}$/);
    const spec = newDisk();
    await storage.ensureDisk(spec, signal);
    const source = await storage.openDisk(spec, 'a'.repeat(32) as HostId, signal);
    const refusal = await storage.openDisk(newDisk(), 'a'.repeat(32) as HostId, signal).then(
      () => undefined,
      (error: unknown) => ShoalError.from(error, 'DRIVER_FAILED'),
    );
    t.equal(refusal?.code, 'NOT_FOUND');
    const told = JSON.stringify([refusal?.message, refusal?.facts, String(refusal?.cause)]);
    t.ok(said.length > 4);
    for (const text of [...said, ...logged, told, JSON.stringify(source)])
      t.notOk(text.includes(key), text.slice(0, 100));
    await storage.closeDisk(spec.volumeId, 'a'.repeat(32) as HostId, 1, signal);
    await storage.removeDisk(spec.volumeId, signal);
  });

  await t.test(
    'A89, A91: it opens no image of another pool by name, nor reads other keys, nor makes one',
    async (t) => {
      const admin = (...argv: readonly string[]) => runCommand([...argv, '--conf', cluster.admin.confPath]);
      await admin('ceph', 'osd', 'pool', 'create', 'foreign', '8');
      await admin('rbd', 'pool', 'init', 'foreign');
      await admin('rbd', 'create', '--size', '1', 'foreign/secret');
      for (const argv of [
        ['rbd', 'info', 'foreign/secret'],
        ['rbd', 'export', 'foreign/secret', '-'],
        ['rbd', 'snap', 'create', 'foreign/secret@mine'],
        ['rbd', 'cp', 'foreign/secret', 'images/stolen'],
        ['rbd', 'rm', 'foreign/secret'],
        ['rados', '-p', 'foreign', 'ls'],
        ['ceph', 'auth', 'ls'],
        ['ceph', 'auth', 'get', 'client.admin'],
        ['ceph', 'auth', 'caps', 'client.host-a', 'mon', 'allow *'],
        ['ceph', 'auth', 'get-or-create', 'client.evil', 'mon', 'allow *'],
        ['ceph', 'config-key', 'ls'],
        ['ceph', 'osd', 'pool', 'rm', 'foreign', 'foreign', '--yes-i-really-really-mean-it'],
      ]) {
        const { status } = await asHost(...argv);
        t.not(status, 0, argv.join(' '));
      }
      t.equal((await admin('rbd', 'ls', 'foreign')).stdout.trim(), 'secret');
    },
  );

  await t.test('A87: a new disk holds zeros where a deleted one had content', async (t) => {
    const spec = newDisk();
    const url = (volumeId: string): string => `rbd:volumes/${volumeId}:conf=${identity.confPath}:id=${identity.user}`;
    await storage.ensureDisk(spec, signal);
    await run(['qemu-io', '-f', 'raw', '-c', 'write -q -P 0x5a 0 8M', url(spec.volumeId)]);
    await storage.removeDisk(spec.volumeId, signal);
    for (const next of [spec, newDisk()]) {
      await storage.ensureDisk(next, signal);
      const { stdout } = await run(['qemu-io', '-f', 'raw', '-c', 'read -P 0 0 8M', url(next.volumeId)]);
      t.notMatch(stdout, /Pattern verification failed/);
      t.match(stdout, /read 8388608\/8388608/);
      await storage.removeDisk(next.volumeId, signal);
    }
  });
});

/** The command lines of all processes. */
async function commandLines(): Promise<string> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  // What ended meanwhile shows nothing.
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.join('\n').replaceAll('\0', ' ');
}
