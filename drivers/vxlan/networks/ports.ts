/** Local ports: tap, rules, forwarding, DHCP entry and metadata of the guests on this host. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../../../node/base/errors.ts';
import type { PortId } from '../../../node/base/ids.ts';
import type { LocalPortSpec } from '../../types.ts';
import { Undo } from '../../undo.ts';
import type { Host } from '../host/host.ts';
import { tap } from '../links/link.ts';
import { lowestFree } from '../links/vni.ts';
import type { PortEntry } from '../model/book.ts';
import { readCidr } from '../model/cidr.ts';
import { addresses6 } from '../model/link-local.ts';
import { identityIndexMax, identityIndexMin, identityIp } from '../model/metadata.ts';
import { bridgeName, portAlias, readAlias, serviceNamespace, tapName } from '../model/names.ts';
import { allowances } from '../security/security.ts';
import { Dnsmasq } from '../services/dnsmasq.ts';
import { syncMetadataFiles } from '../services/metadata-files.ts';
import { forgetPosted, forgetPostedOnce } from '../services/posted-passwords.ts';
import { suppressing, syncService } from './networks.ts';

/**
 * Makes the port as the record says. An interface that has the tap's name already is taken as it is: the tap of an
 * earlier agent, or what a test plugged instead of a guest. Flows that new rules no longer allow are cut.
 */
export async function ensurePort(host: Host, spec: LocalPortSpec, signal: AbortSignal): Promise<boolean> {
  const { book } = host;
  const network = host.network(spec.networkId);
  const { metadata, ...plain } = spec;
  const previous = book.ports.get(spec.portId);
  const name = tapName(spec.portId);
  const links = await host.netns.links(signal);
  const owner = readAlias(links.get(name)?.alias);
  if (owner?.kind === 'port' && (owner.portId !== spec.portId || owner.networkId !== spec.networkId)) {
    throw new ShoalError('CONFLICT', `${name} belongs to port ${owner.portId} of network ${owner.networkId}`);
  }
  const twin = book.portsOf(spec.networkId).find((port) => port.spec.portId !== spec.portId && isTwin(port.spec, spec));
  if (twin !== undefined) {
    throw new ShoalError('CONFLICT', `address ${spec.ip} or ${spec.mac} belongs to port ${twin.spec.portId}`);
  }
  const identityIndex = previous?.identityIndex ?? pickIdentity(host);
  const allowed = allowances(spec);

  return Undo.run(async (undo) => {
    if (previous === undefined) undo.add('port', () => removePort(host, spec.portId, AbortSignal.timeout(30_000)));
    // What was allowed stays in the book until the flows that are no longer allowed are cut.
    await book.ports.put(spec.portId, { spec: plain, identityIndex, allowed: previous?.allowed ?? allowed });
    let changed = await host.syncFilter([network.spec.vni], [spec.portId], signal);
    if (previous !== undefined && hasRevoked(previous, plain, allowed)) {
      await cutFlows(host, previous, signal);
    }
    await book.ports.put(spec.portId, { spec: plain, identityIndex, allowed });

    const folder = metadataFolder(host, identityIndex);
    changed = (await syncMetadataFiles(folder, metadata, host.options.metadataUid)) || changed;
    await forgetPostedOnce(host.options.stateDir, identityIp(identityIndex), metadata);
    changed = (await syncService(host, spec.networkId, signal)) || changed;
    changed = (await syncDhcp(host, spec.networkId, signal)) || changed;
    const wanted = tap(name, {
      bridge: bridgeName(network.spec.vni),
      mtu: network.spec.mtu,
      alias: portAlias(spec.portId, spec.networkId),
      // Without port security the guest may have MACs that no record knows (a nested bridge): learn them.
      learning: !spec.portSecurity,
      // A virtual MAC moves from port to port: where it is is never written down, its frames go to all that may have it.
      flood: !spec.portSecurity || (spec.addressPairs ?? []).some((pair) => pair.mac !== spec.mac),
    });
    changed =
      (await host.ensureLinks(links, [wanted, ...suppressing(host, network.spec, links)], undo, signal)) || changed;
    return (await host.syncForwarding(spec.networkId, signal)) || changed;
  });
}

