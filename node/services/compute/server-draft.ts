/**
 * What a caller asks for when making servers, checked: everything that can be refused without a host is refused here,
 * before any room is claimed or any address drawn.
 */

import ipaddr from 'ipaddr.js';
import { compileJsonQuery, defaultFilterNames } from '../../../placement/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { field, says } from '../../base/field-names.ts';
import { ipVersion } from '../../base/ip-version.ts';
import { indexKey, type Row } from '../../state/table.ts';
import {
  flavorTable,
  hostTable,
  keypairTable,
  networkTable,
  portTable,
  securityGroupTable,
  subnetTable,
} from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { bootableFormats } from '../image/draft.ts';
import type { RequestContext } from '../kit/context.ts';
import type { HostViews } from '../kit/dependencies.ts';
import { canSeeNetwork, findImage, findOwnServer, isShared } from '../kit/ownership.ts';
import { isAllowed, isOwner } from '../kit/permissions.ts';
import { quotaLimit, unlimited } from '../kit/quota.ts';
import { zoneOf } from '../kit/zones.ts';
import { parseIp } from '../network/kit/address.ts';
import { isFreePort } from '../network/ports.ts';
import { type BlockDeviceDraft, type CheckedDisks, checkBlockDevices } from '../volume/servers/block-devices.ts';
import { mappingOf, mergedDevices } from '../volume/servers/image-mapping.ts';
import { checkAttributes, checkHintNames, checkRootVolume } from './attribute-rules.ts';
import { canUse } from './flavors.ts';
import { rootProperties } from './hardware/root-properties.ts';
import { keypairId } from './keypairs.ts';
import { checkInjectedFiles, type InjectedFileDraft } from './kit/injected-files.ts';
import { checkDeviceTag, nicsMax } from './kit/nic-rules.ts';
import { badRequest, checkName, conflict, forbidden } from './kit/refusals.ts';
import { groupRow } from './server-groups.ts';

const mibBytes = 1024 * 1024;
const gibBytes = 1024 * mibBytes;

/** Longest user data as it arrives (base64), characters: Nova's own. */
const userDataCharactersMax = 65_535;
/** All scheduler hints of one server, names and values: they lie in its record, and a request may make many records. */
const hintsCharactersMax = 65_535;
/** Longest metadata key and value, characters. */
const metadataCharactersMax = 255;
/** Servers of one request. */
export const countMax = 100;
/** Most tags of a server and the longest tag: Nova's own. */
const tagsMax = 50;
const tagCharactersMax = 60;

/** One NIC: a port that is there, or a network to make one on. */
export interface NicDraft {
  readonly networkId?: string;
  readonly portId?: string;
  readonly fixedIp?: string;
  /** By which the guest's metadata names the device. */
  readonly tag?: string;
}

/** A request as an API's edge has read it: shapes are right, nothing has been looked up. `checkDraft` does that. */
export interface ServerDraft {
  readonly name: string;
  readonly flavorId: string;
  /** Empty: it boots from a volume of `blockDevices`. */
  readonly imageId: string;
  /** Disks beside the image's own (`block_device_mapping_v2`). Absent: none but the flavor's. */
  readonly blockDevices?: readonly BlockDeviceDraft[];
  /** Absent: the project's one network, when it has exactly one; `none`: no NIC; `auto`: the one network, or a refusal. */
  readonly networks?: readonly NicDraft[] | 'auto' | 'none';
  readonly keyName?: string;
  /** Base64. */
  readonly userData?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** A zone, or for administrators `zone:host`. */
  readonly zone?: string;
  /** A host by name, for administrators; unlike `zone:host` it must pass the filters. */
  readonly hostName?: string;
  /** Names or ids; absent: the project's default group. */
  readonly securityGroups?: readonly string[];
  readonly schedulerHints?: Readonly<Record<string, unknown>>;
  readonly configDrive?: boolean;
  readonly minCount?: number;
  readonly maxCount?: number;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly hostname?: string;
  readonly injectedFiles?: readonly InjectedFileDraft[];
  /** Addresses to show for it; absent or empty: none. */
  readonly accessIpv4?: string;
  readonly accessIpv6?: string;
  readonly diskConfigAuto?: boolean;
  /** Repeats with the same token give the same servers. At most 128 printable ASCII characters. */
  readonly clientToken?: string;
}

