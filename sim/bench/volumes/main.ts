/**
 * `npm run bench:volumes`: what an operation on a volume takes through the API of real agents, beside the bare commands of its
 * storage and of QEMU in the same run. See README.md in this folder.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { outputOf } from '../../../node/raft/bench/machine.ts';
import { BenchCloud } from './bench-cloud.ts';
import { operationRows } from './operations.ts';
import { type OperationRow, volumesTable } from './rows.ts';

const storages = ['local', 'ceph'] as const;
type Storage = (typeof storages)[number];

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    only: { type: 'string' },
    dir: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (flags.help) {
  console.log(`usage: npm run bench:volumes -- [flags]
  --quick          three runs of each, ten volumes at once; ends within five minutes
  --runs N         runs of each operation, 1 to 1000; default 20
  --only STORAGES  of ${storages.join(',')}, by commas; ceph starts a cluster of its own
  --dir FOLDER     work in a new folder below this one, to choose the disk; default ${tmpdir()}
  --json FILE      write everything that was measured
Needs root, and what \`npm start\` needs.`);
  process.exit(0);
}

const runs = flags.runs === undefined ? (flags.quick ? 3 : 20) : Number(flags.runs);
if (!Number.isInteger(runs) || runs < 1 || runs > 1000) fail(`--runs ${flags.runs ?? ''}: give 1 to 1000`);
const wanted = (flags.only ?? storages.join(',')).split(',');
const strange = wanted.filter((name) => !storages.some((one) => one === name));
if (strange.length > 0) fail(`--only ${strange.join(',')}: give some of ${storages.join(',')}`);
const chosen: readonly Storage[] = storages.filter((one) => wanted.includes(one));
if (process.getuid?.() !== 0) fail('bench:volumes runs guests and needs root');

const root = fileURLToPath(new URL('../../..', import.meta.url));
const context = {
  date: new Date().toISOString(),
  command: `npm run bench:volumes -- ${process.argv.slice(2).join(' ')}`.trim(),
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
const cloud = await BenchCloud.start({ dir: flags.dir ?? tmpdir(), withCeph: chosen.includes('ceph'), say });
try {
  for (const storage of chosen) {
    for await (const row of operationRows(cloud, { storage, runs, atOnce: flags.quick ? 10 : 100, say }))
      rows.push(row);
  }
} finally {
  await cloud.stop();
  console.log(volumesTable(rows));
  if (flags.json !== undefined) {
    mkdirSync(dirname(flags.json), { recursive: true });
    const loadAfter = loadavg()[0] ?? 0;
    writeFileSync(
      flags.json,
      `${JSON.stringify({ ...context, loadAfter, accelerator: cloud.accelerator, rows }, undefined, 2)}\n`,
    );
  }
}

function fail(text: string): never {
  console.error(text);
  process.exit(2);
}
