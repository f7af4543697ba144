/**
 * Simulated hosts: each with its own identity, claim book, advert and publisher, all of production; a process of them
 * shares one LevelDB and one peer listener. Takes the path of a configuration file; the parent asks over the channel.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { must } from '../../../node/base/assert.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { firstCell, type HostId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { ClaimBook } from '../../../node/host/claims/claim-book.ts';
import { type ClaimHandlers, claimHandlers } from '../../../node/host/claims/claim-handlers.ts';
import { AdvertPublisher } from '../../../node/mesh/gossip/advert-publisher.ts';
import { HostIdentity } from '../../../node/mesh/identity/identity.ts';
import { PeerClients } from '../../../node/mesh/peers/peer-client.ts';
import { fixedCertificates } from '../../../node/mesh/peers/peer-credentials.ts';
import { type PeerCall, PeerServer } from '../../../node/mesh/peers/peer-server.ts';
import { serverTable } from '../../../node/state/tables/index.ts';
import { openHostStore } from '../../../node/store/host/host-store.ts';
import type { shoal } from '../../../proto/messages.ts';
import { answerParent } from './child.ts';
import { AdvertFeed } from './feed.ts';
import type { FoundHost, HostSize, HostsConfig } from './messages.ts';
import { refuse, refuseStream } from './refuse.ts';
import { StorePart } from './store-part.ts';

/** How often a host whose records have changed brings its claims in line with them. Well below a claim's life. */
const followMs = 5_000;
const reconnectMs = 100;

function fail(error: unknown): never {
  console.error(error);
  process.exit(1);
}

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as HostsConfig;
const meshId = config.certificates.meshId;
const feed = new AdvertFeed();
const store = await openHostStore(join(config.folder, 'claims'), fail);
const counts = { admitted: 0, refused: 0, messages: 0, follows: 0, reconnects: 0 };

/** One simulated host. */
class SimulatedHost {
  readonly identity = HostIdentity.create();
  readonly name: string;
  readonly handlers: ClaimHandlers;
  readonly publisher: AdvertPublisher;
  readonly #claims: ClaimBook;
  readonly #servers = new Map<string, shoal.v1.Server>();
  #revision = 0;
  #isFollowDue = false;

  constructor(number: number, size: HostSize) {
    const { hostId } = this.identity;
    this.name = `host-${number}`;
    const pool = (total: number) => ({ total, reserved: 0, allocationRatio: 1 });
    this.#claims = new ClaimBook(
      {
        store: new StorePart(store, hostId),
        clock: systemClock,
        onChange: () => this.publisher.changed(),
        isApart: () => false,
      },
      {
        vcpus: pool(size.vcpus),
        memoryMib: pool(size.memoryMib),
        diskGib: pool(size.diskGib),
        pciPools: [],
        numaCells: [],
      },
    );
    this.publisher = new AdvertPublisher(
      { clock: systemClock, logger: silentLogger, gossip: feed, identity: this.identity },
      {
        topic: 'adverts',
        epoch: Date.now(),
        compose: () => advertOf(this.name, size, this.#claims),
        onAdvert: () => {},
      },
    );
    this.handlers = claimHandlers({
      claims: this.#claims,
      freshAdvert: () => this.publisher.fresh(),
      nextAdvert: () => this.publisher.next,
      isEnabled: () => true,
      hostId,
      onClaim: (result) => {
        counts[result] += 1;
      },
    });
  }

  /** A record of a server here has changed, or has come. */
  noteRecord(server: shoal.v1.Server, revision: number): void {
    this.#servers.set(server.id, server);
    this.#revision = revision;
    if (this.#isFollowDue) return;
    this.#isFollowDue = true;
    this.#follow().catch(fail);
  }

  async #follow(): Promise<void> {
    await setTimeout(followMs);
    this.#isFollowDue = false;
    counts.follows += 1;
    const lapsed = await this.#claims.follow(
      [...this.#servers.values()],
      this.identity.hostId,
      this.#revision,
      () => false,
      () => false,
    );
    for (const [serverId, shortage] of lapsed) throw new ShoalError('CLAIM_REFUSED', `${serverId}: ${shortage}`);
  }
}

