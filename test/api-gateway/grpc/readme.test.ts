/** G6: the calls of the native API that the README prints work as printed; each service has one. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import t from 'tap';
import { GrpcKnocker } from '../../security/support/native-methods.ts';
import { startWholeCloud } from '../../security/support/whole-cloud.ts';
import { adminPassword } from '../../support/gateway.ts';
import { publicMethods } from '../../support/native-schema.ts';
import { nativeCalls } from '../../support/readme.ts';

const root = protobuf.Root.fromJSON(
  JSON.parse(readFileSync(new URL('../../../proto/gen/shoal.json', import.meta.url), 'utf8')),
);

/** A message written as JSON with the schema's own names, as grpcurl reads it: a name that is no field is an error. */
function bytesOf(messageName: string, json: unknown): Uint8Array {
  const type = root.lookupType(`shoal.v1.${messageName}`);
  const wrong = strayNames(type, json);
  if (wrong.length > 0) throw new Error(`${messageName} has no ${wrong.join(', ')}`);
  return type.encode(type.fromObject(json as Record<string, unknown>)).finish();
}

function strayNames(type: protobuf.Type, json: unknown): readonly string[] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return [type.name];
  return Object.entries(json).flatMap(([name, value]) => {
    const field = new Map(Object.entries(type.fields)).get(name);
    if (field === undefined) return [name];
    const inner = field.resolve().resolvedType;
    return inner instanceof protobuf.Type ? [value].flat().flatMap((each) => strayNames(inner, each)) : [];
  });
}

t.test('G6: every gRPC call of the README is answered, and every service has one', async (t) => {
  const whole = await startWholeCloud();
  const knocker = new GrpcKnocker(whole.grpcPort);
  t.teardown(async () => {
    knocker.close();
    await whole.stop();
  });
  const methods = new Map(publicMethods().map((method) => [method.path.slice(1), method]));
  const called = new Set<string>();
  for (const call of nativeCalls()) {
    const [, header, body = '{}', name = ''] =
      /^grpcurl -cacert ca\.pem (-H "x-auth-token: \$TOKEN" )?(?:-d '(.*)' )?HOST:7400 (\S+)$/.exec(call) ?? [];
    const method = methods.get(name);
    if (method === undefined) throw new Error(`no method of ours: ${call}`);
    const token = header === undefined ? null : whole.cloud.gateway.token;
    const json: unknown = JSON.parse(body.replace('PASSWORD', adminPassword));
    const { code, details } = await knocker.ask(method.path, token, bytesOf(method.requestName, json));
    t.equal(code, 'OK', `${name}: ${details}`);
    called.add(name.split('/')[0] ?? '');
  }
  const services = new Set([...methods.keys()].map((name) => name.split('/')[0]));
  t.same([...called].sort(), [...services].sort());
  t.throws(() => bytesOf('AuthenticateRequest', { user: { nick: 'x' } }), /no nick/);
});
