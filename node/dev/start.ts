/**
 * `npm start`: a three-host Shoal cloud on this machine with a real guest in it.
 *
 *     npm start                    run in the foreground; Ctrl-C ends it and keeps the data
 *     npm start -- --detach        return once the guest answers; `npm stop` ends it
 *     npm start -- --ceph          images and root disks in a real single-node Ceph
 *     npm start -- --no-install    install nothing; say what is missing
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildGuestImage } from '../../drivers/image/guest/build.ts';
import { shownFingerprint } from '../mesh/identity/authority.ts';
import { DevCeph } from './ceph.ts';
import { DevCloud } from './cloud.ts';
import {
  addFloatingIp,
  bootGuest,
  type Demo,
  demoKeyName,
  makeDemo,
  makeDemoAccount,
  waitUntilAnswers,
  waitUntilReady,
} from './demo.ts';
import { developmentFolder } from './folder.ts';
import { apiUrlOf } from './layout.ts';
import { agentPackages, cephPackages, ensurePackages, guestImagePackages, PackagesMissing } from './packages.ts';
import { Progress } from './progress.ts';
import type { RestClient } from './rest-client.ts';
import { ensureWeb } from './web/build.ts';

const usage = `npm start [-- OPTIONS]

  --detach        return once the guest answers; end the cloud with: npm stop
  --ceph          keep images and root disks in a real single-node Ceph (Debian's packages)
  --agents N      how many hosts, 1 to 9 (default 3)
  --no-install    install no packages; say which are missing
  --json          print the summary as one JSON object
  --help          this text
`;

interface Options {
  readonly detach: boolean;
  readonly ceph: boolean;
  readonly agents: number;
  readonly install: boolean;
  readonly json: boolean;
}

function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      detach: { type: 'boolean', default: false },
      ceph: { type: 'boolean', default: false },
      agents: { type: 'string', default: '3' },
      'no-install': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const agents = Number(values.agents);
  if (!Number.isInteger(agents) || agents < 1 || agents > 9) throw new Error('--agents takes a number from 1 to 9');
  return { detach: values.detach, ceph: values.ceph, agents, install: !values['no-install'], json: values.json };
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    process.stdout.write(usage);
    return 0;
  }
  const progress = new Progress(options.json ? process.stderr : process.stdout);
  const isRoot = process.getuid?.() === 0;
  if (!isRoot) {
    progress.note(
      'Not root: no namespaces, bridges or QEMU as another user. One agent with the FAKE drivers is started instead:',
      'its API is real, its servers, disks and networks are not. For the real thing: sudo npm start',
    );
    if (options.ceph) throw new Error('--ceph needs root');
  }
  mkdirSync(developmentFolder, { recursive: true });
  const found = DevCloud.find(developmentFolder);
  if (found?.isRunning) {
    progress.note(`A cloud runs here already (${apiUrlOf(found.agent('h1'))}); end it with: npm stop`);
    return 1;
  }
  // Before anything is installed: Ceph takes minutes.
  if (options.ceph && found !== undefined && found.options.storage !== 'rbd') {
    throw new Error('The kept cloud has its disks in local files; begin again with: npm stop && npm start -- --ceph');
  }
  if (isRoot) {
    await progress.step('packages', () =>
      ensurePackages([...agentPackages, ...guestImagePackages, ...(options.ceph ? cephPackages : [])], {
        install: options.install,
        say: (line) => progress.note(line),
      }),
    );
  }
  const storage = options.ceph ? 'rbd' : (found?.options.storage ?? 'local');
  const ceph = storage === 'rbd' ? new DevCeph(join(developmentFolder, 'ceph')) : undefined;
  const cloud = await DevCloud.open({
    folder: developmentFolder,
    agents: isRoot ? options.agents : 1,
    real: isRoot,
    storage,
    ...(ceph === undefined ? {} : { ceph: (agent) => ceph.clientOf(agent) }),
  });
  const known = cloud.hasData;
  let ended = false;
  const end = async (): Promise<void> => {
    if (ended) return;
    ended = true;
    await progress.step('stopping (data are kept)', async () => {
      await cloud.stop({ keepData: true });
      await ceph?.stop();
    });
  };
  // Ctrl-C at any moment leaves no process and no namespace behind.
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      end().then(
        () => process.exit(0),
        (caught: unknown) => {
          console.error(`stopping failed: ${String(caught)}; npm stop tries again`);
          process.exit(1);
        },
      );
    });
  }
  try {
    const image = isRoot
      ? await progress.step('guest image', () => buildGuestImage(cloud.layout.imageFolder))
      : undefined;
    await progress.step('web page', () => ensureWeb());
    if (isRoot) await progress.step('underlay network', () => cloud.makeUnderlay());
    if (ceph !== undefined) {
      const monitorIp = cloud.layout.underlayCidr.replace('.0/24', '.254');
      await progress.step('ceph', () => ceph.start(monitorIp, cloud.layout.agents));
    }
    await progress.step(known ? 'agents (on kept data)' : 'agents (one founds the mesh, the others join)', () =>
      cloud.startAgents(),
    );
    await progress.step('mesh formed', () => cloud.waitUntilFormed(30_000));
    const client = cloud.client('h1');
    await progress.step('user and project demo', () => makeDemoAccount(client, cloud.demoPassword));
    const guest = image === undefined ? undefined : await setUpGuest(cloud, client, image.qcow2Path, known, progress);
    await summary(cloud, guest, options, progress);
  } catch (caught) {
    if (!ended) await end();
    throw caught;
  }
  if (options.detach) return 0;
  progress.note('', 'Ctrl-C ends the cloud and keeps its data; npm start finds it again.');
  // Ends by the signal handlers above.
  await new Promise(() => setInterval(() => {}, 3_600_000));
  return 0;
}

interface Guest {
  readonly name: string;
  readonly serverId: string;
  readonly floatingIp: string;
  /** The command that logs in; absent for a guest that an earlier version booted without a key. */
  readonly login?: string;
}

