/**
 * One member of the Raft group as a process of its own: the production Raft loop, LevelDB, and peer RPC over mutual TLS,
 * without the rest of the agent. Takes the path of a configuration file; the parent talks to it over the fork's channel.
 * Ends when the parent does.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { Prng } from '../../base/prng.ts';
import { silentLogger } from '../../base/telemetry/logger.ts';
import { RaftStateClient } from '../../consensus/client/state-client.ts';
import { RaftLoop } from '../../consensus/loop/loop.ts';
import { GrpcRaftTransport } from '../../consensus/transport/grpc-transport.ts';
import { PeerClients } from '../../mesh/peers/peer-client.ts';
import { fixedCertificates, type PeerCertificates } from '../../mesh/peers/peer-credentials.ts';
import { PeerServer } from '../../mesh/peers/peer-server.ts';
import { openLevelLogStore } from '../../store/index.ts';
import type { ConfChangeSingle } from '../index.ts';
import { KvServer, putInto, readFrom } from './kv-server.ts';
import { keyFor, type LoadResult, type Request, runLoad, valueFor } from './load.ts';

/** What the parent writes for a member. */
export interface MemberConfig {
  readonly raftId: number;
  readonly folder: string;
  readonly certificates: PeerCertificates;
  /** Members 1..n in order, with those that are not started yet. */
  readonly hosts: readonly { readonly hostId: string; readonly peerAddress: string }[];
  /** host:port of the key-value API. */
  readonly kvAddress: string;
}

/** Kinds of load that run inside of a member, as its own gateways would make it. */
export type LoadKind = 'put' | 'read-linearizable' | 'read-stale';

/** What the parent asks; each is answered by `MemberAnswer` with the same id. */
export type MemberRequest =
  | { readonly id: number; readonly ask: 'status' }
  | { readonly id: number; readonly ask: 'change'; readonly change: ConfChangeSingle }
  | {
      readonly id: number;
      readonly ask: 'load';
      readonly kind: LoadKind;
      readonly clients: number;
      readonly forMs: number;
    };

export interface BenchMemberStatus {
  readonly isLeader: boolean;
  readonly hasQuorum: boolean;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  readonly commitIndex: number;
  readonly appliedIndex: number;
}

export type MemberAnswer =
  | { readonly id: number; readonly result: BenchMemberStatus | LoadResult | true }
  | { readonly id: number; readonly error: string };

const refuse = async (): Promise<never> => {
  throw new ShoalError('NOT_IMPLEMENTED', 'The bench has no such part.');
};

// biome-ignore lint/correctness/useYield: it only refuses.
async function* refuseStream(): AsyncGenerator<never> {
  await refuse();
}

async function main(): Promise<void> {
  const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as MemberConfig;
  const { raftId, folder, certificates, hosts } = config;
  process.on('disconnect', () => process.exit(0));
  const random = new Prng(randomInt(2 ** 32));
  const addresses = new Map(hosts.map((host) => [host.hostId, host.peerAddress]));
  const peers = new PeerClients(
    { logger: silentLogger },
    { certificates: fixedCertificates(certificates), addressOf: (id) => addresses.get(id) },
  );
  const transport = new GrpcRaftTransport(
    { clock: systemClock, logger: silentLogger, random: random.fork(), peers },
    {
      self: raftId,
      hostIdOf: (id) => hosts[id - 1]?.hostId as HostId | undefined,
      raftIdOf: (id) => {
        const at = hosts.findIndex((host) => host.hostId === id);
        return at < 0 ? undefined : at + 1;
      },
    },
  );
  const log = await openLevelLogStore({ folder, raftId, bootstrap: raftId === 1 });
  const loop = new RaftLoop({
    clock: systemClock,
    logger: silentLogger,
    random: random.fork(),
    transport,
    log,
    onFatal: (error) => {
      console.error(error);
      process.exit(1);
    },
  });
  await loop.start();
  const state = new RaftStateClient({ loop, transport, clock: systemClock, uniqueName: randomUUID() });
  const server = new PeerServer(
    { clock: systemClock, logger: silentLogger },
    {
      certificates: fixedCertificates(certificates),
      admits: (id) => addresses.has(id),
      handlers: {
        ...transport.peerHandlers,
        claim: refuse,
        claimBatch: refuse,
        releaseClaim: refuse,
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
        announce: refuse,
      },
      join: { admit: () => {}, join: refuse, renew: refuse },
    },
  );
  await server.listen(hosts[raftId - 1]?.peerAddress ?? '');
  await new KvServer(state).listen(config.kvAddress);

  const requests: Readonly<Record<LoadKind, Request>> = {
    put: (client, count) => putInto(state, { key: keyFor(client, count), value: valueFor(client, count) }),
    'read-linearizable': (client, count) => readFrom(state, keyFor(client, count), false),
    'read-stale': (client, count) => {
      state.local.get(keyFor(client, count));
      return undefined;
    },
  };
  const answer = async (request: MemberRequest): Promise<BenchMemberStatus | LoadResult | true> => {
    switch (request.ask) {
      case 'status':
        return { ...state.status(), isLeader: loop.isCaughtUp };
      case 'change':
        await loop.changeMembers([request.change]);
        return true;
      case 'load':
        return runLoad(requests[request.kind], request.clients, request.forMs);
    }
  };
  process.on('message', (request: MemberRequest) => {
    const { id } = request;
    answer(request).then(
      (result) => tell({ id, result }),
      (error: unknown) => tell({ id, error: ShoalError.from(error, 'UNAVAILABLE').message }),
    );
  });
  tell({ id: 0, result: true });
}

function tell(answer: MemberAnswer): void {
  // The parent may be gone; then there is nobody to tell.
  if (process.connected) process.send?.(answer);
}

await main();
