/** What Cinder has and this API does not: whole resources. */
import type { UnservedPart } from '../kit/unserved.ts';

/** Paths of Cinder that answer 501 and say what is missing. A route that is served goes first. */
export const unservedVolume: readonly UnservedPart[] = [
  {
    what: 'the list of what could be managed in a pool (name it: POST /manageable_volumes)',
    paths: ['/v3/manageable_volumes', '/v3/os-volume-manage'],
  },
  {
    what: 'the taking over of snapshots that were there before',
    paths: ['/v3/manageable_snapshots', '/v3/os-snapshot-manage'],
  },
  { what: 'consistency groups (see groups)', paths: ['/v3/consistencygroups', '/v3/cgsnapshots'] },
  { what: 'replication', paths: ['/v3/os-volume-replication'] },
];
