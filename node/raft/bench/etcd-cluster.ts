/** etcd's own server, a process a member, as Debian ships it and with its own defaults: plain HTTP between members. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchCluster, eventually } from './cluster.ts';
import { KvClient } from './kv-client.ts';
import { freePorts, outputOf, processCpuSeconds } from './machine.ts';

const askMs = 500;
const errorCharactersMax = 4000;

/** The installed etcd as it names itself; undefined when there is none. */
export function etcdVersion(): string | undefined {
  return outputOf('etcd', ['--version'])?.split('\n')[0];
}

export class EtcdCluster implements BenchCluster {
  readonly name = 'etcd';
  readonly size: number;
  readonly #folder: string;
  readonly #members = new Map<number, { readonly process: ChildProcess; readonly ended: Promise<void> }>();
  readonly #clients: KvClient[] = [];
  #ports: readonly number[] = [];
  #endedCpuSeconds = 0;
  #stderr = '';

  constructor(folder: string, size: number) {
    this.#folder = folder;
    this.size = size;
  }

  async start(): Promise<void> {
    this.#ports = await freePorts(2 * this.size);
    await mkdir(this.#folder, { recursive: true });
    for (let at = 0; at < this.size; at += 1) {
      this.#spawn(at);
      this.#clients.push(new KvClient(this.addressOf(at), 1));
    }
    for (let at = 0; at < this.size; at += 1) await this.#serves(at);
  }

  addressOf(member: number): string {
    return `127.0.0.1:${this.#ports[member] ?? 0}`;
  }

  /** 0 when it does not run. */
  pidOf(member: number): number {
    return this.#members.get(member)?.process.pid ?? 0;
  }

  leader(): Promise<number> {
    return eventually('a leader of etcd', async () => {
      for (const at of this.#members.keys()) {
        const status = await this.#clients[at]?.status(askMs);
        if (status !== undefined && status.memberId === status.leader) return at;
      }
      return undefined;
    });
  }

  async kill(member: number): Promise<void> {
    const found = this.#members.get(member);
    if (found === undefined) return;
    this.#endedCpuSeconds += processCpuSeconds(found.process.pid ?? 0);
    this.#members.delete(member);
    found.process.kill('SIGKILL');
    await found.ended;
  }

  async restart(member: number): Promise<void> {
    this.#spawn(member);
    await this.#serves(member);
  }

  cpuSeconds(): number {
    let seconds = this.#endedCpuSeconds;
    for (const { process } of this.#members.values()) seconds += processCpuSeconds(process.pid ?? 0);
    return seconds;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    for (const at of [...this.#members.keys()]) await this.kill(at);
  }

  #spawn(at: number): void {
    const peerUrl = (member: number): string => `http://127.0.0.1:${this.#ports[this.size + member] ?? 0}`;
    const clientUrl = `http://${this.addressOf(at)}`;
    const names = Array.from({ length: this.size }, (_, member) => `m${member}=${peerUrl(member)}`);
    // setpriv ends it with us, should we be killed before we can.
    const process = spawn(
      'setpriv',
      [
        '--pdeathsig=KILL',
        'etcd',
        `--name=m${at}`,
        `--data-dir=${join(this.#folder, String(at))}`,
        `--listen-client-urls=${clientUrl}`,
        `--advertise-client-urls=${clientUrl}`,
        `--listen-peer-urls=${peerUrl(at)}`,
        `--initial-advertise-peer-urls=${peerUrl(at)}`,
        `--initial-cluster=${names.join(',')}`,
        '--initial-cluster-token=shoal-bench',
        '--logger=zap',
        '--log-level=error',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    process.stderr.on('data', (data: Buffer) => {
      this.#stderr = (this.#stderr + data.toString()).slice(-errorCharactersMax);
    });
    const ended = new Promise<void>((resolve) => {
      process.on('exit', () => resolve());
      process.on('error', () => resolve());
    });
    this.#members.set(at, { process, ended });
  }

  /** A linearizable read at this member: it has caught up with the leader. */
  async #serves(at: number): Promise<void> {
    await eventually(`etcd member ${at} serves`, async () => {
      const { process } = this.#members.get(at) ?? {};
      if (process === undefined || process.exitCode !== null) throw new Error(`etcd ended: ${this.#stderr}`);
      await this.#clients[at]?.range(0, { key: 'bench/none', serializable: false }, askMs);
      return true;
    });
  }
}