/** A draft in which everything named is there. */
export interface CheckedDraft {
  readonly name: string;
  readonly flavor: shoal.v1.Flavor;
  /** Undefined: it boots from a volume. */
  readonly image: shoal.v1.Image | undefined;
  /** Of what it boots from. */
  readonly imageProperties: Readonly<Record<string, string>>;
  readonly disks: CheckedDisks;
  readonly nics: readonly NicDraft[];
  readonly key: shoal.v1.Keypair | undefined;
  readonly userData: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  /** Empty: any. */
  readonly zone: string;
  readonly forceHostName: string | undefined;
  readonly hostName: string | undefined;
  /** Undefined: the default group, made when needed. */
  readonly securityGroups: readonly shoal.v1.SecurityGroup[] | undefined;
  /** Hints as placement reads them: servers are replaced by their hosts. */
  readonly hints: Readonly<Record<string, string>>;
  readonly groupId: string;
  readonly configDrive: boolean;
  readonly minCount: number;
  readonly maxCount: number;
  readonly description: string;
  readonly tags: readonly string[];
  readonly hostname: string | undefined;
  readonly injectedFiles: readonly shoal.v1.InjectedFile[];
  readonly accessIpv4: string;
  readonly accessIpv6: string;
  readonly diskConfigAuto: boolean;
  /** Its caller may ask for the same again, at this agent or another, while this is under way. */
  readonly isRepeatable: boolean;
}

/** Checks a draft against the records. Throws what Nova answers. */
export function checkDraft(
  context: RequestContext,
  reader: StateReader,
  draft: ServerDraft,
  options: DraftOptions,
): CheckedDraft {
  if (context.projectId === '') throw badRequest('A server belongs to a project; the token names none.');
  const minCount = draft.minCount ?? 1;
  const maxCount = draft.maxCount ?? minCount;
  if (minCount < 1 || maxCount > countMax || !Number.isInteger(minCount) || !Number.isInteger(maxCount)) {
    throw badRequest(`min_count and max_count must be from 1 to ${countMax}.`);
  }
  if (minCount > maxCount) throw badRequest('min_count must be <= max_count');
  const { devices, imageRef } = devicesOf(context, reader, draft);
  if (imageRef === '' && devices.length === 0) {
    throw badRequest(
      says`${field('imageRef')} is needed, or a volume to boot from: the server would have nothing to boot.`,
    );
  }
  const flavor = checkFlavor(context, reader, draft.flavorId);
  const mapping = { devices, imageId: imageRef, flavor, serversMax: maxCount };
  const disks = checkBlockDevices(context, reader, mapping, options);
  // Where the root disk is a volume, the flavor's disk is not made: the image, if one is named, need not fit in it.
  const imageId = disks.isRootVolume ? '' : (disks.imageId ?? imageRef);
  const spec = checkRequestSpec(context, reader, { ...draft, imageId }, options);
  const onlyHost = disks.hostName;
  if (onlyHost !== undefined && (spec.hostName ?? spec.forceHostName ?? onlyHost) !== onlyHost) {
    throw badRequest(`The server's volumes are on the own storage of host ${onlyHost}, and another host is asked for.`);
  }
  const imageProperties = rootProperties(reader, spec.image, disks);
  if (disks.isRootVolume)
    checkRootVolume(flavor, imageProperties, new Set(options.enabledFilters ?? defaultFilterNames));
  return {
    ...spec,
    imageProperties,
    hostName: spec.hostName ?? (spec.forceHostName === undefined ? onlyHost : undefined),
    disks,
    name: checkName('name', draft.name),
    nics: checkNics(context, reader, draft, maxCount),
    key: checkKey(context, reader, draft.keyName),
    userData: checkUserData(draft.userData),
    metadata: checkMetadata(context, reader, draft.metadata ?? {}),
    securityGroups: checkSecurityGroups(context, reader, draft.securityGroups),
    configDrive: draft.configDrive ?? false,
    minCount,
    maxCount,
    description: draft.description ?? '',
    tags: checkTags(draft.tags ?? []),
    hostname: draft.hostname === undefined ? undefined : checkHostname(draft.hostname),
    injectedFiles: checkInjectedFiles(reader, context.projectId, draft.injectedFiles ?? []),
    accessIpv4: checkAccessAddress(4, draft.accessIpv4 ?? ''),
    accessIpv6: checkAccessAddress(6, draft.accessIpv6 ?? ''),
    diskConfigAuto: draft.diskConfigAuto ?? false,
    isRepeatable: draft.clientToken !== undefined,
  };
}

