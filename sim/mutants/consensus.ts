/** Bugs planted in consensus, the log and its disk. */

import {
  type DigestMessage,
  isDigestMessage,
  isHello,
  type RaftHandlers,
} from '../../node/consensus/transport/transport.ts';
import { newMessage } from '../../node/raft/index.ts';
import { decodeRow, type StoredRow } from '../../node/state/rows.ts';
import { StateMachine, type StateView } from '../../node/state/state-machine.ts';
import type { StateEvent } from '../../node/state/types.ts';
import type { LogStore } from '../../node/store/index.ts';
import type { Disk, DiskOp } from '../../node/store/log/disk.ts';
import { headKey } from '../../node/store/log/keys.ts';
import { decodeHead, encodeRecord } from '../../node/store/log/records.ts';
import type { Mutant } from './mutant.ts';
import { consensus, snapshots, starved } from './settings.ts';
import { stateClient } from './state-client.ts';

/** A disk that does something else with what it is given. */
function writing(inner: Disk, write: Disk['write']): Disk {
  return {
    get: (key) => inner.get(key),
    scan: (start, end) => inner.scan(start, end),
    write,
    clear: (start, end) => inner.clear(start, end),
    compact: () => inner.compact(),
    close: () => inner.close(),
  };
}

/** Handlers that pass everything on; of what is said of digests only what `hear` lets pass. */
function hearing(inner: RaftHandlers, hear: (message: DigestMessage) => boolean): RaftHandlers {
  return {
    onMessage: (message) => {
      if (!isDigestMessage(message) || hear(message)) inner.onMessage(message);
    },
    onUnreachable: (peer) => inner.onUnreachable(peer),
    onGone: (peer) => inner.onGone(peer),
    propose: (command, signal, from) => inner.propose(command, signal, from),
    readIndex: (signal, from) => inner.readIndex(signal, from),
    snapshot: (peer, request, signal) => inner.snapshot(peer, request, signal),
  };
}

/** A state that does not read its rows again: what was kept of them is what it finds. */
class UnreadMachine extends StateMachine {
  override view(): StateView {
    const taken = super.view();
    return {
      ...taken,
      *sums() {
        yield;
        return taken.digest;
      },
    };
  }
}

/** A state that leaves the client tokens of a snapshot out. */
class ForgetfulMachine extends StateMachine {
  override replaceWith(next: StateMachine): readonly StateEvent[] {
    return super.replaceWith(loadedFrom(next, new StateMachine(), (row) => decodeRow(row).kind !== 'session'));
  }
}

/** Gives `machine`, which is new, the rows of another. */
function loadedFrom<T extends StateMachine>(
  from: StateMachine,
  machine: T,
  isTaken: (row: StoredRow) => boolean = () => true,
): T {
  for (const row of from.view().rows()) if (isTaken(row)) machine.load(row);
  machine.loaded(from.appliedIndex);
  return machine;
}

