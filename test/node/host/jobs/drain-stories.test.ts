/** Short stories of hosts that are emptied, each with its expected course: drain-stories/stories.yaml. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { anyJobKind } from '../../../../node/host/jobs/job-kind.ts';
import { JobRunner } from '../../../../node/host/jobs/job-runner.ts';
import { drainJob } from '../../../../node/host/jobs/kinds/drain.ts';
import { LiveMoveReportService } from '../../../../node/services/compute/moves/live-reports.ts';
import { Jobs } from '../../../../node/services/jobs/jobs.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostTable, jobTable, serverTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type ComputeWorld, fakeHostViews, hostsAct, makeComputeWorld } from '../../services/compute-world.ts';
import { testSealing } from '../../services/test-sealing.ts';
import { addHost, addNetwork } from '../../services/world.ts';

const { JobStatus, ServerStatus } = shoal.v1;

/** What an operator or an owner does while the drain rests: a word about the drain, or one about a server or a host. */
type Deed = string | Readonly<Record<string, string>>;

interface Story {
  readonly story: string;
  readonly hosts?: number;
  readonly servers: Readonly<Record<string, StoryServer>>;
  readonly domains?: Readonly<Record<string, readonly number[]>>;
  readonly disabled?: readonly string[];
  readonly voters?: readonly number[];
  /** Numbers of hosts that do not answer. */
  readonly silent?: readonly number[];
  /** Servers whose memory cannot be taken elsewhere. */
  readonly fails?: readonly string[];
  readonly isFull?: boolean;
  readonly drain: Readonly<Record<string, string | number | boolean>>;
  /** Done while the drain rests, before it does anything; then it goes on. */
  readonly resting?: readonly Deed[];
  /** Why it does not begin. */
  readonly refused?: string;
  readonly ends?: Ends;
}

interface StoryServer {
  readonly on: number;
  readonly power?: 'stopped' | 'paused' | 'suspended';
  readonly storage?: string;
  readonly group?: 'apart' | 'together';
  readonly priority?: number | string;
}

interface Ends {
  readonly job: 'succeeded' | 'failed' | 'cancelled';
  readonly message?: string;
  readonly goes?: Readonly<Record<string, 'live' | 'cold' | 'stays'>>;
  readonly status?: Readonly<Record<string, string>>;
  readonly enabled?: Readonly<Record<string, boolean>>;
  readonly order?: readonly string[];
  readonly underWayAtMost?: number;
  /** Hosts that have no servers afterwards. */
  readonly leaves?: readonly string[];
  readonly gone?: readonly string[];
  readonly apart?: readonly string[];
}

const url = new URL('drain-stories/stories.yaml', import.meta.url);
const stories = parse(readFileSync(url, 'utf8')) as readonly Story[];

const { signal } = new AbortController();

/** The world of one story. */
class StoryWorld {
  readonly world: ComputeWorld;
  readonly jobs: Jobs;
  readonly ids = new Map<string, string>();
  /** Servers in the order in which they left. */
  readonly order: string[] = [];
  mostUnderWay = 0;
  readonly #story: Story;

  constructor(world: ComputeWorld, story: Story) {
    this.world = world;
    this.#story = story;
    this.jobs = new Jobs({ ...world.deps, addAuthority: world.addAuthority });
  }

