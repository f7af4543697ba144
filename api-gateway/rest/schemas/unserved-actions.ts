/** Arguments of those of Nova's server actions that this compute API does not have. */
import Type, { type TSchema } from 'typebox';

/** Where Nova ignores what stands beside an action's name. */
const anything = Type.Unknown();

/** Actions of Nova that this version does not have, by name, with the argument that Nova takes: it is checked all the same. */
export const unservedActions: Readonly<Record<string, TSchema>> = {
  resetNetwork: anything,
};
