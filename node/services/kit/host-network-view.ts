import type { ForwardingSpec, LocalPortSpec, NetworkSpec, RouterSpec } from '../../../drivers/types.ts';

/** All that this host must carry, at one revision of the state. */
export interface HostNetworkView {
  readonly revision: number;
  readonly networks: readonly NetworkSpec[];
  readonly ports: readonly LocalPortSpec[];
  readonly forwarding: readonly ForwardingSpec[];
  readonly routers: readonly RouterSpec[];
  /** What could not be worked out, each with why: reported with what could not be made. */
  readonly failures: readonly SyncFailure[];
  /** Ids of networks, ports and routers that are in the records and not above, since a record cannot be read: never removed. */
  readonly kept: ReadonlySet<string>;
}

/** What one pass could not do; it is tried again at the next. */
export interface SyncFailure {
  readonly what: string;
  readonly error: unknown;
}
