/**
 * Changes to an image in Glance's two media types: `application/openstack-images-v2.1-json-patch`, where a change is
 * `{op, path, value}`, and the older `application/openstack-images-v2.0-json-patch`, where it is `{OP: path, value}`.
 */
import type { Static } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ImageDraft } from '../../../node/services/image/draft.ts';
import { parse } from '../kit/validation.ts';
import { olderPatchSchema, patchOperations, patchSchema } from '../schemas/image.ts';
import { draftFields, isField, mustBeWritable } from './draft-fields.ts';

type Operation = (typeof patchOperations)[number];

/** The media type of the older form; what comes in any other that is accepted has the newer one. */
export const olderPatchType = 'application/openstack-images-v2.0-json-patch';

/**
 * The media type in which a change is `{op, path, value}`, as in RFC 6902 (of which it has add, replace and remove).
 */
export const newerPatchType = 'application/openstack-images-v2.1-json-patch';

/** One change, its path resolved to a name. */
interface ImageChange {
  readonly op: Operation;
  readonly name: string;
  readonly value: unknown;
}

/**
 * The changes a body asks for. Throws `INVALID_ARGUMENT`, or `FORBIDDEN` for what is not the caller's to change.
 * @param mediaType as the request has it, parameters and all
 */
export function parsePatch(body: unknown, mediaType: string): readonly ImageChange[] {
  const isOlder = (mediaType.split(';', 1)[0] ?? '').trim().toLowerCase() === olderPatchType;
  return (isOlder ? parse(olderPatchSchema, body).map(newerForm) : parse(patchSchema, body)).map(toChange);
}

type Change = Static<typeof patchSchema>[number];

function newerForm(change: Static<typeof olderPatchSchema>[number]): Change {
  const named = patchOperations.flatMap((op) => {
    const path = change[op];
    return path === undefined ? [] : [{ op, path }];
  });
  const [only] = named;
  if (only === undefined || named.length > 1) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `Invalid body: each change has exactly one of ${patchOperations.join(', ')}.`,
    );
  }
  return { ...only, value: change.value };
}

function toChange({ op, path, value }: Change): ImageChange {
  const [root, name, ...rest] = path.split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (root !== '' || name === undefined || name === '') {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid body: "${path.slice(0, 64)}" is not a path to an attribute.`);
  }
  mustBeWritable(name);
  if (rest.length > 0) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid body: "${path.slice(0, 64)}" goes deeper than attributes go.`);
  }
  if (op !== 'remove' && value === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid body: ${op} of ${name.slice(0, 64)} is missing value.`);
  }
  return { op, name, value };
}

/** A draft with the changes made, in their order. Throws `CONFLICT` when a property to be replaced is not there. */
export function applyPatch(draft: ImageDraft, changes: readonly ImageChange[]): ImageDraft {
  let next = draft;
  for (const { op, name, value } of changes) {
    if (isField(name)) {
      if (op === 'remove') throw new ShoalError('FORBIDDEN', `Property ${name} may not be removed.`);
      next = { ...next, ...draftFields({ [name]: value }) };
      continue;
    }
    const properties = { ...next.properties };
    if (op !== 'add' && !Object.hasOwn(properties, name)) {
      throw new ShoalError('CONFLICT', `Property ${name.slice(0, 64)} does not exist.`);
    }
    delete properties[name];
    if (op !== 'remove') Object.assign(properties, draftFields({ [name]: value }).properties);
    next = { ...next, properties };
  }
  return next;
}
