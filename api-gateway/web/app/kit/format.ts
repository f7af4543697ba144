/** Figures and times in words. Pure but for the reader's own locale. */

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
];

/** "3 minutes ago". @param at as the API says it. */
export function relativeTime(at: string, nowMs: number, locale = 'en'): string {
  const seconds = Math.round((Date.parse(zoned(at)) - nowMs) / 1000);
  if (!Number.isFinite(seconds)) return '';
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  for (const [unit, size] of units) {
    if (Math.abs(seconds) >= size || size === 1) return format.format(Math.trunc(seconds / size), unit);
  }
  return '';
}

/** The same in full, in the reader's own zone. */
export function fullTime(at: string): string {
  const date = new Date(zoned(at));
  return Number.isNaN(date.getTime()) ? at : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
}

/** Cinder and Nova's actions leave the zone out; it is UTC. */
function zoned(at: string): string {
  return /(?:Z|[+-]\d\d:?\d\d)$/u.test(at) ? at : `${at}Z`;
}

/** "1.5 GiB". */
export function byteSize(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < names.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${names[at] ?? ''}`;
}

/** A word for a shell: in quotation marks where it needs them. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
