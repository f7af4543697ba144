/**
 * A tenant's user of block storage: volumes are made (empty, of snapshots, of others), attached to servers of the project, to two
 * at once too, extended, kept as snapshots, put back, detached and deleted, through any agent. What is refused is refused: many of
 * these operations meet a volume in another state.
 */
import { ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import { indexKey } from '../../node/state/table.ts';
import { serverTable, volumeSnapshotTable, volumeTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import type { WorldMark } from '../settings/points.ts';
import type { Trace } from '../trace/trace.ts';
import type { SimNode } from '../world/node.ts';
import type { Schedule } from '../world/schedule.ts';
import type { Trouble } from '../world/trouble.ts';
import { type Answer, callAgent, patience, type Working, workUntilOver } from './client.ts';
import { contextOf } from './tenant.ts';

/** Volumes that a project keeps at a time, about. */
const volumesMax = 5;
/** Size of the largest, GiB. */
const sizeGibMax = 4;

interface VolumeTenantDeps {
  readonly schedule: Schedule;
  readonly random: Prng;
  readonly trace: Trace;
  readonly nodes: readonly SimNode[];
  readonly agentOf: (node: SimNode) => HostAgent | undefined;
  /** Who answers what is asked of a host. */
  readonly entryAt: (node: SimNode) => SimNode;
  readonly working: Working;
  readonly isOver: () => boolean;
  readonly onFailed: (error: unknown) => void;
  readonly trouble: Trouble;
  /** The replay of what was committed: what the user sees of the project. */
  readonly replay: () => StateReader;
  readonly reached: (mark: WorldMark) => void;
}

/** What is asked of an agent. */
type Work = (agent: HostAgent, context: RequestContext) => Promise<unknown>;

/** See above. */
export class VolumeTenant {
  readonly #deps: VolumeTenantDeps;
  readonly #projectId: string;
  readonly #thinkMs: number;
  #creations = 0;

  /** @param thinkMs mean pause between two operations. */
  constructor(deps: VolumeTenantDeps, projectId: string, thinkMs: number) {
    this.#deps = deps;
    this.#projectId = projectId;
    this.#thinkMs = thinkMs;
  }

  run(): Promise<void> {
    return workUntilOver(this.#deps, this.#thinkMs, () => this.#step());
  }

  async #step(): Promise<void> {
    const { random } = this.#deps;
    const reader = this.#deps.replay();
    const of = <T>(rows: readonly { readonly record: T }[]): readonly T[] => rows.map(({ record }) => record);
    const volumes = of(volumeTable.by(reader, 'project', indexKey(this.#projectId)));
    const snapshots = of(volumeSnapshotTable.by(reader, 'project', indexKey(this.#projectId)));
    const servers = of(serverTable.list(reader)).filter(({ projectId }) => projectId === this.#projectId);
    if (volumes.length === 0 || (volumes.length < volumesMax && random.chance(0.25))) {
      const sources = [
        { sizeGib: 1 + random.below(2) },
        ...(snapshots.length === 0 ? [] : [{ snapshotId: random.pick(snapshots).id }]),
        ...(volumes.length === 0 ? [] : [{ sourceVolumeId: random.pick(volumes).id }]),
      ];
      return this.#create(random.pick(sources));
    }
    const { id } = random.pick(volumes);
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2:
        return servers.length === 0 ? undefined : this.#attach(id, () => random.pick(servers).id);
      case 3:
        return this.#detach(id, reader);
      case 4:
        return this.#call(`extend ${id}`, (agent, context) =>
          agent.services.volume.volumes.extend(context, id, 1 + random.below(sizeGibMax)),
        );
      case 5:
        return this.#call(`snapshot ${id}`, (agent, context) =>
          agent.services.volume.snapshots.create(context, { volumeId: id, force: true }),
        );
      case 6: {
        if (snapshots.length === 0) return undefined;
        const snapshot = random.pick(snapshots);
        return random.chance(0.5)
          ? this.#call(`revert ${snapshot.volumeId}`, (agent, context) =>
              agent.services.volume.volumes.revert(context, snapshot.volumeId, snapshot.id),
            )
          : this.#call(`delete snapshot ${snapshot.id}`, (agent, context) =>
              agent.services.volume.snapshots.remove(context, snapshot.id),
            );
      }
      default:
        return this.#call(`delete volume ${id}`, (agent, context) =>
          agent.services.volume.volumes.remove(context, id, { cascade: random.chance(0.5) }),
        );
    }
  }

  /** Sent again under its token when nobody knows what came of it: one volume is made of it. */
  async #create(source: { readonly sizeGib?: number; readonly snapshotId?: string }): Promise<void> {
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
    const attach = (to: string): Promise<void> =>
      this.#call(`attach ${volumeId} to ${to}`, (agent, context) =>
        agent.services.volume.attachments.plug(context, to, { volumeId }),
      );
    await Promise.all(isRace ? [attach(serverId()), attach(serverId())] : [attach(serverId())]);
  }

  async #detach(volumeId: string, reader: StateReader): Promise<void> {
    const serverId = volumeTable.get(reader, volumeId)?.record.attachments[0]?.serverId ?? '';
    if (serverId === '') return;
    await this.#call(`detach ${volumeId} from ${serverId}`, (agent, context) =>
      agent.services.volume.attachments.unplug(context, serverId, volumeId),
    );
  }

  async #call(what: string, work: Work): Promise<void> {
    const { random, nodes, agentOf, entryAt, trace, schedule, trouble } = this.#deps;
    const node = entryAt(random.pick(nodes));
    const agent = agentOf(node);
    const context = contextOf(this.#projectId, ['member'], patience(schedule, trouble.clientPatienceMs));
    const answer: Answer<unknown> =
      agent === undefined
        ? { kind: 'refused', error: new ShoalError('UNAVAILABLE', 'The agent does not listen.') }
        : await callAgent(node, () => work(agent, context));
    const code = answer.kind === 'done' ? '' : ` ${answer.error?.code ?? 'agent died'}`;
    trace.add(this.#projectId, `${what} by ${node.name}: ${answer.kind}${code}`);
  }
}