/** The disks that are asked for; an image that only says how disks are made becomes those, and no disk of its own. */
function devicesOf(
  context: RequestContext,
  reader: StateReader,
  { blockDevices = [], imageId }: ServerDraft,
): { readonly devices: readonly BlockDeviceDraft[]; readonly imageRef: string } {
  const image = imageId === '' ? undefined : findImage(context, reader, imageId)?.record;
  const mapping = image === undefined ? undefined : mappingOf(image);
  if (image === undefined || mapping === undefined) return { devices: blockDevices, imageRef: imageId };
  if (image.status !== shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE) throw badRequest(`Image ${imageId} is not active.`);
  return { devices: mergedDevices(mapping, blockDevices, imageId), imageRef: image.sha256 === '' ? '' : imageId };
}

/** What placement goes by: the part of a create that chooses a host, as Nova's RequestSpec. */
export interface RequestSpec {
  readonly flavorId: string;
  /** Empty: none. */
  readonly imageId: string;
  /** As in `ServerDraft`. */
  readonly zone?: string;
  readonly hostName?: string;
  readonly schedulerHints?: Readonly<Record<string, unknown>>;
}

/** What a draft is checked with beside the records. */
interface DraftOptions extends RequestSpecOptions {
  readonly hostViews: HostViews;
  readonly storage: string;
}

/** What an agent's configuration says of request specs. */
interface RequestSpecOptions {
  /** Default: placement's own default. */
  readonly enabledFilters?: readonly string[];
}

/** A request spec whose flavor, image, zone, host and hints exist. */
type CheckedRequestSpec = Pick<CheckedDraft, 'flavor' | 'zone' | 'forceHostName' | 'hostName' | 'hints' | 'groupId'> & {
  readonly image: shoal.v1.Image | undefined;
};

/** Checks what a draft, or a question about a server that is not made, says of the host that it wants. */
export function checkRequestSpec(
  context: RequestContext,
  reader: StateReader,
  spec: RequestSpec,
  options: RequestSpecOptions = {},
): CheckedRequestSpec {
  const flavor = checkFlavor(context, reader, spec.flavorId);
  const image = spec.imageId === '' ? undefined : checkImage(context, reader, spec.imageId, flavor);
  const enabledFilters = new Set(options.enabledFilters ?? defaultFilterNames);
  checkAttributes(flavor, image, enabledFilters);
  checkHintNames(Object.keys(spec.schedulerHints ?? {}), enabledFilters);
  return {
    flavor,
    image,
    ...checkZone(context, reader, spec.zone),
    hostName: checkHost(context, reader, spec.hostName),
    ...checkHints(context, reader, spec.schedulerHints ?? {}),
  };
}

/** The flavor that a server of this image is to get. Throws `INVALID_ARGUMENT` for one that there is not, or that it cannot have. */
export function checkNewFlavor(
  context: RequestContext,
  reader: StateReader,
  id: string,
  image: shoal.v1.Image | undefined,
  { enabledFilters = defaultFilterNames }: RequestSpecOptions,
): shoal.v1.Flavor {
  const flavor = checkFlavor(context, reader, id);
  checkAttributes(flavor, image, new Set(enabledFilters));
  if (image !== undefined && image.minMemoryMib > flavor.memoryMib) {
    throw badRequest("Flavor's memory is too small for requested image.");
  }
  return flavor;
}

function checkFlavor(context: RequestContext, reader: StateReader, id: string): shoal.v1.Flavor {
  const flavor = flavorTable.get(reader, id)?.record;
  if (flavor === undefined || !canUse(context, flavor)) throw badRequest(`Flavor ${id} could not be found.`);
  if (flavor.disabled) throw badRequest(`Flavor ${id} is disabled.`);
  return flavor;
}

