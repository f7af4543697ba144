/**
 * Figure 2: placements that would survive a power cut, end to end. See ../README.md for what is real and what is not.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryFileSystemOf } from '../../../node/raft/bench/machine.ts';
import { type BenchRow, quantile } from '../report/report.ts';
import { checkPlacements } from './check.ts';
import { agentCount, DurableCluster, hostProcessCount } from './cluster.ts';
import { runLoad } from './load.ts';
import type { PlacerName } from './messages.ts';
import { hostSizeFor } from './world.ts';

/** Part of the hosts' room that is taken when all servers are placed: full enough for old views to be wrong. */
const fillAtEnd = 0.85;
/** Part of the servers that is placed before the clock starts: code is compiled, connections are up. */
const warmUpPart = 0.1;

/** One way to place. */
interface Variant {
  readonly name: string;
  readonly placer: PlacerName;
  /** Servers of one call. */
  readonly batch: number;
  /** Callers of each agent. */
  readonly callers: number;
  /** Part of the servers that is placed in this way: slow ways need not place all to show how slow they are. */
  readonly part: number;
}

const variants: readonly Variant[] = [
  { name: 'shoal', placer: 'shoal', batch: 100, callers: 4, part: 1 },
  { name: 'shoal-pack', placer: 'shoal-pack', batch: 100, callers: 4, part: 1 },
  { name: 'random2', placer: 'random2', batch: 100, callers: 4, part: 1 },
  { name: 'first-fit', placer: 'first-fit', batch: 100, callers: 4, part: 0.25 },
  { name: 'shoal-one-by-one', placer: 'shoal', batch: 1, callers: 64, part: 0.25 },
];

const quickVariants: readonly string[] = ['shoal', 'random2', 'shoal-one-by-one'];

export interface DurableOptions {
  readonly hosts: number;
  readonly servers: number;
  /** Work in a new folder below this one, to choose the disk; default: the temporary folder. */
  readonly dir: string | undefined;
  /** Only this way. */
  readonly variant: string | undefined;
  readonly cpuProf: string | undefined;
  /** Only what shows the difference that a batch makes, and one other way to choose. */
  readonly quick: boolean;
}

