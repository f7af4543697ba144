/** The same protocols on the simulator's network: production's rules among more hosts than one machine can play. */
import { runDetection } from '../../mesh/detection-bench.ts';
import { runGossip } from '../../mesh/gossip-bench.ts';

/** One figure; all of them come from the simulator. */
export interface SimulatedRow {
  readonly what: string;
  readonly hosts: number;
  readonly value: number;
  readonly unit: string;
}

/** How much of it. */
interface SimulatedOptions {
  /** Sizes of meshes. */
  readonly hosts: readonly number[];
  /** Hosts that are taken away one after another. */
  readonly deaths: number;
  /** How long false alarms are looked for, in days of one host, among hosts of the first size. */
  readonly hostDays: number;
  /** Told what is under way. */
  readonly say: (text: string) => void;
}

/** One seed, so that two runs of one version give the same figures. */
const seed = 1;

/** Runs gossip, then detection, at each size. */
export async function simulatedRows(options: SimulatedOptions): Promise<readonly SimulatedRow[]> {
  const rows: SimulatedRow[] = [];
  for (const hosts of options.hosts) {
    options.say(`gossip of ${hosts} simulated hosts`);
    rows.push(...(await runGossip({ hosts, seed })));
  }
  const [least = 0] = options.hosts;
  rows.push(
    ...runDetection({
      hosts: options.hosts,
      seed,
      deaths: options.deaths,
      falseAlarms: { hosts: least, hostDays: options.hostDays },
      progress: (text) => options.say(`detection, simulated: ${text}`),
    }).map((row) => ({ ...row, what: `simulated detection: ${row.what}` })),
  );
  return rows;
}
