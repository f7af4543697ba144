/**
 * A server as Nova answers it, one step a microversion. The base (2.1) is strict: what a later version added must not be
 * there before.
 */
import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { shownStatus, vmState } from '../../../node/services/compute/machine/vm-state.ts';
import { zoneOf } from '../../../node/services/kit/zones.ts';
import { volumeDisks } from '../../../node/services/volume/records/server-disks.ts';
import { indexKey } from '../../../node/state/table.ts';
import {
  floatingIpTable,
  hostTable,
  imageTable,
  networkTable,
  portTable,
  securityGroupTable,
} from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import { embeddedFlavorView } from './flavor-view.ts';
import { linksOf, plainTimeText, rootOf, timeText, type View } from './kit/common.ts';
import { type Microversion, microversionOf } from './kit/microversion.ts';

const { ServerStatus } = shoal.v1;

/** What a view is made with. */
export interface ServerViewing {
  readonly reader: StateReader;
  /** `{base}/compute`. */
  readonly root: string;
  readonly microversion: Microversion;
  /** Whether a rule holds for the caller. */
  readonly allows: (rule: string) => boolean;
  /** Nova's word for how a server's host is; empty for none. */
  readonly hostStatus: (host: shoal.v1.Host | undefined) => string;
}

/** What servers are shown with: to whom, at which microversion, from which records. */
export function viewingWith(
  gateway: Gateway,
  compute: ComputeService,
  request: FastifyRequest,
  reader: StateReader,
): ServerViewing {
  return {
    reader,
    root: rootOf(gateway, request),
    microversion: microversionOf(request),
    allows: (rule) => gateway.allows(request, rule),
    hostStatus: (host) => compute.hosts.statusOf(host),
  };
}

/** `GET /servers`: id, name, links. */
export function briefServerView(viewing: ServerViewing, server: shoal.v1.Server): View {
  return { id: server.id, name: server.name, links: linksOf(viewing.root, `servers/${server.id}`) };
}

/**
 * `GET /servers/{id}` and the members of `/servers/detail`.
 * @param isList some keys are in the answer for one server alone.
 */
export function serverView(viewing: ServerViewing, server: shoal.v1.Server, isList: boolean): View {
  const { reader, microversion, allows } = viewing;
  const host = hostTable.find(reader, server.hostId)?.record;
  const names = groupNames(reader, server);
  return {
    ...commonView(viewing, server),
    key_name: server.keyName === '' ? null : server.keyName,
    config_drive: server.configDrive ? 'True' : '',
    ...(names.length === 0 ? {} : { security_groups: names.map((name) => ({ name })) }),
    'OS-EXT-AZ:availability_zone': host === undefined ? server.zone : zoneOf(reader, host),
    'OS-EXT-STS:task_state': server.taskState === '' ? null : server.taskState,
    'OS-EXT-STS:vm_state': vmState(server),
    'OS-EXT-STS:power_state': server.powerState,
    'OS-SRV-USG:launched_at': server.launchedMs === 0 ? null : plainTimeText(server.launchedMs),
    'OS-SRV-USG:terminated_at': null,
    'os-extended-volumes:volumes_attached': volumesView(server, microversion),
    ...(allows('os_compute_api:os-extended-server-attributes') ? adminView(server, host, microversion) : {}),
    ...(microversion >= 16 && allows('os_compute_api:servers:show:host_status')
      ? { host_status: viewing.hostStatus(host) }
      : {}),
    ...(microversion >= 71 && !isList
      ? { server_groups: server.serverGroupId === '' ? [] : [server.serverGroupId] }
      : {}),
  };
}

/** From 2.3 on with what becomes of each when the server goes. */
function volumesView(server: shoal.v1.Server, microversion: Microversion): readonly View[] {
  return volumeDisks(server).map(({ volumeId, deleteOnTermination }) => ({
    id: volumeId ?? '',
    ...(microversion >= 3 ? { delete_on_termination: deleteOnTermination === true } : {}),
  }));
}

/** `PUT /servers/{id}` below 2.75: less than a `GET` gives. */
export function updatedServerView(viewing: ServerViewing, server: shoal.v1.Server): View {
  if (viewing.microversion >= 75) return serverView(viewing, server, false);
  const { microversion, reader } = viewing;
  return {
    ...commonView(viewing, server),
    addresses: plainAddressesView(reader, server),
    ...(microversion >= 71 ? { server_groups: server.serverGroupId === '' ? [] : [server.serverGroupId] } : {}),
  };
}