/** A store that says of itself that nothing is wrong with it. */
function withoutQuarantine(inner: LogStore): LogStore {
  return new Proxy(inner, {
    get: (target, key) => {
      if (key === 'quarantine') return undefined;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

export const consensusMutants = {
  'vote-forgotten': {
    text: 'the hard state on disk never names whom it voted for',
    overrides: consensus,
    disk: (_node, inner) => writing(inner, (ops) => inner.write(ops.map((op) => inHead(op, () => ({ vote: 0 }))))),
  },
  'sync-skipped': {
    text: 'a batch is called durable as soon as it was given to the disk',
    overrides: consensus,
    disk: (_node, inner) =>
      writing(inner, async (ops) => {
        inner.write(ops).catch(() => {
          // The bug: nobody looks.
        });
      }),
  },
  'double-apply': {
    text: 'one member applies a write with a token twice, now and then',
    overrides: consensus,
    // Without its token it takes effect whatever was remembered.
    command: (node, index, command) =>
      node?.raftId !== 2 || index % 7 !== 0 ? command : { ...command, clientToken: '' },
  },
  'token-ignored': {
    text: 'no member looks at client tokens',
    overrides: { ...consensus, network: { delayMs: 2, jitterMs: 40, loss: 0.05, repeat: 0, overtake: 0 } },
    command: (_node, index, command) =>
      command.clientToken === '' ? command : { ...command, clientToken: `${command.clientToken}#${index}` },
  },
  'ack-before-commit': {
    text: 'a write is acknowledged when it is sent',
    overrides: consensus,
    state: (_node, inner) =>
      stateClient(inner, {
        commit: async (transaction, options) => {
          inner.commit(transaction, options).catch(() => {
            // The bug: nobody looks.
          });
          return { revision: inner.local.revision + 1, succeeded: true, counters: [] };
        },
      }),
  },
  'stale-read-as-fresh': {
    text: 'a fresh read is answered from the local replica without asking the leader',
    overrides: { ...consensus, keys: 1, clients: 6, thinkMs: 20 },
    state: (_node, inner) => stateClient(inner, { fresh: async () => inner.local }),
  },
  'takes-slow-for-lost': {
    text: 'a silent voter counts as lost though its host takes connections for it',
    overrides: starved,
    transport: (_node, inner) => ({
      ...inner,
      presence: async (peer, timeoutMs) => {
        const presence = await inner.presence(peer, timeoutMs);
        return presence === 'listening' ? 'silent' : presence;
      },
    }),
  },
  'acks-more-than-it-has': {
    text: 'a follower acknowledges one entry more than it holds',
    overrides: consensus,
    transport: (_node, inner) => ({
      ...inner,
      send: (message) => {
        if (!isHello(message) && message.type === 'MsgAppResp' && !message.reject)
          inner.send({ ...message, index: message.index + 1 });
        else inner.send(message);
      },
    }),
  },
  'votes-twice': {
    text: 'a refused vote is sent as a granted one',
    overrides: consensus,
    transport: (_node, inner) => ({
      ...inner,
      send: (message) => {
        inner.send(
          !isHello(message) && message.type === 'MsgVoteResp' && message.reject
            ? { ...message, reject: false }
            : message,
        );
      },
    }),
  },
  'counter-unbounded': {
    text: 'bounds of counters are not looked at by the state machine',
    overrides: { ...consensus, thinkMs: 20, clients: 6 },
    command: (_node, _index, command) => {
      const loosen = (ops: typeof command.transaction.thenOps): typeof ops =>
        ops.map((op) =>
          op.kind === 'add' ? { ...op, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER } : op,
        );
      return {
        ...command,
        transaction: { ...command.transaction, thenOps: loosen(command.transaction.thenOps) },
      };
    },
  },
  'term-forgotten': {
    text: 'the hard state on disk is of the term before',
    overrides: consensus,
    disk: (_node, inner) =>
      writing(inner, (ops) =>
        inner.write(ops.map((op) => inHead(op, ({ term }) => ({ term: Math.max(1, term - 1) })))),
      ),
  },
  'entries-not-written': {
    text: 'every third batch reaches the disk without its entries',
    overrides: consensus,
    disk: (_node, inner) => {
      let batches = 0;
      return writing(inner, (ops) => {
        batches += 1;
        return inner.write(batches % 3 === 0 ? ops.filter(({ key }) => !key.startsWith('l/')) : ops);
      });
    },
  },
  'batch-in-parts': {
    text: 'what belongs together goes to the disk as two writes at once',
    overrides: consensus,
    disk: (_node, inner) =>
      writing(inner, async (ops) => {
        const middle = Math.ceil(ops.length / 2);
        await Promise.all([inner.write(ops.slice(0, middle)), inner.write(ops.slice(middle))]);
      }),
  },
  'rejects-as-accepts': {
    text: 'a refused append is sent as an accepted one',
    overrides: consensus,
    transport: (_node, inner) => ({
      ...inner,
      send: (message) => {
        const isRefusal = !isHello(message) && message.type === 'MsgAppResp' && message.reject;
        inner.send(isRefusal ? { ...message, reject: false } : message);
      },
    }),
  },
  'memory-kept-to-itself': {
    text: 'who is greeted does not say which entries of the greeter it remembers',
    overrides: { ...consensus, faults: ['disk-rolled-back', 'net-isolate', 'leader-moves'], faultEveryMs: 700 },
    transport: (_node, inner) => ({
      ...inner,
      send: (message) => {
        if (isHello(message) && message.known !== undefined)
          inner.send({ ...message, known: { ...message.known, match: 0, matchTerm: 0 } });
        else inner.send(message);
      },
    }),
  },
  'digests-not-compared': {
    text: 'nobody asks for the digests of states, nor tells them',
    overrides: { ...consensus, faults: ['state-row-differs', 'state-row-of-its-own'] },
    transport: (_node, inner) => ({
      ...inner,
      send: (message) => {
        if (!isDigestMessage(message)) inner.send(message);
      },
    }),
  },
  'digests-of-different-revisions': {
    text: 'who is asked for the digest of a revision tells that of the revision that it was asked for before',
    overrides: { ...consensus, faults: ['net-pair'] },
    transport: (_node, inner) => {
      let before: DigestMessage | undefined;
      return {
        ...inner,
        send: (message) => {
          if (!isDigestMessage(message) || message.type !== 'DigestTell') return inner.send(message);
          inner.send({ ...message, digest: before?.digest });
          before = message;
        },
      };
    },
  },
  'repairs-from-the-odd-one': {
    text: 'the majority is told that the digest of the odd one is the right one',
    overrides: { ...consensus, faults: ['state-row-differs'], faultEveryMs: 3_000 },
    transport: (node, inner) => {
      const told = new Map<number, DigestMessage>();
      return {
        ...inner,
        attach: (handlers) =>
          inner.attach(
            handlers === undefined
              ? undefined
              : hearing(handlers, (message) => {
                  if (message.type === 'DigestTell') told.set(message.from, message);
                  return true;
                }),
          ),
        send: (message) => {
          const odd = isDigestMessage(message) && message.type === 'DigestVerdict' ? told.get(message.to) : undefined;
          if (odd === undefined) inner.send(message);
          else {
            for (const to of told.keys())
              inner.send({ ...odd, type: 'DigestVerdict', from: node.raftId, to, term: message.term });
          }
        },
      };
    },
  },
  'rows-not-read-again': {
    text: 'rows in memory are taken for what was applied, and not read again',
    overrides: { ...consensus, faults: ['memory-rots'], faultEveryMs: 3_000 },
    log: (_node, inner) => ({ ...inner, machine: loadedFrom(inner.machine, new UnreadMachine()) }),
  },
  'quarantined-votes': {
    text: 'a member whose log is quarantined grants every request for its vote',
    overrides: { ...consensus, faults: ['disk-wipe', 'agent-crash', 'net-pair', 'leader-moves'], faultEveryMs: 1_000 },
    transport: (node, inner) => ({
      ...inner,
      attach: (handlers) =>
        inner.attach(
          handlers === undefined
            ? undefined
            : {
                onMessage: (message) => {
                  const isAsked = !isHello(message) && (message.type === 'MsgVote' || message.type === 'MsgPreVote');
                  if (isAsked && node.process?.loop.quarantine !== undefined) {
                    const { from, to, term } = message;
                    const type = message.type === 'MsgVote' ? 'MsgVoteResp' : 'MsgPreVoteResp';
                    inner.send(newMessage({ type, from: to, to: from, term }));
                  }
                  handlers.onMessage(message);
                },
                onUnreachable: (peer) => handlers.onUnreachable(peer),
                onGone: (peer) => handlers.onGone(peer),
                propose: (command, signal, from) => handlers.propose(command, signal, from),
                readIndex: (signal, from) => handlers.readIndex(signal, from),
                snapshot: (peer, request, signal) => handlers.snapshot(peer, request, signal),
              },
        ),
    }),
  },
  'quarantine-ignored': {
    text: 'a member ignores that its log is quarantined',
    overrides: {
      ...consensus,
      faults: ['disk-wipe', 'net-isolate', 'agent-crash'],
      faultEveryMs: 600,
      graceMs: 60_000,
    },
    log: (_node, inner) => ({ ...inner, store: withoutQuarantine(inner.store) }),
  },
  'snapshot-without-members': {
    text: 'a snapshot tells of one voter, its sender',
    overrides: snapshots,
    transport: (_node, inner) => ({
      ...inner,
      fetchSnapshot: async function* (from, request, signal) {
        for await (const part of inner.fetchSnapshot(from, request, signal)) {
          const confState = { ...part.place.confState, voters: [from], learners: [] };
          yield { ...part, place: { ...part.place, confState } };
        }
      },
    }),
  },
  'tokens-lost-in-snapshot': {
    text: 'a state that comes by snapshot remembers no client tokens',
    overrides: snapshots,
    log: (_node, inner) => ({ ...inner, machine: loadedFrom(inner.machine, new ForgetfulMachine()) }),
  },
} as const satisfies Readonly<Record<string, Mutant>>;

/** The op with fields of the head changed, where it is the head. */
function inHead(op: DiskOp, change: (head: NonNullable<ReturnType<typeof decodeHead>>) => object): DiskOp {
  if (op.key !== headKey || op.value === undefined) return op;
  const head = decodeHead(headKey, op.value);
  return head === undefined ? op : { key: headKey, value: encodeRecord(headKey, { ...head, ...change(head) }) };
}
