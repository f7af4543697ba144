/** Cinder's microversions: a client names one, the answer has the keys of that one. Without a header it gets 3.0. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { shown } from '../../../kit/input.ts';
import { volumeMicroversions } from '../../kit/versions.ts';

/** The second number of "3.x". */
export type Microversion = number;

const minorOf = (text: string): number => Number(text.split('.')[1]);
const lowest = minorOf(volumeMicroversions.min);
const highest = minorOf(volumeMicroversions.max);

const asked = new WeakMap<FastifyRequest, Microversion>();

/** The microversion of a request. */
export function microversionOf(request: FastifyRequest): Microversion {
  return asked.get(request) ?? lowest;
}

/** Throws 404, as Cinder does for what a microversion has not yet or no longer. Bounds are inclusive. */
export function requireMicroversion(
  request: FastifyRequest,
  { from = lowest, to = highest }: { readonly from?: Microversion; readonly to?: Microversion },
): void {
  const microversion = microversionOf(request);
  if (microversion >= from && microversion <= to) return;
  throw new ShoalError('NOT_FOUND', `API version 3.${microversion} is not supported on this method.`);
}

/** Reads the header of each request and says in each answer what was understood. */
export function addMicroversions(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    const text = wantedText(request);
    const wanted = text === 'latest' ? highest : parseMinor(text);
    reply.header('vary', 'OpenStack-API-Version');
    if (wanted === undefined || wanted < lowest || wanted > highest) {
      // The one status that no error code stands for: it speaks of the API, not of what was asked of it.
      const message =
        wanted === undefined
          ? `API Version String ${shown(text)} is of invalid format. Must be of format MajorNum.MinorNum.`
          : `Version ${shown(text)} is not supported by the API. Minimum is ${volumeMicroversions.min} and maximum is ${volumeMicroversions.max}.`;
      const code = wanted === undefined ? 400 : 406;
      const key = wanted === undefined ? 'badRequest' : 'computeFault';
      return reply.code(code).send({ [key]: { code, message } });
    }
    asked.set(request, wanted);
    reply.header('openstack-api-version', `volume 3.${wanted}`);
    return undefined;
  });
}

function wantedText(request: FastifyRequest): string {
  const header = request.headers['openstack-api-version'];
  const terms = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  for (const term of terms) {
    const [service, version] = term.trim().split(/\s+/);
    if (version !== undefined && (service === 'volume' || service === 'block-storage')) return version.toLowerCase();
  }
  return volumeMicroversions.min;
}

function parseMinor(text: string): number | undefined {
  const match = /^([1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})$/.exec(text);
  if (match === null) return undefined;
  return match[1] === '3' ? Number(match[2]) : Number.POSITIVE_INFINITY;
}
