/**
 * Kills members of a Raft group of real processes at random moments under load, and asks afterwards for everything that
 * was acknowledged. One round: some writes under way, a kill -9 of one member (or all at once, as in a power cut that
 * spares the disk), writes go on, the killed start again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Prng } from '../../../node/base/prng.ts';
import { quarantineTermMargin } from '../../../node/store/log/records.ts';
import { shoal } from '../../../proto/messages.ts';

const membersCount = 3;
/** Writers at a time. */
const writersCount = 16;
/** Longest that anything may take before the run fails. Unit: milliseconds. */
const patienceMs = 30_000;

export interface KillReport {
  readonly rounds: number;
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  /** Acknowledged writes that were not there afterwards. Must be empty. */
  readonly lost: readonly string[];
  /** Rounds after which the members did not hold the same state at one revision, with their digests. Must be empty. */
  readonly differing: readonly string[];
  /** Rounds after which all members were compared. */
  readonly compared: number;
  /**
   * Quarantines and repairs of any member, with reasons. Must be empty: a killed process loses nothing that was synced.
   */
  readonly quarantines: readonly string[];
  /** From a kill of the leader until a write succeeded again. Unit: milliseconds. */
  readonly recoveryMs: readonly number[];
}

class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  readonly ready: Promise<void>;
  #ids = 0;
  #isDead = false;
  stderr = '';

  constructor(folder: string, id: number, ports: readonly number[]) {
    const script = join(import.meta.dirname, 'raft-kill-child.ts');
    this.#process = spawn(process.execPath, [script, folder, String(id), ...ports.map(String)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    // Killed before it was ready: nobody need wait for that.
    promise.catch(() => {});
    this.#process.stderr?.on('data', (data: Buffer) => {
      this.stderr = (this.stderr + data.toString()).slice(-4000);
    });
    this.#process.stdin?.on('error', () => {});
    this.#process.on('exit', (code, signal) => {
      this.#isDead = true;
      reject(new Error(`member ${id} ended (${code ?? signal}): ${this.stderr}`));
      for (const { reject } of this.#waiting.values()) reject(new Error('killed'));
      this.#waiting.clear();
    });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error('no standard output');
    createInterface({ input: stdout }).on('line', (line) => {
      const message = JSON.parse(line) as { ready?: true; id?: number; result?: unknown; error?: string };
      if (message.ready) resolve();
      const waiting = this.#waiting.get(message.id ?? 0);
      this.#waiting.delete(message.id ?? 0);
      if (message.error === undefined) waiting?.resolve(message.result);
      else waiting?.reject(new Error(message.error));
    });
  }

  ask(request: object): Promise<unknown> {
    if (this.#isDead) return Promise.reject(new Error('killed'));
    this.#ids += 1;
    const id = this.#ids;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(new Error('no answer')), patienceMs);
    this.#waiting.set(id, { resolve, reject });
    this.#process.stdin?.write(`${JSON.stringify({ ...request, id })}\n`);
    return promise.finally(() => clearTimeout(timer));
  }

  async kill(): Promise<void> {
    if (this.#isDead) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
  }
}

interface MemberStatus {
  readonly hasQuorum: boolean;
  readonly leaderRaftId: number;
  readonly voters: readonly number[];
  readonly term: number;
  readonly appliedIndex: number;
  readonly findings: readonly string[];
  readonly quarantine?: { readonly detail: string };
}

export async function killRounds(folder: string, rounds: number, seed: number): Promise<KillReport> {
  const random = new Prng(seed);
  const ports = await freePorts(membersCount);
  const children = new Map<number, Child>();
  const start = (id: number): Child => {
    const child = new Child(join(folder, String(id)), id, ports);
    children.set(id, child);
    return child;
  };
  const childOf = (id: number): Child => {
    const child = children.get(id);
    if (child === undefined) throw new Error(`no member ${id}`);
    return child;
  };
  const acknowledged = new Map<string, string>();
  const tally = { unknown: 0, refused: 0 };
  const recoveryMs: number[] = [];
  const differing: string[] = [];
  let compared = 0;
  let lastSuccessMs = 0;
  let isOver = false;
  try {
    const first = start(1);
    await first.ready;
    await eventually(async () => hasHost(first, 1), 'the first record');
    for (let id = 2; id <= membersCount; id += 1) {
      await eventually(async () => hasHost(first, id), 'a record');
      await start(id).ready;
    }
    await eventually(async () => (await status(first)).voters.length === membersCount, 'three voters');

    let writes = 0;
    const writer = async (number: number): Promise<void> => {
      while (!isOver) {
        writes += 1;
        const key = `w/${number}/${writes}`;
        const text = `${key} ${'x'.repeat(random.below(400))}`;
        try {
          await childOf(1 + random.below(membersCount)).ask({
            op: 'commit',
            transaction: { thenOps: [{ kind: 'put', key, text }] },
          });
          acknowledged.set(key, text);
          lastSuccessMs = performance.now();
        } catch (error) {
          // Not acknowledged: may be there or not, nobody was promised anything.
          if (error instanceof Error && error.message === 'OUTCOME_UNKNOWN') tally.unknown += 1;
          else tally.refused += 1;
          await delay(5);
        }
      }
    };
    const writers = Array.from({ length: writersCount }, (_, n) => writer(n));
    for (let round = 0; round < rounds; round += 1) {
      await delay(50 + random.below(400));
      const leader = await leaderOf(children);
      const all = [...children.keys()];
      // The leader, anybody, or all at once.
      const victims = random.chance(0.25) ? all : [random.chance(0.5) && leader !== 0 ? leader : random.pick(all)];
      const killedMs = performance.now();
      await Promise.all(victims.map((id) => childOf(id).kill()));
      const isLeaderKilled = victims.length === 1 && victims[0] === leader;
      await delay(random.below(300));
      for (const id of victims) start(id);
      await Promise.all(victims.map((id) => childOf(id).ready));
      await eventually(async () => lastSuccessMs > killedMs, 'writes go on');
      if (isLeaderKilled) recoveryMs.push(lastSuccessMs - killedMs);
      const digests = await digestsOf([...children.values()]);
      compared += 1;
      if (new Set(digests).size !== 1) differing.push(`round ${round}: ${digests.join(', ')}`);
    }
    isOver = true;
    await Promise.all(writers);
    await eventually(
      async () => (await Promise.all([...children.values()].map(status))).every((s) => s.hasQuorum),
      'all are back',
    );
    const lost = new Set<string>();
    for (const child of children.values()) {
      const keys = [...acknowledged.keys()];
      for (let at = 0; at < keys.length; at += 1000) {
        const some = keys.slice(at, at + 1000);
        const values = (await child.ask({ op: 'read', keys: some })) as (string | null)[];
        some.forEach((key, n) => {
          if (values[n] !== acknowledged.get(key)) lost.add(key);
        });
      }
    }
    const quarantines: string[] = [];
    for (const child of children.values()) {
      const { quarantine, findings, term } = await status(child);
      if (quarantine !== undefined) quarantines.push(quarantine.detail);
      quarantines.push(...findings);
      // A quarantine that was lifted again shows in the raised term.
      if (term >= quarantineTermMargin) quarantines.push(`the term was raised to ${term}`);
    }
    return {
      rounds,
      acknowledged: acknowledged.size,
      ...tally,
      lost: [...lost],
      differing,
      compared,
      quarantines,
      recoveryMs,
    };
  } finally {
    isOver = true;
    await Promise.all([...children.values()].map((child) => child.kill()));
  }
}

async function status(child: Child): Promise<MemberStatus> {
  return (await child.ask({ op: 'status' })) as MemberStatus;
}

/** The digests of all members' states at one revision, which all of them have applied and still know. */
async function digestsOf(children: readonly Child[]): Promise<readonly string[]> {
  let digests: readonly string[] = [];
  await eventually(async () => {
    const revision = Math.min(...(await Promise.all(children.map(status))).map(({ appliedIndex }) => appliedIndex));
    const told = await Promise.all(children.map((child) => child.ask({ op: 'digest', revision })));
    digests = told.filter((digest) => typeof digest === 'string');
    return digests.length === children.length;
  }, 'all members tell the digest of one revision');
  return digests;
}

async function leaderOf(children: ReadonlyMap<number, Child>): Promise<number> {
  for (const child of children.values()) {
    try {
      const { hasQuorum, leaderRaftId } = await status(child);
      if (hasQuorum) return leaderRaftId;
    } catch {
      // Killed a moment ago; another knows.
    }
  }
  return 0;
}

/** The autopilot takes members from the host records. */
async function hasHost(child: Child, id: number): Promise<boolean> {
  const record = shoal.v1.Host.encode({ id: `host-${id}`, raftId: id, failureDomain: `rack-${id}` }).finish();
  // Plain ASCII by luck of small numbers would not do; the record travels as a put of raw text, so keep it in Latin-1.
  const text = Buffer.from(record).toString('latin1');
  await child.ask({ op: 'commit', transaction: { thenOps: [{ kind: 'put', key: `t/host/host-${id}`, text }] } });
  return true;
}

async function eventually(condition: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + patienceMs;
  let last: unknown;
  while (performance.now() < endMs) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    await delay(20);
  }
  throw new Error(`not within ${patienceMs} ms: ${what}`, { cause: last });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