async function setUpGuest(
  cloud: DevCloud,
  client: RestClient,
  imagePath: string,
  known: boolean,
  progress: Progress,
): Promise<Guest> {
  const demo: Demo = await progress.step('image, key, networks, router', () =>
    makeDemo(client, cloud.layout, imagePath),
  );
  const servers = (await client.json('/compute/v2.1/servers'))['servers'] as {
    id: string;
    name: string;
  }[];
  const existing = servers.find((server) => server.name === 'first');
  if (existing !== undefined) {
    const floatingIp = await progress.step('guest found again', () => floatingIpOf(client, existing.id));
    if (floatingIp !== '') await progress.step('guest answers', () => waitUntilAnswers(floatingIp));
    const { key_name: keyName } = await client.server(existing.id);
    return {
      name: 'first',
      serverId: existing.id,
      floatingIp,
      ...(keyName === demoKeyName && floatingIp !== '' ? { login: loginOf(cloud, floatingIp) } : {}),
    };
  }
  if (known) progress.note('The kept cloud has no server called "first"; one is booted.');
  const guest = await progress.step('guest started', () => bootGuest(client, demo, 'first'));
  const floatingIp = await addFloatingIp(client, demo, guest);
  await progress.step('guest is up', () => waitUntilReady(client, guest.serverId));
  await progress.step('guest answers', () => waitUntilAnswers(floatingIp));
  return { name: 'first', serverId: guest.serverId, floatingIp, login: loginOf(cloud, floatingIp) };
}

/** A host key that is not in the user's own file: the guest of the next cloud has the same address and another key. */
function loginOf(cloud: DevCloud, address: string): string {
  const knownHosts = join(cloud.layout.folder, 'known_hosts');
  return `ssh -i ${cloud.layout.demoKeyPath} -o UserKnownHostsFile=${knownHosts} demo@${address}`;
}

async function floatingIpOf(client: RestClient, serverId: string): Promise<string> {
  const ports = (await client.json(`/networking/v2.0/ports?device_id=${serverId}`))['ports'] as { id: string }[];
  const port = ports[0];
  if (port === undefined) return '';
  const found = await client.json(`/networking/v2.0/floatingips?port_id=${port.id}`);
  return (found['floatingips'] as { floating_ip_address: string }[])[0]?.floating_ip_address ?? '';
}

async function summary(cloud: DevCloud, guest: Guest | undefined, options: Options, progress: Progress): Promise<void> {
  const { layout } = cloud;
  const accelerator = await acceleratorOf(cloud);
  const facts = {
    api: layout.agents.map(apiUrlOf),
    openrc: layout.openrcPath,
    openrcDemo: layout.openrcDemoPath,
    cloudsYaml: layout.cloudsYamlPath,
    cacert: layout.authorityPath,
    fingerprint: shownFingerprint(readFileSync(layout.authorityPath, 'utf8')),
    configs: layout.agents.map((agent) => agent.configPath),
    data: layout.folder,
    logs: layout.agents.map((agent) => agent.logPath),
    accelerator,
    storage: !cloud.options.real
      ? 'fake'
      : cloud.options.storage === 'rbd'
        ? 'Ceph RBD (one real node)'
        : 'local qcow2 files',
    network: cloud.options.real ? 'kernel VXLAN, bridges, nftables' : 'fake',
    ...(guest === undefined ? {} : { guest }),
    secondsToReady: Math.round(progress.elapsedMs / 100) / 10,
  };
  if (options.json) {
    console.log(JSON.stringify(facts));
    return;
  }
  progress.note(
    '',
    `API          ${facts.api.join('  ')}`,
    `web page     ${facts.api[0]}/     users admin and demo; their passwords are in the credentials below`,
    ...(guest === undefined ? [] : [`guest        ${guest.name} at http://${guest.floatingIp}/cgi-bin/whoami`]),
    ...(guest?.login === undefined ? [] : [`log in       ${guest.login}     (or root@)`]),
    `credentials  source ${facts.openrc}     or: OS_CLIENT_CONFIG_FILE=${facts.cloudsYaml} openstack --os-cloud shoal server list`,
    `             source ${facts.openrcDemo}     an ordinary user in a project of its own, demo`,
    `certificate  ${facts.cacert}   ${facts.fingerprint}`,
    `operator     npx shoal status --config ${facts.configs[0]}     (hosts, ticket create, host disable NAME...)`,
    `logs         ${facts.logs.join('  ')}`,
    `data         ${facts.data}`,
    `what is real guests: ${accelerator}; disks: ${facts.storage}; network: ${facts.network}`,
    `ready in     ${facts.secondsToReady} s`,
    'stop         npm stop     (npm stop -- --keep-data keeps it)',
  );
}

async function acceleratorOf(cloud: DevCloud): Promise<string> {
  if (!cloud.options.real) return 'none (fake driver)';
  const body = await cloud.client('h1').json('/compute/v2.1/os-hypervisors/detail');
  const [first] = body['hypervisors'] as { hypervisor_type: string }[];
  const type = first?.hypervisor_type ?? 'unknown';
  return /kvm/i.test(type) ? 'QEMU with KVM' : 'QEMU with TCG emulation (no usable KVM on this machine)';
}

try {
  process.exitCode = await main();
} catch (caught) {
  console.error(`\nnpm start: ${caught instanceof Error ? caught.message : String(caught)}`);
  process.exitCode = caught instanceof PackagesMissing ? 2 : 1;
}
// Keep-alive connections of fetch would hold the process for seconds.
process.exit();
