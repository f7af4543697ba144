/** Data folders of a mesh of three, as agents leave them, without the agents; and the command line to look at them with. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostId } from '../../../node/base/ids.ts';
import { writeMembership } from '../../../node/cluster/membership.ts';
import { MeshAuthority } from '../../../node/mesh/identity/authority.ts';
import { loadOrCreateKeys } from '../../../node/mesh/identity/identity.ts';
import type { PeerCertificates } from '../../../node/mesh/peers/peer-credentials.ts';
import { openLevelLogStore } from '../../../node/store/index.ts';
import { RaftGroup } from '../../support/raft/raft-group.ts';

/** Longest that a command may take. Unit: milliseconds. */
const commandMsMax = 60_000;

export interface OfflineMember {
  readonly raftId: number;
  readonly dataDir: string;
  readonly hostId: HostId;
  readonly certificates: PeerCertificates;
}

/** Folders of members 1 to 3, each knowing the addresses of all. */
export async function threeFolders(base: string, addresses: readonly string[]): Promise<readonly OfflineMember[]> {
  const meshId = 'offline';
  const authority = MeshAuthority.create(meshId);
  const parts = await Promise.all(
    addresses.map(async (peerAddress, at) => {
      const dataDir = join(base, String(at + 1));
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      return { dataDir, peerAddress, raftId: at + 1, keys: await loadOrCreateKeys(dataDir) };
    }),
  );
  const hosts = parts.map(({ raftId, peerAddress, keys }) => ({
    hostId: keys.identity.hostId,
    raftId,
    name: `host${raftId}`,
    peerAddress,
    gossipAddress: '/ip4/127.0.0.1/tcp/1',
    publicKey: Buffer.from(keys.identity.publicKey).toString('base64'),
  }));
  const members: OfflineMember[] = [];
  for (const { dataDir, raftId, keys } of parts) {
    const { hostId } = keys.identity;
    const certificatePem = authority.issueHost(hostId, keys.tlsKey.publicKeySpki);
    await writeMembership(dataDir, {
      version: 1,
      meshId,
      hostId,
      raftId,
      transitIndex: raftId,
      certificatePem,
      authorityCertificatePem: authority.certificatePem,
      hosts,
    });
    const { privateKeyPem } = keys.tlsKey;
    members.push({
      raftId,
      dataDir,
      hostId,
      certificates: { meshId, certificatePem, privateKeyPem, authorityPem: authority.certificatePem },
    });
  }
  return members;
}

/** A group whose members keep their logs in those folders. */
export function groupIn(base: string): RaftGroup {
  return new RaftGroup((raftId, bootstrap) =>
    openLevelLogStore({ folder: join(base, String(raftId), 'log'), raftId, bootstrap }),
  );
}

/** Runs a command line to its end. */
export function shoal(
  ...args: readonly string[]
): Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }> {
  const main = join(import.meta.dirname, '../../../node/cli/main.ts');
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], timeout: commandMsMax });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}
