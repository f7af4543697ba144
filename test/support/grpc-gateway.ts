/** The native API on a compute service with hosts that do as they are told: what its tests stand on. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChannelCredentials } from '@grpc/grpc-js';
import { GrpcGateway } from '../../api-gateway/grpc/server.ts';
import type { ApiRelay } from '../../api-gateway/kit/api-relay.ts';
import { defaultLimits, type GatewayLimits } from '../../api-gateway/kit/limits.ts';
import { PasswordLimiter } from '../../api-gateway/rest/identity/password-limiter.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId } from '../../node/base/ids.ts';
import { GrpcClient, type UnaryOptions } from '../../node/rpc/client.ts';
import { CloudBackupService } from '../../node/services/cluster/cloud-backups.ts';
import { ClusterService } from '../../node/services/cluster/cluster.ts';
import { UpgradeService } from '../../node/services/cluster/upgrade.ts';
import { IdentityDirectory } from '../../node/services/identity/directory.ts';
import { IdentityService } from '../../node/services/identity/identity.ts';
import type { Principal } from '../../node/services/identity/principal.ts';
import { fixedTokenKeys } from '../../node/services/identity/token-keys.ts';
import { ImageService } from '../../node/services/image/image.ts';
import { Jobs } from '../../node/services/jobs/jobs.ts';
import type { PlaceRequest } from '../../node/services/kit/dependencies.ts';
import { type ComputeWorld, fakeHostViews, makeComputeWorld } from '../node/services/compute-world.ts';
import { testSealing } from '../node/services/test-sealing.ts';
import { volumeServiceOf } from '../node/services/volume/volume-world.ts';
import { MemoryImageContent } from './guests/memory-image-content.ts';

/** Tokens are names here: `alice`, `bob` (members of their projects), `root` (an administrator). */
const callers: Readonly<Record<string, Pick<Principal, 'projectId' | 'roles'>>> = {
  alice: { projectId: 'alice-project', roles: ['member', 'reader'] },
  bob: { projectId: 'bob-project', roles: ['member', 'reader'] },
  root: { projectId: 'admin-project', roles: ['admin', 'member', 'reader'] },
};

/** Tokens that are good no more. */
export const revokedTokens = new Set<string>();

export interface TestGrpcGateway {
  readonly world: ComputeWorld;
  readonly inquiries: PlaceRequest[];
  readonly port: number;
  readonly gateway: GrpcGateway;
  /** A client of the public port. */
  readonly client: GrpcClient;
  /** A client of the operator's door. */
  readonly operator: GrpcClient;
  stop(): Promise<void>;
}

export async function startGrpcGateway(
  limits: Partial<GatewayLimits> = {},
  relay?: ApiRelay,
): Promise<TestGrpcGateway> {
  const world = await makeComputeWorld();
  const hostId = '1'.repeat(32) as HostId;
  const inquiries: PlaceRequest[] = [];
  const identity = new IdentityService(world.deps, { tokenKeys: fixedTokenKeys(new Uint8Array(32).fill(7)) });
  const folder = await mkdtemp(join(tmpdir(), 'shoal-grpc-'));
  const door = `unix:${join(folder, 'agent.sock')}`;
  const gateway = new GrpcGateway(
    {
      ...world.deps,
      ...(relay === undefined ? {} : { relay }),
      authenticator: {
        checkSignature(token) {
          if (callers[token] === undefined) throw new ShoalError('UNAUTHENTICATED', 'No token of this mesh.');
        },
        authenticate: async (token) => {
          if (revokedTokens.has(token)) throw new ShoalError('UNAUTHENTICATED', 'The token was revoked.');
          return principal(token);
        },
      },
      compute: world.compute,
      volume: volumeServiceOf(world, 'rbd').volume,
      images: new ImageService({ ...world.deps, content: new MemoryImageContent(), hostId }),
      network: world.network,
      identity,
      directory: new IdentityDirectory(world.deps, identity.logIn),
      limiter: new PasswordLimiter(world.deps.clock, { ...defaultLimits, ...limits }),
      jobs: new Jobs({ ...world.deps, addAuthority: world.addAuthority }),
      cloudBackups: new CloudBackupService({ ...world.deps, sealing: testSealing }),
      upgrade: new UpgradeService(world.deps, fakeHostViews(world)),
      cluster: new ClusterService(
        { ...world.deps, hostProbe: world.hostProbe, rekey: world.rekey },
        fakeHostViews(world),
        {
          hostId,
          version: '0.1.0',
          peerAddress: '192.0.2.1:1',
          troubles: () => ({}),
        },
      ),
      inquiry: {
        explain(request) {
          inquiries.push(request);
          return {
            explanation: {
              hosts: 2,
              passed: 1,
              summary: '',
              filters: [
                {
                  name: 'ComputeFilter',
                  purpose: '',
                  considered: 2,
                  removed: 1,
                  removedAlone: 1,
                  reasons: [{ text: 'it is down', hosts: 1 }],
                },
              ],
            },
            hosts: [
              { hostId, hostName: 'host-1', passes: true, refusals: [], score: 1.5, weights: [] },
              {
                hostId: '2'.repeat(32) as HostId,
                hostName: 'host-2',
                passes: false,
                refusals: [{ filter: 'ComputeFilter', reason: 'it is down' }],
                weights: [],
              },
            ],
          };
        },
        whatIf(request, countMax) {
          inquiries.push(request);
          return Math.min(7, countMax);
        },
      },
    },
    [{ address: '127.0.0.1:0' }, { address: door, isOperatorDoor: true }],
    limits,
  );
  await gateway.start();
  const port = gateway.ports[0] ?? 0;
  const client = open(`127.0.0.1:${port}`);
  const operator = open(door);
  return {
    world,
    inquiries,
    port,
    gateway,
    client,
    operator,
    async stop() {
      client.close();
      operator.close();
      await gateway.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Options of one call with a token. */
export function as(token: string): UnaryOptions {
  return { timeoutMs: 5000, headers: { 'x-auth-token': token } };
}

function open(address: string): GrpcClient {
  return new GrpcClient(address, ChannelCredentials.createInsecure(), {
    messageBytesMax: 4 * 1024 * 1024,
    keepaliveMs: 10_000,
    keepaliveTimeoutMs: 5_000,
    reconnectMsMin: 50,
    reconnectMsMax: 500,
  });
}

function principal(token: string): Principal {
  const known = callers[token];
  if (known === undefined) throw new ShoalError('UNAUTHENTICATED', 'No token of this mesh.');
  return {
    ...known,
    userId: `user-of-${known.projectId}`,
    userName: token,
    userDomainId: 'default',
    userDomainName: 'Default',
    projectName: known.projectId,
    projectDomainId: 'default',
    projectDomainName: 'Default',
    domainId: '',
    domainName: '',
    isSystem: false,
    roleIds: [...known.roles],
    methods: ['password'],
    auditIds: [randomUUID()],
    issuedMs: 0,
    expiresMs: Number.MAX_SAFE_INTEGER,
  };
}
