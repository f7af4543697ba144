/** What the bench asks of the machine it runs on. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { cpus, loadavg, release, totalmem } from 'node:os';

/** Unit of processor times in /proc; 100 on every Linux that Node runs on. Unit: ticks a second. */
const procTicksPerSecond = 100;
/** File systems that keep nothing through a power cut, by their numbers: a sync there costs nothing. */
const memoryFileSystems = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/** Processor time that a process of ours has taken, all its threads; 0 once it has ended. Unit: seconds. */
export function processCpuSeconds(pid: number): number {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // Ended between two measurements: what it used until then counts in the one before.
    return 0;
  }
  // The name may hold spaces and brackets; user and system time are the 12th and 13th field behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / procTicksPerSecond;
}

/** Ports of loopback that nobody uses at this moment. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (typeof address === 'object' && address !== null) ports.push(address.port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}

/** The name of the memory file system that holds `folder`; undefined when it is on a disk. */
export async function memoryFileSystemOf(folder: string): Promise<string | undefined> {
  return memoryFileSystems.get((await statfs(folder)).type);
}

/** Where and when, for the results. */
interface BenchContext {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly commit: string;
  /** Of one minute, before the bench began: what others use of the machine. */
  readonly load_before: number;
  readonly etcd: string;
}

export function benchContext(etcd: string): BenchContext {
  return {
    command: `node node/raft/bench/main.ts ${process.argv.slice(2).join(' ')}`.trim(),
    date: new Date().toISOString(),
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`,
    node: process.version,
    commit: outputOf('git', ['rev-parse', '--short', 'HEAD']) ?? 'unknown',
    load_before: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    etcd,
  };
}

/** Standard output of a short command, trimmed; undefined when it is not there or fails. */
export function outputOf(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    }).trim();
  } catch {
    return undefined;
  }
}
