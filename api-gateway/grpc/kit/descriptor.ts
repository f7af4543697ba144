/**
 * Schemas as `google.protobuf.FileDescriptorProto`, built from the JSON descriptor that is generated beside the static
 * code. One made-up file a package, called after it (`shoal/v1.proto`): tools only need the names to agree with each
 * other. The encoder knows just the fields of descriptor.proto that our schemas use.
 */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs/minimal.js';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { assert, must } from '../../../node/base/assert.ts';
import { ownValue } from '../../../node/base/own-value.ts';

const fieldSchema = Type.Object({
  type: Type.String(),
  id: Type.Integer(),
  rule: Type.Optional(Type.Enum(['repeated'])),
  keyType: Type.Optional(Type.String()),
  options: Type.Optional(Type.Object({ proto3_optional: Type.Optional(Type.Boolean()) })),
});
const methodSchema = Type.Object({
  requestType: Type.String(),
  responseType: Type.String(),
  requestStream: Type.Optional(Type.Boolean()),
  responseStream: Type.Optional(Type.Boolean()),
});
/** A package, message, enum or service; which one shows by what it has. */
const nodeSchema = Type.Object({
  fields: Type.Optional(Type.Record(Type.String(), fieldSchema)),
  oneofs: Type.Optional(Type.Record(Type.String(), Type.Object({ oneof: Type.Array(Type.String()) }))),
  values: Type.Optional(Type.Record(Type.String(), Type.Integer())),
  methods: Type.Optional(Type.Record(Type.String(), methodSchema)),
  nested: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
});
const nodeValidator = Compile(nodeSchema);

type Node = Static<typeof nodeSchema>;
type Field = Static<typeof fieldSchema>;

/** Scalar types, by their numbers in descriptor.proto. */
const scalarTypes: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
};
const typeMessage = 11;
const typeEnum = 14;
const labelOptional = 1;
const labelRepeated = 3;

/** One package's schema, ready to be handed out. */
interface DescriptorFile {
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

/** All schemas that this agent's services use. */
export class DescriptorSet {
  readonly #files = new Map<string, DescriptorFile>();
  /** File of each full name: services, methods, messages, fields, enums. */
  readonly #symbols = new Map<string, DescriptorFile>();
  readonly #services: string[] = [];
  /** What each full name of a type is; fields refer to both kinds in the same words. */
  readonly #kinds = new Map<string, 'message' | 'enum'>();

  /** @param root what `pbjs -t json` wrote. */
  constructor(root: unknown) {
    const packages: { readonly name: string; readonly node: Node }[] = [];
    const visit = (path: readonly string[], value: unknown): void => {
      const node = asNode(value);
      const children = Object.entries(node.nested ?? {});
      if (children.some(([, child]) => !isPackage(asNode(child)))) packages.push({ name: path.join('.'), node });
      for (const [name, child] of children) if (isPackage(asNode(child))) visit([...path, name], child);
    };
    visit([], root);
    for (const { name, node } of packages) this.#noteKinds(name, node);
    for (const { name, node } of packages) this.#addPackage(name, node);
  }

  /** Full names of all services. */
  get services(): readonly string[] {
    return this.#services;
  }

  fileByName(fileName: string): DescriptorFile | undefined {
    return this.#files.get(fileName);
  }

  /** The file that defines a full name, with or without the dot before it. */
  fileBySymbol(symbol: string): DescriptorFile | undefined {
    return this.#symbols.get(symbol.replace(/^\./, ''));
  }

  #noteKinds(scope: string, node: Node): void {
    for (const [name, value] of Object.entries(node.nested ?? {})) {
      const child = asNode(value);
      if (isPackage(child) || child.methods !== undefined) continue;
      this.#kinds.set(`${scope}.${name}`, child.values === undefined ? 'message' : 'enum');
      this.#noteKinds(`${scope}.${name}`, child);
    }
  }

