/** All hosts of a run: machines, agents on them, tenants, and the eyes of the host checkers. */
import { isDeepStrictEqual } from 'node:util';
import { FakeStorage } from '../../drivers/fake/storage.ts';
import type { GuestSpec } from '../../drivers/types.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ServerId, VolumeId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { HostHandlers } from '../../node/host-handlers.ts';
import { HostNetworkViews } from '../../node/services/network/host-view.ts';
import { quotaUsage } from '../../node/services/quota.ts';
import { type Change, transact } from '../../node/services/transact.ts';
import {
  flavorTable,
  hostTable,
  imageTable,
  networkTable,
  portTable,
  serverGroupTable,
  serverTable,
} from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import type { ClaimRecord, HostCapacity } from '../../placement/index.ts';
import { shoal } from '../../proto/messages.ts';
import { HearsayChecker } from '../checkers/hearsay.ts';
import {
  checkAddresses,
  checkAttachments,
  checkCreations,
  checkGroups,
  checkHosts,
  checkPromises,
  checkQuota,
  checkStart,
  checkStranger,
  checkVnis,
  checkWrite,
  type HostPicture,
  PowerOffChecker,
  RemovalChecker,
} from '../checkers/hosts.ts';
import type { Report } from '../checkers/invariants.ts';
import { type Misdeed, misdeeds } from '../mutants/misdeeds.ts';
import type { HostMutant, Mutant } from '../mutants/mutant.ts';
import type { WorldProbe } from '../probes.ts';
import { factsText, type Trace } from '../trace.ts';
import type { Placements, WatchedOperation, WatchedServer } from '../watcher.ts';
import type { Working } from '../workload/client.ts';
import { contextOf, Tenant } from '../workload/tenant.ts';
import type { Hearsay } from './hearsay.ts';
import { HostAgent } from './host-agent.ts';
import { hostIpOf } from './ids.ts';
import { HostMachine, storageBytes } from './machine.ts';
import type { SimNetwork } from './network.ts';
import type { Process, SimNode } from './node.ts';
import { RecordList } from './record-list.ts';
import { scaleOf } from './scale.ts';
import type { Schedule } from './schedule.ts';
import type { Trouble } from './trouble.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

/** Planted bugs of admission, whose hosts take in whatever is recorded: else a claim that was not made stops the start. */
const adoptsAnything: readonly HostMutant[] = [
  'binds-old-claims',
  'claims-ignored',
  'releases-at-once',
  'gossip-authorises',
];

/** Records that are checked against one another whenever one of them has changed. */
const checkedPrefixes = [serverTable, portTable, networkTable, serverGroupTable].map(({ prefix }) => prefix);

/** How often they are, at most: what is recorded stays so for a while. Unit: ms. */
const recordsMs = { small: 0, large: 5_000 };

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

/** Hosts recorded in one transaction: a record and its indexes take some ten of the items that one may have. */
const hostsAtOnce = 200;
/** Hosts that are left to join one after the other. */
const joiningMax = 20;
/** Tenants whose first servers are made at a time. */
const filledAtOnce = 32;

/** Adverts of the past that are kept. */
const toldMax = 200;
/** Hearsay that waits for one host. */
const heldMax = 2_000;
/** How long after its answer an ask of unknown fate may still be committed. Unit: ms. */
const unknownFateMs = 60_000;

export interface HostWorldDeps {
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

export interface HostWorldOptions {
  readonly storage: 'local' | 'rbd';
  readonly tenants: number;
  readonly tenantThinkMs: number;
  readonly servers: number;
  readonly hostVcpus: number;
  readonly syncMs: number;
  readonly racks: number;
}

export class HostWorld {
  readonly machines: HostMachine[] = [];
  isFounded = false;
  readonly #deps: HostWorldDeps;
  readonly #options: HostWorldOptions;
  readonly #agents = new Map<number, HostAgent>();
  readonly #removals: RemovalChecker;
  readonly #hearsay: HearsayChecker;
  /** Adverts that hosts told lately, for those who tell them again. */
  #told: shoal.v1.Advert[] = [];
  readonly #powerOffs: PowerOffChecker;
  /** By server: asks of its owner under way, and until when one of unknown fate may still take effect. */
  readonly #asks = new Map<string, { underWay: number; untilMs: number }>();
  readonly #created = new Set<string>();
  /** Deletions that were asked for. */
  readonly #deleting = new Set<string>();
  /** Deletions that were acknowledged. */
  readonly #deleted = new Set<string>();
  readonly #servers = new RecordList(serverTable);
  readonly #ports = new RecordList(portTable);
  /** By tenant: the servers that it has from the start. */
  readonly #filled = new Map<number, readonly string[]>();
  #networkIds: string[] = [];
  #groupIds: string[] = [];