function commonView(viewing: ServerViewing, server: shoal.v1.Server): View {
  const { reader, root, microversion, allows } = viewing;
  const status = statusText(server);
  const flavor = server.flavor ?? new shoal.v1.Flavor();
  return {
    id: server.id,
    name: server.name,
    status,
    tenant_id: server.projectId,
    user_id: server.userId,
    metadata: server.metadata,
    hostId: hostIdText(server.projectId, server.hostId),
    image:
      server.imageId === ''
        ? ''
        : {
            id: server.imageId,
            links: [{ rel: 'bookmark', href: `${root}/images/${server.imageId}` }],
            ...(microversion >= 98
              ? { properties: imageTable.find(reader, server.imageId)?.record.properties ?? {} }
              : {}),
          },
    flavor:
      microversion >= 47
        ? embeddedFlavorView(flavor)
        : { id: flavor.id, links: [{ rel: 'bookmark', href: `${root}/flavors/${flavor.id}` }] },
    created: timeText(server.createdMs),
    updated: timeText(server.updatedMs),
    addresses: addressesView(reader, server),
    accessIPv4: server.accessIpv4,
    accessIPv6: server.accessIpv6,
    links: linksOf(root, `servers/${server.id}`),
    'OS-DCF:diskConfig': server.diskConfigAuto ? 'AUTO' : 'MANUAL',
    ...(progressOf(status) === undefined ? {} : { progress: progressOf(status) }),
    ...(status === 'ERROR' && server.fault !== null
      ? { fault: faultView(server.fault, allows('context_is_admin')) }
      : {}),
    ...(microversion >= 9 ? { locked: server.locked } : {}),
    ...(microversion >= 19 ? { description: server.description === '' ? null : server.description } : {}),
    ...(microversion >= 26 ? { tags: server.tags } : {}),
    ...(microversion >= 63 ? { trusted_image_certificates: null } : {}),
    ...(microversion >= 73 ? { locked_reason: server.lockedReason === '' ? null : server.lockedReason } : {}),
    // Everybody's from 2.90 on.
    ...(microversion >= 90 ? { 'OS-EXT-SRV-ATTR:hostname': server.hostname } : {}),
    ...(microversion >= 96 ? { pinned_availability_zone: server.zone === '' ? null : server.zone } : {}),
    ...(microversion >= 100 ? { scheduler_hints: hintsView(server) } : {}),
  };
}

/** As they were given, but for lists, which are kept as one text. */
function hintsView({ schedulerHints, serverGroupId }: shoal.v1.Server): View {
  return { ...schedulerHints, ...(serverGroupId === '' ? {} : { group: serverGroupId }) };
}

function adminView(server: shoal.v1.Server, host: shoal.v1.Host | undefined, microversion: Microversion): View {
  const name = host?.name ?? null;
  return {
    'OS-EXT-SRV-ATTR:host': name,
    'OS-EXT-SRV-ATTR:hypervisor_hostname': name,
    'OS-EXT-SRV-ATTR:instance_name': `shoal-${server.id}`,
    ...(microversion >= 3
      ? {
          'OS-EXT-SRV-ATTR:reservation_id': server.reservationId,
          'OS-EXT-SRV-ATTR:launch_index': 0,
          'OS-EXT-SRV-ATTR:hostname': server.hostname,
          'OS-EXT-SRV-ATTR:kernel_id': '',
          'OS-EXT-SRV-ATTR:ramdisk_id': '',
          'OS-EXT-SRV-ATTR:root_device_name': '/dev/vda',
          'OS-EXT-SRV-ATTR:user_data':
            server.userData.length === 0 ? null : Buffer.from(server.userData).toString('base64'),
        }
      : {}),
  };
}

/** States in which Nova speaks of progress. */
const progressing = new Set(['ACTIVE', 'BUILD', 'REBUILD', 'RESIZE', 'VERIFY_RESIZE', 'MIGRATING']);

/** Per cent; undefined in states in which Nova does not speak of progress. */
export function progressOf(status: string): number | undefined {
  if (!progressing.has(status)) return undefined;
  return status === 'ACTIVE' ? 100 : 0;
}

/** Tasks of which Nova shows this alone, whatever the server was before. */
const rebuildTasks = new Set(['rebuilding', 'rebuild_spawning']);

