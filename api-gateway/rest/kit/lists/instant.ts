/** Times in queries. */

const form = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/**
 * A time in ISO 8601 as ms since 1970: a day (its beginning), or day and time of day. Without a zone it is UTC, as in OpenStack.
 * Undefined for anything else, days that no month has among it.
 */
export function readInstant(text: string): number | undefined {
  const [, day, time, zone] = form.exec(text) ?? [];
  if (day === undefined || !isDay(day)) return undefined;
  if (time === undefined) return Date.parse(day);
  const ms = Date.parse(`${day}T${time}${zone === undefined ? 'Z' : fullZone(zone)}`);
  return Number.isNaN(ms) ? undefined : ms;
}

/** `+01`, `+0100` and `z` in the form that `Date.parse` takes. */
function fullZone(zone: string): string {
  if (zone.length === 1) return 'Z';
  return `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}`;
}

function isDay(text: string): boolean {
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}
