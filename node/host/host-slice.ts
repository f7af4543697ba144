/**
 * What a host has to hold of the state, by reading it: its own servers with all that hangs on them, what its networks need, and
 * what all hosts know. A host that holds a slice asks for what this misses (node/slices); so its guests are kept with nobody
 * reachable, and its API knows who is who.
 */
import type { HostId } from '../base/ids.ts';
import { readCarried } from '../services/network/carried-networks.ts';
import { readMetadata } from '../services/network/metadata.ts';
import type { SliceRoots } from '../slices/slice-roots.ts';
import { ReadMemo } from '../state/read-set.ts';
import { indexKey, prefixEnd } from '../state/table.ts';
import {
  aggregateTable,
  domainTable,
  hostTable,
  imageTable,
  jobTable,
  meshKeyEpochTable,
  meshTable,
  portTable,
  projectTable,
  qosSpecsTable,
  removedHostTable,
  revokedTokenTable,
  roleAssignmentTable,
  roleTable,
  serverTable,
  userTable,
  volumeBackupTable,
  volumeGroupTable,
  volumeSnapshotTable,
  volumeTable,
  volumeTypeTable,
} from '../state/tables/index.ts';
import type { StateReader } from '../state/types.ts';

/** What every host knows, whatever it carries: small tables, whole, with their indexes. */
const common = [
  meshTable,
  hostTable,
  removedHostTable,
  meshKeyEpochTable,
  revokedTokenTable,
  domainTable,
  roleTable,
  aggregateTable,
  imageTable,
  volumeTypeTable,
  qosSpecsTable,
] as const;

/** Who there is, and who may do what: whole as well, for as long as it is small. */
const directory = [userTable, projectTable, roleAssignmentTable] as const;
/** Rows of such a table that all hosts hold, at most; beyond it each holds those of its own guests' projects. */
const directoryRowsMax = 2_000;

/** More parts than a host has guests: each is read by itself. */
const partsMax = 4096;

/** What `hostId` must hold, for the slice of that host. */
export function hostSlice(hostId: HostId): HostSlice {
  return new HostSlice(hostId);
}

/**
 * What one host must hold. It is read in parts, and a part again only when something has changed that it was made of: so what
 * a change costs a host follows the change, and not what the host carries.
 */
class HostSlice implements SliceRoots {
  readonly #hostId: HostId;
  /** Tables of the directory that have been too large once. */
  readonly #large = new Set<string>();
  #parts = newParts();

  constructor(hostId: HostId) {
    this.#hostId = hostId;
  }

  read(reader: StateReader): void {
    for (const table of directory) {
      const { name } = table.definition;
      if (this.#large.has(name)) continue;
      const rows = this.#part(name, reader, (reads) => [String(readWhole(reads, table))]);
      if (Number(rows[0]) > directoryRowsMax) this.#large.add(name);
    }
    for (const table of common) {
      this.#part(table.definition.name, reader, (reads) => [String(readWhole(reads, table))]);
    }
    this.#part('jobs', reader, (reads) => jobTable.by(reads, 'under-way', 'yes').map(({ record }) => record.id));
    this.#part('networks', reader, (reads) => {
      readCarried(reads, this.#hostId);
      return [];
    });
    const serverIds = this.#part('servers', reader, (reads) =>
      serverTable.by(reads, 'host', this.#hostId).map(({ record }) => record.id),
    );
    const projects = new Set<string>();
    for (const id of serverIds) {
      for (const projectId of this.#part(`server ${id}`, reader, (reads) => readServer(reads, id)))
        projects.add(projectId);
    }
    this.#part('volumes', reader, (reads) => readVolumes(reads, this.#hostId));
    for (const id of projects) this.#part(`project ${id}`, reader, (reads) => readProject(reads, id));
  }

  heard(keys: readonly string[]): void {
    this.#parts.heard(keys);
  }

  forget(): void {
    this.#parts = newParts();
  }

  #part(name: string, reader: StateReader, read: (reader: StateReader) => readonly string[]): readonly string[] {
    return this.#parts.get(name, reader, read);
  }
}

/** Nothing has changed since it was made, as far as it will be told. */
function newParts(): ReadMemo<readonly string[]> {
  const parts = new ReadMemo<readonly string[]>(partsMax);
  parts.heard([]);
  return parts;
}

/** A guest with what it is told of itself, and its ports, those of one that is to go as well. Returns its project. */
function readServer(reader: StateReader, id: string): readonly string[] {
  const server = serverTable.find(reader, id)?.record;
  if (server === undefined) return [];
  portTable.by(reader, 'device', indexKey(id));
  // Those that it has open, whichever host carries out what is asked of them.
  volumeTable.by(reader, 'server', indexKey(id));
  readMetadata(reader, server);
  return [server.projectId];
}

/** What this host carries out of block storage: volumes with their snapshots and what they are made of, backups, groups. */
function readVolumes(reader: StateReader, hostId: HostId): readonly string[] {
  for (const { record } of volumeTable.by(reader, 'host', hostId)) {
    volumeSnapshotTable.by(reader, 'volume', indexKey(record.id));
    volumeSnapshotTable.find(reader, record.sourceSnapshotId);
    volumeTable.find(reader, record.sourceVolumeId);
    volumeBackupTable.find(reader, record.sourceBackupId);
  }
  volumeSnapshotTable.by(reader, 'host', hostId);
  volumeGroupTable.by(reader, 'host', hostId);
  for (const { record } of volumeBackupTable.by(reader, 'host', hostId)) {
    // The chain that it adds to, and the volume that it is of.
    volumeBackupTable.find(reader, record.parentId);
    volumeTable.find(reader, record.volumeId);
    volumeTable.find(reader, record.restoreVolumeId);
  }
  return [];
}

/** Reads a table with its indexes. Returns how many rows it has. */
function readWhole(
  reader: StateReader,
  { definition: { name } }: { readonly definition: { readonly name: string } },
): number {
  const [rows = []] = ['t', 'x', 'u'].map((kind) => {
    const prefix = `${kind}/${name}/`;
    return reader.range(prefix, prefixEnd(prefix));
  });
  return rows.length;
}

/** Who may do what with what is on this host: offline, too. */
function readProject(reader: StateReader, id: string): readonly string[] {
  projectTable.find(reader, id);
  for (const { record } of roleAssignmentTable.by(reader, 'project', indexKey(id))) {
    if (record.userId !== '') userTable.find(reader, record.userId);
  }
  return [];
}
