/** Bad luck that is not of one disk, clock, link or machine: what faults switch on and the parts of the world look at. */
export class Trouble {
  /** Hosts whose gossip neither comes nor goes, while all else does. */
  readonly gossipAlone = new Set<number>();
  /** Hosts that hear gossip only when this ends; what has come meanwhile. */
  readonly gossipHeld = new Map<number, (() => void)[]>();
  /** Hosts that tell of more room than they have: by which factor. */
  readonly boasts = new Map<number, number>();
  /** Clients wait no longer than this; undefined: as long as it takes. Unit: ms. */
  clientPatienceMs: number | undefined;
  /** Owners send each creation to two agents at once. */
  areClientsHasty = false;

  /** Ends all of it. */
  heal(): void {
    this.gossipAlone.clear();
    for (const raftId of [...this.gossipHeld.keys()]) this.release(raftId);
    this.boasts.clear();
    this.clientPatienceMs = undefined;
    this.areClientsHasty = false;
  }

  /** What was held back for a host arrives. */
  release(raftId: number): void {
    const held = this.gossipHeld.get(raftId) ?? [];
    this.gossipHeld.delete(raftId);
    for (const arrive of held) arrive();
  }
}