/** Nova's one word for it. */
export function statusText(server: shoal.v1.Server): string {
  if (rebuildTasks.has(server.taskState)) return 'REBUILD';
  switch (shownStatus(server)) {
    case ServerStatus.SERVER_STATUS_BUILD:
      return 'BUILD';
    case ServerStatus.SERVER_STATUS_ACTIVE:
      return 'ACTIVE';
    case ServerStatus.SERVER_STATUS_SHUTOFF:
      return 'SHUTOFF';
    case ServerStatus.SERVER_STATUS_PAUSED:
      return 'PAUSED';
    case ServerStatus.SERVER_STATUS_SUSPENDED:
      return 'SUSPENDED';
    case ServerStatus.SERVER_STATUS_ERROR:
      return 'ERROR';
    case ServerStatus.SERVER_STATUS_REBOOT:
      return server.rebootHard ? 'HARD_REBOOT' : 'REBOOT';
    case ServerStatus.SERVER_STATUS_RESCUE:
      return 'RESCUE';
    case ServerStatus.SERVER_STATUS_SHELVED:
      return 'SHELVED';
    case ServerStatus.SERVER_STATUS_SHELVED_OFFLOADED:
      return 'SHELVED_OFFLOADED';
    case ServerStatus.SERVER_STATUS_MIGRATING:
      return 'MIGRATING';
    case ServerStatus.SERVER_STATUS_RESIZE:
      return 'RESIZE';
    case ServerStatus.SERVER_STATUS_VERIFY_RESIZE:
      return 'VERIFY_RESIZE';
    case ServerStatus.SERVER_STATUS_REVERT_RESIZE:
      return 'REVERT_RESIZE';
    case ServerStatus.SERVER_STATUS_DELETING:
      return 'ACTIVE';
    case ServerStatus.SERVER_STATUS_UNSPECIFIED:
      return 'UNKNOWN';
    default:
      // Written by a newer agent.
      return 'UNKNOWN';
  }
}

/** Addresses by network name: fixed ones, then the floating ones that lead to them. */
function addressesView(reader: StateReader, server: shoal.v1.Server): Record<string, object[]> {
  // Not an object: a network may be called like something that every object has.
  const byNetwork = new Map<string, object[]>();
  for (const portId of server.portIds) {
    const port = portTable.find(reader, portId)?.record;
    if (port === undefined) continue;
    const name = networkTable.find(reader, port.networkId)?.record.name || port.networkId;
    const addresses = byNetwork.get(name) ?? [];
    byNetwork.set(name, addresses);
    const entry = (addr: string, type: 'fixed' | 'floating'): object => ({
      version: addr.includes(':') ? 6 : 4,
      addr,
      'OS-EXT-IPS:type': type,
      'OS-EXT-IPS-MAC:mac_addr': port.mac,
    });
    for (const fixed of port.fixedIps) addresses.push(entry(fixed.ip, 'fixed'));
    for (const { record } of floatingIpTable.by(reader, 'port', indexKey(port.id))) {
      addresses.push(entry(record.floatingIp, 'floating'));
    }
  }
  return Object.fromEntries(byNetwork);
}

/** The same with nothing but the addresses, as where Nova's extensions of old have no place. */
export function plainAddressesView(reader: StateReader, server: shoal.v1.Server): Record<string, object[]> {
  const all = Object.entries(addressesView(reader, server));
  return Object.fromEntries(all.map(([name, addresses]) => [name, addresses.map(plainAddress)]));
}

function plainAddress(entry: object): object {
  const { version, addr } = entry as { readonly version: number; readonly addr: string };
  return { version, addr };
}

/** Names of the groups of the server's ports, each once. */
export function groupNames(reader: StateReader, server: shoal.v1.Server): readonly string[] {
  const names = new Set<string>();
  for (const portId of server.portIds) {
    for (const id of portTable.find(reader, portId)?.record.securityGroupIds ?? []) {
      const name = securityGroupTable.find(reader, id)?.record.name;
      if (name !== undefined) names.add(name);
    }
  }
  return [...names];
}

/** Lets an owner see that two of their servers share a host, and nothing else. Empty while there is no host. */
export function hostIdText(projectId: string, hostId: string): string {
  if (hostId === '') return '';
  return createHash('sha224').update(`${projectId}${hostId}`).digest('hex');
}

function faultView(fault: shoal.v1.ServerFault, hasDetails: boolean): View {
  return {
    code: fault.code,
    message: fault.message,
    created: timeText(fault.createdMs),
    ...(hasDetails && fault.details !== '' ? { details: fault.details } : {}),
  };
}
