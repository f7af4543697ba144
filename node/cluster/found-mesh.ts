/** Makes a mesh of one host: keys, authority, membership. The first records follow when the agent first leads. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { ShoalError } from '../base/errors.ts';
import { advertisedAddress } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { MeshAuthority, shownFingerprint } from '../mesh/identity/authority.ts';
import { loadOrCreateKeys } from '../mesh/identity/identity.ts';
import { MeshKey } from '../mesh/identity/mesh-key.ts';
import { readMembership, writeAuthorityFile, writeFounding, writeMembership } from './membership.ts';

/** What `shoal init` tells. */
export interface Founded {
  readonly meshId: string;
  readonly hostId: string;
  readonly adminPassword: string;
  /** Of the authority's certificate, which clients of the API have to trust. */
  readonly fingerprint: string;
}

/**
 * Founds a mesh in the configured data folder. Throws `CONFLICT` when the folder belongs to a mesh already.
 * @param adminPassword of the user `admin`; drawn when absent.
 */
export async function foundMesh(
  config: Config,
  options: { readonly meshName: string; readonly adminPassword?: string },
): Promise<Founded> {
  makeDataDir(config.dataDir);
  if (readMembership(config.dataDir) !== undefined) {
    throw new ShoalError('CONFLICT', `${config.dataDir} belongs to a mesh already; start it with: shoal agent`);
  }
  const { identity, tlsKey } = await loadOrCreateKeys(config.dataDir);
  const meshId = randomUUID();
  const meshKey = MeshKey.create();
  const authority = MeshAuthority.create(meshId);
  const adminPassword = options.adminPassword ?? randomBytes(15).toString('base64url');
  await meshKey.save(config.dataDir);
  await writeFounding(config.dataDir, {
    meshName: options.meshName,
    adminPassword,
    sealedAuthorityKey: Buffer.from(authority.sealKey(meshKey)).toString('base64'),
  });
  // Last: with this file the folder is a member's.
  await writeMembership(config.dataDir, {
    version: 1,
    meshId,
    hostId: identity.hostId,
    raftId: 1,
    transitIndex: 1,
    certificatePem: authority.issueHost(identity.hostId, tlsKey.publicKeySpki),
    authorityCertificatePem: authority.certificatePem,
    hosts: [
      {
        hostId: identity.hostId,
        raftId: 1,
        name: config.name,
        peerAddress: endpointOf(config, config.peer.listen),
        gossipAddress: gossipAddressOf(config),
        publicKey: Buffer.from(identity.publicKey).toString('base64'),
      },
    ],
  });
  await writeAuthorityFile(config.dataDir, authority.certificatePem);
  return { meshId, hostId: identity.hostId, adminPassword, fingerprint: shownFingerprint(authority.certificatePem) };
}

/** Makes the data folder. QEMU's user passes through it to disks and sockets; every file with a secret is 0600. */
export function makeDataDir(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
}

/** `listen` with the host part that others use. */
export function endpointOf(config: Config, listen: string): string {
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  const address = advertisedAddress(config);
  return address.includes(':') && !address.startsWith('[') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The libp2p address that others dial, without the peer id. */
export function gossipAddressOf(config: Config): string {
  const port = config.gossip.listen.slice(config.gossip.listen.lastIndexOf(':') + 1);
  const address = advertisedAddress(config);
  const kind = /^[0-9.]+$/.test(address) ? 'ip4' : address.includes(':') ? 'ip6' : 'dns';
  return `/${kind}/${address}/tcp/${port}`;
}
