import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { type AnswersFor, errorOf, ForwardAnswerer } from '../../../node/consensus/transport/forward-answerer.ts';
import {
  type ForwardRoute,
  ForwardSender,
  forwardedAtOnceMax,
  forwardedMsMax,
} from '../../../node/consensus/transport/forward-sender.ts';
import { type Command, encodeCommand } from '../../../node/state/command.ts';
import type { TransactionOutcome } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';
import { ManualClock } from '../mesh/manual-clock.ts';

const { ForwardAnswers, ForwardRequests } = shoal.v1;

type Sent = shoal.v1.ForwardRequests;

const never = (): Promise<never> => new Promise(() => {});
const signal = new AbortController().signal;
const options = { timeoutMs: 5000, signal };

function command(key: string, value = new Uint8Array(0)): Uint8Array {
  const transaction = { compares: [], thenOps: [{ kind: 'put' as const, key, value }], elseOps: [] };
  return encodeCommand({ clientToken: '', transaction });
}

function keyOf({ transaction }: Command): string {
  return transaction.thenOps[0]?.kind === 'put' ? transaction.thenOps[0].key : '';
}

const outcome = (revision: number): TransactionOutcome => ({ revision, succeeded: true, counters: [] });

/** Both ends without a network between them, and what went over. */
class Link implements ForwardRoute {
  readonly sent: Sent[] = [];
  readonly answered: shoal.v1.ForwardAnswers[] = [];
  connects = 0;
  connect = async (): Promise<void> => {};
  readonly #handlers: Partial<AnswersFor>;
  readonly #broken = Promise.withResolvers<never>();

  constructor(handlers: Partial<AnswersFor>) {
    this.#handlers = handlers;
    this.#broken.promise.catch(() => {});
  }

  break(error: unknown): void {
    this.#broken.reject(error);
  }

