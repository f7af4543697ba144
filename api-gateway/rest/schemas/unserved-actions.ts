/** Arguments of those of Nova's server actions that this compute API does not have. */
import Type, { type TProperties, type TSchema } from 'typebox';

const only = <Properties extends TProperties>(properties: Properties) =>
  Type.Object(properties, { additionalProperties: false });
/** Where Nova ignores what stands beside an action's name. */
const anything = Type.Unknown();
const address = Type.String({ minLength: 1, maxLength: 64 });

/** Actions of Nova that this version does not have, by name, with the argument that Nova takes: it is checked all the same. */
export const unservedActions: Readonly<Record<string, TSchema>> = {
  addFixedIp: only({ networkId: Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Integer()]) }),
  removeFixedIp: only({ address }),
  resetNetwork: anything,
};
