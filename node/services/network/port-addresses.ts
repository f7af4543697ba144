/**
 * The addresses of one port: those that its owner names, one of each family where nobody names any, and one of every subnet whose
 * guests make their addresses of their MACs (`kit/ipv6-modes.ts`), as in Neutron.
 */
import { shoal } from '../../../proto/messages.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { networkTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import { badAttribute, badRequest, refuse } from '../kit/network-refusals.ts';
import { seeSubnet } from '../kit/ownership.ts';
import type { Attempt } from '../kit/transact.ts';
import { canonicalIp, contains, parseIp, usableRange } from './kit/address.ts';
import { allocateAddress, alreadyAllocated, takeAddress } from './kit/allocation.ts';
import { autoAddressOf, isAutoAddressed } from './kit/ipv6-modes.ts';
import { prefixOf } from './kit/prefix-of.ts';

/** Most addresses of one port that are named: Neutron's default. */
const fixedIpsMax = 5;

/** An address that a caller asks for: a subnet, an address, or both. */
export interface FixedIpDraft {
  readonly subnetId?: string;
  readonly ip?: string;
}

/** Whose addresses they are. */
interface AddressedPort {
  readonly mac: string;
  readonly deviceOwner: string;
  /** What it has already. */
  readonly held: readonly shoal.v1.FixedIp[];
}

/** For each family one address of the first subnet that has one left, and its own of each subnet that leaves them to MACs. */
export function planAnyAddress(
  attempt: Attempt,
  network: shoal.v1.Network,
  port: AddressedPort,
): readonly shoal.v1.FixedIp[] {
  const drawn = subnetsOf(attempt.reader, network.id).filter(({ record }) => !isAutoAddressed(record));
  const families = Map.groupBy(drawn, (row) => prefixOf(row.record.cidr).family);
  const addresses = ([4, 6] as const).flatMap((family) => {
    const rows = families.get(family);
    return rows === undefined ? [] : [planAddressOf(attempt, network, rows)];
  });
  return withAutoAddresses(attempt, network, addresses, port);
}

/**
 * The addresses, and the port's own of each subnet that leaves them to MACs; those of another MAC go. A router's interface has none
 * but what it is given. A subnet that appears meanwhile touches the network's row, which is compared.
 */
export function withAutoAddresses(
  attempt: Attempt,
  network: shoal.v1.Network,
  addresses: readonly shoal.v1.FixedIp[],
  { mac, deviceOwner, held }: AddressedPort,
): readonly shoal.v1.FixedIp[] {
  networkTable.unchanged(attempt.change, networkTable.must(attempt.reader, network.id));
  if (deviceOwner === deviceOwners.routerInterface) return addresses;
  const rows = subnetsOf(attempt.reader, network.id).filter(({ record }) => isAutoAddressed(record));
  const own = rows.map((row) => {
    const ip = autoAddressOf(prefixOf(row.record.cidr), mac);
    subnetTable.unchanged(attempt.change, row);
    if (take(attempt, row.record.id, ip, held)) return new shoal.v1.FixedIp({ subnetId: row.record.id, ip });
    throw alreadyAllocated(row.record.id, ip);
  });
  return [...addresses.filter(({ subnetId }) => !rows.some(({ record }) => record.id === subnetId)), ...own];
}

function subnetsOf(reader: StateReader, networkId: string): readonly Row<shoal.v1.Subnet>[] {
  return subnetTable.by(reader, 'network', indexKey(networkId));
}

function planAddressOf(
  attempt: Attempt,
  network: shoal.v1.Network,
  subnets: readonly Row<shoal.v1.Subnet>[],
): shoal.v1.FixedIp {
  for (const row of subnets) {
    const ip = allocateAddress(attempt, row.record);
    if (ip === undefined) continue;
    subnetTable.unchanged(attempt.change, row);
    return new shoal.v1.FixedIp({ subnetId: row.record.id, ip });
  }
  throw exhausted(network.id);
}