/** An image that servers of the flavor can be made of. Throws `INVALID_ARGUMENT` in Nova's words. */
export function checkImage(
  context: RequestContext,
  reader: StateReader,
  id: string,
  flavor: shoal.v1.Flavor,
): shoal.v1.Image {
  const image = findImage(context, reader, id)?.record;
  if (image === undefined) throw badRequest(`Image ${id} could not be found.`);
  if (image.status !== shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE) throw badRequest(`Image ${id} is not active.`);
  if (image.inert) {
    throw badRequest(
      `Image ${id} cannot be booted: its content is not the ${image.diskFormat} that it was declared to be, and is only kept.`,
    );
  }
  // Hosts open nothing else, and convert nothing: what a converter reads was written by somebody who may mean harm.
  if (!bootableFormats.includes(image.diskFormat)) {
    throw badRequest(
      `Image ${id} has the disk format ${image.diskFormat}. Servers boot from ${bootableFormats.join(', ')}: convert it ` +
        'and upload the result, for instance with: qemu-img convert -O qcow2 OLD NEW.',
    );
  }
  if (image.minMemoryMib > flavor.memoryMib) {
    throw badRequest("Flavor's memory is too small for requested image.");
  }
  if (flavor.diskGib > 0) {
    const diskBytes = flavor.diskGib * gibBytes;
    const imageBytes = Math.max(image.virtualSizeBytes, image.sizeBytes);
    if (imageBytes > diskBytes) {
      throw badRequest(
        `Flavor's disk is too small for requested image. Flavor disk is ${diskBytes} bytes, image is ${imageBytes} bytes.`,
      );
    }
    if (image.minDiskGib > flavor.diskGib) {
      throw badRequest(
        `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${diskBytes} bytes, minimum size is ${image.minDiskGib * gibBytes} bytes.`,
      );
    }
  }
  return image;
}

/** A key of the caller's; undefined: none is named. */
export function checkKey(
  context: RequestContext,
  reader: StateReader,
  name: string | undefined,
): shoal.v1.Keypair | undefined {
  if (name === undefined) return undefined;
  const key = keypairTable.get(reader, keypairId(context.userId, name))?.record;
  if (key === undefined) throw badRequest('Invalid key_name provided.');
  return key;
}

/** Any bytes (scripts, gzip, other encodings): the guest is given them unchanged. */
export function checkUserData(text: string | undefined): Uint8Array {
  if (text === undefined || text === '') return new Uint8Array(0);
  const compact = text.replace(/\s/g, '');
  if (text.length > userDataCharactersMax) {
    throw badRequest(
      `User data too large. User data must be no larger than ${userDataCharactersMax} bytes once base64 encoded. Your data is ${text.length} bytes`,
    );
  }
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0) {
    throw badRequest('User data needs to be valid base 64.');
  }
  return new Uint8Array(Buffer.from(compact, 'base64'));
}

/** Checks metadata of a server; also for changes later on. */
export function checkMetadata(
  context: RequestContext,
  reader: StateReader,
  metadata: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(metadata);
  const limit = quotaLimit(reader, context.projectId, 'metadata_items');
  if (limit !== unlimited && entries.length > limit) {
    throw new ShoalError('QUOTA_EXCEEDED', `Maximum number of metadata items exceeds ${limit}`);
  }
  for (const [key, value] of entries) {
    if (key === '' || key.length > metadataCharactersMax || value.length > metadataCharactersMax) {
      throw badRequest(`Invalid metadata: a key has 1 to ${metadataCharactersMax} characters, a value up to as many.`);
    }
    if (!/^[a-zA-Z0-9-_:. ]+$/.test(key)) {
      throw badRequest(`Invalid input for field/attribute metadata. Key ${JSON.stringify(key.slice(0, 64))}.`);
    }
  }
  return metadata;
}

/** Tags are short, without slash and comma, each once. Also for changes later on. */
export function checkTags(tags: readonly string[]): readonly string[] {
  const unique = [...new Set(tags)];
  if (unique.length > tagsMax) throw badRequest(`The number of tags exceeded the per-server limit ${tagsMax}`);
  if (unique.some((tag) => tag === '' || tag.length > tagCharactersMax || /[/,]/.test(tag))) {
    throw badRequest(`A tag has 1 to ${tagCharactersMax} characters and neither slash nor comma.`);
  }
  return unique;
}

/** An address that an owner wants shown for a server, in its usual notation (RFC 5952); empty: none. Also for changes later on. */
export function checkAccessAddress(version: 4 | 6, text: string): string {
  if (text === '') return text;
  if (ipVersion(text) === version) return version === 4 ? text : ipaddr.IPv6.parse(text).toRFC5952String();
  const name = field(`accessIPv${version}`);
  throw badRequest(says`Invalid input for field/attribute ${name}. Value: ${text}. It is no IPv${version} address.`);
}

/** A guest's name for itself, as a caller may give it: a label, or a name with its domain. Throws `INVALID_ARGUMENT`. */
export function checkHostname(hostname: string): string {
  const labels = hostname.split('.');
  const areLabels = labels.every((label) => /^[a-zA-Z0-9-_]{1,63}$/.test(label) && !/^[-_]|[-_]$/.test(label));
  if (!areLabels || hostname.length > 255) {
    throw badRequest(`Invalid input for field/attribute hostname. Value: ${hostname.slice(0, 64)}.`);
  }
  return hostname;
}

