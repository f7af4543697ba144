/** A compute service on a state in memory, with a placer that takes hosts in turn and hosts that do as they are told. */
import { randomUUID } from 'node:crypto';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ServerId } from '../../../node/base/ids.ts';
import { orderedUuids } from '../../../node/base/ordered-uuids.ts';
import { HostReportService } from '../../../node/services/compute/host-reports.ts';
import { ComputeService } from '../../../node/services/compute/index.ts';
import { NicReportService } from '../../../node/services/compute/interfaces/nic-reports.ts';
import type {
  AddAuthority,
  ConsoleAsked,
  ConsoleDoor,
  ConsoleSession,
  GrantedConsole,
  GuestQuestion,
  HostControl,
  HostProbe,
  HostViews,
  LocalIntent,
  Placed,
  PlacedServer,
  PlaceRequest,
  Placer,
  Rekey,
} from '../../../node/services/kit/dependencies.ts';
import { isUnreleased, mayRemoveKept } from '../../../node/services/kit/server-move.ts';
import { transact } from '../../../node/services/kit/transact.ts';
import { zoneOf } from '../../../node/services/kit/zones.ts';
import { hostTable, imageTable, serverTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { foundTestMesh } from '../../support/mesh-secrets.ts';
import { testSealing } from './test-sealing.ts';
import { addHost, makeWorld, type World } from './world.ts';

/** Takes the hosts of the state in turn; notes what it was asked and what was given back. */
export class FakePlacer implements Placer {
  readonly requests: PlaceRequest[] = [];
  readonly released: string[] = [];
  /** Ids of the hosts that admitted, in turn. */
  readonly chosen: string[] = [];
  /** No host takes anything. */
  isFull = false;
  /** Servers of one batch that find a host. */
  room = Number.POSITIVE_INFINITY;
  /** Whether claims have ended by the time of the bind: of the next placements, in turn. */
  readonly tooOld: boolean[] = [];
  /** Called between the choice and the answer. */
  beforeAnswer: (() => Promise<void>) | undefined;
  readonly #world: World;
  #turn = 0;

  constructor(world: World) {
    this.#world = world;
  }

  async place(request: PlaceRequest): Promise<Placed> {
    this.requests.push(request);
    const wanted = request.forceHostName ?? request.hostName;
    // As the real one: a forced host is asked no filter, but is never one that the guest is to leave.
    const isForced = request.forceHostName !== undefined;
    const hosts = hostTable
      .list(this.#world.state.local)
      .map((row) => row.record)
      .filter((host) => !request.excludeHostIds.includes(host.id))
      .filter((host) => wanted === undefined || host.name === wanted)
      .filter((host) => isForced || !host.disabled)
      .filter((host) => isForced || request.zone === '' || zoneOf(this.#world.state.local, host) === request.zone)
      .filter(
        (host) =>
          isForced || request.group?.policy !== 'anti-affinity' || !request.group.memberHostIds.includes(host.id),
      )
      .filter((host) => {
        const { policy, memberHostIds = [] } = request.group ?? {};
        return isForced || policy !== 'affinity' || memberHostIds.length === 0 || memberHostIds.includes(host.id);
      });
    const host = hosts[this.#turn++ % Math.max(1, hosts.length)];
    if (this.isFull || host === undefined) {
      throw new ShoalError('NO_VALID_HOST', 'No valid host was found.', {
        facts: { filters: [{ filter: 'ComputeFilter', removed: hosts.length }], hosts: [] },
      });
    }
    this.chosen.push(host.id);
    await this.beforeAnswer?.();
    const isTooOld = this.tooOld.shift() === true;
    return {
      hostId: host.id as HostId,
      hostName: host.name,
      times: { beganMs: 1_000, chosenMs: 1_001, admittedMs: 1_002 },
      isTooOld: () => isTooOld,
      release: async () => {
        this.released.push(request.serverId);
      },
    };
  }

  async placeBatch(
    request: PlaceRequest,
    batch: { readonly serverIds: readonly ServerId[]; readonly minCount: number },
  ): Promise<readonly PlacedServer[]> {
    const placed: PlacedServer[] = [];
    const memberHostIds = [...(request.group?.memberHostIds ?? [])];
    for (const serverId of batch.serverIds) {
      if (placed.length >= this.room) break;
      const group = request.group === undefined ? {} : { group: { ...request.group, memberHostIds } };
      try {
        const one = await this.place({ ...request, ...group, serverId });
        placed.push({ serverId, ...one });
        memberHostIds.push(one.hostId);
      } catch (caught) {
        if (placed.length < batch.minCount) await Promise.all(placed.map((one) => one.release()));
        if (placed.length < batch.minCount) throw caught;
        break;
      }
    }
    if (placed.length >= batch.minCount) return placed;
    await Promise.all(placed.map((one) => one.release()));
    throw new ShoalError('NO_VALID_HOST', 'No valid host was found.', { facts: { filters: [], hosts: [] } });
  }
}

/** This agent's host, which notes what its owner asks of it in an outage. */
export class FakeHostControl implements HostControl {
  hostId = '1'.repeat(32) as HostId;
  console = 'line one\nline two\nline three\n';
  /** What the host answers instead. */
  consoleFailure?: ShoalError;
  /** What guests were asked at once. */
  readonly questions: { readonly serverId: string; readonly question: GuestQuestion }[] = [];
  /** What comes of it instead. */
  questionFailure?: ShoalError;
  readonly consoleDoor = new FakeConsoleDoor();
  /** What guests are said to have used. */
  figures: shoal.v1.ServerDiagnostics.$Properties = {
    state: 'running',
    uptimeS: 7,
    memoryMib: 128,
    memoryUsedMib: 96,
    accelerator: 'tcg',
    cpus: [{ id: 0, timeNs: 1000 }],
    disks: [{ volumeId: 'disk', readBytes: 1, readRequests: 2, writeBytes: 3, writeRequests: 4, errors: 5 }],
    nics: [{ mac: '02:00:00:00:00:01', receivedBytes: 6, receivedPackets: 7, sentBytes: 8, sentPackets: 9 }],
  };
  readonly intents: { readonly serverId: string; readonly change: LocalIntent }[] = [];

  async consoleLog(): Promise<Uint8Array> {
    if (this.consoleFailure !== undefined) throw this.consoleFailure;
    return new TextEncoder().encode(this.console);
  }

  async askGuest(server: shoal.v1.Server, question: GuestQuestion): Promise<void> {
    if (this.questionFailure !== undefined) throw this.questionFailure;
    this.questions.push({ serverId: server.id, question });
  }

  async grantConsole(server: shoal.v1.Server, asked: ConsoleAsked): Promise<string> {
    if (this.questionFailure !== undefined) throw this.questionFailure;
    return this.consoleDoor.grant({ ...asked, serverId: server.id, hostId: server.hostId as HostId });
  }

  async diagnostics(): Promise<shoal.v1.ServerDiagnostics> {
    if (this.questionFailure !== undefined) throw this.questionFailure;
    return new shoal.v1.ServerDiagnostics(this.figures);
  }

  async intendLocally(server: shoal.v1.Server, change: LocalIntent): Promise<void> {
    this.intents.push({ serverId: server.id, change });
  }

  withLocalIntents(server: shoal.v1.Server): shoal.v1.Server {
    return server;
  }
}

/** Consoles that say back what they are told. */
export class FakeConsoleDoor implements ConsoleDoor {
  readonly #granted = new Map<string, GrantedConsole>();

  grant(granted: GrantedConsole): string {
    const token = granted.hostId + randomUUID().replaceAll('-', '');
    this.#granted.set(token, granted);
    return token;
  }

  async look(token: string): Promise<GrantedConsole> {
    const granted = this.#granted.get(token);
    if (granted === undefined) throw new ShoalError('NOT_FOUND', 'no such console token');
    return granted;
  }

  async open(token: string, typed: AsyncIterable<Uint8Array>): Promise<ConsoleSession> {
    const granted = await this.look(token);
    this.#granted.delete(token);
    return { granted, shown: typed };
  }
}

/** Hosts answer, but for those that are silent. */
export class FakeHostProbe implements HostProbe {
  readonly silent = new Set<string>();

  async answers(hostId: HostId): Promise<boolean> {
    return !this.silent.has(hostId);
  }
}

/** Every host is alive and empty. */
/** Worlds whose hosts serve their own disks to each other. */
const serving = new WeakSet<World['state']>();

/** The hosts of a world serve their own disks to each other from now on. */
export function serveDisks({ state }: World): void {
  serving.add(state);
}

export function fakeHostViews(world: World): HostViews {
  return {
    adverts: () =>
      hostTable.list(world.state.local).map(
        ({ record: host }) =>
          new shoal.v1.Advert({
            hostId: host.id,
            hostName: host.name,
            vcpus: 8,
            memoryMib: 16_384,
            diskGib: 100,
            enabled: true,
            hypervisorType: 'QEMU',
            hypervisorVersion: 7_002_022,
            architecture: 'x86_64',
            publishedMs: 1_700_000_000_000,
            // A day, two hours and three minutes before it.
            bootedMs: 1_699_906_220_000,
            load_1m: 0.25,
            hostIp: host.vtepIp,
            capabilities: {
              'cpu_info:model': 'EPYC',
              'cpu_info:vendor': 'AuthenticAMD',
              'cpu_info:topology:cores': '4',
            },
            storagePools: ['local', 'rbd'],
            pools: [
              { name: 'local', shared: false, serves: serving.has(world.state) },
              { name: 'rbd', shared: true },
            ],
          }),
      ),
    condition: () => 'alive',
  };
}

export interface ComputeWorld extends World {
  readonly compute: ComputeService;
  readonly placer: FakePlacer;
  readonly hostControl: FakeHostControl;
  readonly hostProbe: FakeHostProbe;
  readonly rekey: Rekey;
  readonly addAuthority: AddAuthority;
  /** The reports of a host. */
  readonly reports: (hostId: string) => HostReportService;
}

/** Two hosts, a flavor `1` and an image `image-1`. */
export async function makeComputeWorld(): Promise<ComputeWorld> {
  const world = makeWorld();
  const placer = new FakePlacer(world);
  const hostControl = new FakeHostControl();
  const hostProbe = new FakeHostProbe();
  const { rekey, addAuthority } = await foundTestMesh(world.state, world.deps.clock);
  const compute = new ComputeService({
    ...world.deps,
    placer,
    hostControl,
    consoleDoor: hostControl.consoleDoor,
    hostViews: fakeHostViews(world),
    hostProbe,
    rekey,
    sealing: testSealing,
    newServerId: orderedUuids(world.deps.clock, world.deps.newId),
  });
  await addHost(world, 1);
  await addHost(world, 2);
  await compute.flavors.create(world.admin, { id: '1', name: 'm1.tiny', vcpus: 1, memoryMib: 128, diskGib: 1 });
  await addImage(world, 'image-1');
  return { ...world, compute, placer, hostControl, hostProbe, rekey, addAuthority, reports: reportsOf(world) };
}

/** What each host of a world would tell. */
export function reportsOf(world: World): (hostId: string) => HostReportService {
  return (hostId) => new HostReportService(world.deps, hostId as HostId, new AbortController().signal);
}

/** A public, active image. */
export async function addImage(
  world: World,
  id: string = randomUUID(),
  diskFormat: string = 'qcow2',
): Promise<shoal.v1.Image> {
  const image = new shoal.v1.Image({
    id,
    name: id,
    projectId: 'admin-project',
    visibility: 'public',
    status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE,
    diskFormat,
    containerFormat: 'bare',
    sizeBytes: 1000,
    virtualSizeBytes: 1000,
    sha256: 'aa'.repeat(32),
  });
  await transact(world.deps, world.admin, ({ change }) => imageTable.insert(change, image));
  return image;
}

/** Does what the records ask of every host, once: builds, stops, starts, reboots, releases, deletes. */
export async function hostsAct(world: ComputeWorld): Promise<void> {
  const { PowerWanted } = shoal.v1;
  for (const { record: server } of serverTable.list(world.state.local)) {
    if (isUnreleased(server)) await world.reports(server.previousHostId).released(server);
    else if (mayRemoveKept(server)) await world.reports(server.previousHostId).cleaned(server);
    if (server.hostId === '') continue;
    const reports = world.reports(server.hostId);
    if (server.deleting) await reports.deleted(server);
    else if (server.powerWanted === PowerWanted.POWER_WANTED_STOPPED) await reports.power(server, 'stopped', 0);
    else if (server.powerWanted === PowerWanted.POWER_WANTED_PAUSED) await reports.power(server, 'paused', 0);
    else if (server.powerWanted === PowerWanted.POWER_WANTED_SUSPENDED) await reports.power(server, 'suspended', 0);
    else await reports.power(server, 'running', server.rebootsWanted);
    await nicsAct(world, server);
  }
}

async function nicsAct(world: ComputeWorld, server: shoal.v1.Server): Promise<void> {
  const reports = new NicReportService(world.deps, server.hostId as HostId, new AbortController().signal);
  const isUp = server.powerWanted !== shoal.v1.PowerWanted.POWER_WANTED_STOPPED;
  for (const portId of server.leavingPortIds) await reports.unplugged(server, portId);
  for (const { portId, arriving } of server.nics) {
    if (arriving === true) await reports.plugged(server, portId ?? '', isUp);
  }
}