/** Removes the port and every trace of it. Absent is success. */
export async function removePort(host: Host, portId: PortId, signal: AbortSignal): Promise<void> {
  const { book } = host;
  const name = tapName(portId);
  const links = await host.netns.links(signal);
  const link = links.get(name);
  const meaning = readAlias(link?.alias);
  const entry = book.ports.get(portId);
  const isOurs = meaning === undefined ? entry !== undefined : meaning.kind === 'port' && meaning.portId === portId;
  if (link !== undefined && isOurs) await host.deleteLinks([name], signal);
  const networkId = entry?.spec.networkId ?? (meaning?.kind === 'port' && isOurs ? meaning.networkId : undefined);
  if (networkId === undefined) return;
  const network = book.networks.get(networkId);
  await book.ports.delete(portId);
  try {
    await host.syncFilter(network === undefined ? [] : [network.spec.vni], [portId], signal);
    // After a reboot the entry may be all that is left.
    if (network !== undefined && links.has(bridgeName(network.spec.vni))) {
      await Undo.run((undo) => host.ensureLinks(links, suppressing(host, network.spec, links), undo, signal));
      await host.syncForwarding(networkId, signal);
      await syncService(host, networkId, signal);
      await syncDhcp(host, networkId, signal);
    }
    if (entry !== undefined) {
      await rm(metadataFolder(host, entry.identityIndex), { recursive: true, force: true });
      await forgetPosted(host.options.stateDir, identityIp(entry.identityIndex));
      await cutFlows(host, entry, signal);
    }
  } catch (caught) {
    // Without its entry nobody could finish this: it stays until all of it worked.
    if (entry !== undefined) await book.ports.put(portId, entry);
    throw caught;
  }
}

/** Brings the network's DHCP hosts and names to what the book says, and dnsmasq back if it went. */
export async function syncDhcp(
  host: Host,
  networkId: LocalPortSpec['networkId'],
  signal: AbortSignal,
): Promise<boolean> {
  const { spec } = host.network(networkId);
  if (!spec.subnets.some((subnet) => subnet.dhcp)) return false;
  const service = host.namespace(serviceNamespace(host.options.namespacePrefix, spec.vni));
  return new Dnsmasq(host, networkId).ensure(service, spec, host.book.portsOf(networkId), signal);
}

/** Whether something that was allowed is not any more, or the address that it was allowed to went. */
function hasRevoked(previous: PortEntry, spec: PortEntry['spec'], allowed: readonly string[]): boolean {
  const now = new Set(spokenFor(spec));
  if (spokenFor(previous.spec).some((prefix) => !now.has(prefix))) return true;
  if (allowed.includes('everything')) return false;
  const stillAllowed = new Set(allowed);
  return previous.allowed.some((entry) => !stillAllowed.has(entry));
}

/** Cuts every flow of the port: those that are still allowed begin again with their next packet. */
async function cutFlows(host: Host, entry: PortEntry, signal: AbortSignal): Promise<void> {
  const zone = host.book.networks.get(entry.spec.networkId)?.zone;
  if (zone === undefined) return;
  for (const prefix of spokenFor(entry.spec)) {
    for (const side of ['-s', '-d']) {
      await host.netns.dropConnections(['-w', String(zone), side, prefix], signal);
    }
  }
}

/** What the port may speak as: its addresses and the prefixes of its pairs, bare addresses where they are that. */
function spokenFor(spec: PortEntry['spec']): string[] {
  const pairs = (spec.addressPairs ?? []).map((pair) => bareText(readCidr(pair.prefix)));
  return [...new Set([spec.ip, ...(spec.moreIps ?? []), ...addresses6(spec), ...pairs])];
}

/** A prefix of one address is that address. */
function bareText({ first, last, text }: ReturnType<typeof readCidr>): string {
  return first === last ? text.replace(/\/\d+$/, '') : text;
}

/** Whether two ports of one network have a MAC or an address of their own in common. */
export function isTwin(
  a: Pick<LocalPortSpec, 'mac' | 'ip' | 'moreIps'>,
  b: Pick<LocalPortSpec, 'mac' | 'ip' | 'moreIps'>,
): boolean {
  const ips = new Set([a.ip, ...(a.moreIps ?? [])]);
  return a.mac === b.mac || [b.ip, ...(b.moreIps ?? [])].some((ip) => ips.has(ip));
}

function pickIdentity(host: Host): number {
  const taken = new Set(host.book.ports.values().map((entry) => entry.identityIndex));
  return lowestFree(taken, identityIndexMin, identityIndexMax, 'metadata identity');
}

/** Folder that the metadata server answers an identity from. */
function metadataFolder(host: Host, identityIndex: number): string {
  return join(host.options.stateDir, 'metadata', identityIp(identityIndex));
}
