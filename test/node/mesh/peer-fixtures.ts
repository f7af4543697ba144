/** Peers for tests: certificates of a mesh made on the spot, servers on free loopback ports, handlers to be overridden. */
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { type Logger, silentLogger } from '../../../node/base/telemetry/logger.ts';
import { MeshAuthority } from '../../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity } from '../../../node/mesh/identity/identity.ts';
import type { Instance } from '../../../node/mesh/peers/instance.ts';
import { PeerClients } from '../../../node/mesh/peers/peer-client.ts';
import {
  fixedCertificates,
  type PeerCertificateSource,
  type PeerCertificates,
} from '../../../node/mesh/peers/peer-credentials.ts';
import type { SeenInstance } from '../../../node/mesh/peers/peer-instances.ts';
import { type JoinHandlers, type PeerHandlers, PeerServer } from '../../../node/mesh/peers/peer-server.ts';
import type { GrpcLimits } from '../../../node/rpc/server.ts';

const refuse = async (): Promise<never> => {
  throw new ShoalError('NOT_IMPLEMENTED', 'not part of this test');
};

// biome-ignore lint/correctness/useYield: it only refuses.
async function* refuseStream(): AsyncGenerator<never> {
  await refuse();
}

/** Handlers that refuse everything but a probe. */
export const refusingHandlers: PeerHandlers = {
  raft: refuse,
  forward: refuseStream,
  propose: refuse,
  readIndex: refuse,
  fetchSnapshot: refuseStream,
  claim: refuse,
  claimBatch: refuse,
  releaseClaim: refuse,
  fetchBlob: refuseStream,
  pullView: refuse,
  consoleLog: refuse,
  askGuest: refuse,
  console: refuseStream,
  probe: async () => ({ reached: true }),
  watchState: refuseStream,
  followSlice: refuseStream,
  relay: refuseStream,
  relayJoin: refuse,
  announce: refuse,
};

export const refusingJoin: JoinHandlers = { admit: () => {}, join: refuse, renew: refuse };

/** A host of a test mesh. */
export interface TestHost {
  readonly identity: HostIdentity;
  readonly hostId: HostId;
  readonly certificates: PeerCertificates;
  /** Where they come from, when they change. */
  readonly source?: PeerCertificateSource;
}

export function hostOf(authority: MeshAuthority): TestHost {
  const identity = HostIdentity.create();
  const tlsKey = createTlsKey();
  return {
    identity,
    hostId: identity.hostId,
    certificates: {
      meshId: authority.meshId,
      certificatePem: authority.issueHost(identity.hostId, tlsKey.publicKeySpki),
      privateKeyPem: tlsKey.privateKeyPem,
      authorityPem: authority.certificatePem,
    },
  };
}

export const testAuthority = (): MeshAuthority => MeshAuthority.create('m-1');

/** Starts a server on loopback; stopped when the test ends. */
export async function serve(
  test: { teardown(run: () => Promise<void>): void },
  host: TestHost,
  options: {
    readonly handlers?: Partial<PeerHandlers>;
    readonly join?: JoinHandlers;
    readonly admits?: (hostId: HostId) => boolean;
    readonly logger?: Logger;
    readonly limits?: GrpcLimits;
    readonly instance?: Instance;
    readonly self?: { readonly hostId: HostId; met(caller: SeenInstance): void };
    /** Is given the server, for tests that stop it themselves. */
    readonly started?: (server: PeerServer) => void;
  } = {},
): Promise<string> {
  const server = new PeerServer(
    { clock: systemClock, logger: options.logger ?? silentLogger },
    {
      certificates: host.source ?? fixedCertificates(host.certificates),
      admits: options.admits ?? (() => true),
      handlers: { ...refusingHandlers, ...options.handlers },
      join: options.join ?? refusingJoin,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.instance === undefined ? {} : { instance: options.instance }),
      ...(options.self === undefined ? {} : { self: options.self }),
    },
  );
  test.teardown(() => server.stop(50));
  const port = await server.listen('127.0.0.1:0');
  options.started?.(server);
  return `127.0.0.1:${port}`;
}

/** Clients of one host that find the others at the given addresses; closed when the test ends. */
export function clientsOf(
  test: { teardown(run: () => void): void },
  host: TestHost,
  addresses: ReadonlyMap<HostId, string>,
): PeerClients {
  const clients = new PeerClients(
    { logger: silentLogger },
    { certificates: host.source ?? fixedCertificates(host.certificates), addressOf: (hostId) => addresses.get(hostId) },
  );
  test.teardown(() => clients.close());
  return clients;
}
