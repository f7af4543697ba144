/** Answers to what failed, in the shape of the service that was asked. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, ShoalError } from '../../../node/base/errors.ts';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import { failureOf, isRepeatable } from '../../kit/errors.ts';
import type { GatewayLimits } from '../../kit/limits.ts';
import { type FaultStyle, keystoneFaults } from '../kit/faults.ts';
import type { RestModule } from '../kit/module.ts';
import { findRequest } from '../kit/request.ts';
import type { KnownRoutes } from '../kit/routes-known.ts';
import { httpRefusal, unsupportedMediaType } from './http-refusals.ts';
import type { ModulePaths } from './module-paths.ts';

/** Seconds a client is told to wait before it repeats what failed for want of a quorum: an election takes about one. */
const retryAfterSeconds = 2;

interface FaultAnswersDeps {
  readonly logger: Logger;
  readonly limits: GatewayLimits;
  readonly modules: ModulePaths;
  readonly routes: KnownRoutes;
  readonly baseUrl: (request: FastifyRequest) => string;
  readonly isStopping: () => boolean;
  /** Called when a handler breaks an invariant, after the answer. */
  readonly onInvariantBroken?: ((error: unknown) => void) | undefined;
}

/** Answers what failed. */
export class FaultAnswers {
  readonly #deps: FaultAnswersDeps;

  constructor(deps: FaultAnswersDeps) {
    this.#deps = deps;
  }

  /** No route: the path is unknown, or its method. */
  notFound(request: FastifyRequest, reply: FastifyReply, module: RestModule | undefined): void {
    const allowed = this.#deps.routes.methodsOf(request.url);
    const status = allowed.length > 0 ? 405 : 404;
    if (status === 405) reply.header('allow', allowed.join(', '));
    const message =
      status === 405
        ? `The method ${request.method} is not allowed for this resource.`
        : 'The resource could not be found.';
    const unserved = module === undefined ? undefined : this.#deps.modules.unservedPart(request.url, module);
    if (unserved !== undefined) {
      const text = `This version of Shoal does not serve ${unserved.what}.`;
      this.fail(new ShoalError('NOT_IMPLEMENTED', text), request, reply, module);
      return;
    }
    this.#sendFault(request, reply, module, { status, code: undefined, message, facts: {} });
  }

  /** Something was thrown; `module` is that of the route, if it is known. */
  fail(thrown: unknown, request: FastifyRequest, reply: FastifyReply, module: RestModule | undefined): void {
    const error = findRequest(request)?.partial?.explain(thrown) ?? thrown;
    const refusal = httpRefusal(error, this.#deps.limits);
    const failure = failureOf(refusal ?? error);
    const style: FaultStyle = module?.faults ?? keystoneFaults;
    const status = unsupportedMediaType(error)
      ? 415
      : ((failure.code && style.statusOf[failure.code]) ?? failure.mapping.http);
    let { message } = failure;
    if (unsupportedMediaType(error)) message = 'The content type of the request body is not supported here.';
    if (failure.code === 'UNAUTHENTICATED') {
      reply.header('www-authenticate', `Keystone uri="${this.#deps.baseUrl(request)}/identity"`);
    }
    const wait = failure.facts['retryAfterSeconds'];
    if (typeof wait === 'number') reply.header('retry-after', String(wait));
    else if (status === 503 && failure.code !== undefined && isRepeatable(failure.code))
      reply.header('retry-after', String(retryAfterSeconds));
    if (failure.code === undefined || status === 500) {
      this.#deps.logger.error({ err: error, requestId: request.id, url: request.url }, 'request failed');
    } else if (status >= 500) {
      this.#deps.logger.warn(
        { code: failure.code, requestId: request.id, url: request.url, message },
        'request failed',
      );
    }
    this.#sendFault(request, reply, module, { status, code: failure.code, message, facts: failure.facts });
    if (failure.invariantBroken) this.#deps.onInvariantBroken?.(error);
  }

  #sendFault(
    request: FastifyRequest,
    reply: FastifyReply,
    module: RestModule | undefined,
    fault: { status: number; code: ErrorCode | undefined; message: string; facts: Readonly<Record<string, unknown>> },
  ): void {
    const accept = request.headers.accept ?? '';
    const body = (module?.faults ?? keystoneFaults).body({ ...fault, requestId: request.id, accept });
    this.drain(request);
    // The router would end the connection after a body that is too large. Here its rest is read instead and the connection
    // goes on, unless the caller asked for its end. The header says what happens: without it a caller would use it again.
    if (reply.hasHeader('connection') && !this.#deps.isStopping() && !asksForClose(request)) {
      reply.header('connection', 'keep-alive');
    }
    void reply.code(fault.status).header('content-type', body.contentType).send(body.payload);
  }

  /** Reads the rest of a refused body, so that its sender gets to see the answer; cuts the connection past a bound. */
  drain(request: FastifyRequest): void {
    const { raw } = request;
    if (raw.complete || raw.destroyed) return;
    let left = this.#deps.limits.refusedBodyBytesMax;
    raw.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) raw.destroy();
    });
    raw.on('error', () => undefined);
    raw.resume();
  }
}

function asksForClose(request: FastifyRequest): boolean {
  return /(?:^|,)\s*close\s*(?:,|$)/i.test(request.headers.connection ?? '');
}
