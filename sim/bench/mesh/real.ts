/** One row of real agents: a mesh of so many, made, measured and taken away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Times, timesOf } from './figures/times.ts';
import { RealMesh } from './hosts/real-mesh.ts';
import { type CapacityChanges, changeCapacity } from './phases/capacity.ts';
import { type Changes, changeServers } from './phases/changes.ts';
import { type Creates, createServers } from './phases/creates.ts';
import { type Kills, killSome } from './phases/kills.ts';
import { type Rolling, restartAll } from './phases/rolling.ts';
import { measureUsage, type Usage } from './phases/usage.ts';

/** What can be measured of a mesh that stands, in this order. */
export const phases = ['rest', 'creates', 'capacity', 'changes', 'kills', 'rolling'] as const;

/** One of them. */
export type Phase = (typeof phases)[number];

/** How it is measured. */
export interface RealOptions {
  /** Folder in which the data of the agents lie, in one of their own that is removed. */
  readonly dir: string | undefined;
  readonly checkout: string;
  readonly isRoot: boolean;
  readonly phases: readonly Phase[];
  /** Before anything is measured. Unit: milliseconds. */
  readonly settleMs: number;
  readonly restMs: number;
  readonly creates: number;
  readonly capacityChanges: number;
  readonly changesPerSecond: readonly number[];
  readonly changesMs: number;
  /** Told what is under way. */
  readonly say: (text: string) => void;
}

/** What was seen; a phase that was not asked for is absent. */
export interface RealRow {
  readonly agents: number;
  /** Of one minute, before it began: what others use of the machine. */
  readonly loadBefore: number;
  readonly startMs: Times | undefined;
  readonly joinSeconds: number;
  readonly ticketsRefused: number;
  rest?: Usage;
  creates?: Creates;
  capacity?: CapacityChanges;
  changes?: readonly Changes[];
  kills?: Kills;
  rolling?: Rolling;
  /** What ended the row before its last phase. */
  failure?: string;
}

/** Measures one row. A phase that fails ends it, and is told of in it; a mesh that does not form throws. */
export async function realRow(agents: number, options: RealOptions, signal: AbortSignal): Promise<RealRow> {
  const loadBefore = Math.round((loadavg()[0] ?? 0) * 100) / 100;
  const folder = await mkdtemp(join(options.dir ?? tmpdir(), 'shoal-mesh-bench-'));
  const mesh = new RealMesh(folder, agents, options.checkout, options.isRoot);
  const end = async (): Promise<void> => {
    await mesh.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    options.say(`${agents} agents: start and join`);
    const formed = await mesh.form();
    const row: RealRow = {
      agents,
      loadBefore,
      startMs: timesOf(formed.startMs),
      joinSeconds: Math.round(formed.joinMs / 100) / 10,
      ticketsRefused: formed.ticketsRefused,
    };
    await measureRow(mesh, row, options, signal);
    return row;
  } finally {
    await end();
  }
}

async function measureRow(mesh: RealMesh, row: RealRow, options: RealOptions, signal: AbortSignal): Promise<void> {
  const ids: string[] = [];
  let imageId = '';
  const steps: Readonly<Record<Phase, () => Promise<void>>> = {
    rest: async () => {
      await delay(options.settleMs, undefined, { signal });
      const measured = await measureUsage(mesh);
      await delay(options.restMs, undefined, { signal });
      row.rest = await measured();
    },
    creates: async () => {
      row.creates = await createServers(mesh, imageId, options.creates, ids);
    },
    capacity: async () => {
      row.capacity = await changeCapacity(mesh, imageId, options.capacityChanges);
    },
    changes: async () => {
      const rows: Changes[] = [];
      for (const rate of options.changesPerSecond) {
        rows.push(await changeServers(mesh, ids, rate, options.changesMs));
        row.changes = rows;
      }
    },
    kills: async () => {
      row.kills = await killSome(mesh);
    },
    rolling: async () => {
      row.rolling = await restartAll(mesh, ids);
    },
  };
  try {
    for (const phase of phases) {
      if (!options.phases.includes(phase)) continue;
      signal.throwIfAborted();
      options.say(`${row.agents} agents: ${phase}`);
      if (phase !== 'rest' && imageId === '') imageId = await mesh.makeImage();
      // Loads work on servers that are there, and creates leave them.
      if (phase !== 'rest' && phase !== 'creates' && ids.length === 0) await createServers(mesh, imageId, 10, ids);
      await steps[phase]();
    }
  } catch (caught) {
    // What was measured before the bench was ended is told all the same.
    row.failure = caught instanceof Error ? caught.message : String(caught);
  }
}
