/** What the state of a large cell costs a replica: on disk, in memory, to apply, to start with, to give away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from '../figures/figure.ts';
import { Child } from '../hosts/child.ts';
import type { StateAnswer, StateQuestion } from './replica-process.ts';

/** How much of it. */
interface LargeStateOptions {
  readonly hosts: number;
  readonly servers: number;
  readonly folder: string;
  readonly say: (text: string) => void;
}

const portsANetwork = 200;
const targetNetworks = 20;
const changes = 500;
const kib = 1024;

/** Measures it. */
export async function largeState({ hosts, servers, folder, say }: LargeStateOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const add = (what: string, value: number | undefined, unit: string, target?: number): void =>
    void figures.push({ what, hosts, value: value ?? Number.NaN, unit, ...(target === undefined ? {} : { target }) });
  const own = await mkdtemp(join(folder, 'state-'));
  const networks = Math.round(servers / (portsANetwork - 1));
  const shape = {
    hosts,
    portsANetwork,
    guests: 50,
    networks: Math.min(targetNetworks, networks),
    otherNetworks: Math.max(0, networks - targetNetworks),
    networksARouter: 5,
  };
  try {
    say(`state: ${servers} servers are written`);
    const empty = await inProcess(own, async (replica) => {
      const before = await replica.ask({ ask: 'memory' });
      const filled = await replica.ask({ ask: 'fill', shape });
      add('servers', filled['servers'], '');
      add('written in', (filled['fillMs'] ?? 0) / 1000, 's');
      const after = await replica.ask({ ask: 'memory' });
      add('replica that has applied them: resident', after['rssMib'], 'MiB');
      add('  heap and buffers a server', bytesAServer(before, after, filled['servers'] ?? 1) / kib, 'KiB', 3);
      await replica.ask({ ask: 'close' });
      return { before, servers: filled['servers'] ?? 1 };
    });
    say('state: a replica starts from its disk');
    await inProcess(own, async (replica, started) => {
      add('replica starts from its disk, and serves', (started['readyMs'] ?? 0) / 1000, 's');
      add('  of that the state is read', (started['readMs'] ?? 0) / 1000, 's');
      const memory = await replica.ask({ ask: 'memory' });
      add('replica after a start: resident', memory['rssMib'], 'MiB');
      add('  heap', memory['heapMib'], 'MiB');
      add('  buffers outside of it', memory['arrayBuffersMib'], 'MiB');
      add('  heap and buffers a server', bytesAServer(empty.before, memory, empty.servers) / kib, 'KiB', 3);
      add('on disk', memory['diskMib'], 'MiB');
      const changed = await replica.ask({ ask: 'changes', count: changes });
      add('one change committed (one voter, synced), p50', changed['commitP50Ms'], 'ms');
      add('one change committed (one voter, synced), p99', changed['commitP99Ms'], 'ms');
      add('one change decoded and applied in memory', changed['applyUs'], 'µs');
      const snapshot = await replica.ask({ ask: 'snapshot' });
      add('snapshot', snapshot['mib'], 'MiB');
      add('snapshot is taken', snapshot['takeMs'], 'ms');
      add('snapshot is encoded', (snapshot['encodeMs'] ?? 0) / 1000, 's');
      add('  one piece, mean', snapshot['encodePieceMs'], 'ms');
      add('snapshot is decoded and made a state of', (snapshot['decodeMs'] ?? 0) / 1000, 's');
      add('  one piece, worst', snapshot['decodePieceMsWorst'], 'ms');
      add('rows of tables and indexes', snapshot['keys'], '');
    });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return figures;
}

async function inProcess<T>(
  folder: string,
  work: (replica: Child<StateQuestion, StateAnswer>, started: StateAnswer) => Promise<T>,
): Promise<T> {
  const replica = new Child<StateQuestion, StateAnswer>(new URL('replica-process.ts', import.meta.url), [
    '--expose-gc',
    '--max-old-space-size=8000',
  ]);
  try {
    return await work(replica, await replica.ask({ ask: 'open', folder: join(folder, 'log') }));
  } finally {
    await replica.end();
  }
}

/** What came to the heap and to buffers, by the server. */
function bytesAServer(before: StateAnswer, after: StateAnswer, servers: number): number {
  const mibOf = (memory: StateAnswer): number => (memory['heapMib'] ?? 0) + (memory['arrayBuffersMib'] ?? 0);
  return ((mibOf(after) - mibOf(before)) * 1024 * kib) / servers;
}