/** What the caller asks for, with what every port of the network has. Throws 400, and 409 for an address that another has. */
export function planAddresses(
  context: RequestContext,
  attempt: Attempt,
  network: shoal.v1.Network,
  asked: readonly FixedIpDraft[],
  port: AddressedPort,
): readonly shoal.v1.FixedIp[] {
  const { held } = port;
  // One text for one address: the index of addresses compares texts.
  const drafts = asked.map((draft) => ({
    ...draft,
    ...(draft.ip === undefined ? {} : { ip: canonicalIp(draft.ip) ?? draft.ip }),
  }));
  if (drafts.length > fixedIpsMax) {
    throw badRequest(`Exceeded maximum amount of fixed ips per port: ${fixedIpsMax}.`, 'InvalidInput');
  }
  const named = drafts.flatMap((draft) => (draft.ip === undefined ? [] : [draft.ip]));
  const twice = named.find((ip, at) => named.indexOf(ip) !== at);
  if (twice !== undefined) throw badAttribute('fixed_ips', `Duplicate IP address '${twice}'`);
  const places = drafts
    .map((draft) => ({ draft, row: subnetFor(context, attempt.reader, network, draft) }))
    .filter(({ draft, row: { record } }) => !isLeftToMac(record, draft, port));
  // Who names an address gets it; only then do the others draw, first from what the port has.
  const explicit = places.map(({ draft, row }) =>
    draft.ip === undefined ? undefined : takeNamed(attempt, row.record, draft.ip, held),
  );
  const addresses = places.map(({ row }, at) => {
    const subnet = row.record;
    subnetTable.unchanged(attempt.change, row);
    const ip = explicit[at] ?? takeAny(attempt, subnet, held);
    if (ip === undefined) throw exhausted(network.id);
    return new shoal.v1.FixedIp({ subnetId: subnet.id, ip });
  });
  return withAutoAddresses(attempt, network, addresses, port);
}

/** Whether the address there is the MAC's to make, so that naming the subnet says nothing. 400 for an address that the port does not have. */
function isLeftToMac(subnet: shoal.v1.Subnet, draft: FixedIpDraft, { deviceOwner, held }: AddressedPort): boolean {
  if (!isAutoAddressed(subnet) || deviceOwner === deviceOwners.routerInterface) return false;
  if (draft.ip === undefined || held.some(({ subnetId, ip }) => subnetId === subnet.id && ip === draft.ip)) return true;
  throw badRequest(
    `IPv6 address ${draft.ip} can not be directly assigned to a port on subnet ${subnet.id} as the subnet is configured for automatic addresses`,
    'AllocationOnAutoAddressSubnet',
  );
}

/** Marks an address as used by this change, which the port may have already. False: it is another's. */
function take(attempt: Attempt, subnetId: string, ip: string, held: readonly shoal.v1.FixedIp[]): boolean {
  const isHeld = held.some((fixed) => fixed.subnetId === subnetId && fixed.ip === ip);
  return isHeld ? attempt.change.take(`ip/${indexKey(subnetId, ip)}`) : takeAddress(attempt, subnetId, ip);
}

/** The address that the caller named, taken. 400 when it is none of the subnet's, 409 when another port has it. */
function takeNamed(attempt: Attempt, subnet: shoal.v1.Subnet, ip: string, held: readonly shoal.v1.FixedIp[]): string {
  if (!contains(usableRange(prefixOf(subnet.cidr)), parseIp(ip))) {
    throw badRequest(`IP address ${ip} is not a valid IP for the specified subnet.`, 'InvalidIpForSubnet');
  }
  if (take(attempt, subnet.id, ip, held)) return ip;
  throw alreadyAllocated(subnet.id, ip);
}

/** An address of the subnet that the port has already and nobody named, or a free one. Undefined: there is none. */
function takeAny(attempt: Attempt, subnet: shoal.v1.Subnet, held: readonly shoal.v1.FixedIp[]): string | undefined {
  const kept = held.find(
    (fixed) => fixed.subnetId === subnet.id && attempt.change.take(`ip/${indexKey(subnet.id, fixed.ip)}`),
  );
  return kept?.ip ?? allocateAddress(attempt, subnet);
}

function subnetFor(
  context: RequestContext,
  reader: StateReader,
  network: shoal.v1.Network,
  draft: FixedIpDraft,
): Row<shoal.v1.Subnet> {
  if (draft.subnetId !== undefined) {
    const row = seeSubnet(context, reader, draft.subnetId);
    if (row.record.networkId === network.id) return row;
    throw badRequest(
      `Invalid input for operation: Failed to create port on network ${network.id}, because fixed_ips included invalid subnet ${draft.subnetId}.`,
      'InvalidInput',
    );
  }
  if (draft.ip === undefined) throw badRequest('IP allocation requires subnet_id or ip_address.', 'InvalidInput');
  const address = parseIp(draft.ip);
  const row = subnetTable
    .by(reader, 'network', indexKey(network.id))
    .find((candidate) => contains(prefixOf(candidate.record.cidr), address));
  if (row === undefined) {
    throw badRequest(
      `IP address ${draft.ip} is not a valid IP for any of the subnets on the specified network.`,
      'InvalidIpForNetwork',
    );
  }
  return row;
}

function exhausted(networkId: string): Error {
  return refuse(
    'ADDRESS_EXHAUSTED',
    'IpAddressGenerationFailure',
    `No more IP addresses available on network ${networkId}.`,
  );
}
