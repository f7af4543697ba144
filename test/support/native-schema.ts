/** The public gRPC services as their schemas say: what tests enumerate, so that none is left out. */
import { readFileSync } from 'node:fs';
import { isServed } from '../../api-gateway/grpc/kit/served.ts';
import { type MethodSpec, methodsOf, type ServiceClass } from '../../node/rpc/service.ts';
import { shoal } from '../../proto/messages.ts';

/** A message, enum or service of `shoal.v1`, as `pbjs -t json` wrote it. */
export interface Schema {
  readonly fields?: Readonly<
    Record<string, { readonly type: string; readonly id: number; readonly rule?: string; readonly keyType?: string }>
  >;
  readonly values?: Readonly<Record<string, number>>;
  readonly methods?: Readonly<Record<string, { readonly requestType: string }>>;
}

export interface PublicMethod extends MethodSpec {
  readonly fields: readonly { readonly name: string; readonly type: string; readonly id: number }[];
}

/** Everything that `shoal.v1` defines, by its name. */
export const schemas: Readonly<Record<string, Schema | undefined>> = readSchemas();

/** Every method of the services that users reach. */
export function publicMethods(): readonly PublicMethod[] {
  return Object.entries(shoal.v1)
    .filter(([name]) => name.endsWith('Service') && isServed(`shoal.v1.${name}`))
    .flatMap(([, value]: [string, unknown]) => (isServiceClass(value) ? methodsOf(value) : []))
    .map((method) => ({
      ...method,
      fields: Object.entries(schemas[method.requestName]?.fields ?? {})
        .filter(([, { keyType }]) => keyType === undefined)
        .map(([name, { type, id }]) => ({ name, type, id })),
    }));
}

function isServiceClass(value: unknown): value is ServiceClass<object> {
  return typeof value === 'function' && typeof value.prototype === 'object';
}

function readSchemas(): Readonly<Record<string, Schema | undefined>> {
  const text = readFileSync(new URL('../../proto/gen/shoal.json', import.meta.url), 'utf8');
  const root = JSON.parse(text) as {
    readonly nested: {
      readonly shoal: { readonly nested: { readonly v1: { readonly nested: Record<string, Schema> } } };
    };
  };
  return root.nested.shoal.nested.v1.nested;
}
