/** Addresses, routes, rules and neighbours of a namespace: found, wanted, and the `ip -batch` lines between. Pure. */

import { list, number, readJson, record, text } from './json.ts';
import type { Links } from './link.ts';

/** An address that an interface should carry. */
export interface AddressWanted {
  readonly dev: string;
  /** `10.0.0.2/24`. */
  readonly address: string;
  /** `host`: never picked as a source. Default `global`. */
  readonly scope?: 'host' | 'global';
}

/** A route of the main table or of table 100. */
export interface RouteWanted {
  /** `default`, `10.0.0.0/24`, or a bare address. */
  readonly destination: string;
  readonly dev: string;
  readonly gateway?: string;
  /** Table's number; absent: main. */
  readonly table?: number;
}

/** A policy rule. */
export interface RuleWanted {
  readonly priority: number;
  /** Source address; absent: all. */
  readonly from?: string;
  /** Number, or `main`. */
  readonly table: string;
  /** Look into the table but do not take its default route. */
  readonly withoutDefault?: boolean;
}

/** A permanent neighbour entry. */
export interface NeighbourWanted {
  readonly ip: string;
  readonly mac: string;
  /** Said of it when the bridge answers for it (IPv6): who is told that a router is none stops to use it (RFC 4861, 7.2.5). */
  readonly router?: boolean;
}

/**
 * Lines that give each interface in `devs` exactly the wanted addresses. Additions come before removals: when the last
 * IPv4 address of an interface goes, the kernel silently drops all its routes, in every table. Link-local addresses are
 * the kernel's. Nobody is asked whether an IPv6 address is in use: every host has the same ones.
 * @param ipv6 Whether those of IPv6 are looked at. Only in namespaces of the driver's own.
 */
export function addressLines(
  found: Links,
  devs: readonly string[],
  wanted: readonly AddressWanted[],
  { ipv6 = false }: { readonly ipv6?: boolean } = {},
): string[] {
  const key = (dev: string, address: string, scope: string): string => `${dev} ${address} ${scope}`;
  const have = new Set<string>();
  const removals: string[] = [];
  const wantedKeys = new Set(wanted.map((want) => key(want.dev, want.address, want.scope ?? 'global')));
  for (const dev of devs) {
    const { addresses = [], addresses6 = [] } = found.get(dev) ?? {};
    for (const address of [...addresses, ...(ipv6 ? addresses6.filter(({ scope }) => scope !== 'link') : [])]) {
      const cidr = `${address.local}/${address.prefixLength}`;
      have.add(key(dev, cidr, address.scope));
      if (!wantedKeys.has(key(dev, cidr, address.scope))) removals.push(`addr del ${cidr} dev ${dev}`);
    }
  }
  const additions = wanted
    .filter((want) => !have.has(key(want.dev, want.address, want.scope ?? 'global')))
    .map(
      (want) =>
        `addr add ${want.address} dev ${want.dev}${want.scope === 'host' ? ' scope host' : ''}${want.address.includes(':') ? ' nodad' : ''}`,
    );
  return [...additions, ...removals];
}

/** A route as found, not the kernel's own. */
interface RouteFound {
  readonly destination: string;
  readonly dev: string;
  readonly gateway?: string;
  readonly table?: number;
}

/** Reads `ip -json -4 route show table all`, or with `-6`, without what the kernel keeps itself (connected and local routes). */
export function readRoutes(output: string): RouteFound[] {
  return list(readJson(output, 'ip route show'))
    .map(record)
    .filter(
      (route) =>
        route['protocol'] !== 'kernel' && route['table'] !== 'local' && (route['type'] ?? 'unicast') === 'unicast',
    )
    .map((route) => {
      const gateway = text(route['gateway']);
      const table = Number(text(route['table']) ?? 'NaN');
      return {
        destination: text(route['dst']) ?? '',
        dev: text(route['dev']) ?? '',
        ...(gateway === undefined ? {} : { gateway }),
        ...(Number.isNaN(table) ? {} : { table }),
      };
    });
}

/**
 * Lines that make the namespace's routes of one family exactly `wanted` (besides the kernel's own). Which family a default route is of
 * the kernel's tools must be told.
 */
