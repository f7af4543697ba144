/**
 * Requests whose bodies and answers are checked by types that are made from the API's own description (`gen/`). Token,
 * microversions, stale marks and failures are those of `kit/api.ts`.
 */
import { ask } from '../kit/api.ts';
import { ApiError } from '../kit/api-error.ts';
import type { NativeMethods, RestBodies } from './gen/types.ts';

/** What a method of the native API answers with: `Answer<'ClusterService/ListHosts'>`. */
export type Answer<Method extends keyof NativeMethods> = NativeMethods[Method]['answer'];

/** Methods whose names say that they change nothing. */
const reads = /\/(?:Get|List|Explain|Trace|WhatIf)(?![a-z])/;

/**
 * Calls a method of the native API. Throws `ApiError`. A read that did not reach the agent is asked for once more: behind a
 * load balancer or a virtual IP another one answers then. What changes something is never sent twice.
 */
export async function native<Method extends keyof NativeMethods>(
  method: Method,
  body: NativeMethods[Method]['request'],
  signal?: AbortSignal,
): Promise<Answer<Method>> {
  const asked = { body, ...(signal === undefined ? {} : { signal }) };
  const send = () => ask<Answer<Method>>('POST', `/shoal/v1/${method}`, asked);
  try {
    return await send();
  } catch (error) {
    const isLost = error instanceof ApiError && error.status === 0;
    if (!isLost || !reads.test(method) || signal?.aborted === true) throw error;
    return send();
  }
}

/** A route of OpenStack's APIs: `POST /compute/v2.1/servers/{id}/action`. */
type RestRoute = keyof RestBodies;
/** What stands in braces in a path. */
type PathNames<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | PathNames<Rest>
  : never;

/** Calls a route of OpenStack's APIs. Throws `ApiError`. What it answers with is OpenStack's to say, and the caller's: `T`. */
export function rest<T, Route extends RestRoute>(
  route: Route,
  asked: {
    readonly path: Readonly<Record<PathNames<Route>, string>>;
    readonly body: RestBodies[Route];
    readonly signal?: AbortSignal;
  },
): Promise<T> {
  const [method = '', template = ''] = route.split(' ');
  const names: ReadonlyMap<string, string> = new Map(Object.entries(asked.path));
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names.get(name) ?? ''));
  const { body, signal } = asked;
  return ask<T>(method, path, { ...(body === undefined ? {} : { body }), ...(signal === undefined ? {} : { signal }) });
}
