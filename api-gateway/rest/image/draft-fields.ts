import type { Static } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ImageDraft } from '../../../node/services/image/draft.ts';
import { parse } from '../kit/validation.ts';
import { fieldsSchema } from '../schemas/image.ts';
import { readOnlyFields } from './views.ts';

type Fields = Static<typeof fieldsSchema>;
const fieldNames: ReadonlySet<string> = new Set(Object.keys(fieldsSchema.properties));

/** Whether a name is one of Glance's own and not a property of the caller's. */
export function isField(name: string): boolean {
  return fieldNames.has(name);
}

/** Throws `FORBIDDEN` for a field that only Glance sets. */
export function mustBeWritable(name: string): void {
  if (name === 'id' || readOnlyFields.has(name)) throw new ShoalError('FORBIDDEN', `Attribute '${name}' is read-only.`);
  if (name === '__proto__') throw new ShoalError('INVALID_ARGUMENT', 'No property can be called __proto__.');
  if (/^os_glance/.test(name)) throw new ShoalError('FORBIDDEN', `Attribute '${name}' is reserved.`);
}

/**
 * Fields and properties out of a flat object of both, checked for their types. Bounds are the service's.
 * @param what how messages call the object.
 */
export function draftFields(body: Readonly<Record<string, unknown>>, what = 'body'): Partial<ImageDraft> {
  const properties = new Map<string, string>();
  for (const [name, value] of Object.entries(body)) {
    if (isField(name)) continue;
    mustBeWritable(name);
    if (typeof value !== 'string') {
      throw new ShoalError('INVALID_ARGUMENT', `Invalid ${what}: property ${name.slice(0, 64)} must be string.`);
    }
    properties.set(name, value);
  }
  return {
    ...knownFields(parse(fieldsSchema, body, what)),
    ...(properties.size > 0 ? { properties: Object.fromEntries(properties) } : {}),
  };
}

function knownFields(fields: Fields): Partial<ImageDraft> {
  return {
    ...(fields.name === undefined ? {} : { name: fields.name ?? '' }),
    ...(fields.visibility === undefined ? {} : { visibility: fields.visibility }),
    ...(fields.disk_format === undefined ? {} : { diskFormat: fields.disk_format ?? '' }),
    ...(fields.container_format === undefined ? {} : { containerFormat: fields.container_format ?? '' }),
    ...(fields.min_disk === undefined ? {} : { minDiskGib: fields.min_disk }),
    ...(fields.min_ram === undefined ? {} : { minMemoryMib: fields.min_ram }),
    ...(fields.protected === undefined ? {} : { protected: fields.protected }),
    ...(fields.os_hidden === undefined ? {} : { hidden: fields.os_hidden }),
    ...(fields.tags === undefined ? {} : { tags: [...new Set(fields.tags)] }),
    ...(fields.owner === undefined ? {} : { projectId: fields.owner }),
  };
}