function advertOf(name: string, size: HostSize, claims: ClaimBook): shoal.v1.IAdvert {
  const usage = claims.usage();
  return {
    hostName: name,
    meshId,
    cell: firstCell,
    peerAddress: config.self.peerAddress,
    hostIp: '192.0.2.1',
    zone: 'nova',
    failureDomain: '',
    vcpus: size.vcpus,
    memoryMib: size.memoryMib,
    diskGib: size.diskGib,
    vcpusRatio: 1,
    memoryRatio: 1,
    diskRatio: 1,
    vcpusUsed: usage.vcpus.used,
    memoryMibUsed: usage.memoryMib.used,
    diskGibUsed: usage.diskGib.used,
    servers: usage.servers,
    traits: ['COMPUTE_ACCEL_KVM', 'COMPUTE_NET_VXLAN'],
    storagePools: ['local'],
    enabled: true,
    hypervisorType: 'kvm',
    hypervisorVersion: 7_002_022,
    architecture: 'x86_64',
    featureLevel: 1,
    agentVersion: '0.1.0',
  };
}

const hosts = new Map<string, SimulatedHost>();
for (let n = 0; n < config.hosts; n++) {
  const host = new SimulatedHost(config.firstHost + n, config.size);
  hosts.set(host.identity.hostId, host);
}

const addresses = new Map(config.agents.map((agent) => [agent.hostId, agent.peerAddress]));
const server = new PeerServer(
  { clock: systemClock, logger: silentLogger },
  {
    certificates: fixedCertificates(config.certificates),
    admits: (id) => addresses.has(id),
    handlers: {
      claim: (request, call) => hostOf(request.hostId).handlers.claim(request, call),
      claimBatch,
      releaseClaim: (request, call) => hostOf(request.hostId).handlers.releaseClaim(request, call),
      raft: refuse,
      forward: refuseStream,
      propose: refuse,
      readIndex: refuse,
      fetchSnapshot: refuseStream,
      fetchBlob: refuseStream,
      pullView: refuse,
      consoleLog: refuse,
      askGuest: refuse,
      console: refuseStream,
      probe: refuse,
      watchState: refuseStream,
      followSlice: refuseStream,
      relay: refuseStream,
      relayJoin: refuse,
      announce: async () => ({ recorded: false }),
    },
    join: { admit: () => {}, join: refuse, renew: refuse },
  },
);
await server.listen(config.self.peerAddress);
await feed.listen(config.feedAddress);
const peers = new PeerClients(
  { logger: silentLogger },
  { certificates: fixedCertificates(config.certificates), addressOf: (id) => addresses.get(id) },
);

answerParent(async (question) => {
  switch (question.ask) {
    case 'host-list':
      return [...hosts.values()].map(
        ({ identity: { hostId, publicKey }, name }): FoundHost => ({ hostId, publicKey, name }),
      );
    case 'watch':
      await startHosts();
      return true;
    case 'counts':
      return { ...counts, adverts: feed.count };
    default:
      throw new ShoalError('NOT_IMPLEMENTED', `A process of hosts is not asked for ${question.ask}.`);
  }
});

function hostOf(hostId: string): SimulatedHost {
  const host = hosts.get(hostId);
  if (host === undefined) throw new ShoalError('NOT_FOUND', `No host ${hostId} is in this process.`);
  return host;
}

/** The claims of a message, each at its own host. */
async function claimBatch(
  { claims }: shoal.v1.ClaimBatchRequest,
  call: PeerCall,
): Promise<shoal.v1.IClaimBatchResponse> {
  counts.messages += 1;
  const told = await Promise.all(claims.map((claim) => hostOf(claim.hostId).handlers.claim(claim, call)));
  const adverts = told.flatMap((answer) => answer.advert ?? []);
  return { answers: told.map(({ advert: _, ...answer }) => answer), adverts };
}

/** Says for the first time what the hosts have, and follows the records from then on. */
async function startHosts(): Promise<void> {
  const agent = must(config.agents[0], 'an agent').hostId as HostId;
  follow(agent).catch(fail);
  for (const host of hosts.values()) {
    await host.publisher.start();
    await setImmediate();
  }
}

/** Servers on record, as an agent that keeps the log tells of them. A lost connection is taken up where it broke off. */
async function follow(agent: HostId): Promise<never> {
  const { signal } = new AbortController();
  let afterRevision = 0;
  for (;;) {
    try {
      const request = { prefix: serverTable.prefix, afterRevision };
      for await (const { revision, changes } of peers.to(agent).calls.watchState(request, { signal })) {
        afterRevision = revision;
        for (const { value } of changes) {
          if (value === null) continue;
          const record = serverTable.decode(value);
          hosts.get(record.hostId)?.noteRecord(record, revision);
        }
      }
    } catch (caught) {
      if (!ShoalError.is(caught, 'UNAVAILABLE', 'DEADLINE_EXCEEDED')) throw caught;
    }
    counts.reconnects += 1;
    await setTimeout(reconnectMs);
  }
}
