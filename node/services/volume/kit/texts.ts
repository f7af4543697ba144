/** Bounds of what callers write about volumes, snapshots and the rest. Each refusal is 400, before anything is recorded. */
import { invalid, invalidInput } from './refusals.ts';

/** Longest name and description, characters: Cinder's columns. */
const textCharactersMax = 255;
/** Entries of one thing's metadata, and their bounds, characters. */
const entriesMax = 128;
const keyCharactersMax = 255;
/** Largest volume, GiB: what a signed 32-bit number of bytes times 512 never reaches on any storage there is. */
const sizeGibMax = 10_000_000;

/** A name or description, as it is kept: without blanks around it. */
export function checkText(what: string, text: string): string {
  const trimmed = text.trim();
  if (trimmed.length > textCharactersMax) {
    throw invalidInput(`${what} has ${trimmed.length} characters, more than ${textCharactersMax}.`);
  }
  if (!trimmed.isWellFormed()) throw invalidInput(`${what} is not well-formed Unicode.`);
  return trimmed;
}

/** As `checkText`, of what must have a name. */
export function checkNeededName(what: string, text: string): string {
  const name = checkText(what, text);
  if (name === '') throw invalidInput(`${what} can not be empty.`);
  return name;
}

/** Metadata, extra specs and the like. @param what for the refusal: "metadata". */
export function checkMetadata(
  what: string,
  metadata: Readonly<Record<string, string>>,
  valueCharactersMax = 255,
): Record<string, string> {
  const entries = Object.entries(metadata);
  if (entries.length > entriesMax) throw invalidInput(`${what} has more than ${entriesMax} entries.`);
  for (const [key, value] of entries) {
    if (key === '') throw invalid(`volume ${what}`, 'Metadata property key blank.');
    if (key.length > keyCharactersMax) {
      throw invalid(`volume ${what}`, `Metadata property key greater than ${keyCharactersMax} characters.`);
    }
    if (value.length > valueCharactersMax) {
      throw invalid(`volume ${what}`, `Metadata property value greater than ${valueCharactersMax} characters.`);
    }
    if (!key.isWellFormed() || !value.isWellFormed()) throw invalidInput(`${what} is not well-formed Unicode.`);
  }
  return Object.fromEntries(entries);
}

/** Longest value of an image's property, characters. */
const imageValueCharactersMax = 65_535;

/** All of an image's properties, characters: as many as an image that is made of the volume may have. */
const imageMetadataCharactersMax = 262_144;

/** What a volume keeps of an image. */
export function checkImageMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const checked = checkMetadata('metadata', metadata, imageValueCharactersMax);
  const characters = Object.entries(checked).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (characters <= imageMetadataCharactersMax) return checked;
  throw invalidInput(`metadata has more than ${imageMetadataCharactersMax} characters.`);
}

/** GiB of a volume. */
export function checkSize(sizeGib: number): number {
  if (!Number.isInteger(sizeGib) || sizeGib <= 0) {
    throw invalidInput(`Volume size '${sizeGib}' must be an integer and greater than 0`);
  }
  if (sizeGib > sizeGibMax) throw invalidInput(`Volume size '${sizeGib}' is larger than ${sizeGibMax} GiB.`);
  return sizeGib;
}
