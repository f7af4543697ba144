/**
 * Where the processor time of a profiled run went: `node placement/bench/durable/profile.ts FOLDER [SECONDS]`. Sums the
 * self time of every `.cpuprofile` below the folder, by process and by part of the program, from so many seconds after the
 * process's start on: what starting costs is left out.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  /** Since the sample before. Unit: microseconds. */
  readonly timeDeltas: readonly number[];
}

/** Functions and parts named of each process. */
const rowsMax = 24;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = process.argv[2];
const fromUs = 1e6 * Number(process.argv[3] ?? 0);
if (folder === undefined || !(fromUs >= 0)) {
  console.error('usage: node placement/bench/durable/profile.ts FOLDER [SECONDS]');
  process.exit(2);
}
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.cpuprofile'));
for (const file of files.sort()) {
  const profile = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile;
  const nodes = new Map(profile.nodes.map((node) => [node.id, node.callFrame]));
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const byPart = new Map<string, number>();
  const byOwn = new Map<string, number>();
  const byFunction = new Map<string, number>();
  let sinceStartUs = 0;
  let total = 0;
  let idle = 0;
  for (const [at, sample] of profile.samples.entries()) {
    const us = profile.timeDeltas[at] ?? 0;
    sinceStartUs += us;
    if (sinceStartUs < fromUs) continue;
    const frame = nodes.get(sample);
    if (frame === undefined) continue;
    total += us;
    if (frame.functionName === '(idle)') {
      idle += us;
      continue;
    }
    add(byPart, partOf(frame), us);
    const seen = new Set<string>();
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) {
      const caller = nodes.get(id);
      if (caller === undefined || !isOurs(caller.url)) continue;
      const name = `${caller.functionName || '(anonymous)'} ${basename(caller.url)}`;
      if (!seen.has(name)) add(byOwn, name, us);
      seen.add(name);
    }
    add(byFunction, `${frame.functionName || '(anonymous)'} ${basename(frame.url)}`.trim(), us);
  }
  const busy = total - idle;
  console.log(`\n${basename(file)}: ${(total / 1e6).toFixed(1)} s, ${percent(busy, total)} busy`);
  for (const [title, sums] of [
    ['self time by part', byPart],
    ['self time by function', byFunction],
    ['time within functions of ours, callees included', byOwn],
  ] as const) {
    const sorted = [...sums].sort((a, b) => b[1] - a[1]).slice(0, rowsMax);
    console.log(`  ${title}, share of busy time`);
    for (const [name, us] of sorted) console.log(`    ${percent(us, busy).padStart(6)}  ${name}`);
  }
}

function add(sums: Map<string, number>, name: string, us: number): void {
  sums.set(name, (sums.get(name) ?? 0) + us);
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
}

function partOf({ url, functionName }: { readonly url: string; readonly functionName: string }): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const path = url.replace('file://', '').replace(root, '');
  const parts = path.split('/');
  return parts[0] === 'node_modules'
    ? parts.slice(0, parts[1]?.startsWith('@') ? 3 : 2).join('/')
    : parts.slice(0, 2).join('/');
}

function isOurs(url: string): boolean {
  return url.includes(root) && !url.includes('/node_modules/');
}
