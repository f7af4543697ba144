/** What Nova has and this compute API does not: whole resources. Actions of servers are in `../schemas/unserved-actions.ts`. */
import type { UnservedPart } from '../kit/unserved.ts';

const servers = '/v2.1/servers/:id';

/** Paths of Nova that answer 501 and say what is missing. */
export const unservedCompute: readonly UnservedPart[] = [
  { what: 'the NUMA topology of servers', paths: [`${servers}/topology`] },
  { what: 'shares of servers', paths: [`${servers}/shares`] },
  { what: 'virtual interfaces (see os-interface)', paths: [`${servers}/os-virtual-interfaces`] },
  {
    what: 'images that hosts of an aggregate are to fetch before they are used',
    paths: ['/v2.1/os-aggregates/:id/images'],
  },
  { what: 'the old alias of /servers', paths: ['/v2.1/os-volumes_boot'] },
  { what: 'assisted volume snapshots', paths: ['/v2.1/os-assisted-volume-snapshots'] },
  {
    what: 'what went with nova-network (ask the network API)',
    paths: [
      '/v2.1/os-fixed-ips',
      '/v2.1/os-floating-ips-bulk',
      '/v2.1/os-floating-ip-dns',
      '/v2.1/os-security-group-default-rules',
      '/v2.1/os-virtual-interfaces',
    ],
  },
  {
    what: 'bare metal, cells, certificates, agents and other parts that Nova has given up',
    paths: [
      '/v2.1/os-baremetal-nodes',
      '/v2.1/os-cells',
      '/v2.1/os-certificates',
      '/v2.1/os-cloudpipe',
      '/v2.1/os-agents',
      '/v2.1/os-fping',
      `${servers}/consoles`,
    ],
  },
];
