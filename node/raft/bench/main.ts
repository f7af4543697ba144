/**
 * The Raft bench: `node node/raft/bench/main.ts [--quick] [--json FILE]`. See README.md in this folder.
 *
 * Members are real processes on loopback with their logs on a real disk. Runs of ours and of etcd's take turns, so that
 * what else the machine does falls on both.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BenchCluster } from './cluster.ts';
import { EtcdCluster, etcdVersion } from './etcd-cluster.ts';
import { killLeaders } from './failover.ts';
import { KvClient } from './kv-client.ts';
import { keyFor, type LoadResult, type Request, runLoad, valueFor } from './load.ts';
import { benchContext, memoryFileSystemOf } from './machine.ts';
import type { LoadKind } from './member.ts';
import { type BenchRow, killedRowOf, type Run, ratiosOf, ratioTableOf, rowOf, tableOf } from './rows.ts';
import { ShoalCluster } from './shoal-cluster.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    dir: { type: 'string' },
    only: { type: 'string' },
    'cpu-prof': { type: 'string' },
    'no-etcd': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const parts = ['three', 'forwarded', 'failover', 'one'] as const;

if (flags.help) {
  console.log(`usage: node node/raft/bench/main.ts [flags]
  --quick            one short run of each, five leaders killed; ends within a minute
  --json FILE        write all rows as a JSON array
  --dir FOLDER       work in a new folder below this one, to choose the disk; default ${tmpdir()}
  --only PARTS       of ${parts.join(',')}, by commas: loads on three nodes, the same by a fourth that
                     does not vote, leaders killed, loads on one node
  --no-etcd          leave etcd out
  --cpu-prof FOLDER  write a CPU profile of every member of ours that ends in order`);
  process.exit(0);
}
const only: readonly string[] = flags.only?.split(',') ?? parts;
const strange = only.filter((name) => !parts.some((part) => part === name));
if (strange.length > 0) {
  console.error(`--only ${strange.join(',')}: give some of ${parts.join(',')}`);
  process.exit(2);
}

/** What differs between the short form and the whole. */
const plan = flags.quick
  ? { runs: 1, warmUpMs: 300, runMs: 900, rounds: 5, etcdRounds: 0, readClients: [64], msMax: 56_000 }
  : { runs: 5, warmUpMs: 2000, runMs: 2000, rounds: 20, etcdRounds: 20, readClients: [256, 64, 1], msMax: 30 * 60_000 };
/** The heaviest load first: it runs in the members' code, which a light one would take minutes to. */
const putClients = [256, 64, 1];
/** Set aside of the time for ending the members and cleaning up. Unit: milliseconds. */
const endingMs = 4000;

const startedMs = performance.now();
const endMs = startedMs + plan.msMax - endingMs;
const rows: BenchRow[] = [];
const clusters: BenchCluster[] = [];

const etcd = flags['no-etcd'] ? undefined : etcdVersion();
const context = benchContext(etcd ?? 'none');
console.log(`# ${context.command}`);
console.log(`# ${context.date}, ${context.machine}, node ${context.node}, commit ${context.commit}`);
console.log(`# load of the machine before: ${context.load_before}`);
if (etcd === undefined) {
  console.log(
    `# etcd: skipped, ${flags['no-etcd'] ? 'as --no-etcd says' : 'no program of that name is installed (Debian: etcd-server)'}`,
  );
} else console.log(`# ${etcd}`);

const folder = await mkdtemp(join(flags.dir ?? tmpdir(), 'shoal-raft-bench-'));
const memoryFileSystem = await memoryFileSystemOf(folder);
if (memoryFileSystem !== undefined) {
  console.log(`# ${folder} is on ${memoryFileSystem}: syncs cost nothing there, and figures say nothing. Use --dir.`);
}
const cleanUp = async (): Promise<void> => {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
};
/** Ends the bench from outside of its course. */
const endWith = (exitStatus: number): void => {
  const exit = (): never => process.exit(exitStatus);
  cleanUp().then(exit, exit);
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endWith(1);
  });
}
/** Whatever hangs ends here. */
const watchdog = setTimeout(() => {
  console.error(`the bench did not end within ${plan.msMax / 1000} s`);
  endWith(1);
}, plan.msMax + 30_000);
watchdog.unref();

try {
  const wants = (part: (typeof parts)[number]): boolean => only.includes(part);
  if (wants('three') || wants('forwarded') || wants('failover')) await benchThree(wants);
  if (wants('one')) await benchOne();
  report();
} finally {
  await cleanUp();
  clearTimeout(watchdog);
}

async function benchThree(wants: (part: (typeof parts)[number]) => boolean): Promise<void> {
  const [ours, theirs] = await startClusters(3);
  if (wants('three')) {
    for (const clients of putClients) await compare('put', clients, ours, theirs);
    for (const clients of plan.readClients) await compare('read-linearizable', clients, ours, theirs);
    for (const clients of plan.readClients) await compare('read-stale', clients, ours, theirs);
  }
  if (wants('forwarded')) await benchForwarded(ours);
  if (wants('failover')) {
    await kills(ours, plan.rounds);
    if (theirs !== undefined && plan.etcdRounds > 0) await kills(theirs, plan.etcdRounds);
  }
  await stopClusters();
}

