/**
 * The eye on records: what they have asked for is noted as it is committed, and they are checked against one another when
 * one of them has changed.
 */
import { type CountedResource, quotaUsage } from '../../node/services/kit/quota.ts';
import { heldDisksOf, isOwnDisk } from '../../node/services/volume/kit/disks-of-server.ts';
import {
  networkTable,
  portTable,
  serverGroupTable,
  serverTable,
  volumeBackupTable,
  volumeGroupTable,
  volumeSnapshotTable,
  volumeTable,
  volumeTypeTable,
} from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';
import {
  checkAddresses,
  checkAttachments,
  checkCreations,
  checkGroups,
  checkQuota,
  checkReferences,
  checkVnis,
  type QuotaPicture,
  type ReferencesPicture,
  type RemovalChecker,
} from '../checkers/hosts.ts';
import type { Report } from '../checkers/invariants.ts';
import { checkVolumeUses, type VolumeChecker } from '../checkers/volumes.ts';
import type { Scale } from '../world/scale.ts';
import type { Schedule } from '../world/schedule.ts';
import type { ContentEye } from './content-eye.ts';
import type { RecordList } from './record-list.ts';
import type { ServerEye } from './server-eye.ts';

const { PowerWanted } = shoal.v1;

/** Tasks that begin with the end of the guest. */
const endingTheGuest: ReadonlySet<string> = new Set(['rebuilding', 'rescuing', 'unrescuing']);

/** Records that are checked against one another whenever one of them has changed. */
const checkedPrefixes = [
  ...[serverTable, portTable, networkTable, serverGroupTable],
  ...[volumeTable, volumeSnapshotTable, volumeBackupTable, volumeGroupTable],
].map(({ prefix }) => prefix);

/** What quotas count of a project, as far as tenants here use it. */
const quotaResources = [
  ...(['instances', 'cores', 'ram', 'port', 'volumes', 'snapshots', 'gigabytes'] as const),
  ...(['backups', 'backup_gigabytes', 'groups'] as const),
] as const;

/** How often they are, at most: what is recorded stays so for a while. Unit: ms. */
const checkMs = { small: 0, large: 5_000 };

interface RecordEyeDeps {
  readonly schedule: Schedule;
  readonly report: Report;
  readonly servers: RecordList<shoal.v1.Server>;
  readonly ports: RecordList<shoal.v1.Port>;
  /** Hears what records ask for. */
  readonly removals: RemovalChecker;
  /** Hears which volumes there are, and which of them may go. */
  readonly volumes: VolumeChecker;
  /** Hears what volumes are to hold. */
  readonly contents: ContentEye;
  /** Hears what servers are to keep. */
  readonly kept: ServerEye;
  /** The keys that a revision changed; undefined: they are not known. */
  readonly keysOf: (revision: number) => readonly string[] | undefined;
  /** Projects whose quotas are checked. */
  readonly projects: () => readonly string[];
}

export class RecordEye {
  readonly #deps: RecordEyeDeps;
  readonly #scale: Scale;
  readonly #serverOfVolume = new Map<string, string>();
  /** Disks of servers whose place others have taken, or whose rescue is over. */
  readonly #goingDisks = new Set<string>();
  #notedRevision = 0;
  /** A record that is checked against others has changed since they were. */
  #mustCheck = true;
  /** Not before. Virtual ms. */
  #checkAtMs = 0;

  constructor(deps: RecordEyeDeps, scale: Scale) {
    this.#deps = deps;
    this.#scale = scale;
  }

  /** The server that has, or had, a volume as its root disk. */
  serverOf(volumeId: string): string | undefined {
    return this.#serverOfVolume.get(volumeId);
  }

  /** Whether a record says that a disk of a server goes, and the server stays. */
  isToGo(volumeId: string): boolean {
    return this.#goingDisks.has(volumeId);
  }

  /** Notes what records have asked for up to now. */
  note(reader: StateReader): void {
    const { revision } = reader;
    for (let at = this.#notedRevision + 1; at <= revision; at += 1) {
      const keys = this.#deps.keysOf(at);
      if (keys === undefined) this.#mustCheck = true;
      for (const key of keys ?? []) {
        this.#mustCheck ||= checkedPrefixes.some((prefix) => key.startsWith(prefix));
        if (key.startsWith(volumeTable.prefix)) this.#noteVolume(reader, key);
        this.#deps.contents.note(reader, key);
        this.#deps.kept.note(reader, key);
        if (!key.startsWith(serverTable.prefix)) continue;
        const found = reader.get(key);
        if (found !== undefined) this.#noteServer(this.#deps.servers.record(found.value));
      }
    }
    this.#notedRevision = revision;
  }

