/**
 * Our members: a process each (member.ts), certificates of a mesh made on the spot, LevelDB in a folder each. Besides those
 * that vote there can be one that does not, as most agents of a large mesh.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshAuthority } from '../../mesh/identity/authority.ts';
import { createTlsKey, HostIdentity } from '../../mesh/identity/identity.ts';
import type { ConfChangeSingle } from '../index.ts';
import { type BenchCluster, eventually } from './cluster.ts';
import type { LoadResult } from './load.ts';
import { freePorts, processCpuSeconds } from './machine.ts';
import type { BenchMemberStatus, LoadKind, MemberAnswer, MemberConfig, MemberRequest } from './member.ts';

/** Standard error kept of a member, to say why it ended. Unit: characters. */
const errorCharactersMax = 4000;

type Question = MemberRequest extends infer R ? (R extends { readonly id: number } ? Omit<R, 'id'> : never) : never;

export class ShoalCluster implements BenchCluster {
  readonly name = 'shoal';
  readonly size: number;
  readonly #folder: string;
  readonly #nodeOptions: readonly string[];
  readonly #members = new Map<number, MemberProcess>();
  #kvAddresses: readonly string[] = [];
  #endedCpuSeconds = 0;

  /** @param nodeOptions given to every member's Node, such as `--cpu-prof`. */
  constructor(folder: string, size: number, nodeOptions: readonly string[]) {
    this.#folder = folder;
    this.size = size;
    this.#nodeOptions = nodeOptions;
  }

