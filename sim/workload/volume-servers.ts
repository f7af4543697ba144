/** Servers that boot from volumes: made of images, of volumes, of snapshots, stopped, started and deleted. */
import type { Prng } from '../../node/base/prng.ts';
import type { BlockDeviceDraft } from '../../node/services/volume/servers/block-devices.ts';
import type { WorldMark } from '../settings/points.ts';
import type { ProjectVolumes, Work } from './volume-requests.ts';

/** Hears what owners are told of servers. */
export interface ServerPromises {
  /** A creation was acknowledged. */
  readonly onCreated: (serverId: string) => void;
  /** A deletion is about to be asked for. */
  readonly onDeleting: (serverId: string) => void;
  /** A deletion was acknowledged. */
  readonly onDeleted: (serverId: string) => void;
  /** Something else is asked of a server; what is returned is called with whether its fate is known. */
  readonly onAsks: (serverId: string) => (isKnown: boolean) => void;
}

/** By their names they are told from the others. */
const namePrefix = 'boots-from-volume-';
/** Servers of this kind that a project keeps at a time. */
const serversMax = 2;

interface VolumeServersDeps {
  readonly random: Prng;
  readonly servers: ServerPromises;
  readonly reached: (mark: WorldMark) => void;
  /** Asks an agent. False: it is not known to be done. */
  readonly ask: (what: string, work: Work) => Promise<boolean>;
}

/** See above. */
export class VolumeServers {
  readonly #deps: VolumeServersDeps;
  readonly #networkId: string;
  #creations = 0;

  constructor(deps: VolumeServersDeps, networkId: string) {
    this.#deps = deps;
    this.#networkId = networkId;
  }

  /** One request. */
  async step(has: ProjectVolumes): Promise<void> {
    const { random, servers, ask } = this.#deps;
    const own = has.servers.filter(({ name }) => name.startsWith(namePrefix));
    if (own.length === 0 || (own.length < serversMax && random.chance(0.5))) return this.#create(has);
    const { id } = random.pick(own);
    switch (random.below(3)) {
      case 0: {
        servers.onDeleting(id);
        if (await ask(`delete ${id}`, ({ services }, context) => services.compute.servers.delete(context, id))) {
          servers.onDeleted(id);
        }
        return;
      }
      case 1: {
        const answered = servers.onAsks(id);
        answered(await ask(`stop ${id}`, ({ services }, context) => services.compute.servers.stop(context, id)));
        return;
      }
      default: {
        const answered = servers.onAsks(id);
        answered(await ask(`start ${id}`, ({ services }, context) => services.compute.servers.start(context, id)));
      }
    }
  }

  async #create({ projectId, volumes, snapshots }: ProjectVolumes): Promise<void> {
    const { random, servers, reached, ask } = this.#deps;
    this.#creations += 1;
    const bootable = volumes.filter((volume) => volume.bootable && volume.status === 'available');
    const ofBootable = snapshots.filter(({ volumeId }) =>
      volumes.some(({ id, bootable: is }) => id === volumeId && is),
    );
    const deleteOnTermination = random.chance(0.5);
    const root: BlockDeviceDraft = random.pick([
      { sourceType: 'image', destinationType: 'volume', uuid: 'image-1', volumeSizeGib: 1 + random.below(2) } as const,
      ...bootable.map(({ id }) => ({ sourceType: 'volume', uuid: id }) as const),
      ...ofBootable.map(({ id }) => ({ sourceType: 'snapshot', uuid: id }) as const),
    ]);
    const blank = { sourceType: 'blank', destinationType: 'volume', volumeSizeGib: 1, deleteOnTermination } as const;
    const draft = {
      name: `${namePrefix}${this.#creations}`,
      flavorId: 'small',
      imageId: '',
      networks: [{ networkId: this.#networkId }],
      blockDevices: [{ ...root, bootIndex: 0, deleteOnTermination }, ...(random.chance(0.3) ? [blank] : [])],
      clientToken: `${projectId}/${namePrefix}${this.#creations}`,
    };
    reached('server-boots-from-volume');
    await ask(`create ${draft.clientToken}`, async ({ services }, context) => {
      const made = await services.compute.servers.create(context, draft);
      for (const { id } of made.servers) servers.onCreated(id);
    });
  }
}