  constructor(deps: HostWorldDeps, options: HostWorldOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#removals = new RemovalChecker(deps.report);
    this.#hearsay = new HearsayChecker(deps.report);
    this.#powerOffs = new PowerOffChecker(deps.report);
    const shared = new FakeStorage({ shared: true, totalBytes: storageBytes });
    if (options.tenants === 0) return;
    for (const node of deps.nodes) {
      this.machines.push(
        new HostMachine(
          {
            schedule: deps.schedule,
            random: deps.random.fork(),
            time: node.time,
            onCall: (machine, driver, method, args) => this.#onCall(machine, driver, method, args),
            onPowerCut: (machine) => this.#onPowerCut(machine),
          },
          {
            raftId: node.raftId,
            hostId: hostIdOf(node.raftId),
            storage: options.storage === 'rbd' ? shared : new FakeStorage({ shared: false, totalBytes: storageBytes }),
            capacity: capacityOf(options.hostVcpus),
            syncMs: options.syncMs,
          },
        ),
      );
    }
    for (const machine of this.machines) {
      machine.compute.listeners.add(({ serverId, power }) => {
        if (power === 'shutdown') this.#onPowerOff(machine, serverId);
      });
    }
  }

  // --- Life ----------------------------------------------------------------------------------------------------------

  /** Writes the first records, as a founder does. */
  async found(): Promise<void> {
    const { schedule, nodes, newId } = this.#deps;
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
      for (const { raftId } of some) hostTable.insert(change, this.#hostRecord(raftId));
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
          sizeBytes: 1000,
          virtualSizeBytes: 1000,
          sha256: 'aa'.repeat(32),
        }),
      );
    });
    const agent = this.#agents.get(1);
    if (agent !== undefined) {
      for (let tenant = 1; tenant <= this.#options.tenants; tenant += 1) {
        const context = contextOf(`p${tenant}`);
        const [network] = await agent.network.networks.create(context, [{ name: 'net' }]);
        if (network === undefined) throw new Error('a network is made');
        await agent.network.subnets.create(context, [{ networkId: network.id, cidr: '10.0.0.0/24', name: 'sub' }]);
        this.#networkIds.push(network.id);
        const group = await agent.compute.serverGroups.create(context, { name: 'apart', policy: 'anti-affinity' });
        this.#groupIds.push(group.id);
      }
      // The founder alone keeps the state yet: hundreds of members that apply each creation would take their time.
      if (this.#options.servers > 0) await this.#fill(agent);
    }
    if (nodes.length > joiningMax) await this.#joinAll(process);
    this.isFounded = true;
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

  /** Puts the host's side on a process. */
  async start(node: SimNode, process: Process): Promise<void> {
    const machine = this.#machine(node.raftId);
    if (machine === undefined) return;
    const { network, nodes, random, newId, onFailed, planted } = this.#deps;
    const mutant = planted?.host;
    const agent = new HostAgent({
      process,
      machine,
      random: random.fork(),
      newId,
      epoch: node.boots,
      onFatal: onFailed,
      hosts: nodes.map(({ raftId }) => hostIdOf(raftId)),
      send: (to, told) => {
        if (process.life.isAlive) this.#send(node.raftId, Number(to.slice(-4)), told);
      },
      checker: this.#hearsay,
      reached: (probe) => this.#probe(probe),
      isCredulous: mutant === 'lower-advert-wins',
      isPresumptuous: mutant === 'gossip-authorises',
      claimsByWallClock: mutant === 'claims-by-wall-clock',
      bindsOldClaims: mutant === 'binds-old-claims',
      adoptsAnything: mutant !== undefined && adoptsAnything.includes(mutant),
      ...(planted?.hostStore === undefined ? {} : { wrapStore: planted.hostStore }),
      ...(planted?.drivers === undefined ? {} : { wrapDrivers: planted.drivers }),
      boast: () => this.#deps.trouble.boasts.get(node.raftId) ?? 1,
      ask: (hostId, signal, work) => {
        const to = Number(hostId.slice(-4));
        return network.call(
          { from: node.raftId, to, life: process.life, signal, mayHaveHappened: false },
          async (_remote, remoteSignal) => {
            const asked = this.#agents.get(to);
            if (asked === undefined || this.#nodeOf(to)?.isUp !== true)
              throw new ShoalError('UNAVAILABLE', 'This agent is starting.');
            return work(asked, remoteSignal);
          },
        );
      },
      ...(mutant === 'claims-ignored'
        ? {
            wrapHandlers: (handlers: HostHandlers) => ({
              ...handlers,
              claim: async () => ({ admitted: true, reason: '' }),
            }),
          }
        : {}),
      ...(mutant === 'releases-at-once' ? { wrapHandlers: forgetful } : {}),
    });
    this.#agents.set(node.raftId, agent);
    void process.life.died.then(() => {
      machine.store.crash();
      if (mutant === 'forgets-claims') machine.store.forget('claim/');
      if (this.#agents.get(node.raftId) === agent) this.#agents.delete(node.raftId);
    });
    if (mutant !== undefined && mutant in misdeeds)
      await this.#plant(misdeeds[mutant as keyof typeof misdeeds], agent, process);
    await agent.start();
  }

  // --- Members ---------------------------------------------------------------------------------------------------------

  /** Hosts that are not in the mesh now, or are about to leave or to come back. */
  readonly absent = new Set<number>();
  #memberWork: Promise<void> = Promise.resolve();

  /** Takes a host out of the records; the autopilot then takes it out of the group. Goes on until it is done. */
  dismiss(raftId: number): void {
    this.absent.add(raftId);
    this.#changeHosts(raftId, 'member-left', (change, reader) => {
      const row = hostTable.get(reader, hostIdOf(raftId));
      if (row !== undefined) hostTable.remove(change, row);
    });
  }

  /** Puts it in again. */
  readmit(raftId: number): void {
    this.#changeHosts(raftId, 'member-came-back', (change, reader) => {
      if (hostTable.get(reader, hostIdOf(raftId)) === undefined) hostTable.insert(change, this.#hostRecord(raftId));
    });
    this.#memberWork = this.#memberWork.then(() => void this.absent.delete(raftId));
  }

  #changeHosts(raftId: number, probe: WorldProbe, edit: (change: Change, reader: StateReader) => void): void {
    const { schedule, random, nodes, newId, working, onFailed } = this.#deps;
    const attempt = async (): Promise<boolean> => {
      const process = random.pick(nodes.filter((node) => node.raftId !== raftId)).process;
      if (process === undefined) return false;
      const { state, clock, logger, life } = process;
      const done = transact(
        { state, clock, logger, newId },
        { signal: new AbortController().signal },
        ({ change, reader }) => edit(change, reader),
      ).then(() => true);
      const gone = life.died.then(() => false);
      try {
        return await Promise.race([done, gone]);
      } catch (caught) {
        if (!(caught instanceof ShoalError)) throw caught;
        return false;
      }
    };
    const work = async (): Promise<void> => {
      while (!(await attempt())) await schedule.sleep(300);
      this.#probe(probe);
    };
    this.#memberWork = this.#memberWork.then(() => working.during(work()));
    this.#memberWork.catch(onFailed);
  }

  #hostRecord(raftId: number): shoal.v1.Host {
    const { racks } = this.#options;
    return new shoal.v1.Host({
      id: hostIdOf(raftId),
      name: `host-${raftId}`,
      raftId,
      vtepIp: hostIpOf(raftId),
      transitIndex: raftId,
      zone: 'nova',
      failureDomain: racks === 0 ? '' : `rack-${raftId % racks}`,
      version: '0.1.0',
      joinedMs: 1,
    });
  }

  /** A member that lies: in another's name, in words of the past, and of who is there. */
  lie(liar: number): void {
    const { random, nodes } = this.#deps;
    const victim = random.pick(nodes.filter(({ raftId }) => raftId !== liar)).raftId;
    const about = this.#agents.get(victim);
    const by = hostIdOf(liar);
    const old = this.#told.filter(({ hostId }) => hostId === hostIdOf(victim));
    const lies: Hearsay[] = [];
    const known = old.at(-1);
    if (known !== undefined) {
      const forged = new shoal.v1.Advert({ ...known, sequence: known.sequence + 1_000, vcpusUsed: 0, vcpus: 1_000 });
      lies.push({ kind: 'advert', by, advert: forged });
      lies.push({ kind: 'advert', by: hostIdOf(victim), advert: random.pick(old) });
    }
    if (about !== undefined) {
      const rumour = { ...about.hearsay.ownRumour(), from: by, kind: random.pick(['dead', 'suspect'] as const) };
      lies.push({ kind: 'rumour', by, rumour });
    }
    for (const told of lies) for (const { raftId } of nodes) if (raftId !== liar) this.#send(liar, raftId, told);
  }

  /** Hearsay on its way from one host to another. */
  #send(from: number, to: number, told: Hearsay): void {
    const { network, trouble } = this.#deps;
    if (trouble.gossipAlone.has(from) || trouble.gossipAlone.has(to)) return;
    if (told.kind === 'advert' && told.by === told.advert.hostId) {
      this.#told.push(told.advert);
      if (this.#told.length > 2 * toldMax) this.#told = this.#told.slice(-toldMax);
    }
    const arrive = (): void => this.#agents.get(to)?.hearsay.hear(told);
    network.post(from, to, () => {
      const held = trouble.gossipHeld.get(to);
      if (held === undefined) arrive();
      else if (held.length < heldMax) held.push(arrive);
    });
  }

  #probe(probe: WorldProbe): void {
    this.#deps.reached(`probe ${probe}`);
  }

  /** A second, wrong hand on the host's guests. */
  async #plant(misdeed: Misdeed, agent: HostAgent, process: Process): Promise<void> {
    const { machine } = agent;
    const { compute, storage } = machine.drivers(process.life);
    const signal = new AbortController().signal;
    await compute.start(signal);
    await storage.start(signal);
    process.clock.setInterval(() => {
      misdeed({ agent, process, machine, compute, storage, signal, machines: this.machines }).catch(
        this.#deps.onFailed,
      );
    }, 200);
  }

  startTenants(isOver: () => boolean): void {
    const { schedule, random, trace, nodes, working, onFailed } = this.#deps;
    this.#networkIds.forEach((networkId, at) => {
      const tenant = new Tenant(
        {
          schedule,
          random: random.fork(),
          trace,
          nodes,
          agentOf: (node) => this.#agents.get(node.raftId),
          working,
          isOver,
          onFailed,
          onOperation: this.#deps.onOperation,
          onCreated: (serverId) => this.#created.add(serverId),
          onDeleting: (serverId) => this.#deleting.add(serverId),
          onDeleted: (serverId) => this.#deleted.add(serverId),
          onAsks: (serverId) => this.#onAsks(serverId),
          trouble: this.#deps.trouble,
          role: this.#deps.planted?.host === 'shows-others-servers' ? 'admin' : 'member',
          stranger: (projectId) => {
            const servers = serverTable.list(this.#deps.replay()).map(({ record }) => record);
            const strangers = servers.filter((server) => server.projectId !== projectId);
            return strangers.length === 0 ? undefined : random.pick(strangers).id;
          },
          onStranger: (by, serverId, isShown) => checkStranger({ by, serverId, isShown }, this.#deps.report),
          reached: (probe) => this.#probe(probe),
        },
        {
          projectId: `p${at + 1}`,
          networkId,
          groupId: this.#groupIds[at] ?? '',
          thinkMs: this.#options.tenantThinkMs,
          servers: this.#filled.get(at + 1) ?? [],
        },
      );
      void tenant.run();
    });
  }

  heal(): void {
    for (const machine of this.machines) {
      machine.heal();
    }
  }

  /** Makes the servers that are there before the faults begin, through the founder's agent. */
  async #fill(agent: HostAgent): Promise<void> {
    const { nodes, schedule } = this.#deps;
    const { servers, tenants } = this.#options;
    // Where there is room is known by gossip.
    while (agent.knownHosts < nodes.length) await schedule.sleep(100);
    const fillOne = async (tenant: number): Promise<void> => {
      const networkId = this.#networkIds[tenant - 1];
      const count = Math.floor((servers * tenant) / tenants) - Math.floor((servers * (tenant - 1)) / tenants);
      if (networkId === undefined || count === 0) return;
      const made = await agent.compute.servers.create(contextOf(`p${tenant}`), {
        name: 's0',
        flavorId: 'small',
        imageId: 'image-1',
        networks: [{ networkId }],
        clientToken: `p${tenant}/0`,
        minCount: count,
        maxCount: count,
      });
      const ids = made.servers.map(({ id }) => id);
      for (const id of ids) this.#created.add(id);
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

  // --- Watching ------------------------------------------------------------------------------------------------------

  /** Looks at everything from outside. */
  look(): void {
    if (this.machines.length === 0) return;
    const { report, replay } = this.#deps;
    const reader = replay();
    this.#noteAsked(reader);
    for (const machine of this.machines) {
      for (const [serverId, guest] of machine.compute.guests)
        if (guest.power === 'shutdown') this.#removals.mayStop(serverId);
      for (const [key] of machine.store.peek('intent/')) this.#removals.mayStop(key.slice('intent/'.length));
      for (const { power, spec } of machine.compute.guests.values()) {
        if (power !== 'running') continue;
        for (const { volumeId } of spec.disks) {
          if (!machine.storage.write(volumeId, machine.hostId, spec.generation)) continue;
          checkWrite(
            { volumeId, host: machine.hostId, generation: spec.generation },
            machine.storage.disks.get(volumeId)?.lock,
            report,
          );
        }
      }
    }
    checkHosts(this.machines.map(pictureOf), report);
    if (!this.#mustCheckRecords || this.#deps.schedule.nowMs < this.#checkRecordsAtMs) return;
    this.#checkRecordsAtMs = this.#deps.schedule.nowMs + recordsMs[scaleOf(this.machines.length)];
    this.#checkRecords(reader);
  }

  /** What records say, against one another. */
  #checkRecords(reader: StateReader): void {
    const { report } = this.#deps;
    this.#mustCheckRecords = false;
    checkAddresses(
      this.#ports.of(reader).map((record) => ({
        id: record.id,
        networkId: record.networkId,
        mac: record.mac,
        ips: record.fixedIps.map(({ ip }) => ip),
      })),
      report,
    );
    checkQuota(this.#quotas(reader), report);
    checkVnis(
      networkTable.list(reader).map(({ record }) => ({ id: record.id, vni: record.vni })),
      report,
    );
    const servers = this.#servers.of(reader);
    const holdings = servers.map(({ id, projectId, name, rootVolumeId, portIds }) => ({
      serverId: id,
      projectId,
      name,
      volumeIds: rootVolumeId === '' ? [] : [rootVolumeId],
      portIds,
    }));
    checkAttachments(holdings, report);
    checkCreations(holdings, report);
    const hostOf = new Map(servers.map(({ id, hostId }) => [id, hostId]));
    checkGroups(
      serverGroupTable.list(reader).map(({ record }) => ({
        id: record.id,
        hostIds: record.memberIds.map((id) => hostOf.get(id) ?? '').filter((hostId) => hostId !== ''),
      })),
      report,
    );
  }

  /** Whether every host is as the records want it. */
  isSettled(): boolean {
    return this.unsettled().length === 0;
  }

  /** What is not as it should be, in words. */
  unsettled(): readonly string[] {
    const reader = this.#deps.replay();
    const found: string[] = [];
    if (this.machines.length === 0) return found;
    const servers = new Map(this.#servers.of(reader).map((record) => [record.id, record]));
    for (const server of servers.values()) {
      if (server.hostId === '') continue;
      const machine = this.#machineOf(server.hostId);
      const guest = machine?.compute.guests.get(server.id as ServerId);
      const where = `server ${server.id} on ${machine === undefined ? 'no host' : `n${machine.raftId}`}`;
      if (server.deleting) found.push(`${where} is still being deleted`);
      else if (server.taskState !== '') found.push(`${where} is still ${server.taskState}`);
      else if (server.status === ServerStatus.SERVER_STATUS_ERROR) continue;
      else if (server.powerWanted === PowerWanted.POWER_WANTED_RUNNING && guest?.power !== 'running')
        found.push(`${where} is to run and is ${guest?.power ?? 'not there'}`);
      else if (server.powerWanted === PowerWanted.POWER_WANTED_STOPPED && guest?.power === 'running')
        found.push(`${where} is to be stopped and runs`);
    }
    for (const machine of this.machines) {
      const host = `n${machine.raftId}`;
      if ((this.#agents.get(machine.raftId)?.loop.busySteps ?? 0) > 0) found.push(`${host} is at work`);
      for (const [serverId] of machine.compute.guests)
        if (servers.get(serverId)?.hostId !== machine.hostId) found.push(`${host} has a guest of server ${serverId}`);
      for (const [portId] of machine.network.ports)
        if (portTable.get(reader, portId)?.record.hostId !== machine.hostId) found.push(`${host} has port ${portId}`);
      for (const { serverId, generation } of liveClaims(machine)) {
        if (servers.get(serverId)?.hostId !== machine.hostId)
          found.push(`${host} keeps the claim of server ${serverId}/${generation}`);
      }
      for (const prefix of ['intent/', 'off/'])
        for (const [key] of machine.store.peek(prefix)) found.push(`${host} keeps ${key}`);
      for (const [key] of machine.store.peek('reboot/'))
        if (!servers.has(key.slice('reboot/'.length))) found.push(`${host} keeps ${key}`);
      const volumes = new Set([...servers.values()].map(({ rootVolumeId }) => rootVolumeId));
      for (const [volumeId] of machine.storage.disks)
        if (!volumes.has(volumeId)) found.push(`${host} has disk ${volumeId}`);
    }
    for (const record of this.#ports.of(reader)) {
      if (record.deviceOwner.startsWith('compute') && !servers.has(record.deviceId))
        found.push(`port ${record.id} belongs to server ${record.deviceId}, which is gone`);
    }
    // Asked last, for it is dear.
    return found.length > 0 ? found : this.#unsettledNetworks(reader);
  }

  /** Parts of hosts' networks that are not as the records want them. */
  #unsettledNetworks(reader: StateReader): readonly string[] {
    return this.machines.flatMap(({ raftId, hostId, network: there }) => {
      let views = this.#networkViews.get(raftId);
      if (views === undefined) {
        views = new HostNetworkViews(hostId);
        this.#networkViews.set(raftId, views);
      }
      const { networks, ports, forwarding, routers } = views.of(reader);
      const wrong = [
        ...networks.filter((spec) => !isDeepStrictEqual(there.networks.get(spec.networkId), spec)),
        ...ports.filter((spec) => !isDeepStrictEqual(there.ports.get(spec.portId), spec)),
        ...forwarding.filter((spec) => !isDeepStrictEqual(there.forwarding.get(spec.networkId), spec)),
        ...routers.filter((spec) => !isDeepStrictEqual(there.routers.get(spec.routerId), spec)),
      ];
      return wrong.map((spec) => `n${raftId} does not have this of its network: ${factsText(spec)}`);
    });
  }

  /** What tenants were told, against what is. */
  judgeAfterQuiet(): void {
    if (this.machines.length === 0) return;
    const { report, replay, reached } = this.#deps;
    const reader = replay();
    this.#checkRecords(reader);
    for (const { record } of serverTable.list(reader)) {
      reached(
        `server ${record.status === ServerStatus.SERVER_STATUS_ACTIVE ? 'active' : record.status === ServerStatus.SERVER_STATUS_ERROR ? 'in error' : 'other'} in the end`,
      );
    }
    checkPromises(
      { created: this.#created, deleting: this.#deleting, deleted: this.#deleted },
      new Set(serverTable.list(reader).map(({ record }) => record.id)),
      report,
    );
    for (const machine of this.machines) for (const _ of machine.compute.starts) reached('guest started');
  }

  /** Every server as it is now. */
  servers(): readonly WatchedServer[] {
    return this.#servers.of(this.#deps.replay()).flatMap((record) => {
      const machine = this.#machineOf(record.hostId);
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
    const records = new Map(this.#servers.of(this.#deps.replay()).map((record) => [record.id, record]));
    const counts = { created: this.#created.size, deleted: this.#deleted.size, kept: 0, inError: 0, lost: 0 };
    for (const id of this.#created) {
      const record = records.get(id);
      if (record === undefined) counts.lost += this.#deleting.has(id) ? 0 : 1;
      else if (record.status === ServerStatus.SERVER_STATUS_ERROR) counts.inError += 1;
      else counts.kept += 1;
    }
    return counts;
  }

  #machineOf(hostId: string): HostMachine | undefined {
    return hostId === '' ? undefined : this.#machine(Number(hostId));
  }

  // --- Details -------------------------------------------------------------------------------------------------------

  #onCall(machine: HostMachine, driver: string, method: string, args: readonly unknown[]): void {
    const [subject] = args;
    const host = `n${machine.raftId}`;
    const quiet = method === 'list' || method === 'find' || method === 'found' || method === 'start';
    if (!quiet) this.#deps.trace.add(`h${machine.raftId}`, `${driver} ${method} ${subjectOf(subject)}`);
    if (driver === 'compute' && method === 'startGuest') {
      const spec = subject as GuestSpec;
      this.#powerOffs.starts(host, spec.serverId);
      for (const { volumeId } of spec.disks) {
        checkStart(
          { host: machine.hostId, volumeId, generation: spec.generation },
          machine.storage.disks.get(volumeId)?.lock,
          this.#deps.report,
        );
      }
    }
    if (typeof subject !== 'string') return;
    this.#noteAsked(this.#deps.replay());
    if (
      driver === 'compute' &&
      method === 'stopGuest' &&
      machine.compute.guests.get(subject as ServerId)?.power === 'running'
    ) {
      for (const [key] of machine.store.peek('intent/')) this.#removals.mayStop(key.slice('intent/'.length));
      this.#removals.stops(host, subject);
    }
    if (driver === 'compute' && method === 'removeGuest' && machine.compute.guests.has(subject as ServerId)) {
      this.#removals.removes(host, 'guest', subject);
    }
    if (driver === 'storage' && method === 'removeDisk' && machine.storage.disks.has(subject as VolumeId)) {
      this.#removals.removes(host, 'disk', this.#serverOfVolume.get(subject) ?? subject);
    }
  }

  /** A guest went off by its own will; whether that is all there is to it shows in what was asked. */
  #onPowerOff(machine: HostMachine, serverId: string): void {
    const record = serverTable.get(this.#deps.replay(), serverId)?.record;
    const asks = this.#asks.get(serverId);
    const isAsked =
      record === undefined ||
      record.taskState !== '' ||
      record.deleting ||
      record.powerWanted !== PowerWanted.POWER_WANTED_RUNNING ||
      record.rebootsWanted > record.rebootsDone ||
      (asks !== undefined && (asks.underWay > 0 || asks.untilMs > this.#deps.schedule.nowMs)) ||
      machine.store.entries(`intent/${serverId}`).length > 0;
    if (isAsked) return;
    this.#powerOffs.wentOff(`n${machine.raftId}`, serverId);
  }

  /** With the power goes the process that waits; only what the host has noted can tell afterwards. */
  #onPowerCut(machine: HostMachine): void {
    for (const serverId of this.#powerOffs.off) {
      if (machine.compute.guests.has(serverId as ServerId) && machine.store.entries(`off/${serverId}`).length === 0)
        this.#powerOffs.mayStart(serverId);
    }
  }

  /** An owner asks for something. Returns what is to be called with the answer. */
  #onAsks(serverId: string): (isKnown: boolean) => void {
    const asks = this.#asks.get(serverId) ?? { underWay: 0, untilMs: 0 };
    this.#asks.set(serverId, asks);
    asks.underWay += 1;
    this.#powerOffs.mayStart(serverId);
    return (isKnown) => {
      asks.underWay -= 1;
      if (!isKnown) asks.untilMs = this.#deps.schedule.nowMs + unknownFateMs;
    };
  }

  readonly #serverOfVolume = new Map<string, string>();
  /** What each host is to carry, by member. */
  readonly #networkViews = new Map<number, HostNetworkViews>();
  #askedRevision = 0;
  /** A record that is checked against others has changed since they were. */
  #mustCheckRecords = true;
  /** Not before. Virtual ms. */
  #checkRecordsAtMs = 0;

  /** Notes what records have asked for up to now. */
  #noteAsked(reader: StateReader): void {
    const { revision } = reader;
    for (let at = this.#askedRevision + 1; at <= revision; at += 1) {
      const keys = this.#deps.keysOf(at);
      if (keys === undefined) this.#mustCheckRecords = true;
      for (const key of keys ?? []) {
        this.#mustCheckRecords ||= checkedPrefixes.some((prefix) => key.startsWith(prefix));
        if (!key.startsWith(serverTable.prefix)) continue;
        const found = reader.get(key);
        if (found !== undefined) this.#noteServer(this.#servers.record(found.value));
      }
    }
    this.#askedRevision = revision;
  }

  #noteServer(record: shoal.v1.Server): void {
    this.#serverOfVolume.set(record.rootVolumeId, record.id);
    if (record.deleting || record.previousHostId !== '') this.#removals.mayGo(record.id);
    if (record.powerWanted !== PowerWanted.POWER_WANTED_RUNNING || record.rebootsWanted > record.rebootsDone)
      this.#removals.mayStop(record.id);
  }

  #quotas(reader: StateReader): Parameters<typeof checkQuota>[0] {
    const sums = new Map<string, { instances: number; cores: number; ram: number; port: number }>();
    this.#networkIds.forEach((_, at) => {
      sums.set(`p${at + 1}`, { instances: 0, cores: 0, ram: 0, port: 0 });
    });
    for (const { projectId, flavor } of this.#servers.of(reader)) {
      const sum = sums.get(projectId);
      if (sum === undefined) continue;
      sum.instances += 1;
      sum.cores += flavor?.vcpus ?? 0;
      sum.ram += flavor?.memoryMib ?? 0;
    }
    for (const { projectId } of this.#ports.of(reader)) {
      const sum = sums.get(projectId);
      if (sum !== undefined) sum.port += 1;
    }
    return [...sums].flatMap(([projectId, sum]) =>
      (['instances', 'cores', 'ram', 'port'] as const).map((resource) => ({
        projectId,
        resource,
        sum: sum[resource],
        counted: quotaUsage(reader, projectId, resource),
      })),
    );
  }

  #machine(raftId: number): HostMachine | undefined {
    return this.machines[raftId - 1];
  }

  #nodeOf(raftId: number): SimNode | undefined {
    return this.#deps.nodes[raftId - 1];
  }
}

