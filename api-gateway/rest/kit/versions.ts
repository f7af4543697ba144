/** Version documents, as clients read them before anything else. Pure: base URL in, document out. */

interface Link {
  readonly rel: string;
  readonly href: string;
  readonly type?: string;
}

const self = (href: string): Link => ({ rel: 'self', href });

/** Lowest and highest microversion of the compute API that is served: the highest is nova 34.0.0's. */
export const computeMicroversions = { min: '2.1', max: '2.104' } as const;

/** The one version: in the list, and under `version` in `GET /identity/v3` (200). @param root `{base}/identity`. */
export function identityVersion(root: string): object {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [self(`${root}/v3/`)],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  };
}

/**
 * `GET /identity/` (300): the same as a list, the way Keystone wraps it.
 * @param root `{base}/identity`.
 */
export function identityVersions(root: string): object {
  return { versions: { values: [identityVersion(root)] } };
}

/** `GET /compute/` (200). tempest wants v2.0 first and reads the range from v2.1. */
export function computeVersions(root: string): object {
  return {
    versions: [firstVersionEntry(root), computeVersionEntry(root)],
  };
}

function firstVersionEntry(root: string) {
  return {
    id: 'v2.0',
    status: 'SUPPORTED',
    version: '',
    min_version: '',
    updated: '2011-01-21T11:33:21Z',
    links: [self(`${root}/v2/`)],
  };
}

/** `GET /compute/v2/` (200). */
export function computeFirstVersion(root: string): object {
  return {
    version: {
      ...firstVersionEntry(root),
      'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2' }],
    },
  };
}

function computeVersionEntry(root: string) {
  return {
    id: 'v2.1',
    status: 'CURRENT',
    version: computeMicroversions.max,
    min_version: computeMicroversions.min,
    updated: '2013-07-23T11:33:21Z',
    links: [self(`${root}/v2.1/`)],
  };
}

/** `GET /compute/v2.1/` (200). */
export function computeVersion(root: string): object {
  const entry = computeVersionEntry(root);
  return {
    version: {
      ...entry,
      'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.compute+json;version=2.1' }],
    },
  };
}

/** Lowest and highest microversion of the block storage API that is served. */
export const volumeMicroversions = { min: '3.0', max: '3.71' } as const;

/** `GET /volume/` (300) and `GET /volume/v3/` (200): the one version, in a list in both. @param root `{base}/volume`. */
export function volumeVersions(root: string): object {
  return {
    versions: [
      {
        id: 'v3.0',
        status: 'CURRENT',
        version: volumeMicroversions.max,
        min_version: volumeMicroversions.min,
        updated: '2023-08-31T00:00:00Z',
        links: [{ rel: 'describedby', type: 'text/html', href: 'https://docs.openstack.org/' }, self(`${root}/v3/`)],
        'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.volume+json;version=3' }],
      },
    ],
  };
}

/** `GET /image/` and `/image/versions` (300). The order is newest first. */
export function imageVersions(root: string): object {
  const ids = ['v2.9', 'v2.7', 'v2.6', 'v2.5', 'v2.4', 'v2.3', 'v2.2', 'v2.1', 'v2.0'];
  return {
    versions: ids.map((id, i) => ({ id, status: i === 0 ? 'CURRENT' : 'SUPPORTED', links: [self(`${root}/v2/`)] })),
  };
}

/** `GET /networking/` (200). Only v2.0 is there. */
export function networkVersions(root: string): object {
  return { versions: [{ id: 'v2.0', status: 'CURRENT', links: [self(`${root}/v2.0/`)] }] };
}

/** `GET /networking/v2.0/` (200): what lies below it, by the names of its collections. */
export function networkResources(root: string, collections: readonly string[]): object {
  return {
    resources: collections.map((collection) => ({
      name: collection.replace(/s$/, ''),
      collection,
      links: [self(`${root}/v2.0/${collection}`)],
    })),
  };
}

/** `GET /placement/` (200): no version of OpenStack's Placement API, and where Shoal's own questions are. */
export function placementVersions(root: string): object {
  return { versions: [], shoal: { id: 'v1', status: 'CURRENT', links: [self(`${root}/shoal/v1`)] } };
}