  /** Checks records if one has changed and it is time. */
  checkWhenDue(reader: StateReader): void {
    const { nowMs } = this.#deps.schedule;
    if (!this.#mustCheck || nowMs < this.#checkAtMs) return;
    this.#checkAtMs = nowMs + checkMs[this.#scale];
    this.check(reader);
  }

  /** What records say, against one another. */
  check(reader: StateReader): void {
    const { report, servers: serverList, ports } = this.#deps;
    this.#mustCheck = false;
    checkAddresses(
      ports.of(reader).map((record) => ({
        id: record.id,
        networkId: record.networkId,
        mac: record.mac,
        ips: record.fixedIps.map(({ ip }) => ip),
      })),
      report,
    );
    checkQuota(this.#quotas(reader), report);
    checkVnis(
      networkTable.list(reader).map(({ record }) => ({ id: record.id, vni: record.vni })),
      report,
    );
    const servers = serverList.of(reader);
    const holdings = servers.map(({ id, projectId, name, rootVolumeId, portIds }) => ({
      serverId: id,
      projectId,
      name,
      volumeIds: rootVolumeId === '' ? [] : [rootVolumeId],
      portIds,
    }));
    checkAttachments(holdings, report);
    checkVolumeUses(
      volumeTable.list(reader).map(({ record: { id, multiattach, attachments } }) => ({
        id,
        multiattach,
        serverIds: attachments.map(({ serverId }) => serverId).filter((serverId) => serverId !== ''),
      })),
      servers.flatMap(({ id: serverId, disks }) =>
        disks.filter((disk) => !isOwnDisk(disk)).map(({ volumeId }) => ({ serverId, volumeId })),
      ),
      report,
    );
    checkReferences(referencesOf(reader, ports.of(reader)), report);
    checkCreations(holdings, report);
    checkGroups(
      serverGroupTable.list(reader).map(({ record: { id, policy } }) => ({
        id,
        policy,
        // By the servers' own word: a group that has lost a member from its list still has it.
        hostIds: servers.flatMap(({ serverGroupId, hostId }) =>
          serverGroupId === id && hostId !== '' ? [hostId] : [],
        ),
      })),
      report,
    );
  }

  #noteVolume(reader: StateReader, key: string): void {
    const found = reader.get(key);
    if (found === undefined) return;
    const record = volumeTable.decode(found.value);
    const { id, status, madeGib } = record;
    this.#deps.volumes.recorded(id, this.#deps.contents.placeOf(record), status === 'deleting' || madeGib === 0);
  }

  #noteServer(record: shoal.v1.Server): void {
    const { removals } = this.#deps;
    for (const { volumeId, kind } of heldDisksOf(record)) {
      if (kind === 'root' || kind === 'rescue') this.#serverOfVolume.set(volumeId, record.id);
    }
    for (const { volumeId } of record.replacedDisks) this.#goingDisks.add(volumeId ?? '');
    if (record.rescue?.ending === true) this.#goingDisks.add(record.rescue.disk?.volumeId ?? '');
    if (record.deleting || record.previousHostId !== '' || record.offloading) removals.mayGo(record.id);
    if (record.discardHostId !== '') removals.mayGoFrom(record.id, `n${Number(record.discardHostId)}`);
    const isOff = record.powerWanted !== PowerWanted.POWER_WANTED_RUNNING || record.rebootsWanted > record.rebootsDone;
    if (isOff || endingTheGuest.has(record.taskState)) removals.mayStop(record.id);
  }

  /** What each project has, summed and counted. */
  #quotas(reader: StateReader): readonly QuotaPicture[] {
    const sums = new Map(this.#deps.projects().map((projectId) => [projectId, new Map<CountedResource, number>()]));
    const typeIds = new Set(volumeTypeTable.list(reader).map(({ record }) => record.id));
    const add = (projectId: string, amounts: Readonly<Partial<Record<CountedResource, number>>>): void => {
      const sum = sums.get(projectId);
      for (const [name, amount] of Object.entries(amounts)) {
        const resource = name as CountedResource;
        sum?.set(resource, (sum.get(resource) ?? 0) + (amount ?? 0));
      }
    };
    for (const { record } of volumeTable.list(reader)) {
      const { projectId, typeId, sizeGib } = record;
      typeIds.add(typeId);
      add(projectId, { volumes: 1, gigabytes: sizeGib, [`volumes_${typeId}`]: 1, [`gigabytes_${typeId}`]: sizeGib });
    }
    for (const { record } of volumeSnapshotTable.list(reader)) {
      const { projectId, typeId, sizeGib } = record;
      add(projectId, {
        snapshots: 1,
        gigabytes: sizeGib,
        [`snapshots_${typeId}`]: 1,
        [`gigabytes_${typeId}`]: sizeGib,
      });
    }
    for (const { record } of volumeBackupTable.list(reader)) {
      add(record.projectId, { backups: 1, backup_gigabytes: record.sizeGib });
    }
    for (const { record } of volumeGroupTable.list(reader)) add(record.projectId, { groups: 1 });
    for (const { projectId, flavor, move } of this.#deps.servers.of(reader)) {
      // Until a resize is confirmed the larger of both shapes counts: nobody's leave is needed for the way back.
      const old = move?.phase === 'migrating' || move?.phase === 'finished' ? move.oldFlavor : undefined;
      const cores = Math.max(flavor?.vcpus ?? 0, old?.vcpus ?? 0);
      add(projectId, { instances: 1, cores, ram: Math.max(flavor?.memoryMib ?? 0, old?.memoryMib ?? 0) });
    }
    for (const { projectId } of this.#deps.ports.of(reader)) add(projectId, { port: 1 });
    const ofTypes = [...typeIds]
      .filter((typeId) => typeId !== '')
      .flatMap((typeId) => [`volumes_${typeId}`, `snapshots_${typeId}`, `gigabytes_${typeId}`] as const);
    return [...sums].flatMap(([projectId, sum]) =>
      [...quotaResources, ...ofTypes].map((resource) => ({
        projectId,
        resource,
        sum: sum.get(resource) ?? 0,
        counted: quotaUsage(reader, projectId, resource),
      })),
    );
  }
}

/** What each port names that belongs to a project: its network, the server that it says it is for. */
function referencesOf(reader: StateReader, ports: readonly shoal.v1.Port[]): readonly ReferencesPicture[] {
  return ports.map(({ id, projectId, networkId, deviceId }) => ({
    what: `port ${id}`,
    projectId,
    names: [
      ...named(`network ${networkId}`, networkTable.get(reader, networkId)),
      ...named(`server ${deviceId}`, serverTable.get(reader, deviceId)),
    ],
  }));
}

function named(
  what: string,
  row: { readonly record: { readonly projectId: string } } | undefined,
): ReferencesPicture['names'] {
  return row === undefined ? [] : [{ what, projectId: row.record.projectId }];
}
