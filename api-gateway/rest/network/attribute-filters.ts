/** What Neutron's lists make of a filter: a comparison with the attribute of that name, as it is shown. */
import { badRequest } from '../../../node/services/kit/network-refusals.ts';
import { shown } from '../../kit/input.ts';
import { type Filter, type Filters, once } from '../kit/lists/filter.ts';
import { readInstant } from '../kit/lists/instant.ts';
import type { ListKeys } from './filters.ts';

type View = Readonly<Record<string, unknown>>;

/** The filters of one list for this caller: attributes with a rule of their own are unknown to whom it does not hold for. */
export function viewFilters({ keys, guarded }: ListKeys, allows: (rule: string) => boolean): Filters<View> {
  const hidden = guarded?.keys.filter((key) => allows(`${guarded.rule}:${key}`)) ?? [];
  return Object.fromEntries([...keys, ...hidden].map((key) => [key, special.get(key) ?? attribute]));
}

/** One of the values is the attribute's. A thing without the attribute is let pass. */
const attribute: Filter<View> = (values, key) => (view) =>
  !Object.hasOwn(view, key) || matchesOne(key, view[key], values);

/** `tags=a,b`: compares the tags that are asked for with those of the thing. */
function tagged(holds: (wanted: readonly string[], tags: readonly unknown[]) => boolean): Filter<View> {
  return (values) => {
    const wanted = values.flatMap((text) => text.split(',')).filter((text) => text !== '');
    return ({ tags }) => holds(wanted, Array.isArray(tags) ? tags : []);
  };
}

const hasAll = (wanted: readonly string[], tags: readonly unknown[]) => wanted.every((tag) => tags.includes(tag));
const hasAny = (wanted: readonly string[], tags: readonly unknown[]) => wanted.some((tag) => tags.includes(tag));

/** Keys that are no attributes, or are not compared as such. */
const special: ReadonlyMap<string, Filter<View>> = new Map([
  ['tags', tagged(hasAll)],
  ['tags-any', tagged(hasAny)],
  ['not-tags', tagged((wanted, tags) => !hasAll(wanted, tags))],
  ['not-tags-any', tagged((wanted, tags) => !hasAny(wanted, tags))],
  [
    'changed_since',
    once((text) => {
      const sinceMs = text.includes('T') ? readInstant(text) : undefined;
      if (sinceMs === undefined) {
        throw badRequest('The input changed_since must be in the following format: YYYY-MM-DDTHH:MM:SSZ');
      }
      return ({ updated_at: updatedAt }) => Date.parse(String(updatedAt)) >= sinceMs;
    }),
  ],
]);

function matchesOne(key: string, value: unknown, wanted: readonly string[]): boolean {
  if (key === 'fixed_ips' && Array.isArray(value)) return matchesFixedIps(value, wanted);
  if (Array.isArray(value)) return wanted.some((text) => value.some((member) => String(member) === text));
  return wanted.some((text) => {
    if (typeof value === 'boolean') return value === flagOf(key, text);
    if (value === null) return text === '';
    return String(value) === text;
  });
}

/** `fixed_ips=ip_address=10.0.0.5`, several at once: an address of the port has one of the values of each kind. */
function matchesFixedIps(fixedIps: readonly unknown[], wanted: readonly string[]): boolean {
  const terms = new Map<string, string[]>();
  for (const term of wanted) {
    const [kind = '', value = ''] = term.split('=', 2);
    terms.set(kind, [...(terms.get(kind) ?? []), value]);
  }
  return [...terms].every(([kind, values]) =>
    fixedIps.some((entry) => {
      const fixed = entry as { readonly ip_address: string; readonly subnet_id: string };
      if (kind === 'ip_address') return values.includes(fixed.ip_address);
      if (kind === 'subnet_id') return values.includes(fixed.subnet_id);
      if (kind === 'ip_address_substr') return values.some((value) => fixed.ip_address.includes(value));
      throw badRequest(
        `Invalid filter: fixed_ips has ip_address, subnet_id and ip_address_substr, not ${shown(kind)}.`,
      );
    }),
  );
}

function flagOf(key: string, text: string): boolean {
  if (isTrue(text)) return true;
  if (['false', '0', 'f', 'no', 'off'].includes(text.toLowerCase())) return false;
  throw badRequest(`Invalid filter: ${key} is true or false, not '${shown(text)}'.`);
}

/** Whether a text is one of Neutron's words for true. */
export function isTrue(text: string): boolean {
  return ['true', '1', 't', 'yes', 'on'].includes(text.toLowerCase());
}