function checkZone(
  context: RequestContext,
  reader: StateReader,
  text: string | undefined,
): { readonly zone: string; readonly forceHostName: string | undefined } {
  const [zone = '', hostName] = (text ?? '').split(':');
  // Reading thousands of hosts costs more than all the rest, so only where one is named.
  if (zone === '' && hostName === undefined) return { zone, forceHostName: hostName };
  const hosts = hostTable.list(reader).map((row) => row.record);
  if (hostName !== undefined) {
    if (!isAllowed(context, 'os_compute_api:servers:create:forced_host'))
      throw forbidden('os_compute_api:servers:create:forced_host');
    if (!hosts.some((host) => host.name === hostName)) {
      throw badRequest(`Compute host ${hostName} could not be found.`);
    }
  }
  if (zone !== '' && !hosts.some((host) => zoneOf(reader, host) === zone)) {
    throw badRequest('The requested availability zone is not available');
  }
  return { zone, forceHostName: hostName };
}

function checkHints(
  context: RequestContext,
  reader: StateReader,
  raw: Readonly<Record<string, unknown>>,
): { readonly hints: Readonly<Record<string, string>>; readonly groupId: string } {
  const hints = new Map<string, string>();
  let groupId = '';
  let characters = 0;
  for (const [name, value] of Object.entries(raw)) {
    if (name === 'group') {
      groupId = checkGroup(context, reader, textOf(value));
      continue;
    }
    const hint = checkHint(context, reader, name, value);
    characters += name.length + hint.length;
    if (characters > hintsCharactersMax) {
      throw badRequest(`The scheduler hints have more than ${hintsCharactersMax} characters together.`);
    }
    hints.set(name, hint);
  }
  return { hints: Object.fromEntries(hints), groupId };
}

/** The hint as it is kept. */
function checkHint(context: RequestContext, reader: StateReader, name: string, value: unknown): string {
  const text = textOf(value);
  // Their names have been checked (`schedulerHintRules`).
  switch (name) {
    case 'different_host':
    case 'same_host':
      return hostsOfServers(context, reader, name, value).join(',');
    case 'query':
      return checkQuery(text);
    case 'build_near_host_ip':
      if (ipVersion(text) === 0) throw badRequest(`The scheduler hint ${name} is not an IP address.`);
      return text;
    case 'cidr':
      if (!/^\/\d{1,3}$/.test(text) || Number(text.slice(1)) > 128) {
        throw badRequest(`The scheduler hint ${name} is a prefix length such as /24.`);
      }
      return text;
    default:
      return text;
  }
}

/** Text as it is, anything else as JSON: what came in as JSON may not know how to become text (`{"toString": 1}`). */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The hint is JSON, or JSON as text. */
function checkQuery(text: string): string {
  const query = compileJsonQuery(text);
  if (query.outcome === 'malformed') throw badRequest(`The scheduler hint query cannot be understood: ${query.why}.`);
  return text;
}

function checkHost(context: RequestContext, reader: StateReader, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  if (!isAllowed(context, 'compute:servers:create:requested_destination'))
    throw forbidden('compute:servers:create:requested_destination');
  if (hostTable.one(reader, 'name', indexKey(name)) === undefined) {
    throw badRequest(`Compute host ${name.slice(0, 255)} could not be found.`);
  }
  return name;
}

function checkGroup(context: RequestContext, reader: StateReader, id: string): string {
  try {
    return groupRow(context, reader, id).record.id;
  } catch (caught) {
    if (ShoalError.is(caught, 'NOT_FOUND')) throw badRequest(caught.message);
    throw caught;
  }
}

/** Placement knows hosts, not servers. A server without a host says nothing. */
function hostsOfServers(context: RequestContext, reader: StateReader, hint: string, value: unknown): readonly string[] {
  const ids = Array.isArray(value) ? value.map(textOf) : [textOf(value)];
  return ids.flatMap((id) => {
    const server = findOwnServer(context, reader, id)?.record;
    if (server === undefined) throw badRequest(`Instance ${id} of scheduler hint ${hint} could not be found.`);
    return server.hostId === '' ? [] : [server.hostId];
  });
}

