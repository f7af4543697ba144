/**
 * Planted bugs. Each is one switch that makes a production part behave as if it had the bug, by standing between it and
 * the rest; a test finds each within a bounded number of seeds (README.md has the table).
 */

import { isHello } from '../../node/raft-transport.ts';
import type { DiskOp } from '../../node/store/disk.ts';
import { headKey } from '../../node/store/keys.ts';
import { decodeHead, encodeRecord } from '../../node/store/records.ts';
import type { Mutant } from './mutant.ts';

/** Faults under which consensus shows what it is worth. */
const crashes = ['agent-crash', 'agents-all-down', 'agent-pause', 'net-partition', 'net-isolate', 'net-pair'] as const;
const consensus = {
  hosts: 3,
  tenants: 0,
  faults: crashes,
  faultEveryMs: 500,
  faultForMs: 1_500,
  chaosMs: 30_000,
  graceMs: 60_000,
} as const;
const guests = {
  hosts: 3,
  tenants: 2,
  faults: ['agent-crash', 'guest-crash'],
  faultEveryMs: 2_000,
  chaosMs: 30_000,
  logBytesMax: 64 * 1024 * 1024,
} as const;

export const mutants: Readonly<Record<string, Mutant>> = {
  'vote-forgotten': {
    text: 'the hard state on disk never names whom it voted for',
    overrides: consensus,
    disk: (_node, inner) => ({
      get: (key) => inner.get(key),
      scan: (start, end) => inner.scan(start, end),
      write: (ops) => inner.write(ops.map(forgetVote)),
      clear: (start, end) => inner.clear(start, end),
      close: () => inner.close(),
    }),
  },
  'sync-skipped': {
    text: 'a batch is called durable as soon as it was given to the disk',
    overrides: consensus,
    disk: (_node, inner) => ({
      get: (key) => inner.get(key),
      scan: (start, end) => inner.scan(start, end),
      write: async (ops) => {
        inner.write(ops).catch(() => {
          // The bug: nobody looks.
        });
      },
      clear: (start, end) => inner.clear(start, end),
      close: () => inner.close(),
    }),
  },
  'double-apply': {
    text: 'one member applies a write with a token twice, now and then',
    overrides: consensus,
    apply: (node, { index, command, apply }) => {
      if (node?.raftId !== 2 || index % 7 !== 0 || command.clientToken === '') return undefined;
      // Without its token it takes effect whatever was remembered.
      return apply(index, { ...command, clientToken: '' });
    },
  },
  'token-ignored': {
    text: 'no member looks at client tokens',
    overrides: { ...consensus, network: { delayMs: 2, jitterMs: 40, loss: 0.05, repeat: 0, overtake: 0 } },
    apply: (_node, { index, command, apply }) =>
      command.clientToken === ''
        ? undefined
        : apply(index, { ...command, clientToken: `${command.clientToken}#${index}` }),
  },
  'ack-before-commit': {
    text: 'a write is acknowledged when it is sent',
    overrides: consensus,
    state: (_node, inner) => {
      const commit = inner.commit.bind(inner);
      inner.commit = async (transaction, options) => {
        commit(transaction, options).catch(() => {
          // The bug: nobody looks.
        });
        return { revision: inner.local.revision + 1, succeeded: true, counters: [] };
      };
      return inner;
    },
  },
  'stale-read-as-fresh': {
    text: 'a fresh read is answered from the local replica without asking the leader',
    overrides: { ...consensus, keys: 1, clients: 6, thinkMs: 20 },
    state: (_node, inner) => {
      inner.fresh = async () => inner.local;
      return inner;
    },
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
    apply: (_node, { index, command, apply }) => {
      const loosen = (ops: typeof command.transaction.thenOps): typeof ops =>
        ops.map((op) =>
          op.kind === 'add' ? { ...op, min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER } : op,
        );
      return apply(index, {
        ...command,
        transaction: { ...command.transaction, thenOps: loosen(command.transaction.thenOps) },
      });
    },
  },
  'claims-ignored': { text: 'a host admits without looking at its room', overrides: guests, host: 'claims-ignored' },
  'releases-at-once': {
    text: 'a host forgets a claim as soon as it has admitted it',
    overrides: guests,
    host: 'releases-at-once',
  },
  'deletes-without-record': {
    text: 'a host removes guests whose records it does not find',
    overrides: { ...guests, faults: ['disk-wipe'], faultEveryMs: 2_000 },
    host: 'deletes-without-record',
  },
  'stops-without-quorum': {
    text: 'a host stops its guests when it has been without a quorum for a while',
    overrides: { ...guests, faults: ['net-isolate'], faultEveryMs: 3_000, faultForMs: 5_000 },
    host: 'stops-without-quorum',
  },
  'forgets-claims': {
    text: "a host's claims do not survive a restart of its agent",
    overrides: guests,
    host: 'forgets-claims',
  },
};

function forgetVote(op: DiskOp): DiskOp {
  if (op.key !== headKey || op.value === undefined) return op;
  const head = decodeHead(headKey, op.value);
  return head === undefined ? op : { key: headKey, value: encodeRecord(headKey, { ...head, vote: 0 }) };
}
