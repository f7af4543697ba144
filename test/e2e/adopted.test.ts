/**
 * A cloud that an earlier version has started, with a guest in it, goes on under this one: the agents are stopped, those of
 * this version are started on the same folders, and find everything as it was. The earlier version is checked out beside.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { buildGuestImage } from '../../drivers/image/guest/build.ts';
import { DevCloud } from '../../node/dev/cloud.ts';
import { bootGuest, makeDemo, waitUntilAnswers, waitUntilReady } from '../../node/dev/demo.ts';
import { repositoryRoot } from '../../node/dev/house/source.ts';
import { agentPackages, guestImagePackages } from '../../node/dev/packages.ts';

/** The version before the faults of issue 11 were mended: clear text, one user for all guests, everything flat in `node/`. */
const earlier = 'e93f751fcc3876a05d43314bb766453c7c2b601b';

const missing = [...agentPackages, ...guestImagePackages].filter((item) => !item.isInstalled());

function whyNot(): string {
  if (process.getuid?.() !== 0) return 'needs root';
  if (missing.length > 0) return `not installed: ${missing.map((item) => item.name).join(' ')}`;
  try {
    execFileSync('git', ['-C', repositoryRoot, 'cat-file', '-e', `${earlier}^{commit}`], { stdio: 'ignore' });
    return '';
  } catch {
    return `the history is not here, or lacks ${earlier.slice(0, 7)}`;
  }
}

/** What the earlier version does, in its own words: a cloud, a guest, and away again without a word to the guest. */
const story = `
import { buildGuestImage } from "./drivers/image/guest/build.ts";
import { DevCloud } from "./node/dev/cloud.ts";
import { addFloatingIp, bootGuest, makeDemo, waitUntilAnswers, waitUntilReady } from "./node/dev/demo.ts";

const cloud = await DevCloud.open({ folder: process.argv[2], agents: 3, real: true, storage: 'local' });
const image = await buildGuestImage(cloud.layout.imageFolder);
await cloud.makeUnderlay();
await cloud.startAgents();
await cloud.waitUntilFormed(60_000);
const client = cloud.client('h1');
const demo = await makeDemo(client, cloud.layout, image.qcow2Path);
const guest = await bootGuest(client, demo, 'kept');
const address = await addFloatingIp(client, demo, guest);
await waitUntilReady(client, guest.serverId);
await waitUntilAnswers(address, 120_000);
const { server } = await client.json('/compute/v2.1/servers/' + guest.serverId);
for (const { name } of cloud.layout.agents) await cloud.killAgent(name, 'SIGTERM');
console.log('STORY ' + JSON.stringify({ serverId: guest.serverId, address, server }));
`;

interface Told {
  readonly serverId: string;
  readonly address: string;
  readonly server: Readonly<Record<string, unknown>>;
}

/** Processes whose command line names the guest, with when they started: the same pair is the same process. */
function guestProcesses(serverId: string): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/u.test(entry))
    .flatMap((pid) => {
      try {
        const isGuest =
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('qemu-system') &&
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(serverId);
        return isGuest ? [`${pid} started at ${readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21]}`] : [];
      } catch {
        // It has ended meanwhile.
        return [];
      }
    });
}

t.setTimeout(580_000);
const why = whyNot();
if (why !== '') {
  t.test('a cloud of an earlier version', { skip: why }, (t) => t.end());
} else {
  await t.test('a cloud of an earlier version goes on under this one, its guest untouched', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-adopted-'));
    chmodSync(folder, 0o711);
    const checkout = mkdtempSync(join(tmpdir(), 'shoal-earlier-'));
    execFileSync('git', ['-C', repositoryRoot, 'worktree', 'add', '--quiet', '--detach', '--force', checkout, earlier]);
    const place = join(folder, 'cloud');
    let cloud: DevCloud | undefined;
    t.teardown(async () => {
      await (cloud ?? DevCloud.find(place))?.stop({ keepData: true });
      execFileSync('git', ['-C', repositoryRoot, 'worktree', 'remove', '--force', checkout]);
      rmSync(folder, { recursive: true, force: true });
    });
    symlinkSync(join(repositoryRoot, 'node_modules'), join(checkout, 'node_modules'));
    // Its probe takes a KVM for usable that hangs real guests; here they are emulated.
    const probe = join(checkout, 'drivers/qemu/probe.ts');
    const text = readFileSync(probe, 'utf8');
    t.ok(text.includes("'/dev/kvm'"), 'the earlier version looks for KVM here');
    writeFileSync(probe, text.replaceAll("'/dev/kvm'", "'/dev/no-kvm'"));
    writeFileSync(join(checkout, 'story.ts'), story);
    const { stdout } = await runCommand([process.execPath, join(checkout, 'story.ts'), place], {
      timeoutMs: 300_000,
      signal: new AbortController().signal,
    });
    const told = JSON.parse(/^STORY (.*)$/mu.exec(stdout)?.[1] ?? '{}') as Told;
    const before = guestProcesses(told.serverId);
    t.equal(before.length, 1, 'the guest runs, and no agent does');
    await waitUntilAnswers(told.address, 60_000);

    cloud = await DevCloud.open({ folder: place, agents: 3, real: true, storage: 'local' });
    await cloud.startAgents();
    await cloud.waitUntilFormed(60_000);
    const client = cloud.client('h2');
    const { server } = (await client.json(`/compute/v2.1/servers/${told.serverId}`)) as {
      server: Record<string, unknown>;
    };
    for (const field of ['status', 'name', 'addresses', 'hostId', 'created', 'key_name', 'metadata', 'id'])
      t.same(server[field], told.server[field], field);
    // Their links are of another agent, and not in clear text any more.
    for (const field of ['flavor', 'image'])
      t.match(server[field], { id: (told.server[field] as { readonly id: string }).id }, field);
    t.same(guestProcesses(told.serverId), before, 'it is the same process');
    await waitUntilAnswers(told.address, 60_000);

    // The cloud goes on: what was kept can be used, and ended.
    const image = await buildGuestImage(cloud.layout.imageFolder);
    const demo = await makeDemo(client, cloud.layout, image.qcow2Path);
    const another = await bootGuest(client, demo, 'another');
    await waitUntilReady(client, another.serverId);
    t.same(guestProcesses(told.serverId), before, 'a new guest beside it leaves it alone');
    await client.raw(`/compute/v2.1/servers/${told.serverId}`, { method: 'DELETE' });
    const deadline = Date.now() + 60_000;
    while (guestProcesses(told.serverId).length > 0 && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 500));
    t.same(guestProcesses(told.serverId), [], 'a guest of the earlier version can be deleted');
  });
}
