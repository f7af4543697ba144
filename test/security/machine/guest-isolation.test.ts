/**
 * F7, F14: what a guest that broke out of its QEMU can reach. The attacker here is a process with exactly the rights of one
 * guest's QEMU: its user, its groups, no capabilities; once at large on the host, once inside that guest's own namespace.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type CommandRunner, runCommand } from '../../../drivers/command.ts';
import { BlobStore } from '../../../drivers/image/store.ts';
import { LocalStorageDriver } from '../../../drivers/local/driver.ts';
import { identify } from '../../../drivers/process.ts';
import { guestName, qemuArguments } from '../../../drivers/qemu/arguments.ts';
import { GuestUsers } from '../../../drivers/qemu/confinement/guest-users.ts';
import { RunFiles } from '../../../drivers/qemu/confinement/run-files.ts';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { GuestFound, GuestSpec } from '../../../drivers/types.ts';
import { guestUids, imagesGid } from '../../../drivers/uid-range.ts';
import { tightenDataFolder } from '../../../node/agent/data-folder.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ImageSha256, ServerId, VolumeId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../../node/base/units.ts';
import { openHostStore } from '../../../node/store/host/host-store.ts';
import { openFolder, tinyDisk, tinyGuestSector, whyNoQemu } from '../../support/guests/qemu-host.ts';

const skip = await whyNoQemu();
t.setTimeout(180_000);
const signal = AbortSignal.timeout(170_000);
const uids = { first: 1_960_000_000, count: 80 };
const withoutNamespaces: CommandRunner = (argv, options) =>
  argv[0] === 'unshare'
    ? Promise.reject(new ShoalError('COMMAND_FAILED', 'unshare failed: Operation not permitted'))
    : runCommand(argv, options);

/** Tries each path and prints what became of it: `ok`, or the error's number. Sockets are connected to. */
const attempt = `
use Socket;
for my $path (@ARGV) {
  my $done;
  if (-S $path || $path =~ m{/qmp$}) {
    socket(my $s, PF_UNIX, SOCK_STREAM, 0); $done = connect($s, pack_sockaddr_un($path));
  } elsif (-d $path) { $done = opendir(my $d, $path); }
  else { $done = open(my $f, "+<", $path) || open($f, "<", $path); }
  print $done ? "ok" : $!{EACCES} ? "EACCES" : $!{ENOENT} ? "ENOENT" : "$!", "\\n";
}`;

interface Host {
  readonly dataDir: string;
  readonly driver: QemuDriver;
  readonly guests: readonly { readonly spec: GuestSpec; readonly found: GuestFound; readonly uid: number }[];
  readonly image: string;
  readonly blob: string;
}

