/** This host's own record: the first records of a mesh that it founds, and what it tells the others of itself later on. */
import { shoal } from '../../proto/messages.ts';
import { firstCell, type HostId } from '../base/ids.ts';
import type { RepeatedLog } from '../base/telemetry/repeated-log.ts';
import { announce } from '../cluster/announce.ts';
import { hostFields } from '../cluster/become-member.ts';
import type { HostDirectory } from '../cluster/host-directory.ts';
import { type Membership, readFounding, removeFounding } from '../cluster/membership.ts';
import type { Config } from '../config/options.ts';
import type { PeerClients } from '../mesh/peers/peer-client.ts';
import { bootstrap } from '../services/cluster/bootstrap.ts';
import type { ServiceDependencies } from '../services/kit/dependencies.ts';
import { transact } from '../services/kit/transact.ts';
import { hostTable, meshTable } from '../state/tables/index.ts';

/** How often the others are told of changed addresses, until the record says them. */
const announceMs = 2_000;

/** The keys by which others know this host. */
interface OwnKeys {
  readonly hostId: HostId;
  readonly publicKey: Uint8Array;
  readonly tlsKeySha256: Uint8Array;
  /** As `PeerCertificate.authorities`: told while the authority is being rotated. */
  readonly authorities: () => { readonly known: Uint8Array; readonly shown: Uint8Array };
}

interface OwnRecordDeps {
  readonly services: ServiceDependencies;
  readonly config: Config;
  readonly peers: PeerClients;
  readonly directory: HostDirectory;
  readonly repeated: RepeatedLog;
  /** Ends what waits when the agent stops. */
  readonly signal: AbortSignal;
}

/** Keeps it as this host is configured. */
export class OwnRecord {
  readonly #deps: OwnRecordDeps;
  readonly #own: OwnKeys;
  #announcedMs = Number.NEGATIVE_INFINITY;

  constructor(deps: OwnRecordDeps, own: OwnKeys) {
    this.#deps = deps;
    this.#own = own;
  }

  /** A founder owes the first records; they are written as soon as it leads itself. */
  async found(membership: Membership, signal: AbortSignal): Promise<void> {
    const { services, config } = this.#deps;
    const own = this.#own;
    const founding = readFounding(config.dataDir);
    if (founding === undefined) return;
    const { meshId, raftId, transitIndex, authorityCertificatePem } = membership;
    const nowMs = services.clock.nowMs();
    const fields = hostFields(config);
    await bootstrap(services, {
      adminPassword: founding.adminPassword,
      signal,
      also: (builder) => {
        meshTable.insert(
          builder,
          new shoal.v1.Mesh({
            id: 'mesh',
            meshId,
            name: founding.meshName,
            authorityCertificatePem,
            sealedAuthorityKey: Buffer.from(founding.sealedAuthorityKey, 'base64'),
            defaultStorage: config.storage,
            createdMs: nowMs,
            cell: firstCell,
            // Nobody of an earlier release is a member of a new mesh.
            featureLevel: fields.featureLevel,
          }),
        );
        hostTable.insert(
          builder,
          new shoal.v1.Host({
            ...fields,
            id: own.hostId,
            publicKey: own.publicKey,
            tlsKeySha256: own.tlsKeySha256,
            raftId,
            transitIndex,
            joinedMs: nowMs,
          }),
        );
      },
    });
    removeFounding(config.dataDir);
    services.logger.info({ meshId, name: founding.meshName }, 'the mesh is founded');
  }

  /**
   * Writes what has changed in the configuration (addresses, zone, version) into this host's own record, and its TLS key
   * where a version that kept none wrote it.
   */
  async keep(): Promise<void> {
    const { services, config, signal } = this.#deps;
    const own = this.#own;
    const fields = hostFields(config);
    const told = { tlsKeySha256: own.tlsKeySha256, ...this.#authorities() };
    const isCurrent = (record: shoal.v1.Host): boolean =>
      isRecorded(record, fields) &&
      Object.entries(told).every(([name, value]) => Buffer.from(record[name as keyof typeof told]).equals(value));
    const local = hostTable.get(services.state.local, own.hostId);
    if (local === undefined || isCurrent(local.record) || !services.state.status().hasQuorum) return;
    await transact(services, { signal }, ({ reader, change }) => {
      const row = hostTable.get(reader, own.hostId);
      if (row === undefined || isCurrent(row.record)) return;
      hostTable.update(change, row, new shoal.v1.Host({ ...row.record, ...fields, ...told }));
    });
  }

  /** What a rotation of the authority waits for; nothing while there is none. */
  #authorities(): { readonly knownAuthoritySha256?: Uint8Array; readonly shownAuthoritySha256?: Uint8Array } {
    const mesh = meshTable.get(this.#deps.services.state.local, 'mesh')?.record;
    if (mesh === undefined || mesh.crossCertificatePem === '') return {};
    const { known, shown } = this.#own.authorities();
    return { knownAuthoritySha256: known, shownAuthoritySha256: shown };
  }

  /** Tells the others where this host is reached while its record says something else and it cannot write it itself. */
  async announce(): Promise<void> {
    const { services, config, peers, directory, repeated, signal } = this.#deps;
    const { clock, logger } = services;
    const { hostId, publicKey } = this.#own;
    const record = hostTable.get(services.state.local, hostId)?.record;
    const fields = hostFields(config);
    if (record === undefined || services.state.status().hasQuorum || isRecorded(record, fields)) return;
    if (clock.monotonicMs() - this.#announcedMs < announceMs) return;
    const others = directory.hosts().map((host) => host.hostId as HostId);
    const members = others.filter((id) => id !== hostId);
    const told = await announce(peers, members, { ...fields, id: hostId, publicKey }, signal);
    this.#announcedMs = clock.monotonicMs();
    const { peerAddress: before } = record;
    const facts = { before, now: fields.peerAddress, vtepIp: fields.vtepIp, ...told };
    if (told.heard > 0) logger.info(facts, "this host's addresses have changed, and the others were told");
    else {
      repeated.warn(
        'announce',
        facts,
        "this host's addresses have changed and no other member is reached at the address known here: give one of them its old address back, or this host its own",
      );
    }
  }
}

/** Whether a host's record says what the host says of itself now. */
function isRecorded(record: shoal.v1.Host, fields: ReturnType<typeof hostFields>): boolean {
  return Object.entries(fields).every(([name, value]) => record[name as keyof typeof fields] === value);
}
