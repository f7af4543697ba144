import t, { type Test } from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { Logger } from '../../../../node/base/telemetry/logger.ts';
import type { Steps } from '../../../../node/host/engine/step.ts';
import { type SteppedDefinition, SteppedKind } from '../../../../node/host/engine/stepped-kind.ts';
import { HostLoop } from '../../../../node/host/host-loop.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { until } from '../../../support/raft/raft-group.ts';

interface Thing {
  readonly id: string;
  /** Goes up with each request. */
  request: number;
}

type MakeStep = { readonly kind: 'make' };

/** One kind of things, each to be made once; what `make` does to them is the test's. */
class World {
  readonly things: Thing[] = [];
  readonly made = new Set<string>();
  readonly events: string[] = [];
  readonly lines: string[] = [];
  make: (thing: Thing) => Promise<void> = async ({ id }) => {
    this.made.add(id);
  };
  undo: (thing: Thing) => Promise<void> = async () => {};
  atOnceMax = 2;
  readonly #steps: Steps<MakeStep, Thing, null> = {
    make: {
      mode: 'acts',
      words: 'making it',
      do: async (_step, thing) => {
        this.events.push(`make ${thing.id}`);
        await this.make(thing);
      },
      undo: async (_step, thing) => {
        this.events.push(`undo ${thing.id}`);
        await this.undo(thing);
      },
    },
  };

  async start(t: Test): Promise<HostLoop> {
    const definition: SteppedDefinition<Thing, true, MakeStep, null> = {
      name: 'thing',
      atOnceMax: this.atOnceMax,
      steps: this.#steps,
      id: ({ id }) => id,
      facts: () => ({}),
      requestOf: ({ request }) => String(request),
      wanted: () => this.things,
      recorded: (_reader, id) => this.things.find((thing) => thing.id === id),
      found: async () => new Map([...this.made].map((id) => [id, true as const])),
      plan: (_thing, found, givenUp) => (found === true || givenUp !== undefined ? undefined : { kind: 'make' }),
      tools: () => null,
      fault: async ({ id }, { message }) => {
        this.events.push(`fault ${id} ${message}`);
      },
      orphan: () => ({}),
    };
    const line = (_facts: object, message: string): void => {
      this.lines.push(message);
    };
    const logger: Logger = { debug: line, info: line, warn: line, error: line, child: () => logger };
    const deps = { state: new MemoryStateClient(), clock: systemClock, logger };
    const loop = new HostLoop({
      ...deps,
      kinds: (passes) => [new SteppedKind(definition, { ...deps, passes }, { retryMs: 10 })],
      onHostEvent: () => () => {},
    });
    await loop.start();
    t.teardown(() => loop.stop());
    return loop;
  }
}

t.test('a step that failed for good is taken back, told, and left alone until its owner asks again', async (t) => {
  const world = new World();
  const thing = { id: 'a', request: 1 };
  world.things.push(thing);
  world.make = async () => {
    throw new ShoalError('DRIVER_FAILED', 'as planned');
  };
  const loop = await world.start(t);
  await until(() => world.events.length === 3, 'it is given up');
  t.same(world.events, ['make a', 'undo a', 'fault a DRIVER_FAILED: making it failed on its host.']);
  loop.wake();
  await loop.idle();
  t.equal(world.events.length, 3, 'left alone');
  thing.request = 2;
  world.make = async ({ id }) => {
    world.made.add(id);
  };
  loop.wake();
  await until(() => world.made.has('a'), 'it is made');
  t.equal(world.events.filter((event) => event.startsWith('undo')).length, 1, 'what worked is not taken back');
});

t.test('what cannot be taken back is told, and the step is tried again all the same', async (t) => {
  const world = new World();
  world.things.push({ id: 'a', request: 1 });
  let tries = 0;
  world.make = async ({ id }) => {
    tries += 1;
    if (tries < 3) throw new ShoalError('UNAVAILABLE', 'not yet');
    world.made.add(id);
  };
  world.undo = async () => {
    throw new Error('as planned');
  };
  await world.start(t);
  await until(() => world.made.has('a'), 'it is made');
  t.equal(tries, 3);
  t.ok(world.lines.includes('a failed step could not be undone'));
  t.notOk(
    world.events.some((event) => event.startsWith('fault')),
    'what may pass is no fault',
  );
});

t.test('no more steps at once than there may be, one a thing, and trouble with one keeps no other', async (t) => {
  const world = new World();
  const ends = new Map<string, () => void>();
  let most = 0;
  for (const id of ['a', 'b', 'c', 'd']) world.things.push({ id, request: 1 });
  world.make = async ({ id }) => {
    t.notOk(ends.has(id), 'one step a thing');
    await new Promise<void>((resolve) => {
      ends.set(id, resolve);
      most = Math.max(most, ends.size);
    });
    ends.delete(id);
    if (id === 'a') throw new ShoalError('DRIVER_FAILED', 'as planned');
    world.made.add(id);
  };
  const loop = await world.start(t);
  for (let n = 0; n < 4; n += 1) {
    await until(() => ends.size > 0, 'a step is under way');
    loop.wake();
    [...ends.values()][0]?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await until(() => world.made.size === 3, 'all but one are made');
  t.equal(most, 2);
});
