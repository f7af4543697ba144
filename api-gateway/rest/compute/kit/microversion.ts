/**
 * Nova's microversions: a client names one, the answer has exactly the keys of that one. The base is 2.1; without a
 * header a client gets the base, byte for byte.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { shown } from '../../../kit/input.ts';
import { targetOf } from '../../kit/request-target.ts';
import { computeMicroversions } from '../../kit/versions.ts';

/** The second number of "2.x". */
export type Microversion = number;

/** The last microversion in which Nova still asks other services for what is theirs. */
export const lastOfProxies = { to: 35 } as const;

const minorOf = (text: string): number => Number(text.split('.')[1]);
const lowest = minorOf(computeMicroversions.min);
const highest = minorOf(computeMicroversions.max);

/** Where Nova's first API lies below the module's prefix. */
export const firstApi = '/v2';
const firstApiPath = /^\/compute\/v2(\/|$)/;

/** Whether a request came to Nova's first API, which knows no microversions. */
export function isFirstApi(request: FastifyRequest): boolean {
  return firstApiPath.test(targetOf(request.originalUrl).path);
}

const asked = new WeakMap<FastifyRequest, Microversion>();

/** The microversion of a request. */
export function microversionOf(request: FastifyRequest): Microversion {
  return asked.get(request) ?? lowest;
}

/** Throws 404, as Nova does for what a microversion has not yet or no longer. Bounds are inclusive. */
export function requireMicroversion(
  request: FastifyRequest,
  bounds: { readonly from?: Microversion; readonly to?: Microversion },
): void {
  const microversion = microversionOf(request);
  if (microversion < (bounds.from ?? lowest) || microversion > (bounds.to ?? highest)) {
    throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
  }
}

/** Attributes of a body and the microversions that have them, bounds included. */
export type AttributeVersions = Readonly<Record<string, { readonly from?: Microversion; readonly to?: Microversion }>>;

/** Refuses what Nova does not have in this microversion. */
export function checkAttributes(
  name: string,
  body: object,
  versions: AttributeVersions,
  microversion: Microversion,
): void {
  for (const [attribute, { from = lowest, to = highest }] of Object.entries(versions)) {
    if (!Object.hasOwn(body, attribute) || (microversion >= from && microversion <= to)) continue;
    const bound = microversion < from ? `from 2.${from}` : `up to 2.${to}`;
    throw new ShoalError('INVALID_ARGUMENT', `Invalid body: ${name} has unknown properties: ${attribute} (${bound}).`);
  }
}

/** Reads the headers of each request and says in each answer what was understood. */
export function addMicroversions(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    if (isFirstApi(request)) return undefined;
    const text = wantedText(request);
    const wanted = text === 'latest' ? highest : parseMinor(text);
    reply.header('vary', 'OpenStack-API-Version, X-OpenStack-Nova-API-Version');
    if (wanted === undefined || wanted < lowest || wanted > highest) {
      // The one status that no error code stands for: it speaks of the API, not of what was asked of it.
      const message =
        wanted === undefined
          ? `API Version String ${shown(text)} is of invalid format. Must be of format MajorNum.MinorNum.`
          : `Version ${shown(text)} is not supported by the API. Minimum is ${computeMicroversions.min} and maximum is ${computeMicroversions.max}.`;
      const code = wanted === undefined ? 400 : 406;
      const key = wanted === undefined ? 'badRequest' : 'computeFault';
      return reply.code(code).send({ [key]: { code, message } });
    }
    asked.set(request, wanted);
    reply.header('openstack-api-version', `compute 2.${wanted}`);
    reply.header('x-openstack-nova-api-version', `2.${wanted}`);
    return undefined;
  });
}

/** The newer header names the service; the older is Nova's own. */
function wantedText(request: FastifyRequest): string {
  const newer = request.headers['openstack-api-version'];
  const terms = (Array.isArray(newer) ? newer.join(',') : (newer ?? '')).split(',');
  for (const term of terms) {
    const [service, version] = term.trim().split(/\s+/);
    if (service?.toLowerCase() === 'compute' && version !== undefined) return version.toLowerCase();
  }
  const older = request.headers['x-openstack-nova-api-version'];
  return typeof older === 'string' ? older.trim().toLowerCase() : computeMicroversions.min;
}

function parseMinor(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})$/.exec(text);
  if (match === null) return undefined;
  return match[1] === '2' ? Number(match[2]) : Number.POSITIVE_INFINITY;
}
