/** Bodies that are wrong are told what is allowed, in words, also where several things are (api 6). */
import t from 'tap';
import Type, { type TSchema } from 'typebox';
import { parse } from '../../../api-gateway/rest/kit/validation.ts';
import { aggregateActionBody } from '../../../api-gateway/rest/schemas/compute.ts';

const nullable = Type.Union([Type.String({ maxLength: 4 }), Type.Null()]);
const network = Type.Object({ uuid: Type.String({ minLength: 5 }) });
const networks = Type.Union([Type.Array(network), Type.Literal('auto'), Type.Literal('none')]);
const state = Type.Union([Type.Literal('active'), Type.Literal('error')]);
const nested = Type.Union([Type.Integer({ minimum: 1 }), nullable]);

const cases: readonly (readonly [TSchema, unknown, RegExp])[] = [
  [nullable, 5, /^Invalid body: must be a string of at most 4 characters or null\.$/],
  [nullable, 'abcdef', /^Invalid body: must not have more than 4 characters\.$/],
  [networks, 7, /must be a list, "auto" or "none"\.$/],
  [networks, [{ uuid: 'a' }], /^Invalid body: 0\.uuid must not have fewer than 5 characters\.$/],
  [networks, [{}], /^Invalid body: 0 is missing uuid\.$/],
  [state, 'asleep', /must be one of: active, error\.$/],
  [nested, {}, /must be an integer of at least 1, a string of at most 4 characters or null\.$/],
  [nested, 0, /must be >= 1\.$/],
  [Type.Literal('x'), 'y', /must be x\.$/],
  [Type.Object({ a: nullable, b: state }), { a: 1, b: 2 }, /a must be .*; b must be one of: active, error\.$/],
  [Type.Object({ a: Type.Array(nullable) }), { a: ['ok', 3] }, /^Invalid body: a\.1 must be a string/],
  [aggregateActionBody, { add_host: { host: 5 } }, /^Invalid body: add_host\.host must be string\.$/],
  [
    aggregateActionBody,
    {},
    /must be an object with add_host, an object with remove_host or an object with set_metadata\.$/,
  ],
];

void t.test('a mistake in a union says what is allowed, or what is wrong with what was meant', async (t) => {
  for (const [schema, value, message] of cases) {
    t.throws(() => parse(schema, value), { code: 'INVALID_ARGUMENT', message }, JSON.stringify(value));
  }
});
