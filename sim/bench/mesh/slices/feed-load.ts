/** A replica that feeds all hosts of a cell: two processes on one machine, over mutual TLS. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { HostId } from '../../../../node/base/ids.ts';
import { MeshAuthority } from '../../../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity } from '../../../../node/mesh/identity/identity.ts';
import type { PeerCertificates } from '../../../../node/mesh/peers/peer-credentials.ts';
import { freePorts } from '../../../../node/raft/bench/machine.ts';
import type { Figure } from '../figures/figure.ts';
import { timesOf } from '../figures/times.ts';
import { Child } from '../hosts/child.ts';
import { Cell } from '../state/cell.ts';
import type { ReplicaAnswer, ReplicaQuestion } from './replica-process.ts';
import type { Follows, SubscribersAnswer, SubscribersQuestion } from './subscribers-process.ts';

/** How much of it. */
interface FeedOptions {
  /** Subscribers that each have the slice of a host; all in one process, which has all their rows. */
  readonly hosts: number;
  /** Subscribers that have little each: the servers of one host, and then one row. */
  readonly watchers: number;
  readonly writesPerSecond: number;
  readonly forMs: number;
  /** Changes of one row that all have. */
  readonly sharedChanges: number;
  readonly folder: string;
  readonly say: (text: string) => void;
  /** Told why one kind of subscribers has no further figures. */
  readonly failed: (text: string) => void;
}

type Replica = Child<ReplicaQuestion, ReplicaAnswer>;
type Subscribers = Child<SubscribersQuestion, SubscribersAnswer>;
type Add = (what: string, value: number, unit: string, target?: number) => void;

/** A host has about ten guests in as many networks. */
const guestsAHost = 10;
const portsANetwork = 20;
const onDisk = 10;
const contents: Readonly<Record<Follows, string>> = {
  host: 'the slice of a host',
  'own-servers': 'the servers of one host',
  'one-row': 'one row',
};
/** A thousand slices in one process are some GB. */
const subscribersHeap = '--max-old-space-size=10000';

/** Measures it. */
export async function feedLoad(options: FeedOptions): Promise<readonly Figure[]> {
  const { say } = options;
  const figures: Figure[] = [];
  for (const follows of ['host', 'own-servers', 'one-row'] as const) {
    const hosts = follows === 'host' ? options.hosts : options.watchers;
    const add: Add = (text, value, unit, target) =>
      void figures.push({
        what: `${text}${follows === 'own-servers' ? ' (own servers alone)' : ''}`,
        hosts,
        value,
        unit,
        ...(target === undefined ? {} : { target }),
      });
    const folder = await mkdtemp(join(options.folder, 'feed-'));
    const replica: Replica = new Child(new URL('replica-process.ts', import.meta.url));
    const subscribers: Subscribers = new Child(new URL('subscribers-process.ts', import.meta.url), [subscribersHeap]);
    try {
      say(`slices: ${hosts} subscribers, each with ${contents[follows]}`);
      await start(replica, subscribers, { ...options, hosts, folder }, follows, add);
      if (follows === 'one-row') await writeToAll(replica, subscribers, options, add);
      else await writeToHosts(replica, subscribers, { ...options, hosts }, add);
    } catch (caught) {
      // What was measured before it stands.
      const why = caught instanceof Error ? caught.message : String(caught);
      options.failed(`${hosts} subscribers, each with ${contents[follows]}: ${why}`);
    } finally {
      await Promise.all([replica.end(), subscribers.end()]);
      await rm(folder, { recursive: true, force: true });
    }
  }
  return figures;
}

async function start(
  replica: Replica,
  subscribers: Subscribers,
  { hosts, folder }: FeedOptions,
  follows: Follows,
  add: Add,
): Promise<void> {
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const authority = MeshAuthority.create('bench');
  const certificatesOf = (hostId: HostId): PeerCertificates => {
    const tls = createTlsKey();
    return {
      meshId: authority.meshId,
      certificatePem: authority.issueHost(hostId, tls.publicKeySpki),
      privateKeyPem: tls.privateKeyPem,
      authorityPem: authority.certificatePem,
    };
  };
  const { hostId } = HostIdentity.create();
  const shape = {
    hosts,
    portsANetwork,
    guests: guestsAHost,
    networks: guestsAHost,
    otherNetworks: Math.round((hosts * guestsAHost) / (portsANetwork - 1)),
    networksARouter: 1,
  };
  await replica.ask({ ask: 'start', shape, certificates: certificatesOf(hostId), listen: address });
  const started = await subscribers.ask({
    ask: 'start',
    hosts: new Cell(shape).hostIds.map((id) => ({ hostId: id, certificates: certificatesOf(id) })),
    replica: { hostId, address },
    follows,
    onDisk,
    folder,
  });
  if (follows !== 'one-row') add('all slices fetched for the first time', started.tookMs / 1000, 's');
}

