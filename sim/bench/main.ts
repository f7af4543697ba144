/**
 * `npm run bench:sim`: how much faster than time the simulator goes. Each row is a process of its own, so that memory is
 * its own too, and is run several times. Figures are of the time under faults: making the mesh, and healing it, are apart.
 *
 *     npm run bench:sim -- --quick              the meshes of seven, once each
 *     npm run bench:sim -- --only seven,hundred
 *     npm run bench:sim -- --json FILE
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { benchWorlds, type WorldRow } from './worlds.ts';

/** Longest that one run may take. Unit: ms. */
const runMsMax = 900_000;
const runs = 3;
/**
 * Large worlds are some GiB of small objects. Left alone, V8 collects them whole each time that they have grown by a little,
 * which took a third of the time of a hundred hosts. They may double between two collections here.
 */
const memoryFlags = ['--max-old-space-size=16000', '--heap-growing-percent=100'];

interface Row extends WorldRow {
  readonly world: string;
  readonly run: number;
}

const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' } },
});
const wanted = values.only?.split(',');
const names = Object.keys(benchWorlds).filter((name) =>
  wanted === undefined ? values.quick !== true || name === 'timers' || name.startsWith('seven') : wanted.includes(name),
);
const rows: Row[] = [];
const notes: string[] = [];
for (const world of names) {
  for (let run = 1; run <= (values.quick === true || benchWorlds[world]?.isLong === true ? 1 : runs); run += 1) {
    const program = fileURLToPath(new URL('./worlds.ts', import.meta.url));
    const flags = benchWorlds[world]?.isLong === true ? memoryFlags : [];
    const child = spawnSync(process.execPath, [...flags, program, world], {
      encoding: 'utf8',
      timeout: runMsMax,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.status !== 0) {
      notes.push(
        `${world}: ${child.signal === null ? `exit status ${child.status}` : `not done in ${runMsMax / 1000} s`}`,
      );
      break;
    }
    rows.push({ world, run, ...(JSON.parse(child.stdout) as WorldRow) });
  }
}

const table = new Table({
  head: [
    'world',
    'run',
    'setup cpu s',
    'simulated s',
    'wall s',
    'cpu s',
    'x wall',
    'x cpu',
    'events/cpu s',
    'peak MiB',
  ],
});
for (const row of rows) {
  table.push([
    row.world,
    row.run,
    row.setupCpuSeconds.toFixed(1),
    row.simulatedSeconds.toFixed(0),
    row.wallSeconds.toFixed(1),
    row.cpuSeconds.toFixed(1),
    (row.simulatedSeconds / row.wallSeconds).toFixed(1),
    (row.simulatedSeconds / row.cpuSeconds).toFixed(1),
    Math.round(row.events / row.cpuSeconds),
    Math.round(row.peakMib),
  ]);
}
console.log(table.toString());
for (const name of names) console.log(`${name}: ${benchWorlds[name]?.text ?? ''}`);
for (const note of notes) console.log(note);
if (values.json !== undefined) {
  const machine = { cpu: cpus()[0]?.model ?? '', cores: availableParallelism(), node: process.versions.node };
  const made = {
    date: new Date().toISOString(),
    command: `npm run bench:sim -- ${process.argv.slice(2).join(' ')}`,
    machine,
  };
  writeFileSync(values.json, `${JSON.stringify({ ...made, rows, notes }, undefined, 2)}\n`);
}
process.exitCode = notes.length === 0 ? 0 : 1;
