/** One agent of the bench: a process of its own, with its data folder, and what /proc says of it and of its helpers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { processCpuSeconds } from '../../../../node/raft/bench/machine.ts';

const apiPort = 5000;
/** How often it is looked whether an agent that starts answers. Unit: milliseconds. */
const lookMs = 20;

/** Where an agent runs. */
interface Place {
  readonly name: string;
  readonly folder: string;
  readonly address: string;
  /** Network namespace; undefined: the machine's own. */
  readonly namespace: string | undefined;
  /** Who may read its metrics. */
  readonly metricsReader: string;
  /** Begins the command line of an agent: Node and the program `shoal`. */
  readonly program: readonly string[];
}

/** Memory of one agent with its helpers. Unit: MiB. */
export interface Memory {
  /** Pages that other processes map, too, counted whole. */
  readonly rssMib: number;
  /** The same, divided by how many map them. */
  readonly pssMib: number;
  /** Of `rssMib`, what is mapped from files: mostly the text of Node itself. */
  readonly fileMib: number;
}

/** See above. */
export class AgentProcess {
  readonly name: string;
  readonly dataDir: string;
  readonly apiUrl: string;
  readonly #place: Place;
  #child: ChildProcess | undefined;

  constructor(place: Place) {
    this.#place = place;
    this.name = place.name;
    this.dataDir = join(place.folder, 'data');
    this.apiUrl = `https://${place.address}:${apiPort}`;
    mkdirSync(place.folder, { recursive: true });
    const { address } = place;
    const config = {
      dataDir: this.dataDir,
      name: place.name,
      failureDomain: place.name,
      advertiseAddress: address,
      peer: { listen: `${address}:7401` },
      gossip: { listen: `${address}:7402` },
      api: { listen: `${address}:${apiPort}`, grpcListen: `${address}:7400`, metricsReaders: place.metricsReader },
      compute: { driver: 'fake' },
      storage: 'local',
      network: { driver: 'fake' },
      // Room for all servers of a bench on the few processors of one machine: none is to be refused for want of it.
      capacity: { vcpusRatio: 64 },
    };
    writeFileSync(this.#configPath, stringify(config));
  }

  /** Whether its process lives, as far as is known. */
  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The command line that runs `shoal` with `args` for this agent. */
  command(args: readonly string[]): readonly string[] {
    const { namespace, program } = this.#place;
    const enter = namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`];
    return [...enter, ...program, ...args, '--config', this.#configPath];
  }

  /** Starts it; resolves with the milliseconds until it answered, or undefined when it ended before or took too long. */
  async start(ticket: string | undefined, readyMsMax: number): Promise<number | undefined> {
    const log = openSync(this.logPath, 'a');
    const startedMs = performance.now();
    // setpriv ends it with the bench, should that be killed before it can.
    const child = spawn('setpriv', ['--pdeathsig=KILL', ...this.command(['agent'])], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...(ticket === undefined ? {} : { SHOAL_JOIN: ticket }) },
    });
    closeSync(log);
    this.#child = child;
    for (;;) {
      if (!this.isRunning) return undefined;
      if (performance.now() - startedMs > readyMsMax) {
        await this.end('SIGKILL');
        return undefined;
      }
      // The REST listener comes last; without a listener the connection is refused at no cost to the agent.
      if ((await isListening(this.#place.address)) && (await isHealthy(this.apiUrl))) {
        return performance.now() - startedMs;
      }
      await delay(lookMs);
    }
  }

  /** Ends it and waits until it has gone. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000);
    await gone;
    clearTimeout(late);
  }

  /** Processor time so far, with all helpers. Unit: seconds. */
  cpuSeconds(): number {
    return this.#pids().reduce((sum, pid) => sum + processCpuSeconds(pid), 0);
  }

  memory(): Memory {
    let [rssKib, pssKib, anonymousKib] = [0, 0, 0];
    for (const pid of this.#pids()) {
      const text = readIfThere(`/proc/${pid}/smaps_rollup`);
      const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
      rssKib += of('Rss');
      pssKib += of('Pss');
      anonymousKib += of('Anonymous');
    }
    const mib = (kib: number): number => Math.round((kib / 1024) * 10) / 10;
    return { rssMib: mib(rssKib), pssMib: mib(pssKib), fileMib: mib(rssKib - anonymousKib) };
  }

  /** The end of what it wrote. */
  logTail(): string {
    return readIfThere(this.logPath).split('\n').slice(-12).join('\n');
  }

  get logPath(): string {
    return join(this.#place.folder, 'agent.log');
  }

  get #configPath(): string {
    return join(this.#place.folder, 'config.yaml');
  }

  /** It and what it has started; setpriv and nsenter have become it. */
  #pids(): readonly number[] {
    const pid = this.#child?.pid;
    return pid === undefined || !this.isRunning ? [] : [pid, ...descendantsOf(pid)];
  }
}

function descendantsOf(pid: number): readonly number[] {
  const children = tasksOf(pid)
    .flatMap((task) => readIfThere(`/proc/${pid}/task/${task}/children`).trim().split(' '))
    .filter((text) => text !== '')
    .map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

function tasksOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // It has ended in between, and has no children any more.
    return [];
  }
}

/** Empty when the file, or the process that it tells of, has gone. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // A process that ended between two looks has nothing to tell.
    return '';
  }
}

function isListening(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: apiPort });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function isHealthy(apiUrl: string): Promise<boolean> {
  try {
    return (await fetch(`${apiUrl}/healthz`, { signal: AbortSignal.timeout(5_000) })).status === 200;
  } catch {
    // It listens and does not answer yet: not healthy is the whole answer.
    return false;
  }
}