/** Changes of servers of one half of the hosts: what their own hosts see of it, and what the other half. */
async function writeToHosts(replica: Replica, subscribers: Subscribers, options: FeedOptions, add: Add): Promise<void> {
  const { hosts, writesPerSecond: perSecond, forMs } = options;
  const idle = await replica.ask({ ask: 'idle', forMs: 10_000 });
  add('replica at rest, processor', idle.cpuPercent, '% of a core');
  await subscribers.ask({ ask: 'begin' });
  const involvedHosts = Math.floor(hosts / 2);
  const written = await replica.ask({ ask: 'write', perSecond, forMs, involvedHosts });
  const current = await subscribers.ask({ ask: 'current', revision: written.revision });
  const applied = timesOf(current.appliedMs);
  add('writes', written.writes / (forMs / 1000), '/s');
  add('commit to applied at its host, p50', applied?.p50Ms ?? Number.NaN, 'ms');
  add('commit to applied at its host, p99', applied?.p99Ms ?? Number.NaN, 'ms', 50);
  const durable = timesOf(current.onDiskMs);
  add('commit to on disk at its host (LevelDB), p50', durable?.p50Ms ?? Number.NaN, 'ms');
  add('commit to on disk at its host (LevelDB), p99', durable?.p99Ms ?? Number.NaN, 'ms');
  add('replica under these writes, processor', written.cpuPercent, '% of a core');
  add('replica under these writes, processor a write', (written.cpuPercent * forMs) / 100 / written.writes, 'ms');
  const uninvolved = current.changes.slice(involvedHosts);
  add(
    'changes that an uninvolved host was sent',
    uninvolved.reduce((sum, count) => sum + count, 0),
    '',
    0,
  );

  await reconnectAll(replica, subscribers, add);
}

/** Changes of one row that all of them have. */
async function writeToAll(replica: Replica, subscribers: Subscribers, options: FeedOptions, add: Add): Promise<void> {
  await subscribers.ask({ ask: 'begin' });
  let cpuPercent = 0;
  let revision = 0;
  const everyMs = 200;
  for (let change = 0; change < options.sharedChanges; change += 1) {
    await replica.ask({ ask: 'touch' });
    const rest = await replica.ask({ ask: 'idle', forMs: everyMs });
    cpuPercent += rest.cpuPercent / options.sharedChanges;
    revision = rest.revision;
  }
  const found = await subscribers.ask({ ask: 'current', revision });
  const all = timesOf(found.seenByAllMs);
  add('one row that all watch: seen by all, p50', all?.p50Ms ?? Number.NaN, 'ms');
  add('one row that all watch: seen by all, worst', all?.worstMs ?? Number.NaN, 'ms');
  add('one row that all watch: seen by one, p50', timesOf(found.seenByOneMs)?.p50Ms ?? Number.NaN, 'ms');
  add('one row that all watch: replica, processor a change', (cpuPercent / 100) * everyMs, 'ms');
  await reconnectAll(replica, subscribers, add);
}

/** The replica goes, its state changes, and it comes back: all subscribers come at once. */
async function reconnectAll(replica: Replica, subscribers: Subscribers, add: Add): Promise<void> {
  await replica.ask({ ask: 'down' });
  const before = await replica.ask({ ask: 'write', perSecond: 100, forMs: 1_000, involvedHosts: 10 });
  // They have given up by then, and try again in their own time.
  await delay(3_000);
  await replica.ask({ ask: 'up' });
  const resumed = await subscribers.ask({ ask: 'current', revision: before.revision });
  add('all reconnect at once: the last is current after', resumed.tookMs / 1000, 's', 10);
}
