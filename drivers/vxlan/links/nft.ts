/**
 * nftables as text. A table carries the hash of its own text in a chain `about`, and a port's chain in a comment, so that
 * "is it already right?" is a comparison with what the *kernel* holds, and every change is one transaction. Pure.
 */
import { createHash } from 'node:crypto';
import { list, number, readJson, record, text } from './json.ts';

/** A named set or map. */
interface NftSet {
  readonly name: string;
  readonly kind: 'set' | 'map';
  /** Its type, as written in the table: `type ifname . ipv4_addr : verdict`. */
  readonly type: string;
  /** Absent: elements are kept by others (`elementLines`), and rewriting the table leaves them alone. */
  readonly elements?: readonly string[];
}

/** A chain; hooked when `hook` is given. */
interface NftChain {
  readonly name: string;
  /** `type filter hook forward priority 0; policy accept;`. */
  readonly hook?: string;
  readonly rules: readonly string[];
}

/** A whole table. */
export interface NftTable {
  readonly family: 'inet' | 'ip' | 'ip6' | 'bridge';
  readonly name: string;
  readonly sets: readonly NftSet[];
  readonly chains: readonly NftChain[];
}

/** Chain that holds nothing but the hash of its table. */
const aboutChain = 'about';

/** Enough of a SHA-256 to tell one text from the next. */
export function fingerprint(content: string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** Hash that the kernel's copy of `table` carries once `tableText` was applied. */
export function tableHash(table: NftTable): string {
  return fingerprint(JSON.stringify(table));
}

/**
 * One transaction after which the table is exactly as given, whatever it was before. Elements of sets without
 * `elements`, chains that are not named, and established connections are not touched.
 */
export function tableText(table: NftTable): string {
  const at = `${table.family} ${table.name}`;
  const lines = [`add table ${at}`, `add chain ${at} ${aboutChain}`];
  for (const set of table.sets) {
    lines.push(`add ${set.kind} ${at} ${set.name} { ${set.type} ; }`);
    if (set.elements !== undefined) lines.push(`flush ${set.kind === 'map' ? 'map' : 'set'} ${at} ${set.name}`);
  }
  for (const chain of table.chains) {
    lines.push(`add chain ${at} ${chain.name}${chain.hook === undefined ? '' : ` { ${chain.hook} }`}`);
  }
  for (const name of [aboutChain, ...table.chains.map((chain) => chain.name)]) lines.push(`flush chain ${at} ${name}`);
  for (const set of table.sets) {
    if ((set.elements?.length ?? 0) > 0) lines.push(`add element ${at} ${set.name} { ${set.elements?.join(', ')} }`);
  }
  lines.push(`add rule ${at} ${aboutChain} accept comment "${tableHash(table)}"`);
  for (const chain of table.chains) for (const rule of chain.rules) lines.push(`add rule ${at} ${chain.name} ${rule}`);
  return `${lines.join('\n')}\n`;
}

/** A table as found. */
export interface TableFound {
  /** Hash of the text that made it; absent: not made by `tableText`. */
  readonly hash?: string;
  /** Elements of each set and map: key, with its parts joined by ` . `, to value (empty for sets). */
  readonly sets: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Names of chains, with the comment of the last rule that has one. */
  readonly chains: ReadonlyMap<string, string>;
}

/** Reads `nft -j list table` or `list ruleset`: tables by `family name`. */
export function readTables(output: string): ReadonlyMap<string, TableFound> {
  interface Reading {
    hash?: string;
    readonly sets: Map<string, Map<string, string>>;
    readonly chains: Map<string, string>;
  }
  const tables = new Map<string, Reading>();
  for (const item of list(record(readJson(output, 'nft')).nftables).map(record)) {
    const body = record(item['table'] ?? item['set'] ?? item['map'] ?? item['chain'] ?? item['rule']);
    const family = text(body['family']);
    const tableName = text(item['table'] === undefined ? body['table'] : body['name']);
    if (family === undefined || tableName === undefined) continue;
    const place = `${family} ${tableName}`;
    const table: Reading = tables.get(place) ?? { sets: new Map(), chains: new Map() };
    tables.set(place, table);
    const name = text(body['name']) ?? '';
    if (item['set'] !== undefined || item['map'] !== undefined) {
      table.sets.set(name, readElements(body['elem']));
    } else if (item['chain'] !== undefined) {
      table.chains.set(name, table.chains.get(name) ?? '');
    } else if (item['rule'] !== undefined) {
      const comment = text(body['comment']);
      const chain = text(body['chain']);
      if (comment === undefined || chain === undefined) continue;
      table.chains.set(chain, comment);
      if (chain === aboutChain) table.hash = comment;
    }
  }
  return tables;
}

/** Elements as nft prints them: plain values, concatenations, and pairs of key and value. */
function readElements(elements: unknown): Map<string, string> {
  const found = new Map<string, string>();
  for (const element of list(elements)) {
    const pair = list(element);
    if (pair.length === 2) found.set(keyText(pair[0]), valueText(pair[1]));
    else found.set(keyText(element), '');
  }
  return found;
}

function keyText(key: unknown): string {
  const prefix = record(record(key)['prefix']);
  if (text(prefix['addr']) !== undefined) return `${text(prefix['addr'])}/${number(prefix['len'])}`;
  const ends = list(record(key)['range']);
  if (ends.length > 0) return ends.map(keyText).join('-');
  const parts = list(record(key)['concat']);
  if (parts.length > 0) return parts.map(keyText).join(' . ');
  return text(key) ?? String(number(key) ?? JSON.stringify(key));
}

function valueText(value: unknown): string {
  const target = text(record(record(value)['jump'])['target']);
  return target === undefined ? keyText(value) : `jump ${target}`;
}

/** Elements of one set, wanted: key to value (empty for sets). The first part of a key is an interface name or a VNI. */
type Elements = ReadonlyMap<string, string>;

/**
 * Lines that make the elements for which `isMine` holds exactly `wanted`. Others stay: what this driver has no record of
 * is not its to remove.
 */
export function elementLines(
  at: string,
  set: string,
  found: Elements,
  wanted: Elements,
  isMine: (key: string, value: string) => boolean,
): { readonly deletes: string[]; readonly adds: string[] } {
  const deletes: string[] = [];
  const adds: string[] = [];
  for (const [key, value] of found) {
    if (isMine(key, value) && wanted.get(key) !== value) deletes.push(`delete element ${at} ${set} { ${quoted(key)} }`);
  }
  for (const [key, value] of wanted) {
    const have = found.get(key);
    if (have === value) continue;
    // An element that is not mine but sits at my key (a leftover of a port that had the address) gives way.
    if (have !== undefined && !isMine(key, have)) deletes.push(`delete element ${at} ${set} { ${quoted(key)} }`);
    adds.push(`add element ${at} ${set} { ${quoted(key)}${value === '' ? '' : ` : ${value}`} }`);
  }
  return { deletes, adds };
}

/** The key with its interface name, where it begins with one and not with a number, in quotes. */
function quoted(key: string): string {
  const [first = '', ...rest] = key.split(' . ');
  if (/^\d+$/.test(first)) return key;
  return [`"${first}"`, ...rest].join(' . ');
}
