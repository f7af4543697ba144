/**
 * A new mesh on one host out of a state that was kept (host/cloud-backup): what `shoal init` makes, with all records of before.
 *
 *     mesh id, authority   new ones: agents of the former mesh and those of this one never take each other for members
 *     mesh key             a new one of the next number. All tokens of before are void; what was sealed with the keys of before is
 *                          sealed again by the leader, which has those keys from the backup
 *     hosts                stay on record with their servers, shown as down, and none of them is let in by what it was: each joins
 *                          with a ticket. One whose data folder is left is the same host as before, and adopts what it carries
 *     tickets              void
 *     revisions            jump ahead by more than the former mesh can have made since: no host takes these records for old ones
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { shoal } from '../../proto/messages.ts';
import { assert } from '../base/assert.ts';
import { ShoalError } from '../base/errors.ts';
import type { Config } from '../config/options.ts';
import { MeshAuthority, shownFingerprint } from '../mesh/identity/authority.ts';
import { sealToHost } from '../mesh/identity/host-box.ts';
import { type HostIdentity, loadOrCreateKeys } from '../mesh/identity/identity.ts';
import { MeshKey } from '../mesh/identity/mesh-key.ts';
import { meshKeyLabel } from '../mesh/identity/mesh-key-ring.ts';
import { tlsKeySha256 } from '../mesh/identity/peer-trust.ts';
import { freeTransitIndex, raftIdCounterKey } from '../mesh/join/member-numbers.ts';
import type { StateMachine } from '../state/state-machine.ts';
import { indexKey, TransactionBuilder } from '../state/table.ts';
import { hostTable, meshKeyEpochTable, meshTable, ticketTable } from '../state/tables/index.ts';
import { openLevelLogStore } from '../store/index.ts';
import { installState, recoveredIndexGap } from '../store/log/make-only-voter.ts';
import { hostFields } from './become-member.ts';
import { makeDataDir } from './found-mesh.ts';
import { knownHost, readMembership, writeAuthorityFile, writeMembership } from './membership.ts';
import { setStateAside } from './reset-membership.ts';

/** Restores of one backup are told apart when they are so far from one another, ms: each begins another gap of revisions ahead. */
const gapEveryMs = 600_000;
/** Gaps that revisions have room for. */
const gapsMax = 1_500_000;
/** Of the first entry behind the state: nobody else has a log of this group. */
const firstTerm = 2;
/** What no key has as its digest: a host with this on record is nobody's peer until it joins again. */
const noKeySha256 = new Uint8Array(32);

/** The state that is restored, which is changed by it. */
export interface KeptState {
  readonly machine: StateMachine;
  /** Keys of the former mesh, by their number. */
  readonly meshKeys: ReadonlyMap<number, Uint8Array>;
  /** When it was kept, wall clock, ms. */
  readonly createdMs: number;
}

/** What `shoal cloud-backup restore` tells. */
interface RestoredMesh {
  readonly meshId: string;
  readonly hostId: string;
  /** Of the new authority's certificate, which clients of the API have to trust. */
  readonly fingerprint: string;
  readonly revision: number;
  /** Names of the other hosts on record, which are down until they join again. */
  readonly awaited: readonly string[];
  /** Where lies what the folder held of a state before; absent: nothing. */
  readonly aside?: string;
}

/**
 * Founds the mesh in the configured data folder; start its agent afterwards. Throws `CONFLICT` when the folder belongs to a mesh
 * (`shoal reset-membership`), or another host on record has this one's name; `STORE_FAILED`. A crash leaves a folder that is no
 * member's: do it again.
 */
