/** What a caller of the attachments API says of the machine that connects (`connector`), as it is kept. */
import { invalidInput } from './refusals.ts';

/** Entries, and characters of all of them together. */
const entriesMax = 64;
const charactersMax = 16_384;

/** Each value as JSON text. Throws `INVALID_ARGUMENT` for too much of it. */
export function checkConnector(connector: Readonly<Record<string, unknown>> | undefined): Record<string, string> {
  const entries = Object.entries(connector ?? {}).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, JSON.stringify(value)] as const],
  );
  const characters = entries.reduce((sum, [key, text]) => sum + key.length + text.length, 0);
  if (entries.length > entriesMax || characters > charactersMax) {
    throw invalidInput(`connector has more than ${entriesMax} entries or ${charactersMax} characters.`);
  }
  if (entries.some(([key, text]) => !key.isWellFormed() || !text.isWellFormed())) {
    throw invalidInput('connector is not well-formed Unicode.');
  }
  return Object.fromEntries(entries);
}
