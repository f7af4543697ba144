/**
 * What a host keeps of its membership in a mesh, beside its keys: enough to find the others again after a power cut, in
 * any order, without asking anybody. Written once when it joins (or founds), and again when the others' addresses change.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { shoal } from '../../proto/messages.ts';
import { writeFileDurably } from '../base/durable-file.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { writeSecretFile } from '../mesh/identity/secret-file.ts';

const hostSchema = Type.Object({
  hostId: Type.String(),
  raftId: Type.Integer({ minimum: 1 }),
  name: Type.String(),
  peerAddress: Type.String(),
  gossipAddress: Type.String(),
  /** Raw Ed25519 key, base64. */
  publicKey: Type.String(),
});

const membershipSchema = Type.Object({
  version: Type.Literal(1),
  meshId: Type.String(),
  hostId: Type.String(),
  raftId: Type.Integer({ minimum: 1 }),
  transitIndex: Type.Integer({ minimum: 1 }),
  certificatePem: Type.String(),
  authorityCertificatePem: Type.String(),
  hosts: Type.Array(hostSchema),
});

/** A host as others reach it. */
export type KnownHost = Static<typeof hostSchema>;

/** This host's membership. */
export type Membership = Static<typeof membershipSchema>;

/** What a founder still owes: the first records. The file goes once they are committed. */
export interface Founding {
  readonly meshName: string;
  readonly adminPassword: string;
  readonly sealedAuthorityKey: string;
}

const membershipFile = 'membership.json';
const authorityFile = 'ca.pem';
const foundingFile = 'founding.json';

/** Reads it; undefined when this host is in no mesh yet. Throws `LOG_CORRUPT` when the file is not what it should be. */
export function readMembership(dataDir: string): Membership | undefined {
  const path = join(dataDir, membershipFile);
  if (!existsSync(path)) return undefined;
  try {
    return Value.Parse(membershipSchema, JSON.parse(readFileSync(path, 'utf8')));
  } catch (caught) {
    throw ShoalError.from(caught, 'LOG_CORRUPT', `${path} is damaged`);
  }
}

/** Writes it, durably. */
export async function writeMembership(dataDir: string, membership: Membership): Promise<void> {
  await writeSecretFile(join(dataDir, membershipFile), `${JSON.stringify(membership, null, 2)}\n`);
}

/** The file with which a folder is a member's. */
export function membershipPathOf(dataDir: string): string {
  return join(dataDir, membershipFile);
}

/** Where the authority's certificate lies for clients that are to trust the API: it is no secret. */
export function authorityPathOf(dataDir: string): string {
  return join(dataDir, authorityFile);
}

/** Writes it, durably. */
export async function writeAuthorityFile(dataDir: string, authorityPem: string): Promise<void> {
  await writeFileDurably(authorityPathOf(dataDir), authorityPem, { mode: 0o644, failure: 'STORE_FAILED' });
}

/** Reads what a founder owes; undefined when nothing is owed. */
export function readFounding(dataDir: string): Founding | undefined {
  const path = join(dataDir, foundingFile);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Founding) : undefined;
}

/** Writes what a founder owes: readable by the agent alone, since it holds the administrator's first password. */
export async function writeFounding(dataDir: string, founding: Founding): Promise<void> {
  await writeSecretFile(join(dataDir, foundingFile), `${JSON.stringify(founding)}\n`);
}

/** The first records are committed: nothing is owed any more. */
export function removeFounding(dataDir: string): void {
  rmSync(join(dataDir, foundingFile), { force: true });
}

/** The form that is kept of a host record. */
export function knownHost(record: shoal.v1.Host): KnownHost {
  return {
    hostId: record.id,
    raftId: record.raftId,
    name: record.name,
    peerAddress: record.peerAddress,
    gossipAddress: record.gossipAddress,
    publicKey: Buffer.from(record.publicKey).toString('base64'),
  };
}

/** The host's id, typed. */
export function hostIdOf(host: KnownHost): HostId {
  return host.hostId as HostId;
}
