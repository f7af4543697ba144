/** Runs the leader's tasks while this agent leads, each at its own period; one that fails keeps none of the others. */
import type { Timer } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Service } from '../../base/lifecycle.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import type { ServiceDependencies } from '../../services/kit/dependencies.ts';
import type { LeaderTask } from './task.ts';

/** How often it is looked which are due. Unit: ms. */
const lookMs = 1_000;

/** What it works with. */
interface TaskRunnerDeps extends ServiceDependencies {
  readonly isLeader: () => boolean;
  readonly tasks: readonly LeaderTask[];
  /** Hears of each run; for metrics. */
  readonly onRun?: ((task: string, result: 'done' | 'failed', seconds: number) => void) | undefined;
}

/** See above. */
export class TaskRunner implements Service {
  readonly #deps: TaskRunnerDeps;
  readonly #repeated: RepeatedLog;
  readonly #abort = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  /** Monotonic, ms. */
  readonly #dueMs = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(deps: TaskRunnerDeps) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
  }

  async start(): Promise<void> {
    this.#timer = this.#deps.clock.setInterval(() => this.#look(), lookMs);
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    await Promise.allSettled(this.#running.values());
  }

  #look(): void {
    if (this.#abort.signal.aborted || !this.#deps.isLeader()) return;
    const nowMs = this.#deps.clock.monotonicMs();
    for (const task of this.#deps.tasks) {
      if (this.#running.has(task.name) || (this.#dueMs.get(task.name) ?? 0) > nowMs) continue;
      const running = this.#run(task).finally(() => {
        this.#running.delete(task.name);
        this.#dueMs.set(task.name, this.#deps.clock.monotonicMs() + task.periodMs);
      });
      this.#running.set(task.name, running);
    }
  }

  async #run(task: LeaderTask): Promise<void> {
    const { clock, onRun } = this.#deps;
    const startedMs = clock.monotonicMs();
    const seconds = (): number => (clock.monotonicMs() - startedMs) / 1_000;
    try {
      await task.run(this.#deps, this.#abort.signal);
      onRun?.(task.name, 'done', seconds());
    } catch (caught) {
      if (this.#abort.signal.aborted) return;
      onRun?.(task.name, 'failed', seconds());
      const error = ShoalError.from(caught, 'DRIVER_FAILED');
      this.#repeated.warn(
        `task ${task.name} ${error.code}`,
        { task: task.name, code: error.code, err: error },
        'a task of the leader failed; it is retried',
      );
    }
  }
}
