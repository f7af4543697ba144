import type { TSchema } from 'typebox';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { checkTags } from '../../../node/services/network/kit/text.ts';
import type { shoal } from '../../../proto/messages.ts';
import { readResource } from '../../rest/network/attributes.ts';
import { type AttributeRules, attributesOf } from '../kit/attributes.ts';
import type { Served, View } from '../kit/caller.ts';
import { networkFieldNames } from '../kit/field-names.ts';
import { type PageRequest, pageById } from '../kit/page.ts';

/** A view is made for somebody, from a reader that has the thing. */
export interface Viewing extends View {
  readonly context: RequestContext;
}

/** Who asks, and the view that the answer is made from. */
export async function viewingOf({ context, read }: Served): Promise<Viewing> {
  return { context, ...(await read()) };
}

/** One page of what `items` finds, and what every answer to a list says beside it. */
export async function listed<T extends { readonly id: string }>(
  served: Served,
  request: PageRequest,
  items: (viewing: Viewing) => readonly T[],
) {
  const viewing = await viewingOf(served);
  const { page, nextPageToken } = pageById(items(viewing), request);
  return { page, viewing, paging: { nextPageToken, stale: viewing.stale, revision: viewing.reader.revision } };
}

/** What is made or changed, by the schema of REST's bodies. */
interface Described<Schema extends TSchema> {
  readonly key: string;
  readonly schema: Schema;
  readonly readOnly: readonly string[];
}

/** A new thing's attributes, checked as REST checks them. Throws `INVALID_ARGUMENT`. */
export function newAttributes<Schema extends TSchema>(
  request: object,
  described: Described<Schema>,
  rules: AttributeRules = {},
) {
  return readResource<Schema>(attributesOf(request, { names: networkFieldNames, ...rules }), {
    ...described,
    verb: 'POST',
  });
}

/** The attributes that a request changes, checked as REST checks them. Tags are `tagsOf`'s. Throws `INVALID_ARGUMENT`. */
export function changedAttributes<Schema extends TSchema>(
  request: object,
  described: Described<Schema>,
  rules: AttributeRules,
) {
  const omitted = [...(rules.omitted ?? []), 'tags'];
  return readResource<Schema>(attributesOf(request, { names: networkFieldNames, ...rules, omitted }), {
    ...described,
    verb: 'PUT',
  });
}

/** The tags that a request sets, each once; nothing when it leaves them alone. Throws `INVALID_ARGUMENT`, `FORBIDDEN`. */
export function tagsOf(
  served: Served,
  kind: string,
  tags: shoal.v1.StringList | null,
): { readonly tags?: readonly string[] } {
  if (tags === null) return {};
  served.enforce(`update_${kind}:tags`);
  checkTags(tags.values);
  return { tags: [...new Set(tags.values)] };
}
