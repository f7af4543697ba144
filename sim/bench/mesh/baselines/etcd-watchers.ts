/** One etcd and so many watchers of one key: from a put's sending until the last watcher has it. */
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Reader, Writer } from 'protobufjs';
import { EtcdCluster, etcdVersion } from '../../../../node/raft/bench/etcd-cluster.ts';
import { KvClient } from '../../../../node/raft/bench/kv-client.ts';
import { rounded, timesOf } from '../figures/times.ts';
import type { BaselineOptions, BaselineRow } from './row.ts';

/** As etcd's own client shares them out. */
const watchersPerConnection = 100;
/** In front of each message: 0 for "not compressed", then the length in four bytes. */
const prefixBytes = 5;
const valueBytes = 200;
const patienceMs = 30_000;
// Numbers of fields of etcdserverpb.WatchRequest, WatchCreateRequest and WatchResponse, with their kinds.
const createRequestTag = 8 + 2;
const keyTag = 8 + 2;
const createdTag = 3 * 8;
const eventsTag = 11 * 8 + 2;

/** Measures it; a text says why it could not be. */
export async function etcdWatchers(options: BaselineOptions, folder: string): Promise<BaselineRow | string> {
  const version = etcdVersion();
  if (version === undefined) return 'etcd: left out, no program of that name is installed (Debian: etcd-server)';
  const etcd = new EtcdCluster(join(folder, 'etcd'), 1);
  await etcd.start();
  const client = new KvClient(etcd.addressOf(0), 1);
  const watchers = new Watchers(etcd.addressOf(0), options.watchers);
  try {
    await watchers.open('bench');
    const cpuBefore = etcd.cpuSeconds();
    await delay(options.restMs);
    const cpuPercent = ((etcd.cpuSeconds() - cpuBefore) / (options.restMs / 1000)) * 100;
    const seenMs: number[] = [];
    for (let change = 0; change < options.changes; change += 1) {
      const seen = watchers.untilAllHaveHeard();
      const sentMs = performance.now();
      await client.put(0, { key: 'bench', value: new Uint8Array(valueBytes).fill(change) });
      await seen;
      seenMs.push(performance.now() - sentMs);
    }
    const seenByAll = timesOf(seenMs);
    if (seenByAll === undefined) return 'etcd: nothing was asked of it';
    return {
      what: 'etcd, watchers of one key, a put of 200 bytes',
      version,
      members: options.watchers,
      seenByAll,
      cpuPercent: rounded(cpuPercent),
      rssMib: rounded(rssMibOf(etcd.pidOf(0))),
    };
  } finally {
    watchers.close();
    client.close();
    await etcd.stop();
  }
}

/** Streams of etcd's watch API, each with one watcher. */
class Watchers {
  readonly #sessions: ClientHttp2Session[] = [];
  readonly #address: string;
  readonly #count: number;
  #created = 0;
  #heard = 0;
  #wake: () => void = () => {};

  constructor(address: string, count: number) {
    this.#address = address;
    this.#count = count;
  }

  /** Opens all and waits until each is confirmed. */
  async open(key: string): Promise<void> {
    const opened = this.#until(() => this.#created === this.#count);
    for (let at = 0; at < this.#count; at += 1) {
      if (at % watchersPerConnection === 0) this.#sessions.push(connect(`http://${this.#address}`));
      this.#watch(this.#sessions.at(-1), key);
    }
    await opened;
  }

  /** Resolves once every watcher has been told of something, from now on. */
  untilAllHaveHeard(): Promise<void> {
    this.#heard = 0;
    return this.#until(() => this.#heard === this.#count);
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #watch(session: ClientHttp2Session | undefined, key: string): void {
    const stream = session?.request({
      ':method': 'POST',
      ':path': '/etcdserverpb.Watch/Watch',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let rest = Buffer.alloc(0);
    stream?.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= prefixBytes && rest.length >= prefixBytes + rest.readUInt32BE(1)) {
        const end = prefixBytes + rest.readUInt32BE(1);
        this.#told(rest.subarray(prefixBytes, end));
        rest = rest.subarray(end);
      }
    });
    // Those of a session that is destroyed at the end are cut.
    stream?.on('error', () => {});
    stream?.write(framed(createRequest(key)));
  }

  #told(message: Uint8Array): void {
    const reader = Reader.create(message);
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === createdTag && reader.bool()) this.#created += 1;
      else if (tag === eventsTag) {
        this.#heard += 1;
        break;
      } else if (tag !== createdTag) reader.skipType(tag % 8);
    }
    this.#wake();
  }

  #until(isDone: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`etcd: ${this.#created} watchers, ${this.#heard} of them told`)),
        patienceMs,
      );
      this.#wake = () => {
        if (!isDone()) return;
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function createRequest(key: string): Uint8Array {
  const inner = Writer.create().uint32(keyTag).string(key).finish();
  return Writer.create().uint32(createRequestTag).bytes(inner).finish();
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

function rssMibOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) / 1024;
}
