/**
 * Forwarding entries of a network's bridge and VXLAN device. Every MAC of the network has its place written down: behind
 * a local port, or behind another host's underlay address. Pure.
 */
import { list, readJson, record, text } from './json.ts';

/** The MAC that stands for "whatever is not known": its destinations get broadcast and unknown frames. */
export const floodMac = '00:00:00:00:00:00';

/** A forwarding entry. */
export interface FdbEntry {
  readonly mac: string;
  /** Bridge port, or the VXLAN device. */
  readonly dev: string;
  /** Underlay address, for the entries of a VXLAN device itself. */
  readonly vtepIp?: string;
}

/** Reads `bridge -json fdb show br X`: the static entries, without the interfaces' own addresses and multicast. */
export function readFdb(output: string): FdbEntry[] {
  const entries: FdbEntry[] = [];
  for (const item of list(readJson(output, 'bridge fdb show')).map(record)) {
    const mac = text(item['mac']);
    const dev = text(item['ifname']);
    const vtepIp = text(item['dst']);
    if (mac === undefined || dev === undefined) continue;
    if (list(item['flags']).includes('self')) {
      if (vtepIp !== undefined) entries.push({ mac, dev, vtepIp });
    } else if (item['state'] === 'static') {
      entries.push({ mac, dev });
    }
  }
  return entries;
}

/**
 * The `bridge -batch` lines from `found` to `wanted`. An entry that moves from one port to another is replaced in one
 * step, so that there is no moment without it. Entries that learning made are not in `found` and stay.
 */
export function fdbLines(found: readonly FdbEntry[], wanted: readonly FdbEntry[]): string[] {
  // A bridge knows one port for a MAC; a VXLAN device one host, but for the flood entry, which has one line per peer.
  const place = (entry: FdbEntry): string =>
    entry.vtepIp === undefined
      ? `bridge ${entry.mac}`
      : entry.mac === floodMac
        ? `flood ${entry.dev} ${entry.vtepIp}`
        : `vxlan ${entry.dev} ${entry.mac}`;
  const whole = (entry: FdbEntry): string => `${place(entry)} ${entry.dev} ${entry.vtepIp ?? ''}`;
  const have = new Set(found.map(whole));
  const places = new Set(wanted.map(place));
  return [
    ...wanted.filter((entry) => !have.has(whole(entry))).map(addLine),
    ...found.filter((entry) => !places.has(place(entry))).map(deleteLine),
  ];
}

function addLine(entry: FdbEntry): string {
  if (entry.vtepIp === undefined) return `fdb replace ${entry.mac} dev ${entry.dev} master static`;
  const verb = entry.mac === floodMac ? 'append' : 'replace';
  return `fdb ${verb} ${entry.mac} dev ${entry.dev} dst ${entry.vtepIp} self static`;
}

function deleteLine(entry: FdbEntry): string {
  return entry.vtepIp === undefined
    ? `fdb del ${entry.mac} dev ${entry.dev} master`
    : `fdb del ${entry.mac} dev ${entry.dev} dst ${entry.vtepIp} self`;
}
