import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import {
  messageFromWire,
  messageToWire,
  snapshotPartFromWire,
  snapshotPartToWire,
  snapshotRequestFromWire,
  snapshotRequestToWire,
} from '../../../../node/consensus/transport/codec.ts';
import type { DigestMessage, Hello, PeerMessage, SentMessage } from '../../../../node/consensus/transport/transport.ts';
import { newMessage, type PeerMessageType } from '../../../../node/raft/index.ts';
import { shoal } from '../../../../proto/messages.ts';

const types: readonly PeerMessageType[] = [
  'MsgProp',
  'MsgApp',
  'MsgAppResp',
  'MsgVote',
  'MsgVoteResp',
  'MsgPreVote',
  'MsgPreVoteResp',
  'MsgSnap',
  'MsgHeartbeat',
  'MsgHeartbeatResp',
  'MsgTransferLeader',
  'MsgTimeoutNow',
  'MsgReadIndex',
  'MsgReadIndexResp',
];
const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const ids = fc.array(fc.integer({ min: 1, max: 1e6 }), { maxLength: 4 });
const bytes = fc.uint8Array({ maxLength: 40 });
const confState = fc.record({
  voters: ids,
  votersOutgoing: ids,
  learners: ids,
  learnersNext: ids,
  autoLeave: fc.boolean(),
});
const place = fc.record({ index: number, term: number, confState });
const message: fc.Arbitrary<SentMessage> = fc
  .record({
    type: fc.constantFrom(...types),
    to: number,
    from: number,
    term: number,
    logTerm: number,
    index: number,
    commit: number,
    vote: number,
    reject: fc.boolean(),
    rejectHint: number,
    entries: fc.array(
      fc.record({
        term: number,
        index: number,
        type: fc.constantFrom('normal', 'confChange', 'confChangeV2'),
        data: bytes,
      }),
      { maxLength: 3 },
    ),
    snapshot: fc.option(
      place.map((at) => ({ ...at, data: new Uint8Array(0) })),
      { nil: null },
    ),
    context: bytes,
  })
  .map((fields) => newMessage(fields))
  .chain((sent) =>
    // 0 travels as nothing.
    fc.option(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), { nil: undefined }).map((durableIndex) => ({
      ...sent,
      ...(durableIndex === undefined ? {} : { durableIndex }),
    })),
  );
const memory = fc.record({
  incarnation: fc.uuid(),
  starts: number,
  term: number,
  match: number,
  matchTerm: number,
  raisedTerm: number,
});
const hello: fc.Arbitrary<Hello> = fc.record({
  type: fc.constantFrom('Hello', 'HelloResp'),
  to: number,
  from: number,
  term: number,
  incarnation: fc.uuid(),
  starts: number,
  raisedTerm: number,
  known: fc.option(memory, { nil: undefined }),
});

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const digests: fc.Arbitrary<DigestMessage> = fc.record(
  {
    type: fc.constantFrom('DigestAsk', 'DigestTell', 'DigestVerdict'),
    to: number,
    from: number,
    term: number,
    revision: number,
    digest: fc.option(fc.record({ high: word, low: word }), { nil: undefined }),
    asked: number.filter((value) => value > 0),
  },
  { requiredKeys: ['type', 'to', 'from', 'term', 'revision', 'digest'] },
);

function overTheWire(sent: PeerMessage): PeerMessage | undefined {
  return messageFromWire(
    shoal.v1.RaftMessage.decode(shoal.v1.RaftMessage.encode(messageToWire(sent)).finish()),
    sent.from,
  );
}

/** Buffers and plain byte arrays with the same bytes are the same. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

await t.test('every message arrives as it was sent', async (t) => {
  fc.assert(
    fc.property(fc.oneof(message, hello, digests), (sent) => isDeepStrictEqual(plain(overTheWire(sent)), plain(sent))),
    { seed: 41, numRuns: 1000 },
  );
  t.pass('held');
});

await t.test('the sender is who the connection proves, not who the message says', async (t) => {
  const wire = shoal.v1.RaftMessage.decode(
    shoal.v1.RaftMessage.encode(messageToWire(newMessage({ type: 'MsgVote', from: 1, to: 2, term: 3 }))).finish(),
  );
  t.equal(messageFromWire(wire, 7)?.from, 7);
});

await t.test('a kind that this version does not know is dropped, and nonsense is refused', async (t) => {
  const decode = (fields: shoal.v1.RaftMessage.$Properties): shoal.v1.RaftMessage =>
    shoal.v1.RaftMessage.decode(shoal.v1.RaftMessage.encode(fields).finish());
  t.equal(messageFromWire(decode({ type: 55 }), 1), undefined);
  t.equal(messageFromWire(decode({ type: 0 }), 1), undefined);
  const otherKind = new TextEncoder().encode('2:0123456789abcdef0123456789abcdef');
  t.equal(
    messageFromWire(decode({ type: 103, index: 7, context: otherKind }), 1),
    undefined,
    'a digest of another kind',
  );
  const nonsense: [string, shoal.v1.RaftMessage.$Properties][] = [
    ['a number beyond 2^53', { type: 2, term: 2 ** 60 }],
    ['an entry of an unknown type', { type: 2, entries: [{ type: 9 as shoal.v1.RaftEntryType, index: 1, term: 1 }] }],
    ['a snapshot without members', { type: 8, snapshot: { index: 1, term: 1 } }],
    ['a greeting of bytes', { type: 100, context: Uint8Array.from([0xff, 0xfe]) }],
    ['a digest that is none', { type: 103, context: new TextEncoder().encode('1:0123') }],
    ['a digest without an end', { type: 104, context: new Uint8Array(65).fill(0x31) }],
    ['a greeting of nothing', { type: 100 }],
    [
      'a greeting with a wrong field',
      { type: 101, context: new TextEncoder().encode('{"incarnation":"a","starts":"b"}') },
    ],
    [
      'a greeting with a negative number',
      { type: 101, context: new TextEncoder().encode('{"incarnation":"a","starts":-1}') },
    ],
  ];
  for (const [name, fields] of nonsense)
    t.throws(() => messageFromWire(decode(fields), 1), { code: 'INVALID_ARGUMENT' }, name);
});

await t.test('requests for snapshots and their parts arrive as they were sent', async (t) => {
  fc.assert(
    fc.property(
      fc.record({
        indexMin: number,
        resume: fc.record({ index: fc.integer({ min: 1, max: 1e9 }), offsetBytes: number }),
      }),
      place,
      fc.record({
        offsetBytes: fc.nat(1e9),
        data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
        crc32c: fc.nat(2 ** 31),
        isLast: fc.boolean(),
      }),
      (request, at, rest) => {
        const sent = { place: at, ...rest };
        const { SnapshotChunk, FetchSnapshotRequest } = shoal.v1;
        const part = snapshotPartFromWire(
          SnapshotChunk.decode(SnapshotChunk.encode(snapshotPartToWire(sent)).finish()),
        );
        const asked = snapshotRequestFromWire(
          FetchSnapshotRequest.decode(FetchSnapshotRequest.encode(snapshotRequestToWire(request)).finish()),
        );
        return isDeepStrictEqual(plain(part), plain(sent)) && isDeepStrictEqual(plain(asked), plain(request));
      },
    ),
    { seed: 42, numRuns: 300 },
  );
  t.same(snapshotRequestFromWire(shoal.v1.FetchSnapshotRequest.decode(new Uint8Array(0))), { indexMin: 0 });
});
