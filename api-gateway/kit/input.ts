/**
 * What may come in at all, whichever door it comes by: JSON bodies, queries, paths and gRPC messages are held against this
 * once, by the framework, before any handler sees them. What one field may hold beyond that is its handler's business.
 *
 * Text is well-formed Unicode: half of a surrogate pair has no UTF-8, and a record that held one could be written and never
 * read again. Control characters are refused but for tab, line feed and carriage return, which descriptions and metadata may
 * hold: the rest means nothing in a name and much to the terminal that shows it. OpenStack's services differ in this
 * (Nova refuses control characters in names, Neutron and Keystone take them); all of them refuse what is no Unicode.
 */
import { ShoalError } from '../../node/base/errors.ts';

/** Bounds of one value from outside. */
interface InputBounds {
  /** Arrays and objects inside one another, the outermost counted. */
  readonly depthMax: number;
  /** Elements and members of all arrays and objects together. */
  readonly itemsMax: number;
}

/** The deepest body that any API here takes has seven levels; the largest bulk create about 20,000 members. */
export const inputBounds: InputBounds = { depthMax: 32, itemsMax: 50_000 };

/** Characters of a text that a message quotes. */
const shownCharactersMax = 40;

const controlInText = /[\p{Cc}--[\t\n\r]]/v;
const controlInLine = /\p{Cc}/u;

/** What is wrong with `text`, to follow its name in a sentence; undefined: nothing. */
export function textMistake(text: string): string | undefined {
  return mistakeOf(text, controlInText);
}

/** As `textMistake`, for text that has no lines: identifiers, parts of a path. */
export function lineMistake(text: string): string | undefined {
  return mistakeOf(text, controlInLine);
}

function mistakeOf(text: string, control: RegExp): string | undefined {
  if (!text.isWellFormed()) return 'is not well-formed Unicode: it holds half of a surrogate pair';
  const found = control.exec(text)?.[0];
  if (found === undefined) return undefined;
  return `holds the control character U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}

/**
 * Throws `INVALID_ARGUMENT` for a value (what JSON or a protobuf message holds) with a text, a key or a number that nothing
 * here could keep, or beyond `bounds`. Bytes are not looked at. Takes no stack, however deep the value is.
 * @param what how the message calls it: "body".
 * @param nameOf what a member of the value itself is called by the caller.
 */
export function checkInput(
  value: unknown,
  what: string,
  bounds: InputBounds = inputBounds,
  nameOf: (key: string) => string = (key) => key,
): void {
  const left: { readonly value: unknown; readonly depth: number; readonly place: string }[] = [];
  left.push({ value, depth: 1, place: '' });
  let items = 0;
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value: found, depth, place } = next;
    const mistake = scalarMistake(found);
    if (mistake !== undefined) throw refused(what, `${place === '' ? 'it' : place} ${mistake}`);
    if (typeof found !== 'object' || found === null || ArrayBuffer.isView(found)) continue;
    if (depth > bounds.depthMax) throw refused(what, `it nests more than ${bounds.depthMax} levels deep`);
    for (const [key, member] of Object.entries(found)) {
      items += 1;
      if (items > bounds.itemsMax) throw refused(what, `it has more than ${bounds.itemsMax} elements`);
      const keyMistake = Array.isArray(found) ? undefined : nameMistake(key);
      if (keyMistake !== undefined) throw refused(what, `the key ${shown(key)} ${keyMistake}`);
      left.push({
        value: member,
        depth: depth + 1,
        place: depth === 1 ? shown(nameOf(key)) : `${place}.${shown(key)}`,
      });
    }
  }
}

/** What is wrong with `key` as the name of a member; undefined: nothing. */
export function nameMistake(key: string): string | undefined {
  // Assigned to an object, it would not become a member of it.
  if (key === '__proto__') return 'is not allowed';
  return textMistake(key);
}

function scalarMistake(value: unknown): string | undefined {
  if (typeof value === 'string') return textMistake(value);
  if (typeof value !== 'number') return undefined;
  if (Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value))) return undefined;
  return 'is a number beyond 2^53 - 1';
}

/** A text that came from outside, so that a message can quote it: short, and in printable characters. */
export function shown(text: string): string {
  const short = text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}...` : text;
  return JSON.stringify(short.toWellFormed())
    .slice(1, -1)
    .replace(/\p{Cc}/gu, '?');
}

function refused(what: string, why: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `Invalid ${what}: ${why}.`);
}
