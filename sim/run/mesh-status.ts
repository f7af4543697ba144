/** How far the nodes of a mesh are: what must come in time, once it is left in peace. */
import { voterTarget } from '../../node/consensus/autopilot/autopilot.ts';
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

  /** As many vote as should, as many stand by, and all others hold slices. */
  isComplete(): boolean {
    const { nodes, options } = this.#world;
    const voters = voterTarget(nodes.length);
    const learners = Math.min(options.standbys, nodes.length - voters);
    return (
      this.isCaughtUp() &&
      nodes.every(({ process: running, raftId }) => {
        if (running === undefined) return false;
        const status = running.state.status();
        const isMember = status.voters.includes(raftId) || status.learners.includes(raftId);
        return (
          status.voters.length === voters &&
          status.learners.length === learners &&
          running.member.isReplica === isMember &&
          running.member.slice?.isReady !== false
        );
      })
    );
  }

  /** All replicas have applied the same, and all slices are of that. */
  isCaughtUp(): boolean {
    const { nodes, consensus } = this.#world;
    const running = nodes.map(({ process }) => process);
    const replicas = running.filter((process) => process?.member.isReplica !== false);
    const slices = running.flatMap((process) => process?.member.slice ?? []);
    const revisions = new Set(replicas.map((process) => process?.state.local.revision));
    return (
      revisions.size === 1 &&
      !revisions.has(undefined) &&
      this.hasLeader() &&
      slices.every((slice) => consensus.slices.isCurrent({ terms: slice.terms, rows: slice.rows() }))
    );
  }

  /** Rows that rot in memory are found when they are read again, and a replica that differs when states are compared. */
  statesAgree(): boolean {
    if (!this.#world.nodes.some((node) => node.wasStateDamaged)) return true;
    return (
      this.isCaughtUp() &&
      this.#world.nodes.every(
        ({ process: running }) =>
          running !== undefined &&
          (!running.member.isReplica ||
            (running.loop.quarantine === undefined &&
              this.#world.consensus.applied.isReplay(running.log.machine) === true)),
      )
    );
  }

  /** Whether all repaired logs are taken for whole again. */
  isRepaired(): boolean {
    return this.#world.nodes.every(
      ({ process: running }) =>
        running !== undefined && (!running.member.isReplica || running.loop.quarantine === undefined),
    );
  }

  /** Has the checker compare every state with the replay. */
  judgeStates(): void {
    for (const { process: running, raftId } of this.#world.nodes)
      if (running?.member.isReplica === true) this.#world.consensus.applied.state(raftId, running.log.machine);
  }

  /** How far everybody is, in words. */
  statuses(): string {
    return this.#world.nodes
      .map(({ name, process: running }) => {
        if (running === undefined) return `${name} is down`;
        const { leaderRaftId, term, commitIndex, appliedIndex, hasQuorum, voters } = running.state.status();
        const quarantine =
          running.loop.quarantine === undefined ? '' : ` quarantined (${running.loop.quarantine.reason})`;
        const slice = running.member.isReplica
          ? ''
          : ` slice of ${running.state.local.revision} from ${running.member.slice?.feeder ?? 'nobody'}`;
        return `${name}${slice} term ${term} leader ${leaderRaftId} commit ${commitIndex} applied ${appliedIndex}${hasQuorum ? '' : ' no quorum'} voters ${voters.join()}${quarantine}`;
      })
      .concat([`${this.#world.working.count} operations under way`, ...this.#world.hosts.differences()])
      .join('; ');
  }
}
