/** A member of the mesh that speaks gossipsub by hand: the key is right, and what it says is whatever the test wants. */
import { setImmediate } from 'node:timers/promises';
import { RPC } from '@libp2p/gossipsub/message';
import { identify } from '@libp2p/identify';
import type { Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p, type Libp2p } from 'libp2p';
import { systemClock } from '../../../node/base/clock.ts';
import { Prng } from '../../../node/base/prng.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import type { GossipPeer } from '../../../node/mesh/gossip/gossip.ts';
import { Libp2pGossip } from '../../../node/mesh/gossip/libp2p-gossip.ts';
import { HostIdentity } from '../../../node/mesh/identity/identity.ts';
import { libp2pPrivateKey, peerIdOf } from '../../../node/mesh/identity/libp2p-keys.ts';

/** The one topic of the tests' meshes. */
export const gossipTopic = 'shoal/m-1/cell0/adverts/1';
const protocol = '/meshsub/1.2.0';

/** What ends when a test does. */
interface Teardown {
  teardown(run: () => Promise<void>): void;
}

/** An honest host; messages that begin with `bad` are rejected, as its validator would reject a wrong signature. */
export interface HonestHost {
  readonly identity: HostIdentity;
  readonly gossip: Libp2pGossip;
  readonly heard: Set<string>;
  /** How to reach it. */
  peer(): GossipPeer;
}

export async function startHonestHost(t: Teardown, admits: (hostId: string) => boolean): Promise<HonestHost> {
  const identity = HostIdentity.create();
  const heard = new Set<string>();
  const gossip = new Libp2pGossip(
    { clock: systemClock, logger: silentLogger, random: new Prng(identity.publicKey[0] ?? 0), identity },
    { listen: '/ip4/127.0.0.1/tcp/0', topics: [gossipTopic], admits },
  );
  gossip.subscribe(gossipTopic, {
    validate: (data) => (Buffer.from(data).toString().startsWith('bad') ? 'reject' : 'accept'),
    handle: (data) => heard.add(Buffer.from(data).toString()),
  });
  await gossip.start();
  t.teardown(() => gossip.stop());
  const { hostId, publicKey } = identity;
  return { identity, gossip, heard, peer: () => ({ hostId, publicKey, address: gossip.addresses[0] ?? '' }) };
}

/** The attacker. */
export class HostileMember {
  readonly identity: HostIdentity;
  readonly #node: Libp2p;
  readonly #said: RPC[] = [];
  #stream: Stream | undefined;

  private constructor(identity: HostIdentity, node: Libp2p) {
    this.identity = identity;
    this.#node = node;
  }

  static async start(t: Teardown, identity = HostIdentity.create()): Promise<HostileMember> {
    const node = await createLibp2p({
      privateKey: libp2pPrivateKey(identity),
      addresses: { listen: [] },
      transports: [tcp()],
      connectionEncrypters: [tls()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
      connectionManager: { reconnectRetries: 0 },
      services: { identify: identify() },
    });
    const member = new HostileMember(identity, node);
    await node.handle(protocol, (stream) => member.#listen(stream));
    t.teardown(() => member.stop());
    return member;
  }

  /** Safe to call twice. */
  async stop(): Promise<void> {
    await this.#node.stop();
  }

  /** Connects to a host and is taken for a gossiping peer. Rejects when it is not let in. */
  async connect(victim: HonestHost): Promise<void> {
    const address = `${victim.peer().address}/p2p/${peerIdOf(victim.identity.publicKey).toString()}`;
    const connection = await this.#node.dial(multiaddr(address), { signal: AbortSignal.timeout(5_000) });
    this.#stream = await connection.newStream(protocol, { signal: AbortSignal.timeout(5_000) });
  }

  /** Whether the victim speaks to it as well. */
  get isSpokenTo(): boolean {
    return this.#said.length > 0;
  }

  /** How often the victim said PRUNE. */
  prunes(): number {
    return this.#said.reduce((sum, rpc) => sum + (rpc.control?.prune.length ?? 0), 0);
  }

  /** Sends a frame `count` times, as fast as the connection takes it. False: the connection ended first. */
  async send(rpc: Partial<RPC> | Uint8Array, count = 1): Promise<boolean> {
    const content = rpc instanceof Uint8Array ? rpc : RPC.encode({ subscriptions: [], messages: [], ...rpc });
    const frame = Buffer.concat([lengthPrefix(content.length), content]);
    const atOnce = Math.max(1, Math.min(count, Math.floor(65_536 / frame.length)));
    for (let left = count; left > 0; left -= atOnce) {
      const stream = this.#stream;
      if (stream?.status !== 'open') return false;
      try {
        const goesOn = stream.send(Buffer.concat(Array.from({ length: Math.min(atOnce, left) }, () => frame)));
        if (!goesOn) await stream.onDrain({ signal: AbortSignal.timeout(10_000) });
        // The victim lives in this process, and gets its turn.
        await setImmediate();
      } catch {
        // The victim ended it while this was being sent: what the caller wants to know.
        return false;
      }
    }
    return true;
  }

  /** A message of the topic. */
  publish(text: string): Promise<boolean> {
    return this.send({ messages: [{ topic: gossipTopic, data: Buffer.from(text) }] });
  }

  #listen(stream: Stream): void {
    let rest = Buffer.alloc(0);
    stream.addEventListener('message', ({ data }) => {
      rest = Buffer.concat([rest, data.subarray()]);
      for (;;) {
        const { length, begin } = readLength(rest);
        if (length === undefined || rest.length < begin + length) return;
        this.#said.push(RPC.decode(rest.subarray(begin, begin + length)));
        rest = rest.subarray(begin + length);
      }
    });
  }
}

function lengthPrefix(length: number): Buffer {
  const bytes: number[] = [];
  let left = length;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left & 0x7f) | 0x80);
  return Buffer.from([...bytes, left]);
}

function readLength(bytes: Buffer): { readonly length?: number; readonly begin: number } {
  let length = 0;
  for (let at = 0; at < Math.min(bytes.length, 5); at += 1) {
    const byte = bytes.readUInt8(at);
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { length, begin: at + 1 };
  }
  return { begin: 0 };
}