export function routeLines(found: readonly RouteFound[], wanted: readonly RouteWanted[], family: 4 | 6 = 4): string[] {
  const words = (destination: string): string => (family === 6 && destination === 'default' ? '::/0' : destination);
  const place = (route: RouteFound): string => `${route.destination}${tableWord(route.table)}`;
  const whole = (route: RouteFound): string => `${place(route)} ${route.dev} ${route.gateway ?? ''}`;
  const have = new Set(found.map(whole));
  const wantedPlaces = new Set(wanted.map(place));
  return [
    ...wanted
      .filter((route) => !have.has(whole(route)))
      .map((route) => {
        const via = route.gateway === undefined ? '' : ` via ${route.gateway}`;
        const onlink = route.gateway === undefined ? '' : ' onlink';
        return `route replace ${words(route.destination)}${via} dev ${route.dev}${onlink}${tableWord(route.table)}`;
      }),
    ...found
      .filter((route) => !wantedPlaces.has(place(route)))
      .map((route) => `route del ${words(route.destination)} dev ${route.dev}${tableWord(route.table)}`),
  ];
}

const tableWord = (table: number | undefined): string => (table === undefined ? '' : ` table ${table}`);

/** A rule as found. */
export interface RuleFound {
  readonly priority: number;
  readonly from: string;
  readonly table: string;
  readonly withoutDefault: boolean;
}

/** Priorities that every namespace is born with. */
const bornPriorities: readonly number[] = [0, 32766, 32767];

/** Reads `ip -json -4 rule show`, without the three rules that are always there. */
export function readRules(output: string): RuleFound[] {
  return list(readJson(output, 'ip rule show'))
    .map(record)
    .map((rule) => ({
      priority: number(rule['priority']) ?? -1,
      from: text(rule['src']) ?? 'all',
      table: text(rule['table']) ?? '',
      withoutDefault: rule['suppress_prefixlen'] === 0,
    }))
    .filter((rule) => !bornPriorities.includes(rule.priority));
}

/** Lines that make the namespace's rules exactly `wanted`, besides the three that are always there. */
export function ruleLines(found: readonly RuleFound[], wanted: readonly RuleWanted[]): string[] {
  const words = (rule: RuleFound): string =>
    `pref ${rule.priority} from ${rule.from} lookup ${rule.table}${rule.withoutDefault ? ' suppress_prefixlength 0' : ''}`;
  const have = new Set(found.map(words));
  const want = new Set(
    wanted.map((rule) => words({ ...rule, from: rule.from ?? 'all', withoutDefault: rule.withoutDefault ?? false })),
  );
  return [
    ...[...want].filter((rule) => !have.has(rule)).map((rule) => `rule add ${rule}`),
    ...[...have].filter((rule) => !want.has(rule)).map((rule) => `rule del ${rule}`),
  ];
}

/** Reads `ip -json neigh show dev X nud permanent`: address to MAC, followed by ` router` where it is one. */
export function readNeighbours(output: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  for (const item of list(readJson(output, 'ip neigh show')).map(record)) {
    const ip = text(item['dst']);
    const mac = text(item['lladdr']);
    if (ip === undefined || mac === undefined) continue;
    entries.set(ip, item['router'] === undefined ? mac : `${mac} router`);
  }
  return entries;
}

/** Lines that make the permanent neighbours of `dev` exactly `wanted`. */
export function neighbourLines(
  dev: string,
  found: ReadonlyMap<string, string>,
  wanted: readonly NeighbourWanted[],
): string[] {
  const keep = new Map(wanted.map((entry) => [entry.ip, entry.router === true ? `${entry.mac} router` : entry.mac]));
  return [
    ...[...keep]
      .filter(([ip, mac]) => found.get(ip) !== mac)
      .map(([ip, said]) => {
        const [mac = '', router] = said.split(' ');
        return `neigh replace ${ip} lladdr ${mac} dev ${dev} nud permanent${router === undefined ? '' : ' router'}`;
      }),
    ...[...found.keys()].filter((ip) => !keep.has(ip)).map((ip) => `neigh del ${ip} dev ${dev}`),
  ];
}