export async function restoreMesh(config: Config, kept: KeptState, nowMs: number): Promise<RestoredMesh> {
  const { dataDir } = config;
  makeDataDir(dataDir);
  if (readMembership(dataDir) !== undefined) {
    throw new ShoalError(
      'CONFLICT',
      `${dataDir} belongs to a mesh; say first: shoal reset-membership --data-dir ${dataDir}`,
    );
  }
  const { identity, tlsKey } = await loadOrCreateKeys(dataDir);
  const own = { ...hostFields(config), id: identity.hostId, publicKey: identity.publicKey };
  mustBeFree(kept.machine, own);
  const aside = existsSync(join(dataDir, 'log')) ? await setStateAside(dataDir) : undefined;
  const meshId = randomUUID();
  const key = MeshKey.create();
  const authority = MeshAuthority.create(meshId, nowMs);
  const { machine } = kept;
  const edits = new Edits(machine, firstRevision(kept, nowMs));
  const host = edits.putOwnHost({ ...own, tlsKeySha256: tlsKeySha256(tlsKey.publicKeySpki) }, nowMs);
  edits.renewMesh({ meshId, key, authority, identity, meshKeys: kept.meshKeys, nowMs });
  edits.refuseFormerKeys(identity.hostId);
  await writeLog(join(dataDir, 'log'), host.raftId, machine);
  // The first key lies in files alone. Where the former mesh had none but that, what it sealed still opens here.
  await new MeshKey(kept.meshKeys.get(0) ?? key.reveal()).save(dataDir);
  // Last: with this file the folder is a member's.
  await writeMembership(dataDir, {
    version: 1,
    meshId,
    hostId: identity.hostId,
    raftId: host.raftId,
    transitIndex: host.transitIndex,
    certificatePem: authority.issueHost(identity.hostId, tlsKey.publicKeySpki, nowMs),
    authorityCertificatePem: authority.certificatePem,
    hosts: [knownHost(host)],
  });
  await writeAuthorityFile(dataDir, authority.certificatePem);
  return {
    meshId,
    hostId: identity.hostId,
    fingerprint: shownFingerprint(authority.certificatePem),
    revision: machine.revision,
    awaited: hostTable
      .list(machine)
      .map(({ record }) => record)
      .filter(({ id }) => id !== identity.hostId)
      .map(({ name }) => name)
      .sort(),
    ...(aside === undefined ? {} : { aside }),
  };
}

/** Before anything is written. */
function mustBeFree(machine: StateMachine, own: { readonly id: string; readonly name: string }): void {
  meshTable.must(machine, 'mesh');
  const namesake = hostTable.one(machine, 'name', indexKey(own.name));
  if (namesake === undefined || namesake.record.id === own.id) return;
  throw new ShoalError(
    'CONFLICT',
    `The backup has another host that is called ${own.name}. Restore on the data folder of that one, where it is left, or give this ` +
      'one another name: --set name=NAME.',
    { facts: { name: own.name, hostId: namesake.record.id } },
  );
}

function firstRevision({ machine, createdMs }: KeptState, nowMs: number): number {
  const gaps = Math.min(gapsMax, 1 + Math.max(0, Math.floor((nowMs - createdMs) / gapEveryMs)));
  return machine.revision + gaps * recoveredIndexGap;
}

interface NewMesh {
  readonly meshId: string;
  readonly key: MeshKey;
  readonly authority: MeshAuthority;
  readonly identity: HostIdentity;
  readonly meshKeys: ReadonlyMap<number, Uint8Array>;
  readonly nowMs: number;
}

/** Changes of a state that nobody replicates yet, each with a revision of its own. */
class Edits {
  readonly #machine: StateMachine;
  #revision: number;

  constructor(machine: StateMachine, firstRevision: number) {
    this.#machine = machine;
    this.#revision = firstRevision;
  }

