/** Real QEMU processes: with which rights they run, and what they survive. The guest is 512 bytes long. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { type CommandRunner, runCommand } from '../../../drivers/command.ts';
import { QemuDriver } from '../../../drivers/qemu/driver.ts';
import type { GuestFound, GuestSpec } from '../../../drivers/types.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { PortId, ServerId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { openFolder, tinyDisk, whyNoQemu } from '../../support/guests/qemu-host.ts';

const skip = await whyNoQemu();
process.env['SHOAL_TEST_SECRET'] = 'for the agent alone';
const { signal } = new AbortController();
const newSpec = async (folder: string): Promise<GuestSpec> => ({
  serverId: randomUUID() as ServerId,
  generation: 1,
  name: 'life',
  vcpus: 1,
  memoryMib: 16,
  disks: [await tinyDisk(join(folder, 'disk.raw'))],
  nics: [],
});

/** Lines of /proc/PID/status, by name. */
async function statusOf(pid: number | undefined): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return new Map(text.split('\n').map((line) => [line.split(':')[0] ?? '', line.split(':\t')[1] ?? '']));
}

/** As in a container: no namespaces. */
const withoutNamespaces: CommandRunner = (argv, options) =>
  argv[0] === 'unshare'
    ? Promise.reject(new ShoalError('COMMAND_FAILED', 'unshare failed: Operation not permitted'))
    : runCommand(argv, options);

await t.test(
  'QEMU runs without rights, or as root without capabilities where there is neither a namespace nor a way',
  { skip },
  async (t) => {
    const places: [string, CommandRunner, number][] = [
      ['user-per-guest', runCommand, 0o700],
      ['user-per-guest', withoutNamespaces, 0o711],
      ['root-without-capabilities', withoutNamespaces, 0o700],
    ];
    for (const [mode, run, folderMode] of places) {
      const folder = await openFolder(t);
      // Long enough that sockets need another name.
      const parent = join(folder, 'p'.repeat(90));
      await mkdir(parent, { mode: folderMode });
      const uids = { first: 1_950_000_000, count: 100 };
      const options = { runDir: join(parent, 'run'), accelerator: 'tcg', uids } as const;
      const driver = new QemuDriver({ log: silentLogger, run }, options);
      await driver.start(signal);
      t.match(driver.facts, { privileges: { mode }, confinement: { isWhole: run === runCommand } });
      if (mode !== 'user-per-guest') t.match(driver.facts.privileges.reason, parent);
      const spec = await newSpec(parent);
      const { pid } = await driver.startGuest(spec, signal);
      const status = await statusOf(pid);
      t.equal(status.get('Uid')?.split('\t')[1], mode === 'user-per-guest' ? '1950000016' : '0', mode);
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
        t.equal(status.get(set), '0000000000000000', set);
      t.equal(status.get('NoNewPrivs'), '1');
      t.equal(status.get('Seccomp'), '2');
      const groups = mode === 'user-per-guest' ? '1950000001' : '';
      t.equal(status.get('Groups')?.trim(), groups, 'no further group but that of the images');
      const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
      t.match(limits, /Max data size +16122904576 /, 'its memory is bounded');
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
      t.notMatch(environment, /SHOAL_TEST_SECRET/, "it sees nothing of the agent's environment");
      const { serial } = driver.consoleSockets(spec.serverId);
      t.ok(serial.length <= 107 && serial.startsWith('/run/shoal/'), serial);
      await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
      await driver.stop();
      const links = await readdir('/run/shoal').catch(() => []);
      t.notOk(
        links.some((name) => serial.startsWith(`/run/shoal/${name}/`)),
        'the short name goes with the last guest',
      );
    }
  },
);

