/** A cloud for the tests of volumes and servers on this machine: agents on real QEMU, the hosts' own files, a real Ceph, and guests in it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../../drivers/command.ts';
import { buildGuestImage } from '../../../drivers/image/guest/build.ts';
import { storageDaemon } from '../../../drivers/nbd/exports/export-command.ts';
import { scanProcesses } from '../../../drivers/process.ts';
import { DevCeph } from '../../../node/dev/ceph.ts';
import { DevCloud } from '../../../node/dev/cloud.ts';
import {
  addFloatingIp,
  bootGuest,
  type Demo,
  makeDemo,
  waitUntilAnswers,
  waitUntilReady,
} from '../../../node/dev/demo.ts';
import { agentPackages, cephPackages, guestImagePackages } from '../../../node/dev/packages.ts';
import type { RestClient } from '../../../node/dev/rest-client.ts';
import { VolumeClient } from '../../../node/dev/volume-client.ts';
import { runInGuest } from '../guests/guest.ts';
import type { InGuest } from '../guests/volumes-in-guest.ts';

/** Volume types of the cloud, and the pool that each names. */
export const pools = { files: 'local', ceph: 'rbd' } as const;
export type VolumeTypeName = keyof typeof pools;

/** Why this machine cannot run such a cloud; an empty text when it can. */
export function whyNoVolumeCloud(): string {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = [...agentPackages, ...guestImagePackages, ...cephPackages].filter((item) => !item.isInstalled());
  return missing.length > 0 ? `not installed: ${missing.map((item) => item.name).join(' ')}` : '';
}

interface VolumeCloudOptions {
  readonly agents: number;
  /** False: without Ceph, the type `ceph` is not there. Default true. */
  readonly hasCeph?: boolean;
  /** Where servers have disks of their own, and images their content. Default `local`; `rbd` needs Ceph. */
  readonly storage?: 'local' | 'rbd';
  /** How long an agent may take to answer after its start; default as DevCloud's. Unit: ms. */
  readonly readyMsMax?: number;
  /** Longest wait until all agents see each other. Default 60,000. Unit: ms. */
  readonly formedMsMax?: number;
}

/** A guest that has booted and answers. */
export interface VolumeGuest {
  readonly serverId: string;
  /** Name of the host that it is on. */
  readonly host: string;
  readonly address: string;
  readonly run: InGuest;
}

/** What serves a volume to a guest of another host, and where. */
export interface ServingDaemon {
  readonly pid: number;
  readonly host: string;
  readonly port: string;
}

/** See above. `close` ends all of it and removes its folder. */
export class VolumeCloud {
  readonly folder: string;
  readonly cloud: DevCloud;
  readonly ceph: DevCeph | undefined;
  readonly backupFolder: string;
  readonly #demo: Demo;

  private constructor(parts: { folder: string; cloud: DevCloud; ceph: DevCeph | undefined; demo: Demo }) {
    this.folder = parts.folder;
    this.cloud = parts.cloud;
    this.ceph = parts.ceph;
    this.backupFolder = join(parts.folder, 'backups');
    this.#demo = parts.demo;
  }

  /** Starts everything but guests. What was started is ended again when that fails. */
  static async open(options: VolumeCloudOptions): Promise<VolumeCloud> {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-volumes-'));
    // QEMU's user must be able to pass through.
    chmodSync(folder, 0o711);
    mkdirSync(join(folder, 'backups'));
    const ceph = options.hasCeph === false ? undefined : new DevCeph(join(folder, 'ceph'));
    const cloud = await DevCloud.open({
      folder: join(folder, 'cloud'),
      agents: options.agents,
      real: true,
      storage: options.storage ?? 'local',
      backupStore: `file://${join(folder, 'backups')}`,
      ...(options.readyMsMax === undefined ? {} : { readyMsMax: options.readyMsMax }),
      ...(ceph === undefined ? {} : { ceph: (agent) => ceph.clientOf(agent) }),
    });
    try {
      await cloud.makeUnderlay();
      const image = await buildGuestImage(cloud.layout.imageFolder, { isOpen: true });
      await ceph?.start(cloud.layout.underlayCidr.replace('.0/24', '.254'), cloud.layout.agents);
      await cloud.startAgents();
      await cloud.waitUntilFormed(options.formedMsMax ?? 60_000);
      const client = cloud.client('h1');
      const demo = await makeDemo(client, cloud.layout, image.qcow2Path);
      const opened = new VolumeCloud({ folder, cloud, ceph, demo });
      for (const [name, pool] of Object.entries(pools)) {
        if (name !== 'ceph' || ceph !== undefined) await opened.volumes.makeType(name, { volume_backend_name: pool });
      }
      return opened;
    } catch (caught) {
      await end(folder, cloud, ceph);
      throw caught;
    }
  }

