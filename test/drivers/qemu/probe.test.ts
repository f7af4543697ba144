import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type CommandRunner, runCommand } from '../../../drivers/command.ts';
import { identify, isAlive, signalProcess, waitGone } from '../../../drivers/process.ts';
import { RunFiles } from '../../../drivers/qemu/confinement/run-files.ts';
import { powerOfStatus } from '../../../drivers/qemu/guest/guest.ts';
import { probeAccelerator } from '../../../drivers/qemu/probe.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { whyNoProgram } from '../../support/programs.ts';

const probe = { binary: 'qemu-system-x86_64', accelerator: 'tcg', prefix: [] } as const;

await t.test('the probe guest runs under TCG', { skip: await whyNoProgram('qemu-system-x86_64') }, async (t) => {
  t.match(await probeAccelerator(runCommand, probe), { usable: true });
});

const whyNoQemu = await whyNoProgram('qemu-system-x86_64');
await t.test(
  'an accelerator that cannot give guests the processor they ask for is not usable',
  { skip: whyNoQemu },
  async (t) => {
    // TCG has no VMX to give, as a KVM below another hypervisor may lack what every processor has.
    const run: CommandRunner = (argv, options) =>
      runCommand(
        argv.map((argument) => (argument.endsWith(',enforce') ? `${argument},+vmx` : argument)),
        options,
      );
    t.match(await probeAccelerator(run, probe), { usable: false, reason: /requested features/ });
  },
);

const whyNoUsers = process.getuid?.() === 0 ? await whyNoProgram('qemu-system-x86_64') : 'needs root';
await t.test("the probe's guest may be another user, whatever the agent's umask", { skip: whyNoUsers }, async (t) => {
  // As the command line sets it: every KVM was taken for broken, as the guest's user could not read the disk.
  const before = process.umask(0o077);
  t.teardown(() => process.umask(before));
  const prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  t.match(await probeAccelerator(runCommand, { ...probe, prefix }), { usable: true });
});

await t.test('an accelerator that hangs, fails or ends otherwise is not usable', async (t) => {
  const results: [CommandRunner, RegExp][] = [
    [async () => Promise.reject(new ShoalError('DEADLINE_EXCEEDED', 'slow')), /hung/],
    [async () => Promise.reject(new ShoalError('COMMAND_FAILED', 'killed by SIGKILL')), /SIGKILL/],
    [async () => ({ status: 1, stdout: '', stderr: 'Could not access KVM kernel module' }), /KVM kernel module/],
    [async () => ({ status: 0, stdout: '', stderr: '' }), /ended with 0/],
  ];
  for (const [answer, reason] of results) {
    const run: CommandRunner = (argv, options) =>
      argv.includes('-accel') ? answer(argv, options) : runCommand(argv, options);
    t.match(await probeAccelerator(run, { ...probe, accelerator: 'kvm' }), { usable: false, reason });
  }
});

await t.test('a process is told from a later one with the same pid', async (t) => {
  const own = await identify(process.pid);
  if (own === undefined) throw new Error('this process lives');
  t.equal(await isAlive(own), true);
  const other = { ...own, startTicks: own.startTicks - 1 };
  t.equal(await isAlive(other), false);
  t.equal(await signalProcess(other, 'SIGKILL'), false, 'and not signalled');
  t.equal(await waitGone(other, 0), true);
  t.equal(await waitGone(own, 0), false);
  t.equal(await identify(2 ** 22 + 1), undefined);
});

await t.test('socket paths fit into an address, however long the run folder is', async (t) => {
  const base = await mkdtemp(join(tmpdir(), 'shoal-run-'));
  t.teardown(() => rm(base, { recursive: true, force: true }));
  const serverId = '6f1c5f0e-0000-4000-8000-000000000001' as ServerId;
  for (const runDir of [base, join(base, 'a'.repeat(120))]) {
    const files = new RunFiles(runDir);
    await files.prepare();
    await files.prepare();
    await files.prepareGuest(serverId, process.getuid?.() ?? 0);
    const paths = files.guestPaths(serverId);
    for (const path of [paths.qmpSocket, paths.peopleQmpSocket, paths.serialSocket, paths.vncSocket]) {
      t.ok(Buffer.byteLength(path) <= 107, path);
    }
    t.strictSame(await files.servers(), [serverId]);
    t.equal(new RunFiles(runDir).guestPaths(serverId).qmpSocket, paths.qmpSocket, 'the same after a restart');
    await files.removeGuest(serverId);
    await files.releaseLink();
    await files.releaseLink();
  }
  t.throws(() => new RunFiles(base).guestPaths('../../etc' as ServerId), { code: 'INVALID_ARGUMENT' });
});

await t.test('every run state of QEMU has a power state, and only "shutdown" means powered off', async (t) => {
  t.equal(powerOfStatus('running'), 'running');
  t.equal(powerOfStatus('shutdown'), 'shutdown');
  for (const status of ['paused', 'prelaunch', 'io-error', 'guest-panicked', 'inmigrate', 'postmigrate']) {
    t.equal(powerOfStatus(status), 'paused', status);
  }
});
