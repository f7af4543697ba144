/**
 * Gossip of adverts among very many hosts: production's publisher, its rules of which advert wins, and its comparison of
 * views, on a simulated network; libp2p's gossipsub is modelled (gossipsub-model.ts). Signatures are not made: who speaks
 * for whom is tested elsewhere, and what checking them costs is counted as time where it matters (a pull).
 */
import { firstCell, type HostId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { AdvertPublisher } from '../../node/mesh/gossip/advert-publisher.ts';
import { gossipTopic } from '../../node/mesh/gossip/gossip.ts';
import { gossipsubParameters } from '../../node/mesh/gossip/gossipsub-parameters.ts';
import { linkPolicy } from '../../node/mesh/gossip/link-keeper.ts';
import { AdvertView, type HeldAdvert } from '../../node/mesh/rules/adverts.ts';
import { advertsAfter, compareRows, differingRows } from '../../node/mesh/rules/view-comparison.ts';
import { ViewSync } from '../../node/mesh/rules/view-sync.ts';
import { shoal } from '../../proto/messages.ts';
import { GossipsubModel } from './gossipsub-model.ts';
import { LayeredAdverts } from './layered-adverts.ts';
import type { MeshNetwork } from './mesh-network.ts';

/** Opening a stream and closing it, both ways together: libp2p's negotiation. Unit: bytes. */
const streamBytes = 160;
/** A row of a view on the wire; adverts in a message of a stream. Unit: bytes. */
const rowBytes = 32;
const pageBytes = 48 * 1024;
/** Time to check one signature: measured as 0.2 ms. Unit: ms. */
const signatureMs = 0.2;
/** How often it is looked whether views are to be compared, and how long an answer may take. Unit: ms. */
const lookMs = 250;
const silenceMs = 5_000;
/** An Ed25519 signature and key. */
const noSignature = new Uint8Array(64);
const noKey = new Uint8Array(32);
/** What an x86 host of today tells: names of the length that Nova's traits have. */
const traits = Array.from({ length: 30 }, (_, at) => `HW_CPU_X86_FEATURE_${at}`);

const meshId = '00000000-0000-4000-8000-000000000000';
const advertsTopic = gossipTopic('adverts', { meshId, cell: firstCell });
const updatesTopic = gossipTopic('updates', { meshId, cell: firstCell });

interface Host {
  readonly hostId: HostId;
  readonly publisher: AdvertPublisher;
  view: AdvertView;
  readonly sync: ViewSync;
  vcpusUsed: number;
  isEnabled: boolean;
}

interface Told {
  readonly held: HeldAdvert;
  /** Only those who hold an advert of the same profile can use it. */
  readonly isUpdate: boolean;
}

export class GossipWorld {
  readonly network: MeshNetwork;
  readonly hosts: readonly Host[];
  /** Hosts that pass on nothing, say that every view is like theirs, and hand out an empty one. */
  readonly mute = new Set<number>();
  /** Bytes of the last advert, and of the last update, that was published. */
  advertBytes = 0;
  updateBytes = 0;
  readonly #gossipsub: GossipsubModel<Told>;
  readonly #numbers = new Map<HostId, number>();
  /** By host: those that it is linked with. */
  readonly #linked: readonly (readonly HostId[])[];
  #isRunning = false;
  #onTaken: (host: number, held: HeldAdvert) => void = () => {};

  constructor(network: MeshNetwork, random: Prng) {
    this.network = network;
    this.#gossipsub = new GossipsubModel<Told>(network, random.fork(), gossipsubOptions, {
      accept: (host, told) => this.#hear(host, told),
      isMute: (host) => this.mute.has(host),
    });
    const first = new Map<HostId, HeldAdvert>();
    this.hosts = Array.from({ length: network.hosts }, (_, number) => this.#host(number, random.fork(), first));
    for (const { publisher } of this.hosts) void publisher.start();
    const whole = new AdvertView(first);
    for (const [number, host] of this.hosts.entries()) {
      host.view = new AdvertView(new LayeredAdverts(first), whole);
      network.every(lookMs, () => this.#look(number), { firstMs: random.float() * lookMs });
    }
    this.#linked = this.#gossipsub.links.map((links) => links.map((link) => this.#hostOf(link).hostId));
    this.#isRunning = true;
  }

  /** Has `onTaken` called for each advert that a host takes in, whatever way it came. Default: nobody hears of them. */
  watch(onTaken: (host: number, held: HeldAdvert) => void = () => {}): void {
    this.#onTaken = onTaken;
  }

  /** A host's amounts change: it has one more guest or one fewer, or takes no more. */
  change(number: number, kind: 'ordinary' | 'important'): void {
    const host = this.#hostOf(number);
    if (kind === 'important') host.isEnabled = !host.isEnabled;
    else host.vcpusUsed = host.vcpusUsed === 100 ? 101 : 100;
    host.publisher.changed();
  }

  /** The agent of a host starts again and holds nothing but its own advert. */
  restart(number: number): void {
    const host = this.#hostOf(number);
    const own = host.view.get(host.hostId);
    host.view = new AdvertView();
    if (own !== undefined) host.view.merge(own);
  }

  /** A host has a link again after it had none. */
  linkMade(number: number): void {
    this.#hostOf(number).sync.missed(this.network.nowMs);
  }

  /** Whether a host holds the newest advert of every host. */
  isWhole(number: number): boolean {
    const { view } = this.#hostOf(number);
    return this.hosts.every(
      ({ hostId, view: own }) => view.get(hostId)?.advert.sequence === own.get(hostId)?.advert.sequence,
    );
  }

  #hostOf(number: number): Host {
    const host = this.hosts[number];
    if (host === undefined) throw new RangeError(`no host ${number}`);
    return host;
  }

  #host(number: number, random: Prng, first: Map<HostId, HeldAdvert>): Host {
    const { network } = this;
    const hostId = hostIdOf(number, random);
    this.#numbers.set(hostId, number);
    let made: HeldAdvert | undefined;
    const host: Host = {
      hostId,
      vcpusUsed: 100,
      isEnabled: true,
      view: new AdvertView(),
      sync: new ViewSync(random.fork(), 0),
      publisher: new AdvertPublisher(
        {
          clock: {
            nowMs: () => 1_800_000_000_000 + network.nowMs,
            monotonicMs: () => network.nowMs,
            setTimeout: (run, delayMs) => network.after(delayMs, run, number),
            setInterval: () => {
              throw new RangeError('a publisher needs no interval');
            },
          },
          logger: silentLogger,
          identity: { hostId, publicKey: noKey, sign: () => noSignature },
          gossip: {
            publish: async (topic, bytes) => {
              const isUpdate = topic === updatesTopic;
              if (isUpdate) this.updateBytes = bytes.length;
              else this.advertBytes = bytes.length;
              if (!this.#isRunning || made === undefined) return;
              this.#gossipsub.publish(
                number,
                { held: made, isUpdate },
                {
                  bytes: bytes.length,
                  topicBytes: topic.length,
                  idBytes: isUpdate ? 16 : 32,
                },
              );
            },
          },
        },
        {
          topic: advertsTopic,
          updates: { topic: updatesTopic, meshId, areUnderstood: () => true },
          epoch: 1_800_000_000_000,
          compose: () => advertOf(number, host),
          onAdvert: (signed) => {
            made = { hostId, advert: shoal.v1.Advert.decode(signed.advert), signed, takenMs: network.nowMs };
            if (this.#isRunning) this.#take(number, made);
            else first.set(hostId, made);
          },
        },
      ),
    };
    return host;
  }

  /** As `AdvertExchange`: an update without the advert that it is for is of no use, and a reason to compare. */
  #hear(number: number, { held, isUpdate }: Told): boolean {
    const { view, sync } = this.#hostOf(number);
    const base = view.get(held.hostId)?.advert;
    const { epoch, profile } = held.advert;
    if (isUpdate && (base?.epoch !== epoch || base.profile !== profile)) {
      sync.missed(this.network.nowMs);
      return false;
    }
    return this.#take(number, held);
  }

  #take(number: number, held: HeldAdvert): boolean {
    if (!this.#hostOf(number).view.merge(held)) return false;
    this.#onTaken(number, held);
    return true;
  }

  /** As `ViewExchange` does it, one message after another on a stream. */
  #look(number: number): void {
    const { view, sync } = this.#hostOf(number);
    const ids = this.#linked[number] ?? [];
    const counts = { held: view.size, members: this.hosts.length };
    const action = sync.next(this.network.nowMs, ids, counts);
    if (action === undefined) return;
    const peer = this.#numbers.get(action.with) ?? number;
    let isOver = false;
    let newAdverts = 0;
    const end = (isComplete: boolean): void => {
      if (isOver) return;
      isOver = true;
      sync.ended(this.network.nowMs, { isComplete, newAdverts });
    };
    this.network.after(silenceMs, () => end(false), number);
    const takeAll = (adverts: readonly HeldAdvert[], then: () => void): void => {
      this.network.after(adverts.length * signatureMs, () => {
        for (const held of adverts) if (this.#take(number, held)) newAdverts += 1;
        then();
      });
    };
    if (action.kind === 'pull') this.#pull(number, peer, takeAll, () => end(true));
    else this.#compare(number, peer, takeAll, () => end(true));
  }

  #pull(number: number, peer: number, takeAll: TakeAll, end: () => void): void {
    this.network.stream(number, peer, streamBytes, () => {
      const pages = this.mute.has(peer) ? [] : pagesOf(advertsAfter(this.#hostOf(peer).view, ''));
      let left = pages.length;
      // The stream keeps their order: a page is taken in when those before it have been.
      for (const page of pages)
        this.network.stream(peer, number, bytesOf(page), () =>
          takeAll(page, () => {
            left -= 1;
            if (left === 0) end();
          }),
        );
      if (left === 0) this.network.stream(peer, number, streamBytes, end);
    });
  }

  #compare(number: number, peer: number, takeAll: TakeAll, end: () => void): void {
    const { view } = this.#hostOf(number);
    const digest = view.digest;
    this.network.stream(number, peer, streamBytes + digest.length, () => {
      const far = this.#hostOf(peer).view;
      const theirs = far.digest;
      if (this.mute.has(peer) || Buffer.compare(theirs, digest) === 0) {
        this.network.stream(peer, number, streamBytes, end);
        return;
      }
      const rows = differingRows(far, digest);
      this.network.stream(peer, number, streamBytes + theirs.length + rows.length * rowBytes, () => {
        const { wants, gives } = compareRows(view, theirs, rows);
        if (wants.length + gives.length === 0) {
          end();
          return;
        }
        this.network.stream(number, peer, streamBytes + bytesOf(gives) + wants.length * 18, () => {
          for (const held of gives) this.#take(peer, held);
          const wanted = wants.flatMap((hostId) => far.get(hostId) ?? []);
          this.network.stream(peer, number, streamBytes + bytesOf(wanted), () => takeAll(wanted, end));
        });
      });
    });
  }
}