  /** This host's record: the one of before, or a new one. */
  putOwnHost(own: Partial<shoal.v1.Host> & { readonly id: string }, nowMs: number): shoal.v1.Host {
    const builder = new TransactionBuilder();
    const known = hostTable.get(this.#machine, own.id);
    const next = new shoal.v1.Host({ ...known?.record, ...own });
    if (known !== undefined) hostTable.update(builder, known, next);
    else {
      const rows = hostTable.list(this.#machine).map(({ record }) => record);
      const given = this.#machine.counter(raftIdCounterKey);
      next.raftId = Math.max(given, ...rows.map(({ raftId }) => raftId)) + 1;
      next.transitIndex = freeTransitIndex(rows);
      next.joinedMs = nowMs;
      builder.add(raftIdCounterKey, next.raftId - given, { min: next.raftId, max: next.raftId });
      hostTable.insert(builder, next);
    }
    this.#apply(builder);
    return next;
  }

  /** The mesh under its new id, authority and key; the keys of before sealed to this host alone. */
  renewMesh({ meshId, key, authority, identity, meshKeys, nowMs }: NewMesh): void {
    const builder = new TransactionBuilder();
    const row = meshTable.must(this.#machine, 'mesh');
    const epoch = row.record.keyEpoch + 1;
    const sealedTo = (number: number, bytes: Uint8Array): shoal.v1.SealedMeshKey =>
      new shoal.v1.SealedMeshKey({
        hostId: identity.hostId,
        sealed: sealToHost(identity.publicKey, meshKeyLabel(meshId, number), bytes),
      });
    for (const former of meshKeyEpochTable.list(this.#machine)) {
      const bytes = meshKeys.get(former.record.epoch);
      if (bytes === undefined) meshKeyEpochTable.remove(builder, former);
      else {
        const keys = [sealedTo(former.record.epoch, bytes)];
        const next = new shoal.v1.MeshKeyEpoch({ ...former.record, keys, formerTokensGoodUntilMs: 0 });
        meshKeyEpochTable.update(builder, former, next);
      }
    }
    meshKeyEpochTable.insert(
      builder,
      new shoal.v1.MeshKeyEpoch({
        id: String(epoch),
        epoch,
        createdMs: nowMs,
        keys: [sealedTo(epoch, key.reveal())],
      }),
    );
    meshTable.update(
      builder,
      row,
      new shoal.v1.Mesh({
        ...row.record,
        meshId,
        keyEpoch: epoch,
        authorityCertificatePem: authority.certificatePem,
        sealedAuthorityKey: authority.sealKey(key),
        // What any of them signed counts for nothing here.
        formerAuthorityCertificates: [],
        crossCertificatePem: '',
        onlyPresentAuthorityShown: false,
      }),
    );
    this.#apply(builder);
  }

  /** No other host is let in by the keys on its record, which may be those of one that was removed since; nor by a ticket of before. */
  refuseFormerKeys(ownId: string): void {
    let builder = new TransactionBuilder();
    const makeRoom = (): void => {
      if (builder.hasRoom) return;
      this.#apply(builder);
      builder = new TransactionBuilder();
    };
    for (const row of hostTable.list(this.#machine)) {
      if (row.record.id === ownId) continue;
      makeRoom();
      hostTable.update(builder, row, new shoal.v1.Host({ ...row.record, tlsKeySha256: noKeySha256 }));
    }
    for (const row of ticketTable.list(this.#machine)) {
      makeRoom();
      ticketTable.remove(builder, row);
    }
    if (!builder.isEmpty) this.#apply(builder);
  }

  #apply(builder: TransactionBuilder): void {
    const { outcome } = this.#machine.apply(this.#revision, { clientToken: '', transaction: builder.build() });
    assert(
      outcome.succeeded && outcome.refusal === undefined,
      'a change of a state that nobody else changes is applied',
    );
    this.#revision += 1;
  }
}

/** The log of a group whose only voter is this host: no entries, behind that state. */
async function writeLog(folder: string, raftId: number, machine: StateMachine): Promise<void> {
  const opened = await openLevelLogStore({ folder, raftId, bootstrap: true, hasPeers: false });
  try {
    await installState(opened, machine, firstTerm);
  } finally {
    await opened.store.close();
  }
}
