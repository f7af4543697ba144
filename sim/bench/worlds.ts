/** The worlds of the bench. Run as a program with a name, it runs that one and prints its row as JSON. */
import { ShoalError } from '../../node/base/errors.ts';
import { simulate } from '../run/simulator.ts';
import type { FaultName } from '../settings/fault-names.ts';
import type { SimOverrides } from '../settings/options.ts';
import { Schedule } from '../world/schedule.ts';

export interface WorldRow {
  /** Time under faults. */
  readonly simulatedSeconds: number;
  readonly wallSeconds: number;
  /** Processor time of the process: user and system, garbage collection included. */
  readonly cpuSeconds: number;
  readonly events: number;
  /** Making the mesh and its first servers, the start of the process included. */
  readonly setupCpuSeconds: number;
  readonly peakMib: number;
}

interface BenchWorld {
  readonly text: string;
  /** Undefined: the bare schedule. */
  readonly overrides: SimOverrides | undefined;
  /** Run once, and not by `--quick`. */
  readonly isLong?: boolean;
}

const seed = 1;
const quiet = { delayMs: 0.5, jitterMs: 0.1, loss: 0, repeat: 0, overtake: 0 } as const;
const common = { faults: [], network: quiet, syncMs: 0.2, logBytesMax: 64 * 1024 * 1024, graceMs: 15_000 } as const;
const faults: readonly FaultName[] = ['agent-crash', 'net-isolate', 'net-pair', 'agent-pause', 'host-power-cut'];

/** A hundred hosts with 2,000 servers, and whose they are. */
const hundred = { ...common, hosts: 100, servers: 2_000, tenants: 334, hostVcpus: 40 } as const;

export const benchWorlds: Readonly<Record<string, BenchWorld>> = {
  timers: {
    text: 'the baseline: seven times fifty timers of 100 ms, and nothing else: what the schedule itself can do',
    overrides: undefined,
  },
  'seven-idle': {
    text: 'seven hosts without guests and clients: ticks, heartbeats, gossip and all checkers',
    overrides: { ...common, hosts: 7, tenants: 0, clients: 0, chaosMs: 3_600_000 },
  },
  'seven-clients': {
    text: 'seven hosts, one client of records that thinks 300 ms, a fault every 5 s',
    overrides: {
      ...common,
      hosts: 7,
      tenants: 0,
      clients: 1,
      thinkMs: 300,
      chaosMs: 1_200_000,
      faults,
      faultEveryMs: 5_000,
      faultForMs: 1_500,
    },
  },
  'seven-guests': {
    text: 'the same with two tenants that each ask for something every 5 s',
    overrides: {
      ...common,
      hosts: 7,
      tenants: 2,
      tenantThinkMs: 5_000,
      clients: 1,
      thinkMs: 300,
      chaosMs: 600_000,
      faults,
      faultEveryMs: 5_000,
      faultForMs: 1_500,
    },
  },
  'hundred-idle': {
    text: 'a hundred hosts with 2,000 servers that nobody asks for anything: what keeping them costs',
    isLong: true,
    overrides: { ...hundred, tenantThinkMs: 3_600_000, clients: 0, chaosMs: 60_000 },
  },
  hundred: {
    text: 'a hundred hosts with 2,000 servers of 334 tenants, who ask for something every second together',
    isLong: true,
    overrides: { ...hundred, tenantThinkMs: 334_000, clients: 1, thinkMs: 1_000, chaosMs: 60_000 },
  },
  thousand: {
    text: 'a thousand hosts without guests: every one a member that applies everything',
    isLong: true,
    overrides: { ...common, hosts: 1_000, tenants: 0, clients: 1, thinkMs: 1_000, chaosMs: 10_000 },
  },
};

async function measure(name: string): Promise<WorldRow> {
  const world = benchWorlds[name];
  if (world === undefined) throw new ShoalError('CONFIG_INVALID', `there is no world ${name}`);
  const cpu = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const peakMib = (): number => process.resourceUsage().maxRSS / 1024;
  if (world.overrides === undefined) {
    const schedule = new Schedule();
    const again = (): void => void schedule.after(100, again);
    for (let timer = 0; timer < 350; timer += 1) schedule.after(timer / 4, again);
    const [setupCpuSeconds, startMs] = [cpu(), performance.now()];
    await schedule.runUntil(600_000, () => false);
    return {
      simulatedSeconds: 600,
      wallSeconds: (performance.now() - startMs) / 1000,
      cpuSeconds: cpu() - setupCpuSeconds,
      events: schedule.events,
      setupCpuSeconds,
      peakMib: peakMib(),
    };
  }
  const marks: { readonly atMs: number; readonly wallMs: number; readonly cpu: number }[] = [];
  const result = await simulate(seed, {
    overrides: world.overrides,
    watcher: {
      phase: (_phase, atMs) => void marks.push({ atMs, wallMs: performance.now(), cpu: cpu() }),
    },
  });
  const [from, to] = marks;
  if (result.verdict !== 'passed' || from === undefined || to === undefined)
    throw new ShoalError(
      'CONFIG_INVALID',
      `${name}: ${result.verdict} ${result.detail}, after ${result.traceLines} lines`,
    );
  const simulatedSeconds = (to.atMs - from.atMs) / 1000;
  return {
    simulatedSeconds,
    wallSeconds: (to.wallMs - from.wallMs) / 1000,
    cpuSeconds: to.cpu - from.cpu,
    // Those of the whole run, by its share of time: setting up and healing are short against it in all but the largest.
    events: (result.events * simulatedSeconds) / (result.simulatedMs / 1000),
    setupCpuSeconds: from.cpu,
    peakMib: peakMib(),
  };
}

if (import.meta.main) console.log(JSON.stringify(await measure(process.argv[2] ?? '')));
