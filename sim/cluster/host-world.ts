/** All hosts of a run: machines, agents on them, tenants, and the eyes of the host checkers. */
import { FakeStorage } from '../../drivers/fake/storage.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ServerId } from '../../node/base/ids.ts';
import { Prng } from '../../node/base/prng.ts';
import { portTable, serverTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import type { HostCapacity } from '../../placement/index.ts';
import { shoal } from '../../proto/messages.ts';
import { boasting } from '../agents/boasting.ts';
import { HostAgent } from '../agents/host-agent.ts';
import { ClaimChecker } from '../checkers/claims.ts';
import { ContentChecker } from '../checkers/contents.ts';
import { GossipChecker } from '../checkers/gossip.ts';
import { checkStranger, RemovalChecker } from '../checkers/hosts.ts';
import type { Report } from '../checkers/invariants.ts';
import { VolumeChecker } from '../checkers/volumes.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { ContentEye } from '../observers/content-eye.ts';
import { HostEye } from '../observers/host-observer.ts';
import { PowerOffs } from '../observers/power-offs.ts';
import { Promises } from '../observers/promises.ts';
import { RecordList } from '../observers/record-list.ts';
import { RecordEye } from '../observers/record-observer.ts';
import { ServerEye } from '../observers/server-eye.ts';
import type { WorldMark } from '../settings/points.ts';
import { typesOfPools } from '../settings/volume-types.ts';
import type { Trace } from '../trace/trace.ts';
import type { Placements, WatchedOperation, WatchedServer } from '../trace/watcher.ts';
import type { UserDeps } from '../workload/agents.ts';
import type { Working } from '../workload/client.ts';
import { Operator } from '../workload/operator.ts';
import { VerbTenant } from '../workload/server-verbs.ts';
import { Tenant } from '../workload/tenant.ts';
import type { ServerPromises } from '../workload/volume-servers.ts';
import { VolumeTenant } from '../workload/volume-tenant.ts';
import { hostIdOf } from '../world/ids.ts';
import { HostMachine, machineOf, storageBytes } from '../world/machine.ts';
import type { SimNetwork } from '../world/network.ts';
import type { Process, SimNode } from '../world/node.ts';
import { scaleOf } from '../world/scale.ts';
import type { Schedule } from '../world/schedule.ts';
import type { Trouble } from '../world/trouble.ts';
import { Convergence } from './convergence.ts';
import { Founding } from './founding.ts';
import { GossipDelivery } from './gossip-delivery.ts';
import { Members } from './members.ts';
import { plantHand } from './planting.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

/** A host's room: 1 GiB of memory and 10 GiB of disk for each virtual CPU. */
function capacityOf(vcpus: number): HostCapacity {
  return {
    vcpus: { total: vcpus, reserved: 0, allocationRatio: 1 },
    memoryMib: { total: vcpus * 1_024, reserved: 0, allocationRatio: 1 },
    diskGib: { total: vcpus * 10, reserved: 0, allocationRatio: 1 },
    pciPools: [],
    numaCells: [],
  };
}

interface HostWorldDeps {
  readonly schedule: Schedule;
  readonly random: Prng;
  readonly trace: Trace;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly newId: () => string;
  readonly report: Report;
  readonly reached: (name: string) => void;
  /** The replay of what was committed. */
  readonly replay: () => StateReader;
  /** The keys that a revision of it changed. */
  readonly keysOf: (revision: number) => readonly string[] | undefined;
  readonly working: Working;
  readonly onFailed: (error: unknown) => void;
  readonly onOperation?: ((operation: WatchedOperation) => void) | undefined;
  readonly trouble: Trouble;
  readonly planted?: Mutant;
}

interface HostWorldOptions {
  readonly storage: 'local' | 'rbd';
  readonly tenants: number;
  readonly tenantThinkMs: number;
  readonly operatorThinkMs: number;
  readonly volumeThinkMs: number;
  readonly verbThinkMs: number;
  readonly haPercent: number;
  readonly servers: number;
  readonly hostVcpus: number;
  readonly syncMs: number;
  readonly racks: number;
  readonly standbys: number;
}

export class HostWorld {
  /** By member, from the first on; none in a world without tenants. */
  readonly machines: readonly HostMachine[];
  /** Hosts that leave the mesh and come back. */
  readonly members: Members;
  /** What carries gossip between hosts, lies too. */
  readonly gossip: GossipDelivery;
  readonly #deps: HostWorldDeps;
  readonly #options: HostWorldOptions;
  readonly #agents = new Map<number, HostAgent>();
  readonly #founding: Founding;
  readonly #promises: Promises;
  readonly #powerOffs: PowerOffs;
  readonly #servers = new RecordList(serverTable);
  readonly #records: RecordEye;
  readonly #contents: ContentEye;
  readonly #eye: HostEye;
  readonly #convergence: Convergence;
  readonly #claimChecker: ClaimChecker;
  readonly #gossipChecker: GossipChecker;

  constructor(deps: HostWorldDeps, options: HostWorldOptions) {
    this.#deps = deps;
    this.#options = options;
    const machines = this.#makeMachines();
    this.machines = machines;
    const agentOf = (raftId: number): HostAgent | undefined => this.#agents.get(raftId);
    const reached = (mark: WorldMark): void => this.#mark(mark);
    const lists = { servers: this.#servers, ports: new RecordList(portTable) };
    const removals = new RemovalChecker(deps.report);
    const volumes = new VolumeChecker(deps.report);
    this.members = new Members({ ...deps, reached }, options.racks);
    this.gossip = new GossipDelivery({ ...deps, agentOf });
    this.#claimChecker = new ClaimChecker(deps.report);
    this.#gossipChecker = new GossipChecker(deps.report);
    this.#promises = new Promises(deps.report);
    this.#founding = new Founding({ ...deps, agentOf, onCreated: (id) => this.#promises.created(id) }, options);
    this.#powerOffs = new PowerOffs(deps);
    const contents = new ContentChecker(deps.report);
    this.#contents = new ContentEye({ machines, contents, volumes });
    this.#records = new RecordEye(
      {
        ...deps,
        ...lists,
        removals,
        volumes,
        contents: this.#contents,
        kept: new ServerEye({ ...deps, machines, volumes }),
        projects: () => this.#founding.projects(),
      },
      scaleOf(machines.length),
    );
    this.#eye = new HostEye({
      ...deps,
      machines,
      removals,
      volumes,
      contents,
      powerOffs: this.#powerOffs,
      records: this.#records,
      nowMs: () => deps.schedule.nowMs,
    });
    this.#convergence = new Convergence({ ...deps, ...lists, machines, agentOf });
  }

  // --- Life ----------------------------------------------------------------------------------------------------------

  /** Whether all is there that the world begins with. */
  get isFounded(): boolean {
    return this.#founding.isDone;
  }

  /** Writes the first records, as a founder does. */
  found(): Promise<void> {
    return this.#founding.found();
  }

  /** Puts the host's side on a process. */
  async start(node: SimNode, process: Process): Promise<void> {
    const machine = this.#machine(node.raftId);
    if (machine === undefined) return;
    const { nodes, random, newId, onFailed, planted } = this.#deps;
    const agent = new HostAgent({
      process,
      machine,
      random: random.fork(),
      newId,
      epoch: node.boots,
      onFailed,
      hosts: nodes.map(({ raftId }) => hostIdOf(raftId)),
      racks: this.#options.racks,
      send: (to, told) => {
        if (process.life.isAlive) this.gossip.send(node.raftId, Number(to.slice(-4)), told);
      },
      checker: this.#gossipChecker,
      claimChecker: this.#claimChecker,
      reached: (mark) => this.#mark(mark),
      ask: (hostId, signal, work) => this.#ask(node, process, hostId, signal, work),
      port: (to, timeoutMs) => this.#deps.network.presence(node.raftId, Number(to.slice(-4)), process.life, timeoutMs),
      adverts: planted?.adverts,
      wraps: [
        ...(planted?.ports === undefined ? [] : [planted.ports]),
        boasting(() => this.#deps.trouble.boasts.get(node.raftId) ?? 1),
      ],
      wrapPlacer: planted?.placer,
    });
    this.#agents.set(node.raftId, agent);
    void process.life.died.then(() => {
      machine.store.crash();
      if (this.#agents.get(node.raftId) === agent) this.#agents.delete(node.raftId);
    });
    if (planted?.hand !== undefined)
      await plantHand(planted.hand, { agent, process, machines: this.machines, onFailed });
    await agent.start();
  }

  /** Has something done by the agent of another host, over the network. */
  #ask<T>(
    from: SimNode,
    { life }: Process,
    hostId: HostId,
    signal: AbortSignal,
    work: (far: HostAgent['host'], signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const to = Number(hostId.slice(-4));
    const route = { from: from.raftId, to, life, signal, mayHaveHappened: false };
    return this.#deps.network.call(route, async (_remote, remoteSignal) => {
      const asked = this.#agents.get(to);
      if (asked === undefined || this.#nodeOf(to)?.isUp !== true)
        throw new ShoalError('UNAVAILABLE', 'This agent is starting.');
      return work(asked.host, remoteSignal);
    });
  }

  /** Tenants go to work, each until `isOver`. */
  startTenants(isOver: () => boolean): void {
    const { random, replay } = this.#deps;
    for (const { projectId, networkId, groupIds, servers } of this.#founding.tenants()) {
      const tenant = new Tenant(
        {
          ...this.#userDeps(random.fork(), isOver),
          onOperation: this.#deps.onOperation,
          ...this.#told,
          trouble: this.#deps.trouble,
          role: this.#deps.planted?.takenForAdmin?.includes('tenant') === true ? 'admin' : 'member',
          stranger: (ownProjectId) => {
            const recorded = serverTable.list(replay()).map(({ record }) => record);
            const strangers = recorded.filter((server) => server.projectId !== ownProjectId);
            return strangers.length === 0 ? undefined : random.pick(strangers).id;
          },
          foreign: (ownProjectId) => {
            const theirs = serverTable.list(replay()).find(({ record }) => record.projectId !== ownProjectId);
            const port = portTable.get(replay(), theirs?.record.portIds[0] ?? '')?.record;
            return port === undefined || theirs === undefined
              ? undefined
              : { networkId: port.networkId, serverId: theirs.record.id };
          },
          roleOfReach: this.#deps.planted?.takenForAdmin?.includes('reacher') === true ? 'admin' : 'member',
          onStranger: (by, serverId, isShown) => checkStranger({ by, serverId, isShown }, this.#deps.report),
          reached: (mark) => this.#mark(mark),
        },
        {
          ...{ projectId, networkId, groupIds, servers },
          ...{ thinkMs: this.#options.tenantThinkMs, haPercent: this.#options.haPercent },
        },
      );
      void tenant.run();
    }
    this.#startVolumeTenants(isOver);
    this.#startVerbTenants(isOver);
    if (this.machines.length < 2 || this.#options.operatorThinkMs === 0) return;
    const mayWaitForOwners = this.#options.verbThinkMs > 0;
    const deps = { ...this.#userDeps(random.fork(), isOver), mayWaitForOwners };
    void new Operator(deps, this.#options.operatorThinkMs).run();
  }

  /** What every user of the cloud works with. */
  #userDeps(random: Prng, isOver: () => boolean): UserDeps {
    const { schedule, trace, nodes, working, onFailed } = this.#deps;
    return {
      ...{ schedule, random, trace, nodes, working, isOver, onFailed },
      entryAt: (node) => this.#entryAt(node),
      agentOf: (node) => this.#agents.get(node.raftId),
    };
  }

  /** Hears what owners are told of servers. */
  get #told(): ServerPromises {
    return {
      onCreated: (serverId) => this.#promises.created(serverId),
      onDeleting: (serverId) => this.#promises.deleting(serverId),
      onDeleted: (serverId) => this.#promises.deleted(serverId),
      onAsks: (serverId) => this.#powerOffs.asks(serverId),
    };
  }

  /** Their draws are their own: without them all others are as they were. */
  #startVolumeTenants(isOver: () => boolean): void {
    const { volumeThinkMs } = this.#options;
    if (volumeThinkMs === 0) return;
    const { trouble, replay } = this.#deps;
    const common = { trouble, replay, reached: (mark: WorldMark) => this.#mark(mark), servers: this.#told };
    for (const [at, project] of this.#founding.tenants().entries()) {
      const deps = { ...this.#userDeps(new Prng(0x701e + at), isOver), ...common };
      void new VolumeTenant(deps, project, volumeThinkMs).run();
    }
  }

  /** As those of volumes. */
  #startVerbTenants(isOver: () => boolean): void {
    const { verbThinkMs } = this.#options;
    if (verbThinkMs === 0) return;
    const { trouble, replay, reached } = this.#deps;
    const onDone = (verb: string): void => reached(`verb ${verb}`);
    for (const [at, project] of this.#founding.tenants().entries()) {
      const deps = { ...this.#userDeps(new Prng(0x5e4b + at), isOver), trouble, replay, servers: this.#told, onDone };
      void new VerbTenant(deps, project, verbThinkMs).run();
    }
  }

  /** Who answers what is asked of a host: itself, or the replica that feeds its slice, to which it passes everything on. */
  #entryAt(node: SimNode): SimNode {
    const feeder = node.process?.member.slice?.feeder;
    return this.#deps.nodes.find(({ raftId }) => raftId === feeder) ?? node;
  }

  /** Ends every fault of the machines. */
  heal(): void {
    for (const machine of this.machines) {
      machine.heal();
    }
  }

  // --- Watching ------------------------------------------------------------------------------------------------------

  /** Looks at everything from outside. */
  look(): void {
    if (this.machines.length === 0) return;
    const reader = this.#deps.replay();
    this.#records.note(reader);
    this.#eye.look();
    this.#contents.look(reader);
    this.#records.checkWhenDue(reader);
  }

  /** Whether every host is as the records want it. */
  isConverged(): boolean {
    return this.differences().length === 0;
  }

  /** What is not as it should be, in words. */
  differences(): readonly string[] {
    return this.#convergence.differences();
  }

  /** What tenants were told, against what is. */
  judgeAfterQuiet(): void {
    if (this.machines.length === 0) return;
    const { replay, reached } = this.#deps;
    const reader = replay();
    this.#records.check(reader);
    for (const { record } of serverTable.list(reader)) {
      reached(
        `server ${record.status === ServerStatus.SERVER_STATUS_ACTIVE ? 'active' : record.status === ServerStatus.SERVER_STATUS_ERROR ? 'in error' : 'other'} in the end`,
      );
    }
    this.#promises.check(new Set(serverTable.list(reader).map(({ record }) => record.id)));
    for (const machine of this.machines) for (const _ of machine.compute.starts) reached('guest started');
  }

  /** Every server as it is now. */
  servers(): readonly WatchedServer[] {
    return this.#servers.of(this.#deps.replay()).flatMap((record) => {
      const machine = machineOf(this.machines, record.hostId);
      if (machine === undefined) return [];
      return {
        id: record.id,
        host: machine.raftId,
        isWanted:
          record.powerWanted === PowerWanted.POWER_WANTED_RUNNING &&
          record.status === ServerStatus.SERVER_STATUS_ACTIVE &&
          !record.deleting &&
          record.taskState === '',
        isRunning: machine.compute.guests.get(record.id as ServerId)?.power === 'running',
      };
    });
  }

  /** What became of what tenants made. */
  placements(): Placements {
    return this.#promises.placements(this.#servers.of(this.#deps.replay()));
  }

  // --- Details -------------------------------------------------------------------------------------------------------

  #makeMachines(): readonly HostMachine[] {
    const { schedule, random, nodes } = this.#deps;
    const { storage, tenants, hostVcpus, syncMs, volumeThinkMs } = this.#options;
    if (tenants === 0) return [];
    const shared = new FakeStorage({ shared: true, totalBytes: storageBytes, name: 'rbd' });
    const own = new Map<string, FakeStorage>();
    const machines: HostMachine[] = [];
    // Where there are volumes they have two pools, between which they move.
    const others = Object.keys(typesOfPools).filter((name) => name !== storage);
    const names = volumeThinkMs === 0 ? [storage] : [storage, ...others];
    const storagesOf = (raftId: number): readonly FakeStorage[] =>
      names.map((name) => {
        if (name === shared.name) return shared;
        const address = `h${raftId}`;
        const local = new FakeStorage({ shared: false, totalBytes: storageBytes, address, name });
        own.set(address, local);
        return local;
      });
    for (const node of nodes) {
      const machine = new HostMachine(
        {
          schedule,
          random: random.fork(),
          time: node.time,
          onCall: (called, call) => this.#eye.called(called, call),
          onPowerCut: (cut) => this.#powerOffs.powerCut(cut),
          storageAt: (address) => own.get(address),
          machineAt: (address) => {
            const other = machines.find((one) => one.compute.address === address);
            const isCut = other === undefined || this.#deps.network.isCut(node.raftId, other.raftId);
            return isCut ? undefined : other;
          },
        },
        {
          raftId: node.raftId,
          hostId: hostIdOf(node.raftId),
          storages: storagesOf(node.raftId),
          capacity: capacityOf(hostVcpus),
          syncMs,
        },
      );
      machine.compute.listeners.add(({ serverId, power }) => {
        if (power === 'shutdown') this.#powerOffs.wentOff(machine, serverId);
      });
      machines.push(machine);
    }
    return machines;
  }

  #mark(mark: WorldMark): void {
    this.#deps.reached(`mark ${mark}`);
  }

  #machine(raftId: number): HostMachine | undefined {
    return this.machines[raftId - 1];
  }

  #nodeOf(raftId: number): SimNode | undefined {
    return this.#deps.nodes[raftId - 1];
  }
}
