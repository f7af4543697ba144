import fc from 'fast-check';
import t from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { SliceReply, SliceRequest } from '../../../node/slices/slice-channel.ts';
import {
  acceptsPacked,
  replyFromWire,
  replyToWire,
  requestFromWire,
  requestToWire,
} from '../../../node/slices/slice-codec.ts';
import { shoal } from '../../../proto/messages.ts';

const { SliceRequest: RequestMessage, SliceReply: ReplyMessage } = shoal.v1;

const requests: readonly SliceRequest[] = [
  { kind: 'subscribe', held: ['t/host/'], asked: ['x/port/network/n/', 't/server/s'], revision: 7, termsNumber: 3 },
  { kind: 'subscribe', held: [], asked: [], revision: 0, termsNumber: 0 },
  { kind: 'change', add: ['u/host/name/a'], remove: ['t/mesh/'], termsNumber: 4 },
  { kind: 'digests', digests: Array.from({ length: 16 }, (_, at) => ({ high: -at, low: at * 3 })) },
  { kind: 'reach', revision: 2 ** 40 },
];

const replies: readonly SliceReply[] = [
  { kind: 'ask-digests' },
  {
    kind: 'status',
    status: {
      hasQuorum: false,
      quorum: 'lost',
      leaderRaftId: 2,
      term: 9,
      commitIndex: 4,
      appliedIndex: 3,
      voters: [1, 2, 3],
      isJoint: true,
      learners: [4],
      missingVoters: [1],
    },
  },
  {
    kind: 'piece',
    delta: {
      revision: 12,
      puts: [{ key: 't/a/1', value: Uint8Array.of(1, 2), revision: 11 }],
      deletes: ['t/a/2'],
      cleared: { buckets: 16, numbers: new Set([3, 9]) },
      isWhole: true,
      termsNumber: 5,
    },
  },
  { kind: 'piece', delta: { revision: 0, puts: [], deletes: [], isWhole: false, termsNumber: 0 } },
];

const large: SliceReply = {
  kind: 'piece',
  delta: {
    revision: 900,
    puts: Array.from({ length: 300 }, (_, at) => ({
      key: `t/port/0f2c5e7a-${at}`,
      value: new TextEncoder().encode(`project 6b1d, network 77aa, address 10.0.0.${at}`),
      revision: at,
    })),
    deletes: [],
    isWhole: true,
    termsNumber: 1,
  },
};

await t.test('what is said comes through the wire as it was', (t) => {
  for (const request of requests) {
    const bytes = RequestMessage.encode(requestToWire(request)).finish();
    t.strictSame(requestFromWire(RequestMessage.decode(bytes)), request, request.kind);
  }
  for (const reply of [...replies, large]) {
    for (const packs of [false, true]) {
      const bytes = ReplyMessage.encode(replyToWire(reply, packs)).finish();
      t.strictSame(replyFromWire(ReplyMessage.decode(bytes)), reply, reply.kind);
    }
  }
  t.equal(replyFromWire(new ReplyMessage()), undefined, 'of a newer version: it is passed over');
  t.end();
});

await t.test('a large piece is packed for those who say that they take it, and for nobody else', (t) => {
  const plain = ReplyMessage.encode(replyToWire(large, false)).finish();
  const short = ReplyMessage.encode(replyToWire(large, true)).finish();
  t.ok(short.length < plain.length / 4, `${short.length} bytes for ${plain.length}`);
  t.ok(ReplyMessage.decode(plain).piece, 'agents of earlier versions read it');
  const accepting = requestToWire({ kind: 'subscribe', held: [], asked: [], revision: 0, termsNumber: 0 });
  t.equal(acceptsPacked(new RequestMessage(accepting)), true);
  t.equal(acceptsPacked(new RequestMessage({ subscribe: { asked: ['t/a/'] } })), false, 'of an earlier version');
  t.end();
});

await t.test('what makes no sense is refused', (t) => {
  const refused: [string, shoal.v1.ISliceRequest][] = [
    ['a request of no kind', {}],
    ['an empty term', { subscribe: { asked: [''] } }],
    ['a term of everything', { subscribe: { held: ['/'] } }],
    ['a long term', { change: { add: ['a'.repeat(513)] } }],
    ['too few digests', { digests: { digests: new Uint8Array(8) } }],
    ['digests of no power of two', { digests: { digests: new Uint8Array(8 * 24) } }],
    ['half a digest', { digests: { digests: new Uint8Array(8 * 16 + 4) } }],
  ];
  for (const [name, wire] of refused) {
    t.throws(
      () => requestFromWire(RequestMessage.decode(RequestMessage.encode(wire).finish())),
      { code: 'INVALID_ARGUMENT' },
      name,
    );
  }
  for (const wire of [{ status: { quorum: 'perhaps' } }, { piece: { buckets: 3 } }]) {
    t.throws(() => replyFromWire(ReplyMessage.decode(ReplyMessage.encode(wire).finish())), {
      code: 'INVALID_ARGUMENT',
    });
  }
  t.end();
});

await t.test('whatever bytes come are read or refused', (t) => {
  const read = (bytes: Uint8Array, decode: (bytes: Uint8Array) => unknown): void => {
    try {
      decode(bytes);
    } catch (caught) {
      // protobufjs itself throws Errors of several kinds for bytes that are no message.
      if (caught instanceof ShoalError && caught.code !== 'INVALID_ARGUMENT') throw caught;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      read(bytes, (given) => requestFromWire(RequestMessage.decode(given)));
      read(bytes, (given) => replyFromWire(ReplyMessage.decode(given)));
    }),
    { numRuns: 2000 },
  );
  t.end();
});
