import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { Clock } from '../../../../node/base/clock.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import type { LeaderTask } from '../../../../node/host/tasks/task.ts';
import { TaskRunner } from '../../../../node/host/tasks/task-runner.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';

/** A clock that goes on when it is told to. */
class HandClock implements Clock {
  #nowMs = 0;
  #ticks: (() => void)[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimeout(): { cancel(): void } {
    throw new Error('no task waits by itself');
  }

  setInterval(callback: () => void): { cancel(): void } {
    this.#ticks.push(callback);
    return {
      cancel: () => {
        this.#ticks = [];
      },
    };
  }

  /** One look of the runner, `ms` later, and what it began. */
  async pass(ms: number): Promise<void> {
    this.#nowMs += ms;
    for (const tick of this.#ticks) tick();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

t.test('tasks run while this agent leads, each at its own period, whatever the others do', async (t) => {
  const clock = new HandClock();
  const ran: string[] = [];
  const told: string[] = [];
  let isLeader = false;
  const task = (name: string, periodMs: number, fails = false): LeaderTask => ({
    name,
    periodMs,
    run: async () => {
      ran.push(name);
      if (fails) throw new Error('as planned');
    },
  });
  const runner = new TaskRunner({
    state: new MemoryStateClient(),
    clock,
    logger: silentLogger,
    newId: randomUUID,
    isLeader: () => isLeader,
    tasks: [task('often', 1_000), task('fails', 1_000, true), task('seldom', 3_000)],
    onRun: (name, result) => told.push(`${name} ${result}`),
  });
  await runner.start();
  await clock.pass(1_000);
  t.same(ran, [], 'another leads');
  isLeader = true;
  await clock.pass(1_000);
  t.same(ran.splice(0), ['often', 'fails', 'seldom']);
  t.same(told.splice(0).sort(), ['fails failed', 'often done', 'seldom done']);
  await clock.pass(1_000);
  await clock.pass(1_000);
  t.same(ran.splice(0), ['often', 'fails', 'often', 'fails']);
  await clock.pass(1_000);
  t.same(ran.splice(0), ['often', 'fails', 'seldom']);
  isLeader = false;
  await clock.pass(10_000);
  t.same(ran, [], 'it leads no more');
  await runner.stop();
  isLeader = true;
  await clock.pass(10_000);
  t.same(ran, [], 'it has ended');
});

t.test('a task that is still at it is not begun again, and is told of the end', async (t) => {
  const clock = new HandClock();
  let runs = 0;
  let reason: unknown;
  const slow: LeaderTask = {
    name: 'slow',
    periodMs: 1_000,
    run: (_deps, signal) => {
      runs += 1;
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          reject(signal.reason);
        });
      });
    },
  };
  const state = new MemoryStateClient();
  const services = { state, clock, logger: silentLogger, newId: randomUUID };
  const runner = new TaskRunner({ ...services, isLeader: () => true, tasks: [slow] });
  await runner.start();
  for (let n = 0; n < 5; n += 1) await clock.pass(2_000);
  t.equal(runs, 1);
  await runner.stop();
  t.match(reason, { code: 'CANCELLED' });
});