/** A data folder as an agent lays it out, with two guests whose disks lie on one image. */
async function makeHost(t: Test, run: CommandRunner): Promise<Host> {
  const dataDir = await openFolder(t);
  const driver = new QemuDriver(
    { log: silentLogger, run },
    { runDir: join(dataDir, 'guests'), uids, accelerator: 'tcg', reachablePaths: [join(dataDir, 'disks')] },
  );
  const passable = !(await driver.prepare()).isWhole;
  const storage = new LocalStorageDriver(
    { log: silentLogger },
    { root: join(dataDir, 'disks'), passable, imagesGid: imagesGid(uids) },
  );
  await storage.start(signal);
  await driver.start(signal);
  const store = await openHostStore(join(dataDir, 'host'), (error) => t.fail(String(error)));
  await store.write([{ key: 'image/x', value: true }]);
  await mkdir(join(dataDir, 'log'), { mode: 0o755 });
  await writeFile(join(dataDir, 'log', 'CURRENT'), 'x', { mode: 0o644 });
  const blobs = new BlobStore(join(dataDir, 'images'));
  await blobs.start();
  const content = new Uint8Array(mibBytes);
  content.set(tinyGuestSector());
  const { sha256 } = await blobs.write(Readable.from([content]), { bytesMax: 2 * mibBytes }, signal);
  const imageSha256 = sha256 as ImageSha256;
  const image = { sha256: imageSha256, path: blobs.path(sha256), format: 'raw' as const, virtualSizeBytes: mibBytes };
  await storage.ensureImage(image, signal);
  await tightenDataFolder(dataDir);
  const guests: { spec: GuestSpec; found: GuestFound; uid: number }[] = [];
  let below = '';
  for (const name of ['a', 'b']) {
    const disk = { volumeId: randomUUID() as VolumeId, sizeBytes: 2 * mibBytes, imageSha256, generation: 1 };
    await storage.ensureDisk(disk, signal);
    const source = await storage.openDisk(disk, 'host-1' as HostId, signal);
    if (source.kind !== 'file' || source.backingPath === undefined) throw new Error('it lies on the image');
    below = source.backingPath;
    const spec: GuestSpec = {
      serverId: randomUUID() as ServerId,
      generation: 1,
      name,
      vcpus: 1,
      memoryMib: 16,
      disks: [{ volumeId: disk.volumeId, source, bootIndex: 0 }],
      nics: [],
    };
    const found = await driver.startGuest(spec, signal);
    guests.push({ spec, found, uid: await uidOf(found.pid) });
  }
  t.teardown(async () => {
    for (const { spec } of guests) await driver.stopGuest(spec.serverId, { graceMs: 0 }, AbortSignal.timeout(20_000));
    await driver.stop();
    await store.close();
  });
  return { dataDir, driver, guests, image: below, blob: blobs.path(sha256) };
}

