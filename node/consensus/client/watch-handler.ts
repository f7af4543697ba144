/** Serves the changes of the state to agents that do not replicate the log: `PeerService.WatchState`. */
import { ShoalError } from '../../base/errors.ts';
import type { PeerHandlers } from '../../mesh/peers/peer-server.ts';
import type { StateClient, StateEvent } from '../../state/types.ts';

/** Changes waiting for a watcher that does not read. Beyond it the watch ends, and the watcher lists again. */
const waitingChangesMax = 10_000;

/** Makes the handler. */
export function stateWatchHandler(state: StateClient): PeerHandlers['watchState'] {
  return async function* watchState(request, call) {
    const waiting: (readonly StateEvent[])[] = [];
    let waitingCount = 0;
    let isOverrun = false;
    let wake = (): void => {};
    const watch = state.watch(
      { prefix: request.prefix, ...(request.afterRevision === 0 ? {} : { afterRevision: request.afterRevision }) },
      (events) => {
        waitingCount += events.length;
        if (waitingCount > waitingChangesMax) isOverrun = true;
        else waiting.push(events);
        wake();
      },
    );
    const onAbort = (): void => wake();
    call.signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!call.signal.aborted) {
        if (isOverrun) throw new ShoalError('STALE', 'The watcher reads too slowly; list again and watch from there.');
        const events = waiting.shift();
        if (events === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (call.signal.aborted || waiting.length > 0 || isOverrun) resolve();
          });
          continue;
        }
        waitingCount -= events.length;
        const revision = events[0]?.revision ?? 0;
        yield { revision, changes: events.map(({ key, value }) => ({ key, value: value ?? null })) };
      }
    } finally {
      call.signal.removeEventListener('abort', onAbort);
      watch.close();
    }
  };
}
