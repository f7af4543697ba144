/** How far the nodes of a mesh are: what must come in time, once it is left in peace. */
import type { SimWorld } from './world.ts';

/** Asks the nodes of a world how far they are. */
export class MeshStatus {
  readonly #world: SimWorld;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** Somebody can commit. */
  hasLeader(): boolean {
    return this.#world.nodes.some((node) => node.process?.loop.route()?.kind === 'here');
  }

  /** Every host is a member, as many vote as should. */
  isComplete(): boolean {
    const target = this.#world.nodes.length >= 5 ? 5 : this.#world.nodes.length >= 3 ? 3 : 1;
    return (
      this.isCaughtUp() &&
      this.#world.nodes.every(({ process: running }) => {
        const status = running?.state.status();
        return (
          status !== undefined &&
          status.voters.length === target &&
          status.voters.length + status.learners.length === this.#world.nodes.length
        );
      })
    );
  }

  /** All nodes have applied the same. */
  isCaughtUp(): boolean {
    const revisions = new Set(this.#world.nodes.map((node) => node.process?.state.local.revision));
    return revisions.size === 1 && !revisions.has(undefined) && this.hasLeader();
  }

  /** Rows that rot in memory are found when they are read again, and a replica that differs when states are compared. */
  statesAgree(): boolean {
    if (!this.#world.nodes.some((node) => node.wasStateDamaged)) return true;
    return (
      this.isCaughtUp() &&
      this.#world.nodes.every(
        ({ process: running }) =>
          running !== undefined &&
          running.loop.quarantine === undefined &&
          this.#world.consensus.applied.isReplay(running.log.machine) === true,
      )
    );
  }

  /** Whether all repaired logs are taken for whole again. */
  isRepaired(): boolean {
    return this.#world.nodes.every((node) => node.process !== undefined && node.process.loop.quarantine === undefined);
  }

  /** Has the checker compare every state with the replay. */
  judgeStates(): void {
    for (const { process: running, raftId } of this.#world.nodes)
      if (running !== undefined) this.#world.consensus.applied.state(raftId, running.log.machine);
  }

  /** How far everybody is, in words. */
  statuses(): string {
    return this.#world.nodes
      .map(({ name, process: running }) => {
        if (running === undefined) return `${name} is down`;
        const { leaderRaftId, term, commitIndex, appliedIndex, hasQuorum, voters } = running.state.status();
        const quarantine =
          running.loop.quarantine === undefined ? '' : ` quarantined (${running.loop.quarantine.reason})`;
        return `${name} term ${term} leader ${leaderRaftId} commit ${commitIndex} applied ${appliedIndex}${hasQuorum ? '' : ' no quorum'} voters ${voters.join()}${quarantine}`;
      })
      .concat([`${this.#world.working.count} operations under way`, ...this.#world.hosts.differences()])
      .join('; ');
  }
}
