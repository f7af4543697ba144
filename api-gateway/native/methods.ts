/** The methods of the native API that callers outside the mesh reach, from the generated code. */
import { type MethodSpec, methodsOf, type ServiceClass } from '../../node/rpc/service.ts';
import { shoal } from '../../proto/messages.ts';
import { nativePolicies, publicOperations } from '../policies/native.ts';
import { anyToken, type PolicyRule, rule } from '../policies/rule.ts';

/** One of them. */
export interface NativeMethod {
  /** Without its package: `ClusterService`. */
  readonly service: string;
  /** As the schema has it: `GetStatus`. */
  readonly name: string;
  /** Below `/shoal/v1`: `/ClusterService/GetStatus`. */
  readonly path: string;
  /** As policies name it for gRPC: `rpc shoal.v1.ClusterService/GetStatus`. */
  readonly operation: string;
  readonly isPublic: boolean;
  /** Whether one of its two sides is a stream. */
  readonly isStream: boolean;
  readonly spec: MethodSpec;
}

/** All methods that have a rule or need no token. The services between agents have neither. */
export function nativeMethods(): readonly NativeMethod[] {
  const guarded = new Set(nativePolicies.flatMap(({ operations }) => operations));
  return Object.entries(shoal.v1)
    .filter(([name]) => name.endsWith('Service'))
    .flatMap(([service, value]: [string, unknown]) => (isServiceClass(value) ? methodsIn(service, value) : []))
    .filter(({ operation, isPublic }) => isPublic || guarded.has(operation));
}

function methodsIn(service: string, value: ServiceClass<object>): NativeMethod[] {
  return methodsOf(value).map((spec) => {
    const operation = `rpc ${spec.path.slice(1)}`;
    const name = spec.path.slice(spec.path.lastIndexOf('/') + 1);
    return {
      service,
      name,
      path: `/${service}/${name}`,
      operation,
      isPublic: publicOperations.has(operation),
      isStream: spec.requestStream || spec.responseStream,
      spec,
    };
  });
}

/** Whose rule compares with what the request says: who may is decided when it has been read. */
const decidedByRequest = 'shoal:native:decided_by_request';

/**
 * The rules of the methods' routes: gRPC's own, under their names, so that what an operator sets counts at both doors. Before the
 * body is read; gRPC's own way asks again after it.
 */
export const nativeRoutePolicies: readonly PolicyRule[] = routePolicies();

function routePolicies(): readonly PolicyRule[] {
  const routes = new Map(nativeMethods().map(({ operation, path }) => [operation, `POST ${path}`]));
  const routesOf = ({ operations }: PolicyRule): string[] =>
    operations.flatMap((operation) => (operation === 'GET /events' ? operation : (routes.get(operation) ?? [])));
  return [
    ...nativePolicies
      .filter(({ target }) => target === undefined)
      .map((one) => ({ ...one, operations: routesOf(one) }))
      .filter(({ operations }) => operations.length > 0),
    rule(decidedByRequest, anyToken, nativePolicies.filter(({ target }) => target !== undefined).flatMap(routesOf)),
  ];
}

function isServiceClass(value: unknown): value is ServiceClass<object> {
  return typeof value === 'function' && typeof value.prototype === 'object';
}
