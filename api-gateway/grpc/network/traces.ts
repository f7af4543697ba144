import type { Handlers } from '../../../node/rpc/server.ts';
import { tracePacket } from '../../../node/services/network/trace/packet-traces.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Caller, Callers } from '../kit/caller.ts';
import { viewingOf } from './viewing.ts';

/** Where a packet would go, for operators. */
export function traceHandlers(callers: Callers): Pick<Handlers<shoal.v1.NetworkService, Caller>, 'tracePacket'> {
  return {
    tracePacket: (request, call) =>
      callers.serve(call, async (served) => {
        const { reader, stale } = await viewingOf(served);
        const { end, steps } = tracePacket(reader, request);
        return { end, steps: steps.map(({ host, ...step }) => ({ ...step, hostName: host })), stale };
      }),
  };
}
