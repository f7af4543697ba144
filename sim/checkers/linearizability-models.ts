/** Models for `checkLinearizability`. */
import type { Model } from './linearizability.ts';

/** A register that holds a number or nothing, with compare-and-set: what Jepsen's etcd test drives. */
export type RegisterInput =
  | { readonly kind: 'read' }
  | { readonly kind: 'write'; readonly value: number }
  | { readonly kind: 'cas'; readonly expected: number; readonly value: number };

export type RegisterOutput =
  | { readonly kind: 'read'; readonly value: number | null }
  | { readonly kind: 'write' }
  | { readonly kind: 'cas'; readonly succeeded: boolean };

/** What the register holds; `null`: nothing. */
export const registerModel: Model<number | null, RegisterInput, RegisterOutput> = {
  initial: () => null,
  step(held, input, output) {
    switch (input.kind) {
      case 'read':
        return output === undefined || (output.kind === 'read' && output.value === held) ? held : undefined;
      case 'write':
        return input.value;
      case 'cas': {
        const matches = held === input.expected;
        if (output !== undefined && !(output.kind === 'cas' && output.succeeded === matches)) return undefined;
        return matches ? input.value : held;
      }
    }
  },
  key: (held) => held ?? 'nothing',
  observes: (input, output) => input.kind === 'read' || (output.kind === 'cas' && !output.succeeded),
};

/** A map of strings with append; each key on its own. */
export type KeyValueInput =
  | { readonly kind: 'get'; readonly key: string }
  | { readonly kind: 'put' | 'append'; readonly key: string; readonly value: string };

/** What a get returned; '' for the others. */
export type KeyValueOutput = string;

/** A state and its number: long strings are compared by number. */
interface Text {
  readonly text: string;
  readonly number: number;
}

/** Makes the model: states that have occurred are numbered, so one model serves one check. */
export function keyValueModel(): Model<Text, KeyValueInput, KeyValueOutput> {
  const numbers = new Map<string, Text>();
  const numbered = (text: string): Text => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    const made = { text, number: numbers.size };
    numbers.set(text, made);
    return made;
  };
  return {
    initial: () => numbered(''),
    step(state, input, output) {
      switch (input.kind) {
        case 'get':
          return output === undefined || output === state.text ? state : undefined;
        case 'put':
          return numbered(input.value);
        case 'append':
          return numbered(state.text + input.value);
      }
    },
    key: (state) => state.number,
    observes: (input) => input.kind === 'get',
    partition: (input) => input.key,
  };
}
