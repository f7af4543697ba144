/** What changes are told of, and whose each thing is. */
import {
  floatingIpTable,
  hostTable,
  imageTable,
  jobTable,
  migrationTable,
  networkTable,
  portTable,
  routerTable,
  securityGroupTable,
  serverGroupTable,
  serverTable,
  subnetTable,
  volumeBackupTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';

/** One kind of thing. */
export interface ChangedKind {
  readonly name: string;
  /** Where its records are. */
  readonly prefix: string;
  /** The cloud's own, which belongs to no project: for administrators. */
  readonly isMesh: boolean;
  /** Whose it is; empty: no project's. Throws `RECORD_UNREADABLE`. */
  projectOf(value: Uint8Array): string;
  /** All there are: ids and their projects. */
  owners(reader: StateReader): Iterable<readonly [id: string, projectId: string]>;
}

interface Kept<Record> {
  readonly prefix: string;
  decode(value: Uint8Array): Record;
  list(reader: StateReader): readonly { readonly record: Record }[];
}

function ofProjects<Record extends { readonly id: string; readonly projectId: string }>(
  name: string,
  table: Kept<Record>,
): ChangedKind {
  return {
    name,
    prefix: table.prefix,
    isMesh: false,
    projectOf: (value) => table.decode(value).projectId,
    *owners(reader) {
      for (const { record } of table.list(reader)) yield [record.id, record.projectId];
    },
  };
}

function ofMesh(name: string, { prefix }: { readonly prefix: string }): ChangedKind {
  return { name, prefix, isMesh: true, projectOf: () => '', owners: () => [] };
}

/** By the beginning of their keys. */
export const changedKinds: readonly ChangedKind[] = [
  ofProjects('backup', volumeBackupTable),
  ofProjects('floating_ip', floatingIpTable),
  ofMesh('host', hostTable),
  ofProjects('image', imageTable),
  ofMesh('job', jobTable),
  ofMesh('migration', migrationTable),
  ofProjects('network', networkTable),
  ofProjects('port', portTable),
  ofProjects('router', routerTable),
  ofProjects('security_group', securityGroupTable),
  ofProjects('server', serverTable),
  ofProjects('server_group', serverGroupTable),
  ofProjects('snapshot', volumeSnapshotTable),
  ofProjects('subnet', subnetTable),
  ofProjects('volume', volumeTable),
];