function checkSecurityGroups(
  context: RequestContext,
  reader: StateReader,
  names: readonly string[] | undefined,
): readonly shoal.v1.SecurityGroup[] | undefined {
  if (names === undefined || names.length === 0) return undefined;
  // The default group may not be there yet; it is made with the server's ports.
  if (names.every((name) => name === 'default')) return undefined;
  const own = securityGroupTable.by(reader, 'project', indexKey(context.projectId)).map((row) => row.record);
  return [...new Set(names)].map((name) => {
    const matches = own.filter((group) => group.id === name);
    const named = matches.length > 0 ? matches : own.filter((group) => group.name === name);
    if (named.length > 1) {
      throw conflict(`Multiple security_group matches found for name '${name}', use an ID to be more specific.`);
    }
    const [group] = named;
    if (group === undefined) throw badRequest(`Security group ${name} not found for project ${context.projectId}.`);
    return group;
  });
}

function checkNics(
  context: RequestContext,
  reader: StateReader,
  draft: ServerDraft,
  maxCount: number,
): readonly NicDraft[] {
  const { networks } = draft;
  if (networks === 'none') return [];
  if (networks === undefined || networks === 'auto' || networks.length === 0) {
    return theOneNetwork(context, reader, networks === 'auto');
  }
  if (networks.length > nicsMax) throw badRequest(`A server may have ${nicsMax} network interfaces at most.`);
  const portIds = networks.flatMap((nic) => (nic.portId === undefined ? [] : [nic.portId]));
  if (new Set(portIds).size !== portIds.length) throw badRequest('A port is named twice.');
  if (maxCount > 1 && networks.some((nic) => nic.portId !== undefined || nic.fixedIp !== undefined)) {
    throw badRequest(
      'Unable to launch multiple instances with a single configured port ID or fixed IP. Please launch your instances one by one.',
    );
  }
  for (const nic of networks) {
    if (nic.tag !== undefined) checkDeviceTag(nic.tag);
    if (nic.portId !== undefined) usablePort(context, reader, nic.portId);
    else checkNetwork(context, reader, nic);
  }
  return networks;
}

function theOneNetwork(context: RequestContext, reader: StateReader, isNeeded: boolean): readonly NicDraft[] {
  const usable = networkTable
    .list(reader)
    .map((row) => row.record)
    .filter(
      (network) =>
        !network.external && (network.projectId === context.projectId || isShared(context, reader, 'network', network)),
    );
  if (usable.length > 1) throw conflict('Multiple possible networks found, use a Network ID to be more specific.');
  const [network] = usable;
  if (network === undefined) {
    if (isNeeded) throw badRequest('Unable to automatically allocate a network: the project has none.');
    return [];
  }
  checkHasSubnet(reader, network);
  return [{ networkId: network.id }];
}

function checkNetwork(context: RequestContext, reader: StateReader, nic: NicDraft): void {
  const id = nic.networkId ?? '';
  const network = networkTable.get(reader, id)?.record;
  if (network === undefined || !canSeeNetwork(context, reader, network))
    throw badRequest(`Network ${id} could not be found.`);
  if (network.external) {
    throw new ShoalError('FORBIDDEN', `It is not allowed to create an interface on external network ${id}`);
  }
  checkHasSubnet(reader, network);
  if (nic.fixedIp === undefined) return;
  if (parseIp(nic.fixedIp)?.family !== 4) throw badRequest(`Invalid fixed IP address (${nic.fixedIp})`);
  const isUsed = subnetTable
    .by(reader, 'network', indexKey(id))
    .some((row) => portTable.one(reader, 'ip', indexKey(row.record.id, nic.fixedIp ?? '')) !== undefined);
  if (isUsed) throw badRequest(`Fixed IP address ${nic.fixedIp} is already in use on instance`);
}

function checkHasSubnet(reader: StateReader, network: shoal.v1.Network): void {
  if (subnetTable.by(reader, 'network', indexKey(network.id)).length > 0) return;
  throw badRequest(`Network ${network.id} requires a subnet in order to boot instances on.`);
}

/** The caller's own port, free and with an address, on a network that guests are plugged into. */
export function usablePort(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Port> {
  const row = portTable.get(reader, id);
  if (row === undefined || !isOwner(context, row.record)) throw badRequest(`Port ${id} could not be found.`);
  const port = row.record;
  if (!isFreePort(port)) throw conflict(`Port ${id} is still in use.`);
  if (port.fixedIps.length === 0) throw badRequest(`Port ${id} requires a FixedIP in order to be used.`);
  if (networkTable.get(reader, port.networkId)?.record.external) {
    throw new ShoalError('FORBIDDEN', `It is not allowed to create an interface on external network ${port.networkId}`);
  }
  return row;
}
