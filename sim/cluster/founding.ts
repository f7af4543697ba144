/**
 * What the world begins with: the records that a founder writes, a network and a group for each tenant, and the servers that
 * are there before the faults begin.
 */
import { ShoalError } from '../../node/base/errors.ts';
import { type Change, transact } from '../../node/services/kit/transact.ts';
import { flavorTable, hostTable, imageTable } from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import { hostRecordOf } from '../agents/host-record.ts';
import { contextOf } from '../workload/agents.ts';
import { ballast } from '../world/ballast.ts';
import { hostIdOf } from '../world/ids.ts';
import { imageContent, imageHolders, imageSha256 } from '../world/images.ts';
import type { Process, SimNode } from '../world/node.ts';
import type { Schedule } from '../world/schedule.ts';
import { makeVolumeTypes } from './volume-founding.ts';

/** Hosts recorded in one transaction: a record and its indexes take some ten of the items that one may have. */
const hostsAtOnce = 200;
/** Hosts that are left to join one after the other. */
const joiningMax = 20;
/** Tenants whose first servers are made at a time. */
const filledAtOnce = 32;

interface FoundingDeps {
  readonly schedule: Schedule;
  readonly nodes: readonly SimNode[];
  readonly newId: () => string;
  /** The agent that runs on a host now. */
  readonly agentOf: (raftId: number) => HostAgent | undefined;
  /** A creation was acknowledged. */
  readonly onCreated: (serverId: string) => void;
}

interface FoundingOptions {
  readonly tenants: number;
  /** Servers that are made before the faults begin, over all tenants. */
  readonly servers: number;
  /** Racks that hosts stand in, host n in rack n modulo this. 0: none. */
  readonly racks: number;
  /** Hosts beside the voters that hold the whole state. */
  readonly standbys: number;
  /** 0: there are no volumes. */
  readonly volumeThinkMs: number;
}

/** What a tenant has from the start. */
interface TenantStart {
  readonly projectId: string;
  readonly networkId: string;
  /** Strict groups: one whose members are to be apart, one whose members are to be together. */
  readonly groupIds: readonly string[];
  readonly servers: readonly string[];
}

export class Founding {
  readonly #deps: FoundingDeps;
  readonly #options: FoundingOptions;
  readonly #networkIds: string[] = [];
  readonly #groupIds: (readonly string[])[] = [];
  /** By tenant: the servers that it has from the start. */
  readonly #filled = new Map<number, readonly string[]>();
  #isDone = false;

