import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** Guests with times, in order of arrival. Column arrays: half a million rows. */
export interface Trace {
  readonly count: number;
  readonly vcpus: Float64Array;
  readonly memory: Float64Array;
  /** Days; below 0: there before the window. */
  readonly start: Float64Array;
  /** Days; Infinity: never ends. */
  readonly end: Float64Array;
}

/** Where the public traces are put, seen from the checkout. */
export const tracesFolder = new URL('../../../shared/data/traces/', import.meta.url);

/** Reads a trace with columns vmId, tenantId, cores, ram, priority, starttime, endtime (gzip or plain CSV). Undefined: no such file. */
export function readTrace(path: URL | string): Trace | undefined {
  if (!existsSync(path)) return undefined;
  const raw = readFileSync(path);
  const text = (raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw).toString('utf8');
  const lines = text.trimEnd().split('\n');
  const names = (lines[0] ?? '').trim().split(',');
  const column = (name: string): number => {
    const i = names.indexOf(name);
    if (i < 0) throw new Error(`the trace has no column ${name}; it has ${names.join(', ')}`);
    return i;
  };
  const [cores, ram, startTime, endTime] = ['cores', 'ram', 'starttime', 'endtime'].map(column);
  const rows = lines.slice(1).map((line) => {
    const cells = line.split(',');
    const number = (i: number | undefined): number => Number(cells[i ?? -1]);
    const endText = cells[endTime ?? -1]?.trim();
    return {
      vcpus: number(cores),
      memory: number(ram),
      start: number(startTime),
      end: endText === 'inf' || endText === '' || endText === undefined ? Number.POSITIVE_INFINITY : Number(endText),
    };
  });
  rows.sort((a, b) => a.start - b.start);
  return traceOf(rows);
}

/** Rows as columns. */
function traceOf(
  rows: readonly { readonly vcpus: number; readonly memory: number; readonly start: number; readonly end: number }[],
): Trace {
  return {
    count: rows.length,
    vcpus: Float64Array.from(rows, (r) => r.vcpus),
    memory: Float64Array.from(rows, (r) => r.memory),
    start: Float64Array.from(rows, (r) => r.start),
    end: Float64Array.from(rows, (r) => r.end),
  };
}

/** Guests that a host of this size can take at all, of every `each`-th row (1: all). */
export function fittingPart(trace: Trace, host: HostSize, each: number): Trace {
  const rows: { vcpus: number; memory: number; start: number; end: number }[] = [];
  for (let i = 0; i < trace.count; i++) {
    if (i % each !== 0) continue;
    const vcpus = trace.vcpus[i] ?? 0;
    const memory = trace.memory[i] ?? 0;
    const start = trace.start[i] ?? 0;
    const end = trace.end[i] ?? 0;
    if (vcpus <= host.vcpus && memory <= host.memory && end > start) rows.push({ vcpus, memory, start, end });
  }
  return traceOf(rows);
}

/** A host, in the trace's units. */
export interface HostSize {
  readonly vcpus: number;
  readonly memory: number;
}

/** Server sizes in the file beside the Azure trace, largest first; degenerate ones (less than 1,000 units of CPU) left out. */
export function serverSizes(path: URL): readonly HostSize[] {
  if (!existsSync(path)) return [];
  const parsed: unknown = JSON.parse(gunzipSync(readFileSync(path)).toString('utf8'));
  // The file is a list of flat objects with keys such as "server_cores[2]" and "server_ram[2]".
  const numbers = new Map<string, number>();
  for (const part of Array.isArray(parsed) ? parsed : [parsed]) {
    if (part === null || typeof part !== 'object') continue;
    for (const [key, value] of Object.entries(part)) if (typeof value === 'number') numbers.set(key, value);
  }
  const sizes = new Map<string, HostSize>();
  for (const [key, vcpus] of numbers) {
    const index = /^server_cores\[(\d+)\]$/.exec(key)?.[1];
    const memory = index === undefined ? undefined : numbers.get(`server_ram[${index}]`);
    if (memory !== undefined && vcpus >= 1000) sizes.set(`${vcpus}/${memory}`, { vcpus, memory });
  }
  return [...sizes.values()].sort((a, b) => b.vcpus - a.vcpus);
}
