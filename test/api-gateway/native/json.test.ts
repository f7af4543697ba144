/** Messages of the native API as JSON, both ways: every message of every public method. */
import t from 'tap';
import { messageFrom } from '../../../api-gateway/native/json-in.ts';
import { jsonOf } from '../../../api-gateway/native/json-out.ts';
import { nativeMethods } from '../../../api-gateway/native/methods.ts';
import { loadNativeSchema, type MessageField, type ValueType } from '../../../api-gateway/native/schema.ts';

const schema = loadNativeSchema();
const methods = nativeMethods();

/** JSON with every field of a message set, the first of those that exclude each other. */
function full(message: string, depth = 0): Record<string, unknown> {
  const met = new Set<string>();
  const members = schema.fieldsOf(message).flatMap((field): [string, unknown][] => {
    if (field.oneof !== undefined && met.has(field.oneof)) return [];
    if (field.oneof !== undefined) met.add(field.oneof);
    const isDeep = depth > 3 && field.type.kind === 'message';
    return isDeep ? [] : [[field.name, sampleOf(field, depth)]];
  });
  return Object.fromEntries(members);
}

function sampleOf({ many, type }: MessageField, depth: number): unknown {
  const one = oneOf(type, depth);
  if (many === 'list') return [one, one];
  return many === 'map' ? { 'a key': one } : one;
}

function oneOf(type: ValueType, depth: number): unknown {
  if (type.kind === 'message') return full(type.name, depth + 1);
  if (type.kind === 'enum') return Object.keys(schema.valuesOf(type.name)).at(-1);
  switch (type.name) {
    case 'string':
      return 'text';
    case 'bool':
      return true;
    case 'bytes':
      return 'AAEC/w==';
    case 'double':
      return 1.5;
    default:
      return type.name.includes('64') ? 2 ** 53 - 1 : 7;
  }
}

void t.test('every request and answer goes through bytes and comes out as the same JSON', (t) => {
  t.ok(methods.length >= 180, `${methods.length} methods`);
  for (const { spec } of methods) {
    const request = full(spec.requestName);
    const sent = spec.requestDeserialize(
      Buffer.from(spec.requestSerialize(messageFrom(schema, spec.requestName, request))),
    );
    t.same(jsonOf(schema, spec.requestName, sent), request, spec.requestName);
    const answer = full(spec.responseName);
    const bytes = Buffer.from(spec.responseSerialize(messageFrom(schema, spec.responseName, answer)));
    t.same(jsonOf(schema, spec.responseName, spec.responseDeserialize(bytes)), answer, spec.responseName);
  }
  t.end();
});

void t.test('fields go by both of their names, and what is not set is left out', (t) => {
  t.same(messageFrom(schema, 'SetHostEnabledRequest', { host_id: 'a', enabled: true, reason: null }), {
    hostId: 'a',
    enabled: true,
  });
  t.same(messageFrom(schema, 'SetHostEnabledRequest', { hostId: 'a' }), { hostId: 'a' });
  const view = jsonOf(schema, 'GetJobResponse', { job: null, stale: false });
  t.same(view, { stale: false });
  t.end();
});

void t.test('each mistake is refused with its place', (t) => {
  const refused: [string, unknown, RegExp][] = [
    ['SetHostEnabledRequest', [], /Invalid body: must be an object/],
    ['SetHostEnabledRequest', { nothing: 1 }, /has unknown properties: nothing/],
    ['SetHostEnabledRequest', { constructor: 1 }, /has unknown properties: constructor/],
    ['SetHostEnabledRequest', { host_id: 1 }, /host_id must be string/],
    ['SetHostEnabledRequest', { host_id: 'a', hostId: 'b' }, /has host_id twice/],
    ['SetHostEnabledRequest', { enabled: 'true' }, /enabled must be boolean/],
    ['CreateTicketRequest', { ttl_seconds: -1 }, /ttl_seconds must be a whole number from 0 to 4294967295/],
    ['CreateTicketRequest', { ttl_seconds: 1.5 }, /ttl_seconds must be a whole number/],
    ['CreateTicketRequest', { ttl_seconds: 2 ** 32 }, /ttl_seconds must be a whole number/],
    ['ExplainRequest', { scheduler_hints: { group: 1 } }, /scheduler_hints.group must be string/],
    ['ExplainRequest', { scheduler_hints: ['group'] }, /scheduler_hints must be an object/],
  ];
  for (const [message, value, words] of refused) {
    t.throws(() => messageFrom(schema, message, value), { code: 'INVALID_ARGUMENT', message: words }, String(words));
  }
  t.end();
});