async function uidOf(pid: number | undefined): Promise<number> {
  return Number(/^Uid:\t\d+\t(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** What becomes of the paths for a process with the rights of the QEMU with that pid. */
async function tries(
  guest: { readonly uid: number; readonly found: GuestFound },
  where: 'at large' | 'in its namespace',
  paths: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const enter = where === 'at large' ? [] : ['nsenter', `--target=${guest.found.pid}`, '--mount'];
  const rights = ['setpriv', `--reuid=${guest.uid}`, `--regid=${guest.uid}`, `--groups=${imagesGid(uids)}`];
  const drop = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];
  const { stdout } = await runCommand([...enter, ...rights, ...drop, 'perl', '-MErrno', '-e', attempt, ...paths]);
  const words = stdout.trim().split('\n');
  return Object.fromEntries(paths.map((path, at) => [path, words[at] ?? 'nothing']));
}

function pathsOf(host: Host, guest: Host['guests'][number]): readonly string[] {
  const files = new RunFiles(join(host.dataDir, 'guests'));
  const { qmpSocket, peopleQmpSocket, serialSocket, consoleLog } = files.guestPaths(guest.spec.serverId);
  const source = guest.spec.disks[0]?.source;
  const disk = source?.kind === 'file' ? source.path : '';
  return [disk, qmpSocket, peopleQmpSocket, serialSocket, consoleLog];
}

for (const [name, run] of [
  ['with namespaces', runCommand],
  ['without', withoutNamespaces],
] as const) {
  await t.test(`F7: one guest cannot touch another, nor the agent (${name})`, { skip }, async (t) => {
    const host = await makeHost(t, run);
    const [a, b] = host.guests;
    if (a === undefined || b === undefined) throw new Error('there are two guests');
    t.equal(host.driver.facts.confinement.isWhole, run === runCommand, host.driver.facts.confinement.reason);
    t.not(a.uid, b.uid, 'each is a user of its own');
    for (const { uid } of host.guests) t.ok(uid >= uids.first + 16 && uid < uids.first + uids.count, String(uid));

    const others = [
      ...pathsOf(host, b),
      host.blob,
      join(host.dataDir, 'images', 'blobs'),
      join(host.dataDir, 'host'),
      join(host.dataDir, 'host', 'CURRENT'),
      join(host.dataDir, 'log', 'CURRENT'),
      join(host.dataDir, 'guests', 'guests', b.spec.serverId),
      join(host.dataDir, 'guests', 'guests', a.spec.serverId, 'process.json'),
      join(host.dataDir, 'guests', 'guests', a.spec.serverId, 'user.json'),
      join(host.dataDir, 'guests', 'guests'),
      join(host.dataDir, 'disks', 'disks'),
      join(host.dataDir, 'disks', 'images'),
    ];
    const atLarge = await tries(a, 'at large', others);
    t.same([...new Set(Object.values(atLarge))], ['EACCES'], JSON.stringify(atLarge));

    const own = await tries(
      a,
      'in its namespace',
      pathsOf(host, a).filter((path) => !path.endsWith('/qmp')),
    );
    t.same([...new Set(Object.values(own))], ['ok'], `its own it can open: ${JSON.stringify(own)}`);
    if (run !== runCommand) return;
    const inside = await tries(a, 'in its namespace', [
      ...others.slice(0, 8),
      '/etc/shadow',
      '/root',
      '/run/netns',
      '/sys',
    ]);
    t.same(
      [...new Set(Object.values(inside))],
      ['ENOENT'],
      `in there the rest does not exist: ${JSON.stringify(inside)}`,
    );
    const { stdout } = await runCommand([
      ...['nsenter', `--target=${a.found.pid}`, '--mount', 'setpriv', `--reuid=${a.uid}`, `--regid=${a.uid}`],
      ...['--clear-groups', 'bash', '-c', 'cd /proc; echo [0-9]*; touch /usr/x /x 2>&1; ls /proc/1 2>&1; true'],
    ]);
    t.ok(stdout.split('\n')[0]?.includes(String(a.found.pid)), 'it sees itself');
    t.notOk(stdout.split('\n')[0]?.split(' ').includes(String(b.found.pid)), 'and no other process');
    t.match(stdout, /'\/usr\/x'.*Read-only[\s\S]*'\/x'.*Read-only[\s\S]*'\/proc\/1'/);
    for (const namespace of ['mnt', 'ipc']) {
      const of = async (pid: number | undefined): Promise<number> => (await stat(`/proc/${pid}/ns/${namespace}`)).ino;
      t.not(await of(a.found.pid), await of(b.found.pid));
      t.not(await of(a.found.pid), await of(process.pid));
    }
  });
}

await t.test(
  'F7, F14: sockets, console and disks are for the guest and root alone, and bounded',
  { skip },
  async (t) => {
    const host = await makeHost(t, runCommand);
    const [a, b] = host.guests;
    if (a === undefined || b === undefined) throw new Error('there are two guests');
    for (const path of pathsOf(host, a)) {
      const { mode, uid } = await stat(path);
      t.equal(mode & 0o777, 0o600, path);
      t.equal(uid, a.uid, path);
    }
    const groups = await readFile(`/proc/${a.found.pid}/cgroup`, 'utf8');
    t.comment(host.driver.facts.limits);
    if (!/not bounded/.test(host.driver.facts.limits)) {
      t.match(
        groups,
        new RegExp(`memory:.*/shoal-[0-9a-f]{12}/${a.spec.serverId}|0::/shoal-[0-9a-f]{12}/${a.spec.serverId}`),
      );
      t.match(groups, /pids:|0::/);
    }
    const [disk = ''] = pathsOf(host, a);
    await host.driver.stopGuest(a.spec.serverId, { graceMs: 0 }, signal);
    t.match(await stat(disk), { uid: 0, gid: 0 }, 'a stopped guest owns no disk');
    const again = await host.driver.startGuest(a.spec, signal);
    t.equal(await uidOf(again.pid), a.uid, 'it is the same user after a restart');
    await host.driver.stopGuest(a.spec.serverId, { graceMs: 0 }, signal);
    await host.driver.removeGuest(a.spec.serverId, signal);
    const fresh = { ...a.spec, serverId: randomUUID() as ServerId };
    const next = await host.driver.startGuest(fresh, signal);
    t.notOk([a.uid, b.uid].includes(await uidOf(next.pid)), 'a number is not given again');
    await host.driver.stopGuest(fresh.serverId, { graceMs: 0 }, signal);
  },
);

await t.test('F7: a number under which anything lives is not given', { skip }, async (t) => {
  const files = new RunFiles(join(await openFolder(t), 'run'));
  await files.prepare();
  const users = new GuestUsers(files, uids);
  const give = async (): Promise<number> => {
    const serverId = randomUUID() as ServerId;
    await files.makeFolder(serverId, false);
    return users.uidOf(serverId);
  };
  const first = uids.first + 16;
  const squatter: ChildProcess = spawn('setpriv', [`--reuid=${first + 1}`, 'sleep', '60'], { stdio: 'ignore' });
  t.teardown(() => squatter.kill('SIGKILL'));
  await once(squatter, 'spawn');
  while ((await uidOf(squatter.pid)) !== first + 1) await delay(5);
  t.same([await give(), await give(), await give()], [first, first + 2, first + 3]);
  await writeFile(join(files.runDir, 'next-user.json'), JSON.stringify({ uid: first }));
  t.equal(await give(), first + 4, 'past those that guests have');
  const { count: all } = guestUids(uids);
  const rest = all - 5;
  for (let count = 0; count < rest; count += 1) await give();
  await t.rejects(give(), { code: 'UNAVAILABLE', message: new RegExp(`all ${all} user numbers`) });
  const [someone] = await files.servers();
  if (someone === undefined) throw new Error('there are guests');
  await files.removeGuest(someone);
  await give();
});

await t.test('F7: a guest that an earlier version started, as nobody, is adopted and mended', { skip }, async (t) => {
  const folder = await openFolder(t);
  const options = { runDir: join(folder, 'run'), uids, accelerator: 'tcg' } as const;
  const files = new RunFiles(options.runDir);
  const disk = await tinyDisk(join(folder, 'disk.raw'));
  const spec: GuestSpec = {
    ...{ serverId: randomUUID() as ServerId, generation: 3, name: 'old', vcpus: 1, memoryMib: 16 },
    ...{ disks: [disk], nics: [] },
  };
  // As version 0.1 did: one user for all, folders that anyone may pass through, no namespace, the usual umask.
  const paths = files.guestPaths(spec.serverId);
  const own = join(files.folder(spec.serverId), 'qemu');
  await mkdir(own, { recursive: true });
  for (const path of [options.runDir, join(options.runDir, 'guests'), files.folder(spec.serverId)])
    await chmod(path, 0o711);
  await files.prepare();
  await chown(own, 65_534, 65_534);
  await chown(join(folder, 'disk.raw'), 65_534, 65_534);
  const argv = ['--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', '--no-new-privs'];
  const old = spawn(
    'setpriv',
    [
      ...argv,
      'qemu-system-x86_64',
      ...qemuArguments(spec, paths, { binary: 'qemu', machine: 'pc-i440fx-7.2', accelerator: 'tcg' }),
    ],
    { detached: true, stdio: 'ignore' },
  );
  t.teardown(() => old.kill('SIGKILL'));
  t.match(guestName(spec), 'old.g3');
  for (let wait = 0; wait < 500 && (await stat(paths.qmpSocket).catch(() => undefined)) === undefined; wait += 1) {
    await delay(20);
  }
  const driver = new QemuDriver({ log: silentLogger }, options);
  await driver.start(signal);
  t.teardown(() => driver.stop());
  t.teardown(() => driver.stopGuest(spec.serverId, { graceMs: 0 }, AbortSignal.timeout(20_000)));
  t.match(await driver.find(spec.serverId, signal), { pid: old.pid, generation: 3 }, 'adopted, not touched');
  await driver.resumeGuest(spec.serverId, signal);
  t.match(await driver.find(spec.serverId, signal), { power: 'running' });
  await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
  t.equal(await identify(old.pid ?? 0), undefined);
  const next = await driver.startGuest(spec, signal);
  t.ok((await uidOf(next.pid)) >= uids.first, 'from its next start on it has a user of its own');
  t.match(await stat(join(folder, 'disk.raw')), { uid: await uidOf(next.pid) });
});
