/**
 * A tenant's user of block storage: volumes are made (empty, of snapshots, of others), attached to servers of the project, to two
 * at once too, booted from, and asked for all that volume-requests.ts draws, through any agent.
 */
import type { StateReader } from '../../node/state/types.ts';
import type { WorldMark } from '../settings/points.ts';
import { typesOfPools } from '../settings/volume-types.ts';
import type { Trouble } from '../world/trouble.ts';
import { askAnyAgent, type UserDeps } from './agents.ts';
import { workUntilOver } from './client.ts';
import { drawVolumeRequest, pickFit, projectVolumes, type Work } from './volume-requests.ts';
import { type ServerPromises, VolumeServers } from './volume-servers.ts';

/** Volumes that a project keeps at a time, about. */
const volumesMax = 5;

interface VolumeTenantDeps extends UserDeps {
  readonly trouble: Trouble;
  /** The replay of what was committed: what the user sees of the project. */
  readonly replay: () => StateReader;
  readonly reached: (mark: WorldMark) => void;
  /** Hears what is asked of servers that boot from volumes. */
  readonly servers: ServerPromises;
}

/** See above. */
export class VolumeTenant {
  readonly #deps: VolumeTenantDeps;
  readonly #projectId: string;
  readonly #thinkMs: number;
  readonly #boots: VolumeServers;
  #creations = 0;

  /** @param thinkMs mean pause between two operations. */
  constructor(
    deps: VolumeTenantDeps,
    project: { readonly projectId: string; readonly networkId: string },
    thinkMs: number,
  ) {
    this.#deps = deps;
    this.#projectId = project.projectId;
    this.#thinkMs = thinkMs;
    const ask = (what: string, work: Work): Promise<boolean> => this.#call(what, work);
    this.#boots = new VolumeServers({ ...deps, ask }, project.networkId);
  }

  run(): Promise<void> {
    return workUntilOver(this.#deps, this.#thinkMs, () => this.#step());
  }

  async #step(): Promise<void> {
    const { random, replay, nodes } = this.#deps;
    const has = projectVolumes(
      replay(),
      this.#projectId,
      nodes.map(({ raftId }) => `host-${raftId}`),
    );
    const { volumes, snapshots, servers } = has;
    if (volumes.length === 0 || (volumes.length < volumesMax && random.chance(0.25))) {
      const type = random.pick([undefined, ...Object.values(typesOfPools)]);
      const sources = [
        { sizeGib: 1 + random.below(2), ...(type === undefined ? {} : { type }) },
        ...(snapshots.length === 0 ? [] : [{ snapshotId: random.pick(snapshots).id }]),
        ...(volumes.length === 0 ? [] : [{ sourceVolumeId: random.pick(volumes).id }]),
      ];
      return this.#create(random.pick(sources));
    }
    if (random.chance(0.25)) {
      const free = pickFit(random, volumes, ({ status }) => status === 'available');
      return servers.length === 0 || free === undefined
        ? undefined
        : this.#attach(free.id, () => random.pick(servers).id);
    }
    if (random.chance(0.12)) return this.#boots.step(has);
    const request = drawVolumeRequest(random, has);
    if (request !== undefined) await this.#call(request.what, request.work, request.isAdmins === true);
  }

  /** Sent again under its token when nobody knows what came of it: one volume is made of it. */
  async #create(source: {
    readonly sizeGib?: number;
    readonly type?: string;
    readonly snapshotId?: string;
  }): Promise<void> {
    this.#creations += 1;
    const clientToken = `${this.#projectId}/volume-${this.#creations}`;
    const draft = { name: `v${this.#creations}`, ...source, clientToken };
    const create: Work = (agent, context) => agent.services.volume.volumes.create(context, draft);
    await this.#call(`create volume ${clientToken}`, create);
    if (this.#deps.random.chance(0.3)) await this.#call(`create volume ${clientToken}`, create);
  }

  /** Now and then by two requests at once, of which one may win. */
  async #attach(volumeId: string, serverId: () => string): Promise<void> {
    const { random, reached } = this.#deps;
    const isRace = random.chance(0.3);
    if (isRace) reached('volume-attached-twice-at-once');
    const attach = (to: string): Promise<boolean> =>
      this.#call(`attach ${volumeId} to ${to}`, (agent, context) =>
        agent.services.volume.attachments.plug(context, to, { volumeId }),
      );
    await Promise.all(isRace ? [attach(serverId()), attach(serverId())] : [attach(serverId())]);
  }

  async #call(what: string, work: Work, isAdmins = false): Promise<boolean> {
    const roles = [isAdmins ? 'admin' : 'member'];
    const as = { projectId: this.#projectId, roles, patienceMs: this.#deps.trouble.clientPatienceMs };
    return (await askAnyAgent(this.#deps, as, what, work)).answer.kind === 'done';
  }
}