await t.test('a guest outlives kill -9 of the agent that started it', { skip }, async (t) => {
  const folder = await openFolder(t);
  const options = { runDir: join(folder, 'run'), accelerator: 'tcg' } as const;
  const spec = await newSpec(folder);
  const agent = spawn(
    process.execPath,
    [new URL('../../support/guests/starts-a-guest.ts', import.meta.url).pathname, JSON.stringify([options, spec])],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const started = await new Promise<GuestFound>((resolve, reject) => {
    agent.stdout.once('data', (line: Buffer) => resolve(JSON.parse(line.toString()) as GuestFound));
    agent.once('exit', () => reject(new Error('the agent ended by itself')));
  });
  agent.removeAllListeners('exit');
  const gone = new Promise((resolve) => agent.once('exit', resolve));
  agent.kill('SIGKILL');
  await gone;
  const next = new QemuDriver({ log: silentLogger }, options);
  await next.start(signal);
  t.teardown(() => next.stop());
  t.teardown(() => next.stopGuest(spec.serverId, { graceMs: 0 }, signal));
  t.strictSame(await next.find(spec.serverId, signal), started, 'the same process, as it was');
  t.strictSame(await next.startGuest(spec, signal), started, 'and it is not started twice');
});

await t.test('a guest that QEMU refuses to start leaves no process and no trace', { skip }, async (t) => {
  const folder = await openFolder(t);
  const driver = new QemuDriver({ log: silentLogger }, { runDir: join(folder, 'run'), accelerator: 'tcg' });
  await driver.start(signal);
  t.teardown(() => driver.stop());
  const spec = await newSpec(folder);
  const disk = spec.disks[0];
  if (disk === undefined) throw new Error('it has a disk');
  const wrong = { ...spec, disks: [{ ...disk, source: { ...disk.source, format: 'qcow2' } as typeof disk.source }] };
  await t.rejects(
    driver.startGuest(wrong, signal),
    { code: 'DRIVER_FAILED', message: /qcow2/ },
    "QEMU's own words are kept",
  );
  const noTap = {
    ...spec,
    nics: [{ portId: randomUUID() as PortId, mac: '52:54:00:00:00:01', mtu: 1500, tapName: 'nosuchtap0' }],
  } as GuestSpec;
  await t.rejects(driver.startGuest(noTap, signal), { code: 'DRIVER_FAILED', message: /nosuchtap0/ });
  const gone = {
    ...spec,
    disks: [{ ...disk, source: { kind: 'file', path: join(folder, 'absent'), format: 'raw' } }],
  } as GuestSpec;
  await t.rejects(driver.startGuest(gone, signal), { code: 'NOT_FOUND' });
  t.equal(await driver.find(spec.serverId, signal), undefined);
  t.match(await driver.startGuest(spec, signal), { power: 'running' }, 'and the right one starts');
  await driver.stopGuest(spec.serverId, { graceMs: 0 }, signal);
});

await t.test('notes about a guest that nobody can read are that guest’s trouble alone', { skip }, async (t) => {
  const folder = await openFolder(t);
  const options = { runDir: join(folder, 'run'), accelerator: 'tcg' } as const;
  const first = new QemuDriver({ log: silentLogger }, options);
  await first.start(signal);
  const specs: GuestSpec[] = [];
  for (const name of ['living', 'gone', 'saved', 'sound']) {
    specs.push({ ...(await newSpec(folder)), name, disks: [await tinyDisk(join(folder, `${name}.raw`))] });
  }
  const [living, gone, saved, sound] = specs;
  if (living === undefined || gone === undefined || saved === undefined || sound === undefined) throw new Error('few');
  const found = new Map<string, GuestFound>();
  for (const spec of specs) found.set(spec.serverId, await first.startGuest(spec, signal));
  await first.suspendGuest(saved.serverId, signal);
  await first.stop();
  const { pid } = found.get(gone.serverId) ?? {};
  if (pid === undefined) throw new Error('the guest has no process');
  process.kill(pid, 'SIGKILL');
  const notes = (serverId: ServerId, ...path: string[]): string => join(options.runDir, 'guests', serverId, ...path);
  for (const { serverId } of [living, gone]) await writeFile(notes(serverId, 'process.json'), '{"pid":');
  await writeFile(notes(saved.serverId, 'saved', 'saved.json'), '[]');

  const second = new QemuDriver({ log: silentLogger }, options);
  await second.start(signal);
  t.teardown(async () => {
    for (const { serverId } of specs) await second.stopGuest(serverId, { graceMs: 0 }, signal);
    await second.stop();
  });
  t.match(await second.find(sound.serverId, signal), { power: 'running', generation: 1 });
  t.match(await second.find(living.serverId, signal), { power: 'running', pid: found.get(living.serverId)?.pid });
  t.match(JSON.parse(await readFile(notes(living.serverId, 'process.json'), 'utf8')), { generation: 1 });
  t.match(await second.find(gone.serverId, signal), { power: 'crashed', detail: /process.json is not JSON/ });
  t.match(await second.find(saved.serverId, signal), {
    power: 'suspended',
    detail: /does not describe a saved memory/,
  });
  t.equal((await second.list(signal)).length, specs.length, 'all are told of');

  await t.rejects(second.startGuest(saved, signal), { code: 'DRIVER_FAILED', message: /saved.json does not describe/ });
  t.ok((await readdir(notes(saved.serverId, 'saved'))).includes('memory'), 'what was saved is kept');
  await second.stopGuest(saved.serverId, { graceMs: 0 }, signal);
  for (const spec of [gone, saved]) t.match(await second.startGuest(spec, signal), { power: 'running', generation: 1 });
});