  #addPackage(packageName: string, node: Node): void {
    const fileName = `${packageName.replaceAll('.', '/')}.proto`;
    const writer = new Message();
    writer.text(1, fileName).text(2, packageName);
    const names: string[] = [];
    const parts = Object.entries(node.nested ?? {}).map(([name, value]) => ({ name, node: asNode(value) }));
    for (const part of parts) {
      if (isPackage(part.node)) continue;
      const full = `${packageName}.${part.name}`;
      if (part.node.methods !== undefined) {
        writer.message(6, this.#service(part.name, part.node, packageName));
        this.#services.push(full);
        names.push(full, ...Object.keys(part.node.methods).map((method) => `${full}.${method}`));
      } else if (part.node.values !== undefined) {
        writer.message(5, enumOf(part.name, part.node));
        names.push(full);
      } else {
        writer.message(4, this.#message(part.name, part.node, full, names));
      }
    }
    writer.text(12, 'proto3');
    const file = { fileName, bytes: writer.finish() };
    this.#files.set(fileName, file);
    for (const name of names) this.#symbols.set(name, file);
  }

  #message(name: string, node: Node, full: string, names: string[]): Message {
    names.push(full);
    const message = new Message().text(1, name);
    const oneofs = Object.entries(node.oneofs ?? {});
    // Oneofs that stand for an `optional` field come after the real ones, as descriptor.proto wants it.
    const isSynthetic = (members: readonly string[]): boolean =>
      members.every((member) => ownValue(node.fields ?? {}, member)?.options?.proto3_optional === true);
    const ordered = [
      ...oneofs.filter(([, { oneof }]) => !isSynthetic(oneof)),
      ...oneofs.filter(([, { oneof }]) => isSynthetic(oneof)),
    ];
    for (const [fieldName, field] of Object.entries(node.fields ?? {})) {
      names.push(`${full}.${fieldName}`);
      const oneofIndex = ordered.findIndex(([, { oneof }]) => oneof.includes(fieldName));
      message.message(2, this.#field(fieldName, field, full, oneofIndex));
      if (field.keyType !== undefined) message.message(3, this.#mapEntry(fieldName, field, full));
    }
    for (const [childName, value] of Object.entries(node.nested ?? {})) {
      const child = asNode(value);
      if (child.values !== undefined) {
        message.message(4, enumOf(childName, child));
        names.push(`${full}.${childName}`);
      } else {
        message.message(3, this.#message(childName, child, `${full}.${childName}`, names));
      }
    }
    for (const [oneofName] of ordered) message.message(8, new Message().text(1, oneofName));
    return message;
  }

  #field(name: string, field: Field, scope: string, oneofIndex: number): Message {
    const isMap = field.keyType !== undefined;
    const message = new Message()
      .text(1, name)
      .number(3, field.id)
      .number(4, isMap || field.rule === 'repeated' ? labelRepeated : labelOptional);
    if (isMap) message.number(5, typeMessage).text(6, `.${scope}.${entryName(name)}`);
    else this.#type(message, field.type, scope);
    if (oneofIndex >= 0) message.number(9, oneofIndex);
    message.text(
      10,
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    );
    if (field.options?.proto3_optional === true) message.number(17, 1);
    return message;
  }

  /** A map is a repeated message with a key and a value, marked as such. */
  #mapEntry(name: string, field: Field, scope: string): Message {
    const entry = (fieldName: string, type: string, id: number): Message =>
      this.#type(new Message().text(1, fieldName).number(3, id).number(4, labelOptional), type, scope).text(
        10,
        fieldName,
      );
    return new Message()
      .text(1, entryName(name))
      .message(2, entry('key', must(field.keyType, 'a map’s key type'), 1))
      .message(2, entry('value', field.type, 2))
      .message(7, new Message().number(7, 1));
  }

  #type(message: Message, type: string, scope: string): Message {
    const scalar = ownValue(scalarTypes, type);
    if (scalar !== undefined) return message.number(5, scalar);
    const full = this.#resolve(type, scope);
    return message.number(5, this.#kinds.get(full) === 'enum' ? typeEnum : typeMessage).text(6, `.${full}`);
  }

  #service(name: string, node: Node, packageName: string): Message {
    const service = new Message().text(1, name);
    for (const [methodName, method] of Object.entries(node.methods ?? {})) {
      const message = new Message()
        .text(1, methodName)
        .text(2, `.${this.#resolve(method.requestType, packageName)}`)
        .text(3, `.${this.#resolve(method.responseType, packageName)}`);
      if (method.requestStream === true) message.number(5, 1);
      if (method.responseStream === true) message.number(6, 1);
      service.message(2, message);
    }
    return service;
  }

  /** A type's full name, looked for from the innermost scope outwards, as protoc does. */
  #resolve(type: string, scope: string): string {
    const parts = scope.split('.');
    for (let depth = parts.length; depth >= 0; depth--) {
      const candidate = [...parts.slice(0, depth), type].join('.');
      if (this.#kinds.has(candidate)) return candidate;
    }
    throw new TypeError(`the descriptor has no type ${type} for ${scope}`);
  }
}

/** The schemas of the generated code in this checkout. */
export function loadDescriptors(): DescriptorSet {
  const url = new URL('../../../proto/gen/shoal.json', import.meta.url);
  return new DescriptorSet(JSON.parse(readFileSync(url, 'utf8')));
}

function asNode(value: unknown): Node {
  assert(nodeValidator.Check(value), 'the generated descriptor has the form that pbjs gives it');
  return value;
}

/** A package has things in it and nothing of its own. */
function isPackage(node: Node): boolean {
  return node.fields === undefined && node.values === undefined && node.methods === undefined;
}

/** `host_ids` -> `HostIdsEntry`, protoc's name for a map's message. */
function entryName(fieldName: string): string {
  const camel = fieldName.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return `${camel}Entry`;
}

function enumOf(name: string, node: Node): Message {
  const message = new Message().text(1, name);
  for (const [valueName, number] of Object.entries(node.values ?? {})) {
    message.message(2, new Message().text(1, valueName).number(2, number));
  }
  return message;
}

/** Writes one message of descriptor.proto: texts, non-negative numbers, messages. */
class Message {
  readonly #writer = protobuf.Writer.create();

  text(field: number, value: string): this {
    this.#writer.uint32((field << 3) | 2).string(value);
    return this;
  }

  number(field: number, value: number): this {
    this.#writer.uint32(field << 3).uint32(value);
    return this;
  }

  message(field: number, value: Message): this {
    this.#writer.uint32((field << 3) | 2).bytes(value.finish());
    return this;
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}