  async start(): Promise<void> {
    const authority = MeshAuthority.create('bench');
    const places = this.size + 1;
    const ports = await freePorts(2 * places);
    const keys = Array.from({ length: places }, () => ({ identity: HostIdentity.create(), tls: createTlsKey() }));
    const hosts = keys.map(({ identity }, at) => ({
      hostId: identity.hostId,
      peerAddress: `127.0.0.1:${ports[at] ?? 0}`,
    }));
    this.#kvAddresses = ports.slice(places).map((port) => `127.0.0.1:${port}`);
    for (const [at, { identity, tls }] of keys.entries()) {
      const config: MemberConfig = {
        raftId: at + 1,
        folder: join(this.#folder, String(at), 'log'),
        certificates: {
          meshId: authority.meshId,
          certificatePem: authority.issueHost(identity.hostId, tls.publicKeySpki),
          privateKeyPem: tls.privateKeyPem,
          authorityPem: authority.certificatePem,
        },
        hosts,
        kvAddress: this.addressOf(at),
      };
      await mkdir(join(this.#folder, String(at)), { recursive: true });
      await writeFile(this.#configOf(at), JSON.stringify(config), { mode: 0o600 });
    }
    for (let at = 0; at < this.size; at += 1) await this.#spawn(at);
    const first = this.#member(0);
    await eventually('the first member leads', async () => ((await first.status()).isLeader ? true : undefined));
    for (let at = 1; at < this.size; at += 1) {
      await first.ask({ ask: 'change', change: { type: 'addNode', nodeId: at + 1 } });
      await this.#caughtUp(at);
    }
  }

  /** Starts one more member, which does not vote. Returns its number. */
  async addLearner(): Promise<number> {
    const at = this.size;
    await this.#spawn(at);
    await this.#change({ type: 'addLearner', nodeId: at + 1 });
    await this.#caughtUp(at);
    return at;
  }

  /** Takes the member that does not vote out of the group and ends it. */
  async removeLearner(): Promise<void> {
    const at = this.size;
    await this.#change({ type: 'removeNode', nodeId: at + 1 });
    const member = this.#member(at);
    this.#endedCpuSeconds += processCpuSeconds(member.pid);
    this.#members.delete(at);
    await member.end();
  }

  addressOf(member: number): string {
    return this.#kvAddresses[member] ?? '';
  }

  leader(): Promise<number> {
    return eventually('a leader', async () => {
      for (const [at, member] of this.#members) if ((await member.status()).isLeader) return at;
      return undefined;
    });
  }

  async kill(member: number): Promise<void> {
    const process = this.#member(member);
    this.#endedCpuSeconds += processCpuSeconds(process.pid);
    this.#members.delete(member);
    await process.kill();
  }

  async restart(member: number): Promise<void> {
    await this.#spawn(member);
    await this.#caughtUp(member);
  }

  cpuSeconds(): number {
    let seconds = this.#endedCpuSeconds;
    for (const { pid } of this.#members.values()) seconds += processCpuSeconds(pid);
    return seconds;
  }

  /** Runs a load inside of a member. */
  async load(member: number, kind: LoadKind, clients: number, forMs: number): Promise<LoadResult> {
    const result = await this.#member(member).ask({ ask: 'load', kind, clients, forMs });
    if (result === true || !('ops' in result)) throw new Error('a member did not answer what it was asked');
    return result;
  }

  async stop(): Promise<void> {
    const members = [...this.#members.values()];
    this.#members.clear();
    await Promise.all(members.map((member) => member.end()));
  }

  #configOf(member: number): string {
    return join(this.#folder, String(member), 'member.json');
  }

  async #change(change: ConfChangeSingle): Promise<void> {
    await this.#member(await this.leader()).ask({ ask: 'change', change });
  }

  async #spawn(at: number): Promise<void> {
    const member = new MemberProcess(this.#configOf(at), this.#nodeOptions);
    this.#members.set(at, member);
    await member.ready;
  }

  #member(at: number): MemberProcess {
    const member = this.#members.get(at);
    if (member === undefined) throw new Error(`member ${at} is not running`);
    return member;
  }

  async #caughtUp(at: number): Promise<void> {
    await eventually(`member ${at} catches up`, async () => {
      const leader = await this.#member(await this.leader()).status();
      const own = await this.#member(at).status();
      const isIn = own.hasQuorum && [...own.voters, ...own.learners].includes(at + 1);
      return isIn && own.appliedIndex >= leader.commitIndex ? true : undefined;
    });
  }
}

class MemberProcess {
  readonly ready: Promise<void>;
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: Result): void; reject(error: Error): void }>();
  readonly #ended: Promise<void>;
  #ids = 0;
  #stderr = '';
  #isOver = false;

  constructor(config: string, nodeOptions: readonly string[]) {
    this.#process = fork(join(import.meta.dirname, 'member.ts'), [config], {
      execArgv: [...nodeOptions],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    // Killed before it was ready: a caller that waits for that hears of it, nobody need.
    this.ready.catch(() => {});
    this.#process.stderr?.on('data', (data: Buffer) => {
      this.#stderr = (this.#stderr + data.toString()).slice(-errorCharactersMax);
    });
    this.#ended = new Promise((resolve) => {
      this.#process.on('exit', (code, signal) => {
        this.#isOver = true;
        const error = new Error(`a member ended (${code ?? signal}) ${this.#stderr}`);
        ready.reject(error);
        for (const { reject } of this.#waiting.values()) reject(error);
        this.#waiting.clear();
        resolve();
      });
    });
    this.#process.on('message', (answer: MemberAnswer) => {
      if (answer.id === 0) ready.resolve();
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('error' in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.result);
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  ask(question: Question): Promise<Result> {
    if (this.#isOver) return Promise.reject(new Error('the member has ended'));
    this.#ids += 1;
    const id = this.#ids;
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.set(id, { resolve, reject });
    this.#process.send({ ...question, id }, (error) => {
      if (error !== null) reject(error);
    });
    return promise;
  }

  async status(): Promise<BenchMemberStatus> {
    const result = await this.ask({ ask: 'status' });
    if (result === true || !('isLeader' in result)) throw new Error('a member did not answer what it was asked');
    return result;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  /** Ends it in its own way, so that a profile gets written; kills it when that takes too long. */
  async end(): Promise<void> {
    if (this.#isOver) return;
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 3000);
    this.#process.disconnect();
    await this.#ended;
    clearTimeout(timer);
  }
}

type Result = Extract<MemberAnswer, { readonly result: unknown }>['result'];
