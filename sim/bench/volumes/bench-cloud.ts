/** The cloud that is measured: two agents with real guests, on local files and, if wanted, on a Ceph of its own. */
import { chmod, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../drivers/command.ts';
import { buildGuestImage, type GuestImage } from '../../../drivers/image/guest/build.ts';
import { gibBytes, mibBytes } from '../../../node/base/units.ts';
import { DevCeph } from '../../../node/dev/ceph.ts';
import { DevCloud } from '../../../node/dev/cloud.ts';
import { addFloatingIp, bootGuest, makeDemo, waitUntilAnswers, waitUntilReady } from '../../../node/dev/demo.ts';
import type { RestClient } from '../../../node/dev/rest-client.ts';
import { VolumeClient } from '../../../node/dev/volume-client.ts';

/** What of the large image is not holes. */
const imageContentBytes = 256 * mibBytes;
/** Size of the large image as a guest sees it. */
export const largeImageGib = 2;

interface BenchCloudOptions {
  /** A new folder is made below it. */
  readonly dir: string;
  readonly withCeph: boolean;
  readonly say: (text: string) => void;
}

/** See above. */
export class BenchCloud {
  readonly folder: string;
  readonly client: RestClient;
  readonly volumes: VolumeClient;
  readonly guestImage: GuestImage;
  /** A qcow2 file of 2 GiB, an eighth of it filled. */
  readonly largeImagePath: string;
  readonly largeImageId: string;
  /** The guest that volumes are attached to. */
  readonly serverId: string;
  readonly accelerator: string;
  readonly #cloud: DevCloud;
  readonly #ceph: DevCeph | undefined;

  private constructor(made: Made) {
    this.folder = made.folder;
    this.client = made.client;
    this.volumes = made.volumes;
    this.guestImage = made.guestImage;
    this.largeImagePath = made.largeImagePath;
    this.largeImageId = made.largeImageId;
    this.serverId = made.serverId;
    this.accelerator = made.accelerator;
    this.#cloud = made.cloud;
    this.#ceph = made.ceph;
  }

  static async start({ dir, withCeph, say }: BenchCloudOptions): Promise<BenchCloud> {
    const folder = await mkdtemp(join(dir, 'shoal-bench-volumes-'));
    // QEMU's user must be able to pass through.
    await chmod(folder, 0o711);
    const ceph = withCeph ? new DevCeph(join(folder, 'ceph')) : undefined;
    const cloud = await DevCloud.open({
      folder,
      agents: 2,
      real: true,
      storage: 'local',
      ...(ceph === undefined ? {} : { ceph: (agent) => ceph.clientOf(agent) }),
    });
    try {
      say('starting two agents and a guest');
      await cloud.makeUnderlay();
      const guestImage = await buildGuestImage(cloud.layout.imageFolder, { isOpen: true });
      await ceph?.start(cloud.layout.underlayCidr.replace('.0/24', '.254'), cloud.layout.agents);
      await cloud.startAgents();
      await cloud.waitUntilFormed(60_000);
      const client = cloud.client('h1');
      const volumes = new VolumeClient(client);
      const demo = await makeDemo(client, cloud.layout, guestImage.qcow2Path);
      const guest = await bootGuest(client, demo, 'measured');
      await waitUntilAnswers(await addFloatingIp(client, demo, guest));
      await waitUntilReady(client, guest.serverId);
      await raiseQuotas(client);
      await volumes.makeType('local', { volume_backend_name: 'local' });
      if (ceph !== undefined) await volumes.makeType('ceph', { volume_backend_name: 'rbd' });
      say('making an image of 2 GiB');
      const largeImagePath = await makeLargeImage(folder);
      const largeImageId = await client.uploadImage('large', largeImagePath);
      const { serverId } = guest;
      const accelerator = await acceleratorOf(client);
      return new BenchCloud({
        folder,
        client,
        volumes,
        guestImage,
        largeImagePath,
        largeImageId,
        serverId,
        accelerator,
        cloud,
        ceph,
      });
    } catch (caught) {
      await end(folder, cloud, ceph);
      throw caught;
    }
  }

  /** How the `rbd` command reaches the cluster, as the first agent's client. */
  get rbd(): { readonly words: readonly string[]; readonly pool: string } | undefined {
    if (this.#ceph === undefined) return undefined;
    const { confPath, user, diskPool } = this.#ceph.clientOf(this.#cloud.agent('h1'));
    return { words: ['rbd', '--conf', confPath, '--id', user], pool: diskPool };
  }

  stop(): Promise<void> {
    return end(this.folder, this.#cloud, this.#ceph);
  }
}

interface Made {
  readonly folder: string;
  readonly client: RestClient;
  readonly volumes: VolumeClient;
  readonly guestImage: GuestImage;
  readonly largeImagePath: string;
  readonly largeImageId: string;
  readonly serverId: string;
  readonly accelerator: string;
  readonly cloud: DevCloud;
  readonly ceph: DevCeph | undefined;
}

async function end(folder: string, cloud: DevCloud, ceph: DevCeph | undefined): Promise<void> {
  await cloud.stop({ keepData: true });
  await ceph?.stop();
  await rm(folder, { recursive: true, force: true });
}

async function makeLargeImage(folder: string): Promise<string> {
  const raw = join(folder, 'large.raw');
  const path = join(folder, 'large.qcow2');
  const file = await open(raw, 'w');
  try {
    await file.truncate(largeImageGib * gibBytes);
    // Not compressible, and not all in one place.
    const piece = crypto.getRandomValues(new Uint8Array(65_536));
    const pieces = imageContentBytes / piece.length;
    for (let at = 0; at < pieces; at += 1) {
      new DataView(piece.buffer).setUint32(0, at);
      await file.write(piece, 0, piece.length, Math.floor((at * largeImageGib * gibBytes) / pieces));
    }
  } finally {
    await file.close();
  }
  await runCommand(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, path], { timeoutMs: 120_000 });
  await rm(raw);
  return path;
}

/** A hundred volumes at once are more than a project may have by default. */
async function raiseQuotas(client: RestClient): Promise<void> {
  const token = await client.json('/identity/v3/auth/tokens', { headers: { 'x-subject-token': await client.token() } });
  const projectId = (token['token'] as { project: { id: string } }).project.id;
  await client.json(`/volume/v3/os-quota-sets/${projectId}`, {
    method: 'PUT',
    body: { quota_set: { volumes: 1000, gigabytes: 10_000, snapshots: 1000 } },
  });
}

async function acceleratorOf(client: RestClient): Promise<string> {
  const body = await client.json('/compute/v2.1/os-hypervisors/detail');
  const [first] = body['hypervisors'] as { hypervisor_type?: string }[];
  return first?.hypervisor_type ?? 'unknown';
}
