/**
 * Names of a request's fields within the texts of errors. Services call a field as OpenStack's REST API does (`imageRef`);
 * a door whose callers wrote another name (`image_id`) has to say that one. So a text that names fields is kept in pieces,
 * in the facts of its error, and a door puts its own names in: it never has to look for words in a sentence.
 */
import { type ErrorCode, type ErrorFacts, ShoalError } from './errors.ts';

/** A field by its name in the REST API. */
interface FieldName {
  readonly field: string;
}

/** A text and the fields in it. */
export type Wording = readonly (string | FieldName)[];

/** Where the facts of an error keep its wording. */
const factName = 'wording';

/** Marks a name as a field's. */
export function field(name: string): FieldName {
  return { field: name };
}

/** Text with fields in it: says`${field('imageRef')} is needed.` */
export function says(strings: TemplateStringsArray, ...values: readonly (string | number | FieldName)[]): Wording {
  return strings.flatMap((text, at) => {
    const value = values[at];
    return value === undefined ? [text] : [text, typeof value === 'number' ? String(value) : value];
  });
}

/** The text, with each field called as `nameOf` says. Default: as it is. */
function textOf(wording: string | Wording, nameOf: (name: string) => string = (name) => name): string {
  if (typeof wording === 'string') return wording;
  return wording.map((part) => (typeof part === 'string' ? part : nameOf(part.field))).join('');
}

/** An error whose text names fields. */
export function fieldError(
  code: ErrorCode,
  wording: string | Wording,
  options: { readonly facts?: ErrorFacts; readonly cause?: unknown } = {},
): ShoalError {
  const facts = typeof wording === 'string' ? options.facts : { ...options.facts, [factName]: wording };
  return new ShoalError(code, textOf(wording), {
    ...(facts === undefined ? {} : { facts }),
    ...(options.cause === undefined ? {} : { cause: options.cause }),
  });
}

/** What `error` says, with its fields called as `nameOf` says. */
export function textFor(error: ShoalError, nameOf: (name: string) => string): string {
  const wording = error.facts[factName];
  return isWording(wording) ? textOf(wording, nameOf) : error.message;
}

/** Facts may have come from another agent. */
function isWording(value: unknown): value is Wording {
  return (
    Array.isArray(value) &&
    value.every(
      (part: unknown) =>
        typeof part === 'string' ||
        (typeof part === 'object' && part !== null && 'field' in part && typeof part.field === 'string'),
    )
  );
}