  constructor(deps: FoundingDeps, options: FoundingOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** All is there that the world begins with. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Projects that have a network by now. */
  projects(): readonly string[] {
    return this.#networkIds.map((_, at) => `p${at + 1}`);
  }

  /** What each tenant has from the start. */
  tenants(): readonly TenantStart[] {
    return this.#networkIds.map((networkId, at) => ({
      projectId: `p${at + 1}`,
      networkId,
      groupIds: this.#groupIds[at] ?? [],
      servers: this.#filled.get(at + 1) ?? [],
    }));
  }

  /** Writes the first records, as a founder does. */
  async found(): Promise<void> {
    const { schedule, nodes, newId, agentOf } = this.#deps;
    const { tenants, servers, racks } = this.#options;
    const first = nodes[0];
    for (;;) {
      const process = first?.process;
      if (process?.loop.isCaughtUp === true) break;
      await schedule.sleep(50);
    }
    const process = first?.process;
    if (process === undefined) throw new Error('the founder runs');
    const { state, clock, logger } = process;
    const services = { state, clock, logger, newId };
    const { signal } = new AbortController();
    const recordHosts = (change: Change, some: readonly SimNode[]): void => {
      for (const { raftId } of some) hostTable.insert(change, hostRecordOf(raftId, racks));
    };
    for (let from = hostsAtOnce; from < nodes.length; from += hostsAtOnce) {
      await transact(services, { signal, clientToken: `hosts/${from}` }, ({ change }) =>
        recordHosts(change, nodes.slice(from, from + hostsAtOnce)),
      );
    }
    await transact(services, { signal, clientToken: 'founding' }, ({ change }) => {
      recordHosts(change, nodes.slice(0, hostsAtOnce));
      for (const [id, vcpus, memoryMib] of [
        ['small', 1, 256],
        ['large', 2, 2_048],
      ] as const) {
        flavorTable.insert(
          change,
          new shoal.v1.Flavor({ id, name: id, vcpus, memoryMib, diskGib: 4, rxtxFactor: 1, isPublic: true }),
        );
      }
      imageTable.insert(
        change,
        new shoal.v1.Image({
          id: 'image-1',
          name: 'image-1',
          projectId: 'admin',
          visibility: 'public',
          status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE,
          diskFormat: 'qcow2',
          containerFormat: 'bare',
          sizeBytes: imageContent.length,
          virtualSizeBytes: imageContent.length,
          sha256: imageSha256,
          hostIds: nodes.slice(0, imageHolders).map(({ raftId }) => hostIdOf(raftId)),
        }),
      );
    });
    await state.commit({ compares: [], thenOps: ballast(), elseOps: [] }, { signal, clientToken: 'ballast' });
    const agent = agentOf(1);
    if (agent !== undefined) {
      if (this.#options.volumeThinkMs > 0) await makeVolumeTypes(agent);
      for (let tenant = 1; tenant <= tenants; tenant += 1) {
        const context = contextOf(`p${tenant}`);
        const [network] = await agent.services.network.networks.create(context, [{ name: 'net' }]);
        if (network === undefined) throw new Error('a network is made');
        await agent.services.network.subnets.create(context, [
          { networkId: network.id, cidr: '10.0.0.0/24', name: 'sub' },
        ]);
        this.#networkIds.push(network.id);
        const { serverGroups } = agent.services.compute;
        const apart = await serverGroups.create(context, { name: 'apart', policy: 'anti-affinity' });
        const together = await serverGroups.create(context, { name: 'together', policy: 'affinity' });
        this.#groupIds.push([apart.id, together.id]);
      }
      // The founder alone keeps the state yet: hundreds of members that apply each creation would take their time.
      if (servers > 0) await this.#fill(agent);
    }
    // Those that are to hold slices come by themselves.
    if (nodes.length > joiningMax && this.#options.standbys >= nodes.length) await this.#joinAll(process);
    this.#isDone = true;
  }

  /** Makes the servers that are there before the faults begin, through the founder's agent. */
  async #fill(agent: HostAgent): Promise<void> {
    const { nodes, schedule, onCreated } = this.#deps;
    const { servers, tenants } = this.#options;
    // Where there is room is known by gossip.
    while (agent.host.gossip.adverts().length < nodes.length) await schedule.sleep(100);
    const fillOne = async (tenant: number): Promise<void> => {
      const networkId = this.#networkIds[tenant - 1];
      const count = Math.floor((servers * tenant) / tenants) - Math.floor((servers * (tenant - 1)) / tenants);
      if (networkId === undefined || count === 0) return;
      const made = await agent.services.compute.servers.create(contextOf(`p${tenant}`), {
        name: 's0',
        flavorId: 'small',
        imageId: 'image-1',
        networks: [{ networkId }],
        clientToken: `p${tenant}/0`,
        minCount: count,
        maxCount: count,
      });
      const ids = made.servers.map(({ id }) => id);
      for (const id of ids) onCreated(id);
      this.#filled.set(tenant, ids);
    };
    let next = 1;
    const fillSome = async (): Promise<void> => {
      while (next <= tenants) {
        next += 1;
        await fillOne(next - 1);
      }
    };
    await Promise.all(Array.from({ length: filledAtOnce }, fillSome));
  }

  /** The autopilot takes hosts in one by one, which is what small meshes do here too; a large one would take minutes. */
  async #joinAll({ loop }: Process): Promise<void> {
    for (;;) {
      const { voters, learners } = loop.confState;
      const left = this.#deps.nodes.filter(({ raftId }) => !voters.includes(raftId) && !learners.includes(raftId));
      if (left.length === 0) return;
      try {
        await loop.changeMembers(left.map(({ raftId }) => ({ type: 'addLearner', nodeId: raftId })));
      } catch (caught) {
        // The autopilot is taking one in just now.
        if (!ShoalError.is(caught, 'CONFLICT')) throw caught;
        await this.#deps.schedule.sleep(20);
      }
    }
  }
}
