import { ShoalError } from '../../node/base/errors.ts';
import type { GrpcCall, Handlers } from '../../node/rpc/server.ts';
import { grpc } from '../../proto/messages.ts';

const { ServingStatus } = grpc.health.v1.HealthCheckResponse;

/**
 * `grpc.health.v1`. An agent that answers serves: without quorum it still reads and still controls its own guests, so a
 * balancer must not take all agents out at once because of that.
 */
export function healthHandlers(services: readonly string[]): Handlers<grpc.health.v1.Health, null> {
  // The empty name is the agent as a whole.
  const known: ReadonlySet<string> = new Set(['', ...services]);
  return {
    async check({ service }) {
      if (!known.has(service)) throw new ShoalError('NOT_FOUND', `There is no service ${service.slice(0, 256)}.`);
      return { status: ServingStatus.SERVING };
    },
    async list() {
      return { statuses: Object.fromEntries([...known].map((name) => [name, { status: ServingStatus.SERVING }])) };
    },
    async *watch({ service }, call) {
      yield { status: known.has(service) ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN };
      // Nothing changes until the agent stops, which ends the stream.
      await ended(call);
    },
  };
}

function ended(call: GrpcCall<unknown>): Promise<void> {
  return new Promise((_resolve, reject) => {
    if (call.signal.aborted) reject(call.signal.reason);
    else call.signal.addEventListener('abort', () => reject(call.signal.reason), { once: true });
  });
}
