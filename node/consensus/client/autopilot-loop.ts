import type { shoal } from '../../../proto/messages.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { isTransient, ShoalError } from '../../base/errors.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { ReadMemo } from '../../state/read-set.ts';
import { hostTable } from '../../state/tables/index.ts';
import type { StateClient } from '../../state/types.ts';
import { type AutopilotOptions, defaultAutopilotOptions, nextAutopilotStep } from '../autopilot/autopilot.ts';
import type { RaftLoop } from '../loop/loop.ts';

/** How often the leader looks. A new host waits no longer than this to become a member. Unit: milliseconds. */
const periodMs = 500;

interface AutopilotLoopDeps {
  readonly loop: RaftLoop;
  /** Holds the records of the mesh's hosts. */
  readonly state: StateClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether nobody can reach a host now. Absent: that is not known. */
  readonly isDown?: (host: shoal.v1.Host) => boolean;
}

/** Takes the autopilot's steps while this agent leads. One at a time; what fails is decided again. */
export class AutopilotLoop implements Service {
  readonly #deps: AutopilotLoopDeps;
  readonly #options: AutopilotOptions;
  /** The hosts on record, decoded again only when one has changed: there may be a thousand, and it looks twice a second. */
  readonly #hosts = new ReadMemo<readonly shoal.v1.Host[]>(1);
  #timer: Timer | undefined;
  #leaderSinceMs: number | undefined;
  #stepping: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(deps: AutopilotLoopDeps, options: AutopilotOptions = defaultAutopilotOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#timer = this.#deps.clock.setInterval(() => this.#look(), periodMs);
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#stopping.abort();
    await this.#stepping;
  }

  #unreachable(hosts: readonly shoal.v1.Host[]): ReadonlySet<number> {
    const { isDown } = this.#deps;
    if (isDown === undefined) return new Set();
    return new Set(hosts.filter((host) => isDown(host)).map(({ raftId }) => raftId));
  }

  #look(): void {
    const { loop, state, clock } = this.#deps;
    if (!loop.isLeader || loop.route() === undefined) {
      this.#leaderSinceMs = undefined;
      return;
    }
    this.#leaderSinceMs ??= clock.monotonicMs();
    // Records that this leader has not applied yet must not look like hosts that have gone.
    if (this.#stepping !== undefined || !loop.isCaughtUp) return;
    const known = this.#hosts.get('hosts', state.local, (reads) => hostTable.list(reads).map(({ record }) => record));
    // A mesh whose first records are not committed yet.
    if (!known.some((host) => host.raftId === loop.raftId)) return;
    const step = nextAutopilotStep(
      {
        leader: loop.raftId,
        hosts: known,
        confState: loop.confState,
        members: loop.members(),
        unreachable: this.#unreachable(known),
        ledMs: clock.monotonicMs() - this.#leaderSinceMs,
      },
      this.#options,
    );
    if (step === undefined) return;
    this.#deps.logger.info({ ...step }, 'changing the members');
    if (step.kind === 'transfer') {
      loop.transferLeadership(step.to);
      return;
    }
    this.#stepping = loop
      .changeMembers(step.changes, this.#stopping.signal)
      .catch((error: unknown) => {
        const isExpected = ShoalError.of(error, isTransient) || ShoalError.is(error, 'CONFLICT');
        this.#deps.logger[isExpected ? 'info' : 'error']({ error }, 'the members were not changed');
      })
      .finally(() => {
        this.#stepping = undefined;
      });
  }
}
