/** What the messages of the native API consist of, read from the descriptor that is generated beside the static code. */
import { readFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { must } from '../../node/base/assert.ts';

const fieldSchema = Type.Object({
  type: Type.String(),
  rule: Type.Optional(Type.Enum(['repeated'])),
  keyType: Type.Optional(Type.String()),
});
const typeSchema = Type.Object({
  fields: Type.Optional(Type.Record(Type.String(), fieldSchema)),
  oneofs: Type.Optional(Type.Record(Type.String(), Type.Object({ oneof: Type.Array(Type.String()) }))),
  values: Type.Optional(Type.Record(Type.String(), Type.Integer())),
});
const packageSchema = Type.Object({
  nested: Type.Object({
    shoal: Type.Object({
      nested: Type.Object({ v1: Type.Object({ nested: Type.Record(Type.String(), typeSchema) }) }),
    }),
  }),
});
const descriptor = Compile(packageSchema);

/** What one value of a field is. */
export type ValueType =
  | { readonly kind: 'scalar'; readonly name: string }
  | { readonly kind: 'enum'; readonly name: string }
  | { readonly kind: 'message'; readonly name: string };

/** One field of a message. */
export interface MessageField {
  /** As the schema writes it, which is its name in JSON: `host_id`. */
  readonly name: string;
  /** Its name in the generated code: `hostId`. */
  readonly key: string;
  readonly type: ValueType;
  /** `map`: its keys are texts. */
  readonly many: 'one' | 'list' | 'map';
  /** Whether it may be missing from an answer: it has a presence of its own. */
  readonly isOptional: boolean;
  /** Fields of which a message has one at most; undefined: it is not one of those. */
  readonly oneof: string | undefined;
}

/** The types of `shoal.v1`. Each message is taken apart when it is first asked for. */
export class NativeSchema {
  readonly #types: ReadonlyMap<string, Static<typeof typeSchema>>;
  readonly #messages = new Map<string, readonly MessageField[]>();

  /** @param root what `pbjs -t json` wrote. */
  constructor(root: unknown) {
    const { nested } = descriptor.Parse(root);
    this.#types = new Map(Object.entries(nested.shoal.nested.v1.nested));
  }

  /** The fields of a message, in the order in which the schema has them. */
  fieldsOf(message: string): readonly MessageField[] {
    const known = this.#messages.get(message);
    if (known !== undefined) return known;
    const { fields = {}, oneofs = {} } = must(this.#types.get(message), `the message ${message}`);
    const choices = new Map(
      Object.entries(oneofs)
        .filter(([, { oneof }]) => oneof.length > 1)
        .flatMap(([name, { oneof }]) => oneof.map((member) => [member, name] as const)),
    );
    const present = new Set(Object.values(oneofs).flatMap(({ oneof }) => oneof));
    const made = Object.entries(fields).map(([name, { type: typeName, rule, keyType }]): MessageField => {
      const type = this.#typeOf(typeName);
      const many = keyType !== undefined ? 'map' : rule === 'repeated' ? 'list' : 'one';
      const isOptional = many === 'one' && (type.kind === 'message' || present.has(name));
      return { name, key: generatedName(name), type, many, isOptional, oneof: choices.get(name) };
    });
    this.#messages.set(message, made);
    return made;
  }

  /** The values of an enumeration, by their names. */
  valuesOf(name: string): Readonly<Record<string, number>> {
    return must(this.#types.get(name)?.values, `the enumeration ${name}`);
  }

  #typeOf(name: string): ValueType {
    const found = this.#types.get(name);
    if (found === undefined) return { kind: 'scalar', name };
    return { kind: found.values === undefined ? 'message' : 'enum', name };
  }
}

/** The schema of the generated code in this checkout. */
export function loadNativeSchema(): NativeSchema {
  const url = new URL('../../proto/gen/shoal.json', import.meta.url);
  return new NativeSchema(JSON.parse(readFileSync(url, 'utf8')));
}

/** As protobufjs names fields: `load_1m` keeps its line, `host_id` becomes `hostId`. */
function generatedName(name: string): string {
  return name.replace(/(?!^)_([a-z])(?=[a-z]|$)/g, (_, letter: string) => letter.toUpperCase());
}
