/** The service catalog: what this gateway serves, at the address by which the caller reached it. */
import { createHash } from 'node:crypto';

/** One service in the catalog. */
export interface CatalogService {
  readonly type: string;
  readonly name: string;
  /** Below the base URL; `%PROJECT%` stands for the project's id. Segments before a version never begin with `v<digit>`. */
  readonly path: string;
}

/**
 * What clients expect where. Compute is used as it is written, image gets `/v2` added, network must not carry `/v2.0`
 * (clients put it there themselves), and identity is rewritten to `/v3`.
 */
export const catalogServices = {
  identity: { type: 'identity', name: 'keystone', path: '/identity' },
  compute: { type: 'compute', name: 'nova', path: '/compute/v2.1' },
  image: { type: 'image', name: 'glance', path: '/image' },
  network: { type: 'network', name: 'neutron', path: '/networking' },
  // Clients of either generation look for block storage under one of these names.
  volumev3: { type: 'volumev3', name: 'cinderv3', path: '/volume/v3/%PROJECT%' },
  blockStorage: { type: 'block-storage', name: 'cinder', path: '/volume/v3/%PROJECT%' },
  // Not OpenStack's Placement API, which is not here: clients must not take it for that.
  placement: { type: 'shoal-placement', name: 'shoal', path: '/placement' },
} as const satisfies Record<string, CatalogService>;

/** The catalog of one gateway. Ids follow from names, so that every agent gives the same ones. */
export class Catalog {
  readonly services: readonly CatalogService[];
  readonly region: string;

  constructor(services: readonly CatalogService[], region: string) {
    this.services = services;
    this.region = region;
  }

  /** As tokens carry it. Without a project, services that lie below one are left out. */
  entries(baseUrl: string, projectId: string) {
    return this.services
      .filter((service) => projectId !== '' || !service.path.includes('%PROJECT%'))
      .map((service) => ({
        id: serviceId(service),
        type: service.type,
        name: service.name,
        endpoints: this.#endpoints(service, baseUrl, projectId).map(({ service_id: _, enabled: __, ...rest }) => rest),
      }));
  }

  /** As `GET /v3/endpoints` lists them. */
  endpoints(baseUrl: string) {
    return this.services.flatMap((service) => this.#endpoints(service, baseUrl, '$(project_id)s'));
  }

  #endpoints(service: CatalogService, baseUrl: string, projectId: string) {
    return (['public', 'internal', 'admin'] as const).map((kind) => ({
      id: stableId(`endpoint/${service.type}/${kind}`),
      interface: kind,
      // Some clients read `region`, some `region_id`.
      region: this.region,
      region_id: this.region,
      service_id: serviceId(service),
      enabled: true,
      url: baseUrl + service.path.replaceAll('%PROJECT%', projectId),
    }));
  }
}

/**
 * The service's id: 32 hexadecimal digits that follow from its type alone, the same at every agent and after every
 * start.
 */
export function serviceId(service: CatalogService): string {
  return stableId(`service/${service.type}`);
}

function stableId(name: string): string {
  return createHash('sha256').update(`shoal/${name}`).digest('hex').slice(0, 32);
}
