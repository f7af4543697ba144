/**
 * `npm run bench:servers`: what an operation on a server takes through the API of real agents, beside the same by hand at a QEMU in the
 * same run. See README.md in this folder.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { outputOf } from '../../../node/raft/bench/machine.ts';
import { BenchCloud } from '../volumes/bench-cloud.ts';
import { type OperationRow, volumesTable } from '../volumes/rows.ts';
import { serverRows } from './operations.ts';

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    'at-once': { type: 'string' },
    dir: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) {
  console.log(`usage: npm run bench:servers -- [flags]
  --quick          three runs of each, four servers at once
  --runs N         runs of each operation, 1 to 1000; default 20
  --at-once N      servers that are asked for side by side, 1 to 100; default 10: guests under emulation take a core each
  --dir FOLDER     work in a new folder below this one, to choose the disk; default ${tmpdir()}
  --json FILE      write everything that was measured
Needs root, and what \`npm start\` needs.`);
  process.exit(0);
}

const runs = countOf('--runs', flags.runs, flags.quick ? 3 : 20, 1000);
const atOnce = countOf('--at-once', flags['at-once'], flags.quick ? 4 : 10, 100);
if (process.getuid?.() !== 0) fail('bench:servers runs guests and needs root');

const root = fileURLToPath(new URL('../../..', import.meta.url));
const context = {
  date: new Date().toISOString(),
  command: `npm run bench:servers -- ${process.argv.slice(2).join(' ')}`.trim(),
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
  node: process.version,
  commit: outputOf('git', ['-C', root, 'describe', '--always', '--dirty']) ?? 'unknown',
  loadBefore: loadavg()[0] ?? 0,
};
console.log(
  `# ${context.command}\n# ${context.date}, ${context.machine}, node ${context.node}, commit ${context.commit}\n` +
    `# load of the machine before: ${context.loadBefore.toFixed(2)}`,
);
const say = (text: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

const rows: OperationRow[] = [];
const cloud = await BenchCloud.start({ dir: flags.dir ?? tmpdir(), withCeph: false, say });
try {
  for await (const row of serverRows(cloud, { runs, atOnce, say })) rows.push(row);
} finally {
  await cloud.stop();
  console.log(volumesTable(rows));
  if (flags.json !== undefined) {
    mkdirSync(dirname(flags.json), { recursive: true });
    const loadAfter = loadavg()[0] ?? 0;
    const measured = { ...context, loadAfter, accelerator: cloud.accelerator, rows };
    writeFileSync(flags.json, `${JSON.stringify(measured, undefined, 2)}\n`);
  }
}

function countOf(name: string, text: string | undefined, otherwise: number, most: number): number {
  const count = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(count) || count < 1 || count > most) fail(`${name} ${text ?? ''}: give 1 to ${most}`);
  return count;
}

function fail(text: string): never {
  console.error(text);
  process.exit(2);
}
