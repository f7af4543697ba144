import type { HostId, ServerId } from '../../node/base/ids.ts';
import type { ResourceAmounts } from './resource-classes.ts';

/** What a placement is for. Rebuild keeps the host, so only the filters that look at the image run. */
export type PlacementPurpose = 'create' | 'move' | 'rebuild';

/** What a guest takes from a host. */
export interface ResourceNeeds extends ResourceAmounts {
  /** Local disk: root, ephemeral and swap together. 0 when all disks are volumes. */
  readonly diskGib: number;
  readonly pci: readonly PciRequest[];
  /** Absent when the guest does not care about NUMA, pinning or page sizes. See `numaNeedsOf` (../devices/numa.ts). */
  readonly numa?: NumaNeeds;
}

/** Some PCI devices of one kind. An empty string matches anything. */
export interface PciRequest {
  readonly count: number;
  readonly vendorId: string;
  readonly productId: string;
  readonly physicalNetwork: string;
}

/** NUMA cells that a guest sees. Each lands on a different cell of the host. */
export interface NumaNeeds {
  readonly cells: readonly { readonly vcpus: number; readonly memoryMib: number }[];
  /** True: each vCPU has a host CPU for itself. */
  readonly dedicated: boolean;
  /** Huge page size, KiB; 0 for ordinary pages. */
  readonly pageSizeKib: number;
}

/** A server group as the bind transaction will check it, read from the records. */
export interface RequestGroup {
  readonly id: string;
  readonly policy: 'affinity' | 'anti-affinity' | 'soft-affinity' | 'soft-anti-affinity';
  /** Most members on one host under `anti-affinity`. At least 1. */
  readonly maxServerPerHost: number;
  /** The host of each member: one entry a member, so that a host with two members is listed twice. */
  readonly memberHosts: readonly HostId[];
}

/** Scheduler hints. Server names are resolved to hosts by the caller, which has the records. */
export interface RequestHints {
  /** Hosts of the servers named by `different_host`. */
  readonly differentHosts?: readonly HostId[];
  /** Hosts of the servers named by `same_host`. Given but empty (no such server): no host passes. */
  readonly sameHosts?: readonly HostId[];
  /** JSON text of a `query`. */
  readonly query?: string;
  /** IP address and prefix length of `build_near_host_ip` and `cidr`. */
  readonly nearAddress?: { readonly address: string; readonly prefixLength: number };
}

/**
 * One request for a place. What hosts are judged by (the *request class*) is everything but `projectId` (unless an
 * aggregate names the project), `group`, the host hints, `host` and `excludedHosts`: those are applied on top of the
 * class's index.
 *
 * The maps are taken as immutable: their text form is remembered by identity.
 */
export interface PlacementRequest {
  readonly purpose: PlacementPurpose;
  readonly projectId: string;
  readonly flavorName: string;
  readonly needs: ResourceNeeds;
  readonly extraSpecs: Readonly<Record<string, string>>;
  readonly imageId: string;
  readonly imageProperties: Readonly<Record<string, string>>;
  /** Empty: any zone. */
  readonly zone: string;
  /** On top of `trait:NAME=required` and `=forbidden` in the extra specs and the image's properties. */
  readonly requiredTraits: readonly string[];
  readonly forbiddenTraits: readonly string[];
  /** Physical networks that ports of the guest must reach. */
  readonly physicalNetworks: readonly string[];
  /** Storage pools that disks of the guest live in, with the room that they need there. */
  readonly storagePools: readonly { readonly name: string; readonly gib: number }[];
  readonly minFeatureLevel: number;
  /** Cell that a moving guest comes from; empty otherwise. */
  readonly sourceCell: string;
  readonly hints: RequestHints;
  readonly group?: RequestGroup;
  /** A wanted host. `force`: no filter is asked (the claim still is, and `excludedHosts` hold). Otherwise all are. */
  readonly host?: { readonly hostId: HostId; readonly force: boolean };
  /** Hosts that refused already, or that the guest must leave. */
  readonly excludedHosts: readonly HostId[];
}

/** A request with nothing special about it. Fields of `parts` win. */
export function placementRequest(parts: Partial<PlacementRequest> = {}): PlacementRequest {
  return { ...plainRequest, ...parts };
}

const plainRequest: PlacementRequest = {
  purpose: 'create',
  projectId: '',
  flavorName: '',
  needs: { vcpus: 1, memoryMib: 512, diskGib: 0, pci: [] },
  extraSpecs: {},
  imageId: '',
  imageProperties: {},
  zone: '',
  requiredTraits: [],
  forbiddenTraits: [],
  physicalNetworks: [],
  storagePools: [],
  minFeatureLevel: 0,
  sourceCell: '',
  hints: {},
  excludedHosts: [],
};

/** One guest's claim: (server, generation) names it everywhere. */
export interface ClaimKey {
  readonly serverId: ServerId;
  readonly generation: number;
}

/** The key as one string. Server ids hold no `/`. */
export function claimKeyText(key: ClaimKey): string {
  return `${key.serverId}/${key.generation}`;
}