/** Runs all ways one after another, each on hosts of its own. Throws when anything that must hold does not. */
export async function benchDurable(options: DurableOptions, show: (row: BenchRow) => void): Promise<void> {
  const folder = await mkdtemp(join(options.dir ?? tmpdir(), 'shoal-durable-'));
  try {
    const memoryFileSystem = await memoryFileSystemOf(folder);
    if (memoryFileSystem !== undefined) {
      console.log(
        `# ${folder} is on ${memoryFileSystem}: syncs cost nothing there, and figures say nothing. Use --dir.`,
      );
    }
    const chosen = variants.filter(({ name }) =>
      options.variant === undefined ? !options.quick || quickVariants.includes(name) : name === options.variant,
    );
    if (chosen.length === 0) throw new Error(`there is no variant ${options.variant}`);
    for (const variant of chosen) show(await benchVariant(variant, options, join(folder, variant.name)));
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function benchVariant(variant: Variant, options: DurableOptions, folder: string): Promise<BenchRow> {
  const hosts = options.hosts;
  const servers = Math.round(options.servers * variant.part);
  const size = hostSizeFor(hosts, options.servers, fillAtEnd);
  const profile = options.cpuProf;
  const cluster = new DurableCluster({
    folder,
    hosts,
    size,
    placer: variant.placer,
    nodeOptions: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profile, variant.name)}`],
  });
  const stopOnSignal = (): void => {
    cluster.stop().then(
      () => process.exit(1),
      () => process.exit(1),
    );
  };
  process.once('SIGINT', stopOnSignal);
  process.once('SIGTERM', stopOnSignal);
  try {
    await mkdir(folder, { recursive: true });
    const startedMs = performance.now();
    const progress = (what: string): void => {
      console.error(`${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s  ${variant.name}: ${what}`);
    };
    await cluster.start();
    progress('every agent votes and sees every host');
    const asked = { addresses: cluster.grpcAddresses, token: cluster.token, ...variant };
    const warm = Math.round(servers * warmUpPart);
    const warmUp = await runLoad({ ...asked, servers: warm, seed: 1 });
    progress(`${warmUp.serverIds.length} placed to warm up, ${Math.round(warmUp.serverIds.length / warmUp.seconds)}/s`);
    const countsBefore = await cluster.counts();
    const cpuBefore = cluster.cpuSeconds();
    const ownBefore = process.cpuUsage();
    const load = await runLoad({ ...asked, servers: servers - warm, seed: 2 });
    const cpuAfter = cluster.cpuSeconds();
    const own = process.cpuUsage(ownBefore);
    progress(`${load.serverIds.length} placed, ${Math.round(load.serverIds.length / load.seconds)}/s`);
    const countsAfter = await cluster.counts();
    const isSteady = await cluster.firstLeads();
    const replicas = await cluster.records();
    // A profile is written by a process that ends in order; otherwise the hosts die, and only what they synced counts.
    if (profile === undefined) await cluster.killHosts();
    await cluster.stop();
    const answered = [...warmUp.serverIds, ...load.serverIds];
    const checked = await checkPlacements(cluster.claimFolders, replicas, answered, { size, hosts });
    const failures = [...warmUp.failures, ...load.failures];
    if (checked.faults.length > 0) throw new Error(`the check failed: ${checked.faults.join('; ')}`);
    const placed = load.serverIds.length;
    const count = (of: 'agents' | 'hosts', name: string): number =>
      (countsAfter[of][name] ?? 0) - (countsBefore[of][name] ?? 0);
    const us = (seconds: number): number => Math.round((1e6 * seconds) / placed);
    const cpu = {
      leader: us(cpuAfter.leader - cpuBefore.leader),
      followers: us(cpuAfter.followers - cpuBefore.followers),
      hosts: us(cpuAfter.hosts - cpuBefore.hosts),
      callers: us((own.user + own.system) / 1e6),
    };
    const cpuUs = cpu.leader + cpu.followers + cpu.hosts + cpu.callers;
    const asks = placed + count('agents', 'refused');
    return {
      bench: 'durable',
      name: variant.name,
      hosts,
      servers: answered.length,
      agents: agentCount,
      host_processes: hostProcessCount,
      batch: variant.batch,
      callers: variant.callers * agentCount,
      ops_per_s: Math.round(placed / load.seconds),
      p50_us: Math.round(1000 * quantile(load.latenciesMs, 0.5)),
      p99_us: Math.round(1000 * quantile(load.latenciesMs, 0.99)),
      conflicts: count('agents', 'refused'),
      conflicts_pct: Math.round((1e4 * count('agents', 'refused')) / asks) / 100,
      uneven_pct: Math.round(10 * checked.unevennessPct) / 10,
      failed_calls: failures.length,
      overcommitted_hosts: checked.overcommittedByClaims + checked.overcommittedByRecords,
      adverts_per_s: Math.round(count('hosts', 'adverts') / load.seconds),
      cpu_us_per_op: cpuUs,
      cpu_us_leader: cpu.leader,
      cpu_us_followers: cpu.followers,
      cpu_us_hosts: cpu.hosts,
      cpu_us_callers: cpu.callers,
      cores_busy: Math.round((100 * cpuUs * placed) / 1e6 / load.seconds) / 100,
      leader_changed: isSteady ? 0 : 1,
      ...(failures[0] === undefined ? {} : { first_failure: failures[0].slice(0, 120) }),
    };
  } finally {
    process.off('SIGINT', stopOnSignal);
    process.off('SIGTERM', stopOnSignal);
    await cluster.stop();
  }
}
