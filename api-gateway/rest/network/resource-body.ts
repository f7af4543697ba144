import Type, { type TSchema } from 'typebox';

/** The body that `readResources` reads, for the description of the API: one thing under its key, or several under `keys`. */
export function resourceBody(key: string, schema: TSchema, keys?: string): TSchema {
  const one = Type.Object({ [key]: schema }, { additionalProperties: false });
  if (keys === undefined) return one;
  return Type.Union([one, Type.Object({ [keys]: Type.Array(schema) }, { additionalProperties: false })]);
}
