/** All pages: their addresses, where they stand in the navigation, and the file of each, loaded when it is opened. */
import type { PageEntry } from './kit/page-entry.ts';
import { texts } from './kit/texts.ts';

const { compute, storage, network, account, operators } = texts.pages.groups;

/** In the order of the navigation; of two that fit an address, the first. */
export const pages: readonly PageEntry[] = [
  { path: '/', title: texts.pages.overview, group: '', load: () => import('./pages/overview.tsx') },
  { path: '/servers', title: texts.servers.title, group: compute, load: () => import('./pages/servers/list.tsx') },
  { path: '/servers/new', title: texts.servers.create, load: () => import('./pages/servers/create.tsx') },
  { path: '/servers/:id', title: texts.kinds.server, load: () => import('./pages/servers/show.tsx') },
  { path: '/images', title: texts.images.title, group: compute, load: () => import('./pages/images/images.tsx') },
  { path: '/images/new', title: texts.images.upload, load: () => import('./pages/images/upload.tsx') },
  { path: '/images/:id', title: texts.kinds.image, load: () => import('./pages/images/image.tsx') },
  {
    path: '/keypairs',
    title: texts.keyPairs.title,
    group: compute,
    load: () => import('./pages/account/keypairs.tsx'),
  },
  { path: '/volumes', title: texts.volumes.title, group: storage, load: () => import('./pages/storage/volumes.tsx') },
  { path: '/volumes/:id', title: texts.kinds.volume, load: () => import('./pages/storage/volume.tsx') },
  {
    path: '/snapshots',
    title: texts.snapshots.title,
    group: storage,
    load: () => import('./pages/storage/snapshots.tsx'),
  },
  { path: '/backups', title: texts.backups.title, group: storage, load: () => import('./pages/storage/backups.tsx') },
  {
    path: '/topology',
    title: texts.topology.title,
    group: network,
    load: () => import('./pages/network/topology.tsx'),
  },
  {
    path: '/networks',
    title: texts.networks.title,
    group: network,
    load: () => import('./pages/network/networks.tsx'),
  },
  { path: '/networks/:id', title: texts.kinds.network, load: () => import('./pages/network/network.tsx') },
  { path: '/routers', title: texts.routers.title, group: network, load: () => import('./pages/network/routers.tsx') },
  { path: '/routers/:id', title: texts.kinds.router, load: () => import('./pages/network/router.tsx') },
  { path: '/ports', title: texts.ports.title, group: network, load: () => import('./pages/network/ports.tsx') },
  { path: '/ports/:id', title: texts.kinds.port, load: () => import('./pages/network/port.tsx') },
  {
    path: '/floating-ips',
    title: texts.floatingIps.title,
    group: network,
    load: () => import('./pages/network/floating-ips.tsx'),
  },
  {
    path: '/security-groups',
    title: texts.securityGroups.title,
    group: network,
    load: () => import('./pages/network/security-groups.tsx'),
  },
  {
    path: '/security-groups/:id',
    title: texts.kinds.securityGroup,
    load: () => import('./pages/network/security-group.tsx'),
  },
  { path: '/quotas', title: texts.quotas.title, group: account, load: () => import('./pages/account/quotas.tsx') },
  { path: '/access', title: texts.access.title, group: account, load: () => import('./pages/account/access.tsx') },
  // For operators.
  {
    ...{ path: '/mesh', title: texts.operators.mesh, group: operators, forOperators: true },
    load: () => import('./pages/operators/mesh.tsx'),
  },
  {
    ...{ path: '/mesh/hosts/:id', title: texts.operators.host, forOperators: true },
    load: () => import('./pages/operators/host.tsx'),
  },
  {
    ...{ path: '/placement', title: texts.operators.placement, group: operators, forOperators: true },
    load: () => import('./pages/operators/placement.tsx'),
  },
  {
    ...{ path: '/jobs', title: texts.operators.jobs, group: operators, forOperators: true },
    load: () => import('./pages/operators/jobs.tsx'),
  },
];