  get #reader() {
    return this.world.state.local;
  }

  server(name: string): shoal.v1.Server | undefined {
    return serverTable.get(this.#reader, this.ids.get(name) ?? '')?.record;
  }

  host(name: string): shoal.v1.Host {
    const row = hostTable.list(this.#reader).find(({ record }) => record.name === name);
    if (row === undefined) throw new Error(`no host ${name}`);
    return row.record;
  }

  async build(): Promise<void> {
    const { world } = this;
    const { hosts = 3, servers, domains = {}, disabled = [], silent = [], isFull = false } = this.#story;
    for (let number = 3; number <= hosts; number += 1) await addHost(world, number);
    const { network } = await addNetwork(world);
    const groups = {
      apart: (await world.compute.serverGroups.create(world.alice, { name: 'apart', policy: 'anti-affinity' })).id,
      together: (await world.compute.serverGroups.create(world.alice, { name: 'together', policy: 'affinity' })).id,
    };
    for (const [name, { on, group, priority }] of Object.entries(servers)) {
      const made = await world.compute.servers.create(
        { ...world.admin, projectId: world.alice.projectId },
        {
          ...{ name, flavorId: '1', imageId: 'image-1', networks: [{ networkId: network.id }], hostName: `host-${on}` },
          ...(group === undefined ? {} : { schedulerHints: { group: groups[group] } }),
          ...(priority === undefined ? {} : { metadata: { 'ha:priority': String(priority) } }),
        },
      );
      this.ids.set(name, made.servers[0]?.id ?? '');
    }
    await hostsAct(world);
    await transact(world.deps, { signal }, ({ reader, change }) => {
      for (const row of serverTable.list(reader)) {
        const storage = servers[row.record.name]?.storage ?? 'rbd';
        serverTable.update(change, row, new shoal.v1.Server({ ...row.record, storage }));
      }
      for (const row of hostTable.list(reader)) {
        const domain = Object.entries(domains).find(([, numbers]) => numbers.includes(row.record.raftId));
        const failureDomain = domain?.[0] ?? '';
        hostTable.update(
          change,
          row,
          new shoal.v1.Host({ ...row.record, failureDomain, disabled: disabled.includes(row.record.name) }),
        );
      }
    });
    for (const [name, { power }] of Object.entries(servers)) {
      const id = this.ids.get(name) ?? '';
      if (power === 'stopped') await world.compute.servers.stop(world.admin, id);
      if (power === 'paused') await world.compute.servers.pause(world.admin, id);
      if (power === 'suspended') await world.compute.servers.suspend(world.admin, id);
    }
    await hostsAct(world);
    for (const number of silent) world.hostProbe.silent.add(this.host(`host-${number}`).id);
    world.placer.isFull = isFull;
  }

  begin(host?: string): Promise<shoal.v1.Job> {
    const asked = { host: '', zone: '', failureDomain: '', stopRunning: false, timeoutSeconds: 0, parallel: 0 };
    const draft = host === undefined ? { ...asked, ...this.#story.drain } : { ...asked, host };
    return this.world.compute.drains.begin(this.world.admin, draft);
  }

  async does(t: Test, deed: Deed, jobId: string): Promise<void> {
    const { compute, admin } = this.world;
    const [verb = '', about = ''] = typeof deed === 'string' ? [deed] : (Object.entries(deed)[0] ?? []);
    const id = this.ids.get(about) ?? '';
    const host = String(this.#story.drain['host'] ?? '');
    const deeds: Readonly<Record<string, () => Promise<unknown>>> = {
      nothing: async () => undefined,
      cancel: () => this.jobs.cancel(admin, jobId),
      undrain: () => compute.drains.undrain(admin, host),
      enable: () => compute.hosts.setEnabled(admin, host, true),
      delete: () => compute.servers.delete(admin, id),
      stop: () => compute.servers.stop(admin, id),
      refusedDrain: async () => t.rejects(this.begin(about), { code: 'CONFLICT' }, `${about} is being emptied already`),
    };
    const known = deeds[verb];
    if (known === undefined) throw new Error(`there is no deed ${verb}`);
    await known();
  }

  /** The hosts do as they are told, once. */
  async act(): Promise<void> {
    const { world } = this;
    const before = new Map([...this.ids].map(([name]) => [name, this.server(name)?.hostId]));
    const underWay = [...this.ids.keys()].filter((name) => {
      const server = this.server(name);
      return server !== undefined && (server.move !== null || server.taskState === 'migrating');
    });
    this.mostUnderWay = Math.max(this.mostUnderWay, underWay.length);
    await this.#liveMovesAct();
    await hostsAct(world);
    for (const name of this.ids.keys()) {
      const { hostId, generation = 1 } = this.server(name) ?? {};
      if ((hostId !== before.get(name) || generation > 1) && hostId !== undefined && !this.order.includes(name))
        this.order.push(name);
    }
  }

  async #liveMovesAct(): Promise<void> {
    const { world } = this;
    const reports = new LiveMoveReportService(
      { ...world.deps, hostViews: fakeHostViews(world), sealing: testSealing },
      signal,
    );
    for (const { record: job } of jobTable.by(this.#reader, 'under-way', 'yes')) {
      if (job.liveMigration === null) continue;
      const name = [...this.ids].find(([, id]) => id === job.liveMigration?.serverId)?.[0] ?? '';
      if (job.cancelRequested || this.#story.fails?.includes(name) === true) {
        await reports.withdrawn(job, { isCancelled: job.cancelRequested, why: 'another CPU' });
        await transact(world.deps, { signal }, ({ reader, change }) => {
          const row = serverTable.must(reader, job.liveMigration?.serverId ?? '');
          const discarded = { discardHostId: '', discardGeneration: 0 };
          serverTable.update(change, row, new shoal.v1.Server({ ...row.record, ...discarded }));
        });
        continue;
      }
      await reports.described(job, '{}');
      await reports.copying(job);
      await reports.switched(job);
    }
  }
}

async function run(t: Test, story: Story): Promise<void> {
  const world = await makeComputeWorld();
  const { hosts = 3, voters = Array.from({ length: hosts }, (_, at) => at + 1) } = story;
  const status = world.state.status();
  Object.assign(world.state, { status: () => ({ ...status, voters }) });
  const told = new StoryWorld(world, story);
  await told.build();
  if (story.refused !== undefined) {
    await t.rejects(told.begin(), { code: 'CONFLICT', message: new RegExp(story.refused) });
    return;
  }
  const { id } = await told.begin();
  if (story.resting !== undefined) await told.jobs.pause(world.admin, id);
  const runner = new JobRunner({
    ...world.deps,
    isOwn: ({ liveMigration }) => liveMigration === null,
    kinds: (['drain', 'drain-domain'] as const).map((kind) =>
      anyJobKind(drainJob(world.compute, fakeHostViews(world), kind)),
    ),
  });
  const job = (): shoal.v1.Job => jobTable.must(world.state.local, id).record;
  await runner.start();
  try {
    if (story.resting !== undefined) {
      for (let turn = 0; !job().message.startsWith('Resting'); turn += 1) {
        if (turn > 500) throw new Error(`it does not rest: ${job().message}`);
        await delay(5);
      }
      for (const deed of story.resting) await told.does(t, deed, id);
      const isOver = job().cancelRequested || job().endedMs !== 0;
      if (!isOver) await told.jobs.resume(world.admin, id).catch(() => undefined);
    }
    for (let turn = 0; job().endedMs === 0; turn += 1) {
      if (turn > 2_000) throw new Error(`the job does not end: ${job().message}`);
      await told.act();
      await delay(5);
    }
  } finally {
    await runner.stop();
  }
  check(t, story, told, job());
}

function check(t: Test, story: Story, told: StoryWorld, job: shoal.v1.Job): void {
  const ends = story.ends ?? { job: 'succeeded' };
  const words = {
    [JobStatus.JOB_STATUS_SUCCEEDED]: 'succeeded',
    [JobStatus.JOB_STATUS_FAILED]: 'failed',
    [JobStatus.JOB_STATUS_CANCELLED]: 'cancelled',
  } as Readonly<Record<number, string>>;
  t.equal(words[job.status], ends.job, job.message);
  if (ends.message !== undefined) t.match(job.message, new RegExp(ends.message));
  for (const [name, how] of Object.entries(ends.goes ?? {})) {
    const server = told.server(name);
    const isThere = server?.hostId === told.host(`host-${story.servers[name]?.on}`).id;
    const wasOff = server?.actions.some(({ action }) => action === 'stop' || action === 'migrate') === true;
    const went = isThere ? 'stays' : wasOff ? 'cold' : 'live';
    t.equal(went, how, `${name} goes ${how}`);
  }
  for (const [name, status] of Object.entries(ends.status ?? {})) {
    t.equal(ServerStatus[told.server(name)?.status ?? 0], `SERVER_STATUS_${status}`, `${name} is ${status}`);
  }
  for (const [name, isEnabled] of Object.entries(ends.enabled ?? {})) {
    t.equal(!told.host(name).disabled, isEnabled, `${name} takes new servers: ${isEnabled}`);
  }
  if (ends.order !== undefined) t.strictSame(told.order, ends.order, 'in this order');
  if (ends.underWayAtMost !== undefined) t.ok(told.mostUnderWay <= ends.underWayAtMost, `${told.mostUnderWay} at once`);
  for (const name of ends.gone ?? []) t.equal(told.server(name), undefined, `${name} is gone`);
  for (const name of ends.leaves ?? []) {
    t.strictSame(serverTable.by(told.world.state.local, 'host', told.host(name).id), [], `${name} is empty`);
  }
  const hostIds = (ends.apart ?? []).map((name) => told.server(name)?.hostId);
  t.equal(new Set(hostIds).size, hostIds.length, 'they are apart');
}

t.setTimeout(240_000);
t.test('there are thirty at least, each of its own', (t) => {
  t.ok(stories.length >= 30, `${stories.length} stories`);
  t.equal(new Set(stories.map(({ story }) => story)).size, stories.length);
  t.end();
});
for (const story of stories) t.test(story.story, (t) => run(t, story));