/** Loads within a fourth process that does not vote: its writes and reads go to the leader over peer RPC. */
async function benchForwarded(ours: ShoalCluster): Promise<void> {
  const learner = await ours.addLearner();
  const subject = (kind: LoadKind, clients: number): Subject =>
    withinMember(ours, learner, `shoal ${kind.replace('-', ' ')} forwarded`, kind, clients);
  for (const clients of putClients) await measure(clients, [subject('put', clients)]);
  for (const clients of plan.readClients) await measure(clients, [subject('read-linearizable', clients)]);
  await ours.removeLearner();
}

async function benchOne(): Promise<void> {
  const [ours, theirs] = await startClusters(1);
  for (const clients of putClients) await compare('put', clients, ours, theirs);
  if (!flags.quick) await compare('read-linearizable', 64, ours, theirs);
  await stopClusters();
}

async function startClusters(size: number): Promise<[ShoalCluster, EtcdCluster | undefined]> {
  const profile = flags['cpu-prof'];
  const nodeOptions = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const ours = new ShoalCluster(join(folder, `shoal-${size}`), size, nodeOptions);
  clusters.push(ours);
  const theirs = etcd === undefined ? undefined : new EtcdCluster(join(folder, `etcd-${size}`), size);
  if (theirs !== undefined) clusters.push(theirs);
  await Promise.all([ours.start(), theirs?.start()]);
  return [ours, theirs];
}

async function stopClusters(): Promise<void> {
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
}

/** The same load on ours through the key-value API, on ours from within the leader, and on etcd. */
async function compare(
  kind: LoadKind,
  clients: number,
  ours: ShoalCluster,
  theirs: EtcdCluster | undefined,
): Promise<void> {
  const name = kind.replace('-', ' ');
  const subjects: Subject[] = [await throughApi(ours, `shoal ${name}`, kind, clients)];
  if (theirs !== undefined) subjects.push(await throughApi(theirs, `etcd ${name}`, kind, clients));
  subjects.push(withinMember(ours, await ours.leader(), `shoal ${name} in agent`, kind, clients));
  await measure(clients, subjects);
}

/** Runs each subject's load so often, taking turns. */
async function measure(clients: number, subjects: readonly Subject[]): Promise<void> {
  try {
    for (const subject of subjects) await subject.run(plan.warmUpMs);
    for (let run = 0; run < plan.runs; run += 1) {
      for (const { cluster, run: load, runs } of subjects) {
        const cpuBefore = cluster.cpuSeconds();
        const result = await load(plan.runMs);
        runs.push({ load: result, cpuSeconds: cluster.cpuSeconds() - cpuBefore });
      }
    }
  } finally {
    for (const { close } of subjects) close();
  }
  const added = subjects.map(({ name, cluster, runs }) => rowOf(name, cluster.size, clients, runs));
  rows.push(...added);
  for (const row of added) progress(row);
}

interface Subject {
  readonly name: string;
  readonly cluster: BenchCluster;
  readonly run: (forMs: number) => Promise<LoadResult>;
  readonly close: () => void;
  readonly runs: Run[];
}

/** A load from this process on the member that leads. */
async function throughApi(cluster: BenchCluster, name: string, kind: LoadKind, clients: number): Promise<Subject> {
  const client = new KvClient(cluster.addressOf(await cluster.leader()), clients);
  const request: Request =
    kind === 'put'
      ? (caller, count) => client.put(caller, { key: keyFor(caller, count), value: valueFor(caller, count) })
      : (caller, count) => client.range(caller, { key: keyFor(caller, count), serializable: kind === 'read-stale' });
  return {
    name,
    cluster,
    run: (forMs) => runLoad(request, clients, forMs),
    close: () => client.close(),
    runs: [],
  };
}

/** A load within the process of a member, on its own `StateClient`. */
function withinMember(cluster: ShoalCluster, member: number, name: string, kind: LoadKind, clients: number): Subject {
  return {
    name,
    cluster,
    run: (forMs) => cluster.load(member, kind, clients, forMs),
    close: () => {},
    runs: [],
  };
}

async function kills(cluster: BenchCluster, rounds: number): Promise<void> {
  const cpuBefore = cluster.cpuSeconds();
  // In the short form the one-node part still has to follow.
  const untilMs = flags.quick ? startedMs + 40_000 : endMs;
  const gapsMs = await killLeaders(cluster, rounds, untilMs);
  if (gapsMs.length < rounds)
    console.log(`# ${cluster.name}: ${gapsMs.length} of ${rounds} rounds fitted into the time`);
  if (gapsMs.length === 0) return;
  const row = killedRowOf(`${cluster.name} leader killed`, cluster.size, gapsMs, cluster.cpuSeconds() - cpuBefore);
  rows.push(row);
  progress(row);
}

function progress(row: BenchRow): void {
  const rate = row.ops_per_s === 0 ? '' : `${row.ops_per_s.toFixed(0)}/s, `;
  console.error(
    `${((performance.now() - startedMs) / 1000).toFixed(0).padStart(4)} s  ${row.name}, ${row.nodes} nodes, ${row.clients} clients: ${rate}p50 ${row.p50_ms} ms, p99 ${row.p99_ms} ms`,
  );
}

function report(): void {
  console.log(`\n${tableOf(rows)}`);
  const ratios = ratiosOf(rows);
  if (ratios.length > 0) console.log(`\n${ratioTableOf(ratios)}`);
  if (flags.json === undefined) return;
  mkdirSync(dirname(flags.json), { recursive: true });
  writeFileSync(
    flags.json,
    `${JSON.stringify(
      rows.map((row) => ({ ...row, ...context })),
      null,
      1,
    )}\n`,
  );
}
