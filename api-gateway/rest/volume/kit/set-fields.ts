/** A field of a draft, where a body says something of it: what is null or empty there is not asked for. */
export function setField<Key extends string, Value>(
  key: Key,
  value: Value | null | undefined,
): { readonly [K in Key]?: Value } {
  if (value === null || value === undefined || value === '') return {};
  return { [key]: value } as { readonly [K in Key]?: Value };
}

/** The names of a change; those of the API's first version are taken, too. */
interface NamesInBody {
  readonly name?: string | null;
  readonly display_name?: string | null;
  readonly description?: string | null;
  readonly display_description?: string | null;
}

/** A change of names: an empty text empties the field, and what is absent stays. */
export function namesOf(body: NamesInBody): { readonly name?: string; readonly description?: string } {
  const name = body.name ?? body.display_name;
  const description = body.description ?? body.display_description;
  return {
    ...(name === null || name === undefined ? {} : { name }),
    ...(description === null || description === undefined ? {} : { description }),
  };
}