/** What a driver's call is about: an id, or the id in a spec. */
function subjectOf(argument: unknown): string {
  if (typeof argument === 'string') return argument;
  if (typeof argument !== 'object' || argument === null) return '';
  for (const name of ['serverId', 'portId', 'routerId', 'volumeId', 'networkId']) {
    const id: unknown = Reflect.get(argument, name);
    if (typeof id === 'string') return id;
  }
  return '';
}

/** A host's id, from which its number can be read. */
export function hostIdOf(raftId: number): HostId {
  return String(raftId).padStart(32, '0') as HostId;
}

/** A planted bug: what is admitted is given back at once. */
function forgetful(handlers: HostHandlers): HostHandlers {
  return {
    ...handlers,
    claim: async (request, call) => {
      const response = await handlers.claim(request, call);
      await handlers.releaseClaim(new shoal.v1.ReleaseClaimRequest(request), call);
      return response;
    },
  };
}

/** Claims that hold room; the ledger also keeps those that have ended, for a while. */
function liveClaims(machine: HostMachine): readonly ClaimRecord[] {
  const entries = machine.store.peek('claim/');
  let live = liveClaimsOf.get(entries);
  if (live === undefined) {
    live = entries
      .map(([, value]) => value as ClaimRecord)
      .filter(({ state }) => state === 'admitted' || state === 'bound');
    liveClaimsOf.set(entries, live);
  }
  return live;
}

/** By the list that a store gave. */
const liveClaimsOf = new WeakMap<object, readonly ClaimRecord[]>();
const claimPicturesOf = new WeakMap<object, HostPicture['claims']>();

function claimPictures(machine: HostMachine): HostPicture['claims'] {
  const live = liveClaims(machine);
  let pictures = claimPicturesOf.get(live);
  if (pictures === undefined) {
    pictures = live.map(({ serverId, generation, needs }) => ({
      serverId,
      generation,
      vcpus: needs.vcpus,
      memoryMib: needs.memoryMib,
      diskGib: needs.diskGib,
    }));
    claimPicturesOf.set(live, pictures);
  }
  return pictures;
}

function pictureOf(machine: HostMachine): HostPicture {
  return {
    name: `n${machine.raftId}`,
    guests: [...machine.compute.guests].map(([serverId, guest]) => ({
      serverId,
      generation: guest.spec.generation,
      isRunning: guest.power === 'running',
    })),
    claims: claimPictures(machine),
    room: {
      vcpus: machine.capacity.vcpus.total,
      memoryMib: machine.capacity.memoryMib.total,
      diskGib: machine.capacity.diskGib.total,
    },
  };
}