  async *open(
    requests: AsyncIterable<shoal.v1.ForwardRequests.$Properties>,
    { signal: ends }: { readonly signal: AbortSignal },
  ): AsyncGenerator<shoal.v1.ForwardAnswers> {
    this.connects += 1;
    const { sent } = this;
    async function* there(): AsyncGenerator<Sent> {
      for await (const message of requests) {
        const arrived = ForwardRequests.decode(ForwardRequests.encode(message).finish());
        sent.push(arrived);
        yield arrived;
      }
    }
    const handlers = { propose: never, readIndex: never, ...this.#handlers };
    const answers = new ForwardAnswerer(systemClock, () => handlers, 4, ends).serve(there());
    for (;;) {
      const next = await Promise.race([answers.next(), this.#broken.promise]);
      if (next.done === true) return;
      const back = ForwardAnswers.decode(ForwardAnswers.encode(next.value).finish());
      this.answered.push(back);
      yield back;
    }
  }
}

/** Requests of a stream by hand, for the answering side alone. */
async function* messages(...given: shoal.v1.ForwardRequests.$Properties[]): AsyncGenerator<Sent> {
  for (const message of given) yield ForwardRequests.decode(ForwardRequests.encode(message).finish());
}

const alive = setInterval(() => {}, 1000);
t.teardown(() => clearInterval(alive));

t.test('requests of one turn go in one message, and so do their answers; each gets its own', async (t) => {
  const from: (number | undefined)[] = [];
  const link = new Link({
    propose: async (asked, _ends, asker) => {
      from.push(asker);
      await turn();
      if (keyOf(asked) === 'k7') throw new ShoalError('NOT_LEADER', 'Member 9 leads.', { facts: { leaderRaftId: 9 } });
      return { ...outcome(Number(keyOf(asked).slice(1))), counters: [-3, 4], refusal: 'counter-bounds' };
    },
    readIndex: async (_ends, asker) => {
      from.push(asker);
      return 77;
    },
  });
  const sender = new ForwardSender(systemClock, () => link);
  t.teardown(() => sender.stop());
  const answers = await Promise.all([
    ...Array.from({ length: 40 }, (_, n) => sender.send({ command: command(`k${n}`) }, options)),
    sender.send({ readIndex: {} }, options),
  ]);
  t.same(
    link.sent.map(({ requests }) => requests.length),
    [41],
  );
  const timeoutMs = link.sent[0]?.timeoutMs ?? 0;
  t.ok(timeoutMs > 0 && timeoutMs <= 5000, `${timeoutMs} ms are left`);
  t.ok(link.answered.length <= 2, `${link.answered.length} messages came back`);
  t.same(
    answers.map((answer) => answer.outcome?.revision ?? answer.readIndex?.index ?? errorOf(answer)?.code),
    [...Array.from({ length: 40 }, (_, n) => (n === 7 ? 'NOT_LEADER' : n)), 77],
  );
  t.match(answers[3]?.outcome, { counters: [-3, 4], refusal: 'counter-bounds', succeeded: true });
  t.match(answers[7] && errorOf(answers[7]), { message: 'Member 9 leads.', facts: { leaderRaftId: 9 } });
  t.same(
    from,
    Array.from({ length: 41 }, () => 4),
    'who asks is told, so that it hears of the commit',
  );
  t.equal(sender.waiting, 0);
  await sender.send({ command: command('k1') }, options);
  t.equal(link.connects, 1, 'on the same stream');
});

t.test('a message has its bounds, and what is too large for one goes in several', async (t) => {
  const link = new Link({ propose: async () => outcome(1) });
  const sender = new ForwardSender(systemClock, () => link);
  t.teardown(() => sender.stop());
  await Promise.all(Array.from({ length: 2000 }, () => sender.send({ command: command('k') }, options)));
  t.same(
    link.sent.map(({ requests }) => requests.length),
    [forwardedAtOnceMax, 2000 - forwardedAtOnceMax],
  );
  link.sent.length = 0;
  const large = command('k', new Uint8Array(900_000));
  await Promise.all(Array.from({ length: 3 }, () => sender.send({ command: large }, options)));
  t.same(
    link.sent.map(({ requests }) => requests.length),
    [1, 1, 1],
  );
});

t.test(
  'beyond the bound requests are refused at once, and those that were taken still get their answers',
  async (t) => {
    const open: (() => void)[] = [];
    const link = new Link({
      propose: () => new Promise((resolve) => open.push(() => resolve(outcome(open.length)))),
    });
    const sender = new ForwardSender(systemClock, () => link);
    t.teardown(() => sender.stop());
    const taken = Array.from({ length: 8192 }, () => sender.send({ command: command('k') }, options));
    await t.rejects(sender.send({ command: command('k') }, options), {
      code: 'PROPOSAL_DROPPED',
      facts: { waiting: 8192 },
    });
    await t.rejects(sender.send({ readIndex: {} }, options), { code: 'RATE_LIMITED' });
    let answered = 0;
    for (const promise of taken) promise.then(() => answered++, t.error);
    // The other side takes no more than it has room for; the rest waits here.
    for (let n = 0; n < 50; n += 1) await turn();
    t.ok(open.length >= 4096 && open.length <= 4096 + forwardedAtOnceMax, `${open.length} were taken there`);
    while (answered < taken.length) {
      for (const answer of open.splice(0)) answer();
      await turn();
    }
    await sender.send({ readIndex: {} }, { timeoutMs: 5000, signal: AbortSignal.timeout(20) }).catch(() => {});
    t.equal(sender.waiting, 0, 'there is room again');

    const [half, small] = [command('k', new Uint8Array(3_900_000)), command('k')];
    const bytes = Array.from({ length: 17 }, () => sender.send({ command: half }, options));
    for (const promise of bytes) promise.catch(() => {});
    await t.rejects(sender.send({ command: half }, options), { code: 'PROPOSAL_DROPPED' }, 'bytes are bounded, too');
    sender.send({ command: small }, options).catch(() => {});
    t.equal(sender.waiting, 18, 'a small one still fits');
  },
);

t.test('when the stream breaks, what was sent may have happened and what was not has not', async (t) => {
  let arrived = 0;
  const links = [0, 1].map(
    () =>
      new Link({
        propose: () => {
          arrived += 1;
          return never();
        },
        readIndex: async () => 5,
      }),
  );
  const [first, second] = links as [Link, Link];
  const left = [...links];
  const sender = new ForwardSender(systemClock, () => left.shift() ?? second);
  t.teardown(() => sender.stop());
  const sent = sender.send({ command: command('a') }, options);
  sent.catch(() => {});
  while (arrived === 0) await turn();
  const queued = sender.send({ command: command('b') }, options);
  queued.catch(() => {});
  first.break(new ShoalError('UNAVAILABLE', 'connection lost'));
  await t.rejects(sent, { code: 'OUTCOME_UNKNOWN', message: /connection lost/ });
  await t.rejects(queued, { code: /UNAVAILABLE|OUTCOME_UNKNOWN/ });
  t.equal((await sender.send({ readIndex: {} }, options)).readIndex?.index, 5, 'the next request opens another');
  t.equal(second.connects, 1);

  // Turned away at the door: nothing was read, whatever was sent.
  const refusing = new Link({});
  const refused = new ForwardSender(systemClock, () => refusing);
  t.teardown(() => refused.stop());
  refusing.break(new ShoalError('NOT_IMPLEMENTED', 'There is no Forward.'));
  await t.rejects(refused.send({ command: command('a') }, options), { code: 'NOT_IMPLEMENTED' });
  const unreachable = new Link({});
  unreachable.connect = async () => {
    throw new ShoalError('UNAVAILABLE', 'no connection within 500 ms');
  };
  const lost = new ForwardSender(systemClock, () => unreachable);
  t.teardown(() => lost.stop());
  await t.rejects(lost.send({ command: command('a') }, options), { code: 'UNAVAILABLE' });
  t.equal(unreachable.connects, 0);
});

t.test('a request ends when its caller gives up, when its time has run out, and when the agent stops', async (t) => {
  const clock = new ManualClock();
  let arrived = 0;
  const link = new Link({
    propose: () => {
      arrived += 1;
      return never();
    },
  });
  const sender = new ForwardSender(clock, () => link);
  t.teardown(() => sender.stop());
  const caller = new AbortController();
  const early = sender.send({ command: command('a') }, { timeoutMs: 1500, signal: caller.signal });
  caller.abort();
  await t.rejects(early, { code: 'CANCELLED' }, 'not sent yet');
  await t.rejects(sender.send({ command: command('a') }, { timeoutMs: 1500, signal: caller.signal }), {
    code: 'CANCELLED',
  });
  const late = sender.send({ command: command('b') }, { timeoutMs: 1500, signal });
  late.catch(() => {});
  const longer = sender.send({ command: command('c') }, { timeoutMs: forwardedMsMax, signal });
  longer.catch(() => {});
  while (arrived < 2) await turn();
  await clock.advance(1000);
  t.equal(sender.waiting, 2);
  await clock.advance(1000);
  await t.rejects(late, { code: 'OUTCOME_UNKNOWN', message: /time has run out/ });
  t.equal(sender.waiting, 1);
  await sender.stop();
  await t.rejects(longer, { code: 'OUTCOME_UNKNOWN', message: /stopping/ });
  await t.rejects(sender.send({ command: command('d') }, options), { code: 'CANCELLED' });
});

t.test(
  'the answering side takes nothing that is out of bounds, and fails only what it does not understand',
  async (t) => {
    const signalOf = (): AbortSignal => new AbortController().signal;
    const serve = async (...given: shoal.v1.ForwardRequests.$Properties[]): Promise<shoal.v1.ForwardAnswer[]> => {
      const handlers = { propose: async () => outcome(3), readIndex: never };
      const all: shoal.v1.ForwardAnswer[] = [];
      for await (const answers of new ForwardAnswerer(systemClock, () => handlers, undefined, signalOf()).serve(
        messages(...given),
      )) {
        all.push(...ForwardAnswers.decode(ForwardAnswers.encode(answers).finish()).answers);
      }
      return all;
    };
    const good = { id: 1, command: command('a') };
    for (const bad of [
      { requests: [], timeoutMs: 100 },
      { requests: [good], timeoutMs: 0 },
      { requests: [good], timeoutMs: forwardedMsMax + 1 },
      { requests: Array.from({ length: forwardedAtOnceMax + 1 }, () => good), timeoutMs: 100 },
    ]) {
      await t.rejects(serve(bad), { code: 'INVALID_ARGUMENT' });
    }
    const answers = await serve({
      requests: [good, { id: 2, command: Uint8Array.of(0xff) }, { id: 3 }, { id: 4, command: new Uint8Array(0) }],
      timeoutMs: 100,
    });
    const byId = new Map(answers.map((answer) => [answer.id, answer.outcome?.revision ?? errorOf(answer)?.code]));
    t.same(
      [1, 2, 3, 4].map((id) => byId.get(id)),
      [3, 'INVALID_ARGUMENT', 'NOT_IMPLEMENTED', 'INVALID_ARGUMENT'],
    );
    const newer = shoal.v1.ForwardAnswer.decode(shoal.v1.ForwardAnswer.encode({ error: { code: 'NEWER' } }).finish());
    t.equal(errorOf(newer)?.code, 'OUTCOME_UNKNOWN');
  },
);

t.test(
  'who answers is told when the time is over or the stream has ended; a failure without a name ends it',
  async (t) => {
    const given: AbortSignal[] = [];
    const handlers = {
      propose: (_: Command, ends: AbortSignal) => {
        given.push(ends);
        return new Promise<never>((_resolve, reject) => {
          ends.addEventListener('abort', () => reject(ends.reason));
        });
      },
      readIndex: async (): Promise<never> => {
        throw new TypeError('a mistake');
      },
    };
    const stream = new AbortController();
    async function* forever(): AsyncGenerator<Sent> {
      yield ForwardRequests.create({ requests: [{ id: 1, command: command('a') }], timeoutMs: 30 });
      yield ForwardRequests.create({ requests: [{ id: 2, command: command('b') }], timeoutMs: 30_000 });
      await never();
    }
    const answers = new ForwardAnswerer(systemClock, () => handlers, undefined, stream.signal).serve(forever());
    t.match((await answers.next()).value, { answers: [{ id: 1, error: { code: 'DEADLINE_EXCEEDED' } }] });
    const rest = answers.next();
    stream.abort();
    await rest;
    t.same(
      given.map(({ aborted }) => aborted),
      [true, true],
    );
    const broken = new ForwardAnswerer(systemClock, () => handlers, undefined, new AbortController().signal);
    const message = { requests: [{ id: 1, readIndex: {} }], timeoutMs: 100 };
    await t.rejects(broken.serve(messages(message)).next(), { name: 'TypeError' });
  },
);
