/**
 * What a host has to hold of the state, by reading it: its own servers with all that hangs on them, what its networks need, and
 * what all hosts know. A host that holds a slice asks for what this misses (node/slices); so its guests are kept with nobody
 * reachable, and its API knows who is who.
 */
import type { HostId } from '../base/ids.ts';
import { hostNetworkView } from '../services/network/host-view.ts';
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

/** Makes the reading of one host. */
export function hostSlice(hostId: HostId): (reader: StateReader) => void {
  const large = new Set<string>();
  return (reader) => {
    for (const table of directory) {
      const { name } = table.definition;
      if (!large.has(name) && readWhole(reader, table) > directoryRowsMax) large.add(name);
    }
    for (const table of common) readWhole(reader, table);
    jobTable.by(reader, 'under-way', 'yes');
    hostNetworkView(reader, hostId);
    const projects = new Set<string>();
    for (const { record } of serverTable.by(reader, 'host', hostId)) {
      projects.add(record.projectId);
      // Those of a guest that is to go.
      portTable.by(reader, 'device', indexKey(record.id));
      // Those that it has open, whichever host carries out what is asked of them.
      volumeTable.by(reader, 'server', indexKey(record.id));
    }
    readVolumes(reader, hostId);
    for (const id of projects) readProject(reader, id);
  };
}

/** What this host carries out of block storage: volumes with their snapshots and what they are made of, backups, groups. */
function readVolumes(reader: StateReader, hostId: HostId): void {
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
function readProject(reader: StateReader, id: string): void {
  projectTable.find(reader, id);
  for (const { record } of roleAssignmentTable.by(reader, 'project', indexKey(id))) {
    if (record.userId !== '') userTable.find(reader, record.userId);
  }
}
