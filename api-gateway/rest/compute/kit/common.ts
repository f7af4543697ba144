/** What the compute routes share: the view they answer from, links, times, flags. */
import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { Gateway } from '../../kit/module.ts';

/** One thing as it is answered. */
export type View = Readonly<Record<string, unknown>>;

/** Who asks, and the view that the answer is made from. */
export async function viewingOf(
  gateway: Gateway,
  request: FastifyRequest,
): Promise<{ readonly context: RequestContext; readonly reader: StateReader }> {
  return { context: gateway.context(request), reader: await gateway.readState(request) };
}

/** `{base}/compute`. */
export function rootOf(gateway: Gateway, request: FastifyRequest): string {
  return `${gateway.baseUrl(request)}/compute`;
}

/** The two links that Nova gives each thing: with the version and without. */
export function linksOf(root: string, path: string): readonly object[] {
  return [
    { rel: 'self', href: `${root}/v2.1/${path}` },
    { rel: 'bookmark', href: `${root}/${path}` },
  ];
}

/** Nova's form: whole seconds, UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** The form of launched_at and of services: microseconds, no zone. */
export function plainTimeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000`;
}

/** Nova's reading of a flag; undefined when it is none. */
export function readFlag(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (['1', 't', 'true', 'on', 'y', 'yes', ''].includes(text.toLowerCase())) return true;
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(text.toLowerCase())) return false;
  return undefined;
}
