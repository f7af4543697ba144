/** Changes to an image in the media type `application/openstack-images-v2.1-json-patch`. */
import Type, { type Static } from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ImageDraft } from '../../../node/services/image-draft.ts';
import { parse } from '../validation.ts';
import { draftFields, isField, mustBeWritable } from './draft-fields.ts';

/** Changes in one request: every property and tag of an image once over. */
const changesMax = 512;

const patchSchema = Type.Array(
  Type.Object({
    op: Type.Enum(['add', 'replace', 'remove']),
    path: Type.String({ minLength: 2, maxLength: 1024 }),
    value: Type.Optional(Type.Unknown()),
  }),
  { maxItems: changesMax },
);

/** One change, its path resolved to a name. */
export interface ImageChange {
  readonly op: 'add' | 'replace' | 'remove';
  readonly name: string;
  readonly value: unknown;
}

/** The changes a body asks for. Throws `INVALID_ARGUMENT`, or `FORBIDDEN` for what is not the caller's to change. */
export function parsePatch(body: unknown): readonly ImageChange[] {
  return parse(patchSchema, body).map(toChange);
}

function toChange({ op, path, value }: Static<typeof patchSchema>[number]): ImageChange {
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
