/** What the routes of block storage share: the view they answer from, links, times, flags. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import { shown } from '../../../kit/input.ts';
import type { Gateway } from '../../kit/module.ts';
import { projectOfPath } from '../../kit/project-path.ts';

export type ById = { Params: { id: string } };
export type ByKey = { Params: { id: string; key: string } };

/** One thing as it is answered. */
export type View = Readonly<Record<string, unknown>>;

/** Below which all of it lies. */
export const volumePath = '/volume/v3';

/** Who asks, and the view that the answer is made from. */
export async function viewingOf(
  gateway: Gateway,
  request: FastifyRequest,
): Promise<{ readonly context: RequestContext; readonly reader: StateReader }> {
  return { context: gateway.context(request), reader: await gateway.readState(request) };
}

/** Refuses a path that names another project than the token does, as Cinder does for administrators, too. */
export function addProjectCheck(app: FastifyInstance, gateway: Gateway): void {
  app.addHook('preHandler', async (request) => {
    if (request.is404 || request.routeOptions.config.public === true) return;
    const project = projectOfPath(volumePath, request.originalUrl);
    if (project === undefined || project === gateway.context(request).projectId) return;
    throw new ShoalError('INVALID_ARGUMENT', 'Malformed request url: the project is not that of the token.');
  });
}

/** The path as it was asked for, so that links lead to the same form: with the project or without. */
function projectPart(request: FastifyRequest): string {
  const project = projectOfPath(volumePath, request.originalUrl);
  return project === undefined ? '' : `/${project}`;
}

/** A path below `/volume/v3` as a link that leads here. @param path with a slash at its beginning. */
export function linkTo(gateway: Gateway, request: FastifyRequest, path: string): string {
  return `${gateway.baseUrl(request)}${volumePath}${projectPart(request)}${path}`;
}

/** The two links that Cinder gives a thing: with the version and without. */
export function linksOf(gateway: Gateway, request: FastifyRequest, path: string): readonly object[] {
  const bookmark = `${gateway.baseUrl(request)}/volume${projectPart(request)}${path}`;
  return [
    { rel: 'self', href: linkTo(gateway, request, path) },
    { rel: 'bookmark', href: bookmark },
  ];
}

/** Cinder's form: microseconds, no zone. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000`;
}

/** As `timeText`; null for what has not happened. */
export function maybeTime(ms: number): string | null {
  return ms === 0 ? null : timeText(ms);
}

/** What is not set is null, never an empty text. */
export function known(text: string): string | null {
  return text === '' ? null : text;
}

/** Cinder's reading of a flag (`strutils.bool_from_string`, strict). Throws `INVALID_ARGUMENT` for what is none. */
export function flagOf(key: string, value: unknown): boolean {
  const text = String(value).trim().toLowerCase();
  if (['1', 't', 'true', 'on', 'y', 'yes'].includes(text)) return true;
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(text)) return false;
  throw new ShoalError('INVALID_ARGUMENT', `Invalid value for ${key}: '${shown(text)}'. Accepted are True and False.`);
}
