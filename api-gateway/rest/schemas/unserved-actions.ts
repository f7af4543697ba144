/** Arguments of those of Nova's server actions that this compute API does not have. */
import Type, { type TProperties, type TSchema } from 'typebox';

const only = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false });
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
/** Where Nova ignores what stands beside an action's name. */
const anything = Type.Unknown();
const address = Type.String({ minLength: 1, maxLength: 64 });
const flag = Type.Union([Type.Boolean(), Type.String({ maxLength: 5 })]);
const host = Type.String({ minLength: 1, maxLength: 255 });

/** Actions of Nova that this version does not have, by name, with the argument that Nova takes: it is checked all the same. */
export const unservedActions: Readonly<Record<string, TSchema>> = {
  addFixedIp: only({ networkId: Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Integer()]) }),
  'os-migrateLive': only({
    host: orNull(host),
    block_migration: Type.Union([flag, Type.Literal('auto')]),
    disk_over_commit: Type.Optional(flag),
    force: Type.Optional(flag),
  }),
  removeFixedIp: only({ address }),
  resetNetwork: anything,
};
