import fc from 'fast-check';
import t from 'tap';
import type { ConfChangeSingle } from '../../../node/raft/conf-change.ts';
import {
  changesPerEntryMax,
  decodeConfChangeV1,
  decodeConfChangeV2,
  encodeConfChangeV1,
  encodeConfChangeV2,
} from '../../../node/raft/conf-change-codec.ts';
import { leaveJointChange } from '../../../node/raft/index.ts';
import { noBytes } from '../../../node/raft/messages/messages.ts';

const nodeId = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));
const type = fc.constantFrom<ConfChangeSingle['type']>('addNode', 'removeNode', 'updateNode', 'addLearner');
const context = fc.uint8Array({ maxLength: 300 });
const runs = { seed: 14, numRuns: 300 };

void t.test('what is written is read back', async (t) => {
  fc.assert(
    fc.property(type, nodeId, context, (type, nodeId, context) => {
      const change = { type, nodeId, context };
      t.same(decodeConfChangeV1(encodeConfChangeV1(change)), change);
    }),
    runs,
  );
  const changes = fc.array(fc.record({ type, nodeId }), { maxLength: 10 });
  const transition = fc.constantFrom('auto' as const, 'implicit' as const, 'explicit' as const);
  fc.assert(
    fc.property(transition, changes, context, (transition, changes, context) => {
      const change = { transition, changes, context };
      t.same(decodeConfChangeV2(encodeConfChangeV2(change)), change);
    }),
    runs,
  );
});

void t.test('the bytes in old logs stay readable: they are those of raftpb', async (t) => {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  t.equal(hex(encodeConfChangeV1({ type: 'removeNode', nodeId: 3, context: noBytes })), '10011803');
  t.equal(
    hex(
      encodeConfChangeV2({
        transition: 'explicit',
        changes: [
          { type: 'addNode', nodeId: 300 },
          { type: 'addLearner', nodeId: 2 },
        ],
        context: Uint8Array.of(7),
      }),
    ),
    '0802' + '120310ac02' + '120408031002' + '1a0107',
  );
  t.equal(encodeConfChangeV2(leaveJointChange).length, 0);
  // Zero values written out, and a field that is not known: as other writers do.
  t.same(decodeConfChangeV1(Buffer.from('0801' + '1000' + '1805' + '2a020102', 'hex')), {
    type: 'addNode',
    nodeId: 5,
    context: noBytes,
  });
});

void t.test('bytes that are no change are refused, whatever they are', async (t) => {
  for (const bad of ['ff', '10', '1004', '18ffffffffffffffff7f', '22ff01', '0803', '120308091001', '0b']) {
    const bytes = Buffer.from(bad, 'hex');
    t.ok(decodeConfChangeV1(bytes) === undefined || decodeConfChangeV2(bytes) === undefined, bad);
  }
  t.equal(decodeConfChangeV1(Buffer.from('1004', 'hex')), undefined, 'unknown type');
  t.equal(decodeConfChangeV2(Buffer.from('0803', 'hex')), undefined, 'unknown transition');
  const many = Buffer.concat(Array.from({ length: changesPerEntryMax + 1 }, () => Buffer.from('12021001', 'hex')));
  t.equal(decodeConfChangeV2(many), undefined, 'too many');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      decodeConfChangeV1(bytes);
      decodeConfChangeV2(bytes);
    }),
    runs,
  );
});
