import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../base/errors.ts';
import { type Calls, GrpcClient } from '../../rpc/client.ts';
import type { ServiceClass } from '../../rpc/service.ts';

/** How long it waits for what the agent has asked a replica for, and how often it looks. Unit: ms. */
const sliceMsMax = 5_000;
const slicePauseMs = 100;

/**
 * Calls the agent of this machine. One that holds a slice of the state may not have at once what a call reads: it asks a replica
 * for it and refuses the call, in which nothing was done. The same call is made again for some seconds.
 */
export class LocalAgentClient extends GrpcClient {
  override calls<S extends object>(service: ServiceClass<S>): Calls<S> {
    return new Proxy(super.calls(service), {
      get: (calls, name): unknown => {
        const method: unknown = Reflect.get(calls, name);
        if (typeof method !== 'function') return method;
        return (...given: readonly unknown[]): unknown => {
          const call = (): unknown => Reflect.apply(method, calls, given);
          const answer = call();
          return answer instanceof Promise ? answered(answer, call) : answer;
        };
      },
    });
  }
}

async function answered(first: Promise<unknown>, again: () => unknown): Promise<unknown> {
  const endMs = performance.now() + sliceMsMax;
  for (let answer: unknown = first; ; answer = again()) {
    try {
      return await answer;
    } catch (caught) {
      if (!ShoalError.is(caught, 'NOT_IN_SLICE') || performance.now() >= endMs) throw caught;
      await delay(slicePauseMs);
    }
  }
}
