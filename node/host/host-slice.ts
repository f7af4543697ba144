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
  removedHostTable,
  revokedTokenTable,
  roleAssignmentTable,
  roleTable,
  serverTable,
  userTable,
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
] as const;

/** Makes the reading of one host. */
export function hostSlice(hostId: HostId): (reader: StateReader) => void {
  return (reader) => {
    for (const table of common) {
      table.list(reader);
      for (const kind of ['x', 'u']) {
        const prefix = `${kind}/${table.definition.name}/`;
        reader.range(prefix, prefixEnd(prefix));
      }
    }
    jobTable.by(reader, 'under-way', 'yes');
    hostNetworkView(reader, hostId);
    const projects = new Set<string>();
    for (const { record } of serverTable.by(reader, 'host', hostId)) {
      projects.add(record.projectId);
      // Those of a guest that is to go.
      portTable.by(reader, 'device', indexKey(record.id));
    }
    for (const id of projects) readProject(reader, id);
  };
}

/** Who may do what with what is on this host: offline, too. */
function readProject(reader: StateReader, id: string): void {
  projectTable.find(reader, id);
  for (const { record } of roleAssignmentTable.by(reader, 'project', indexKey(id))) {
    if (record.userId !== '') userTable.find(reader, record.userId);
  }
}
