/** What may be asked of an image: the fields callers set, their bounds, and how one change is made to them. */
import type { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { field, fieldError, says, type Wording } from '../../base/field-names.ts';

/** Formats that Glance knows. Which of them a host can really read is found out when content arrives. */
export const diskFormats = ['ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'raw', 'qcow2', 'vdi', 'iso', 'ploop'] as const;
/** Those that servers boot from; `iso` is read as raw. The others are stored and given back. */
export const bootableFormats: readonly string[] = ['qcow2', 'raw', 'iso'];
/** Glance's container formats. They are kept and given back; nothing is unpacked. */
export const containerFormats = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'] as const;
/** Glance's visibilities: who sees an image besides its owner. `shared` means its members alone (members.ts). */
export const visibilities = ['public', 'private', 'shared', 'community'] as const;

/** Properties of one image: Glance's own default. */
const propertiesMax = 128;
/** Key and value of a property, characters: Glance's columns. */
const propertyKeyCharactersMax = 255;
const propertyValueCharactersMax = 65_535;
/** All properties of one image, characters, so that its record stays well below what a value may hold. */
const propertiesCharactersMax = 256 * 1024;
const tagsMax = 128;
const tagCharactersMax = 255;
const nameCharactersMax = 255;

/** The fields of an image that its owner sets. */
export interface ImageDraft {
  name: string;
  visibility: string;
  /** Empty: not said yet. */
  diskFormat: string;
  containerFormat: string;
  minDiskGib: number;
  minMemoryMib: number;
  protected: boolean;
  hidden: boolean;
  tags: string[];
  properties: Record<string, string>;
  /** Owner; another than the caller's project is for administrators. */
  projectId: string;
}

/** An image before anything was said about it. */
export function emptyDraft(projectId: string): ImageDraft {
  return {
    name: '',
    visibility: 'shared',
    diskFormat: '',
    containerFormat: '',
    minDiskGib: 0,
    minMemoryMib: 0,
    protected: false,
    hidden: false,
    tags: [],
    properties: {},
    projectId,
  };
}

/** The settable fields of a record, to be changed and put back. */
export function draftOf(image: shoal.v1.Image): ImageDraft {
  const { name, visibility, diskFormat, containerFormat, minDiskGib, minMemoryMib, hidden, projectId } = image;
  return {
    name,
    visibility,
    diskFormat,
    containerFormat,
    minDiskGib,
    minMemoryMib,
    hidden,
    projectId,
    protected: image.protected,
    tags: [...image.tags],
    properties: { ...image.properties },
  };
}

/**
 * Throws `INVALID_ARGUMENT` unless it is a UUID in the one way of writing it: with capitals or without hyphens it would
 * be another key of the same image.
 */
export function checkImageId(id: string): void {
  if (/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(id)) return;
  throw new ShoalError('INVALID_ARGUMENT', `id: "${id.slice(0, 64)}" is not a UUID in lower case, with hyphens.`);
}

/** Throws `INVALID_ARGUMENT` for the first field out of its bounds, `TOO_LARGE` for too many of something. */
export function checkDraft(draft: ImageDraft): void {
  const wrong = (wording: Wording): ShoalError => fieldError('INVALID_ARGUMENT', wording);
  if (draft.name.length > nameCharactersMax)
    throw wrong(says`${field('name')}: at most ${nameCharactersMax} characters.`);
  oneOf('visibility', draft.visibility, visibilities);
  if (draft.diskFormat !== '') oneOf('disk_format', draft.diskFormat, diskFormats);
  if (draft.containerFormat !== '') oneOf('container_format', draft.containerFormat, containerFormats);
  for (const [name, value] of [
    ['min_disk', draft.minDiskGib],
    ['min_ram', draft.minMemoryMib],
  ] as const) {
    if (!Number.isInteger(value) || value < 0 || value > 2_147_483_647) {
      throw wrong(says`${field(name)}: must be an integer from 0 to 2147483647.`);
    }
  }
  if (draft.tags.length > tagsMax) throw new ShoalError('TOO_LARGE', `An image has at most ${tagsMax} tags.`);
  if (draft.tags.some((tag) => tag === '' || tag.length > tagCharactersMax)) {
    throw wrong(says`${field('tags')}: each has 1 to ${tagCharactersMax} characters.`);
  }
  const properties = Object.entries(draft.properties);
  let characters = 0;
  for (const [key, value] of properties) {
    characters += key.length + value.length;
    if (key === '' || key.length > propertyKeyCharactersMax || value.length > propertyValueCharactersMax) {
      throw wrong(
        says`property ${key.slice(0, 64)}: the key has 1 to ${propertyKeyCharactersMax} characters, the value at most ${propertyValueCharactersMax}.`,
      );
    }
  }
  if (properties.length > propertiesMax || characters > propertiesCharactersMax) {
    throw new ShoalError(
      'TOO_LARGE',
      `An image has at most ${propertiesMax} properties of ${propertiesCharactersMax} characters together.`,
    );
  }
}

function oneOf(name: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  const known = allowed.join(', ');
  throw fieldError('INVALID_ARGUMENT', says`${field(name)}: "${value.slice(0, 64)}" is not one of ${known}.`);
}