  /** Of the first agent. */
  get client(): RestClient {
    return this.cloud.client('h1');
  }

  /** Through the first agent. */
  get volumes(): VolumeClient {
    return new VolumeClient(this.client);
  }

  get imageId(): string {
    return this.#demo.imageId;
  }

  get networkId(): string {
    return this.#demo.networkId;
  }

  close(): Promise<void> {
    return end(this.folder, this.cloud, this.ceph);
  }

  /** Boots a guest and returns once it answers. @param imageId default: the demo's image. */
  async boot(name: string, hints?: Readonly<Record<string, unknown>>, imageId = this.imageId): Promise<VolumeGuest> {
    const { client } = this;
    const guest = await bootGuest(client, { ...this.#demo, imageId }, name, hints);
    const { serverId } = guest;
    const address = await addFloatingIp(client, this.#demo, guest);
    await waitUntilAnswers(address, 120_000);
    await waitUntilReady(client, serverId);
    const host = String((await client.server(serverId))['OS-EXT-SRV-ATTR:host']);
    return { serverId, host, address, run: (script, timeoutMs) => runInGuest(address, script, timeoutMs) };
  }

  /** Ends all agents as a crash does. */
  async killAll(): Promise<void> {
    for (const { name } of this.cloud.layout.agents) await this.cloud.killAgent(name, 'SIGKILL');
  }

  /** Starts the agents that do not run, and waits until all see each other. */
  async startAll(): Promise<void> {
    await Promise.all(this.cloud.layout.agents.map((agent) => this.cloud.startAgent(agent.name)));
    await this.cloud.waitUntilFormed(60_000);
  }

  /** Files of the hosts under a volume's id. */
  async filesOf(id: string): Promise<readonly string[]> {
    const found = await runCommand(['find', this.folder, '-path', '*disks*', '-type', 'f', '-name', `*${id}*`]);
    return found.stdout.split('\n').filter((line) => line !== '');
  }

  /** Images of Ceph under a volume's id. */
  async imagesOf(id: string): Promise<readonly string[]> {
    const { stdout } = await this.rbd('ls', this.#cephClient().diskPool, '--format', 'json');
    return (JSON.parse(stdout) as string[]).filter((name) => name.includes(id));
  }

  /** What the storage of a type has under a volume's id. */
  leftOf(type: VolumeTypeName, id: string): Promise<readonly string[]> {
    return type === 'files' ? this.filesOf(id) : this.imagesOf(id);
  }

  /** `rbd ...` as the first agent. */
  rbd(...args: readonly string[]): ReturnType<typeof runCommand> {
    const { confPath, user } = this.#cephClient();
    return runCommand(['rbd', '--conf', confPath, '--id', user, ...args], { timeoutMs: 60_000 });
  }

  /** What serves a volume over the network. */
  async servingDaemons(id: string): Promise<readonly ServingDaemon[]> {
    const found = await scanProcesses((argv) => {
      if (argv[0] !== storageDaemon || !argv.some((word) => word.includes(id))) return undefined;
      const { addr } = JSON.parse(argv[argv.indexOf('--nbd-server') + 1] ?? '{}') as {
        addr: { host: string; port: string };
      };
      return { host: addr.host, port: addr.port };
    });
    return found.map(({ identity, selected }) => ({ pid: identity.pid, ...selected }));
  }

  #cephClient(): ReturnType<DevCeph['clientOf']> {
    if (this.ceph === undefined) throw new Error('the cloud has no Ceph');
    return this.ceph.clientOf(this.cloud.agent('h1'));
  }
}

async function end(folder: string, cloud: DevCloud, ceph: DevCeph | undefined): Promise<void> {
  await cloud.stop({ keepData: true });
  await ceph?.stop();
  rmSync(folder, { recursive: true, force: true });
}