type TakeAll = (adverts: readonly HeldAdvert[], then: () => void) => void;

/** Production's, with the sizes on the wire of its ids and topics. */
const gossipsubOptions = {
  ...gossipsubParameters,
  historyGossip: gossipsubParameters.mcacheGossip,
  heartbeatMs: gossipsubParameters.heartbeatInterval,
  links: { wanted: linkPolicy.linksWanted, max: linkPolicy.linksMax },
};

function bytesOf(adverts: readonly HeldAdvert[]): number {
  return adverts.reduce((sum, { signed }) => sum + signed.advert.length + 104, 0);
}

function pagesOf(adverts: readonly HeldAdvert[]): readonly (readonly HeldAdvert[])[] {
  const pages: HeldAdvert[][] = [];
  let bytes = pageBytes;
  for (const held of adverts) {
    const size = bytesOf([held]);
    if (bytes + size > pageBytes) {
      pages.push([]);
      bytes = 0;
    }
    pages.at(-1)?.push(held);
    bytes += size;
  }
  return pages;
}

function hostIdOf(number: number, random: Prng): HostId {
  const word = (): string => random.uint32().toString(16).padStart(8, '0');
  return `${word()}${word()}${word()}${number.toString(16).padStart(8, '0')}` as HostId;
}

function advertOf(number: number, { hostId, vcpusUsed, isEnabled }: Host): shoal.v1.IAdvert {
  return {
    hostId,
    hostName: `compute-${number}.example.net`,
    meshId,
    cell: firstCell,
    peerAddress: '10.20.30.40:7401',
    hostIp: '10.20.30.40',
    zone: 'nova',
    failureDomain: `rack-${number % 40}`,
    vcpus: 128,
    memoryMib: 512 * 1024,
    diskGib: 8_000,
    vcpusRatio: 4,
    memoryRatio: 1,
    diskRatio: 1,
    vcpusUsed,
    memoryMibUsed: 2_048 * vcpusUsed,
    diskGibUsed: 20 * vcpusUsed,
    servers: vcpusUsed,
    traits,
    storagePools: ['local'],
    pools: [{ name: 'local', shared: false }],
    enabled: isEnabled,
    hypervisorType: 'kvm',
    hypervisorVersion: 7_002_022,
    architecture: 'x86_64',
    featureLevel: 1,
    cpuPercent: 20,
    load_1m: 8,
    agentVersion: '0.1.0',
    metrics: { 'memory.available_mib': 100_000 },
  };
}
