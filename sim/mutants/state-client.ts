/** A state client for planted bugs that stand between the state and those who use it. */
import type { StateClient } from '../../node/state/types.ts';

/** Does as `inner` does, but for what is in `changed`. */
export function stateClient(inner: StateClient, changed: Partial<StateClient>): StateClient {
  return {
    get local() {
      return inner.local;
    },
    status: () => inner.status(),
    fresh: (signal) => inner.fresh(signal),
    commit: (transaction, options) => inner.commit(transaction, options),
    watch: (options, listener) => inner.watch(options, listener),
    ...changed,
  };
}
