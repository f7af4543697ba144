/** What an operator would want to know of a run, told as it happens. Nothing in a run depends on whether anybody listens. */

/** One call of a client or a tenant that has come to an end. */
export interface WatchedOperation {
  readonly kind:
    | 'create'
    | 'delete'
    | 'stop'
    | 'start'
    | 'reboot'
    | 'suspend'
    | 'resume'
    | 'read'
    | 'write'
    | 'stale read';
  readonly startedMs: number;
  readonly endedMs: number;
  /** `refused`: certainly nothing happened, or a rule forbids it. `unknown`: it may have happened. */
  readonly answer: 'done' | 'refused' | 'unknown';
  /** The code of the error; empty when done. */
  readonly code: string;
}

/** A server as it is at one moment. */
export interface WatchedServer {
  readonly id: string;
  /** Number of the host that it is bound to. */
  readonly host: number;
  /** Its records say that it runs, and nobody asks for anything else. */
  readonly isWanted: boolean;
  readonly isRunning: boolean;
}

/** The mesh at one moment. */
export interface Picture {
  readonly atMs: number;
  /** The member that leads with a quorum, and its term. */
  readonly leader: { readonly member: number; readonly term: number } | undefined;
  /** By member, from 1: whether its agent runs. */
  readonly isUp: readonly boolean[];
  /** Members that the leader has not heard of lately. */
  readonly silent: readonly number[];
  readonly servers: readonly WatchedServer[];
}

/** What became of servers, at the end. */
export interface Placements {
  /** Creations that were acknowledged, and deletions. */
  readonly created: number;
  readonly deleted: number;
  /** Of those that nobody deleted: where they belong and as they were asked for, in ERROR with a reason, and gone. */
  readonly kept: number;
  readonly inError: number;
  readonly lost: number;
}

/** What a run is at: the mesh is complete and the faults begin, or they have ended and everything is healed. */
export type Phase = 'chaos' | 'healed';

/** Each is called only where it is there. */
export interface Watcher {
  phase?(phase: Phase, atMs: number): void;
  looked?(picture: Picture): void;
  operation?(operation: WatchedOperation): void;
  placements?(placements: Placements): void;
}
