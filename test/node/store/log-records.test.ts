/** Records whose checksum holds and whose content is nothing that this version understands. */
import t from 'tap';
import { MemoryDisk, openMemoryLogStore } from '../../../node/store/index.ts';
import { inspectLog } from '../../../node/store/log/inspect-log.ts';
import { appliedKey, headKey, identityKey, peerKey } from '../../../node/store/log/keys.ts';
import {
  decodeApplied,
  decodeHead,
  decodeIdentity,
  decodePeerMemory,
  encodeRecord,
} from '../../../node/store/log/records.ts';
import { sealed } from '../../../node/store/log/sealed-bytes.ts';

const decoders = {
  [headKey]: decodeHead,
  [appliedKey]: decodeApplied,
  [identityKey]: decodeIdentity,
  [peerKey(2)]: decodePeerMemory,
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const head = { term: 3, vote: 1, commit: 2, startIndex: 0, startTerm: 0, lastIndex: 2, lastTerm: 3, logGeneration: 1 };

void t.test(
  'a record that this version does not understand is LOG_CORRUPT, and is not taken for a damaged one',
  (t) => {
    for (const [key, decode] of Object.entries(decoders)) {
      for (const content of ['', 'no JSON', '{"term":', 'null', '7', '"text"', '[]', '{}', '{"term":1']) {
        t.throws(() => decode(key, sealed(bytes(content), key)), { code: 'LOG_CORRUPT' }, `${key}: ${content}`);
      }
      t.equal(decode(key, bytes('no checksum')), undefined, `${key}: no checksum`);
    }
    for (const fields of [{ doubt: 7 }, { doubt: { reason: 'x' } }, { life: 7 }, { term: -1 }, { term: '3' }]) {
      const content = JSON.stringify({ ...head, ...fields });
      t.throws(() => decodeHead(headKey, sealed(bytes(content), headKey)), { code: 'LOG_CORRUPT' }, content);
    }
    t.match(decodeHead(headKey, sealed(bytes(JSON.stringify(head)), headKey)), head);
    t.end();
  },
);

void t.test('the quarantine of a log lies under the name `doubt` on disk, and is read from there', (t) => {
  const quarantine = { reason: 'rolled-back', detail: 'the leader remembers more', raisedTerm: 1007 } as const;
  const written = encodeRecord(headKey, { ...head, quarantine });
  const onDisk = sealed(bytes(JSON.stringify({ ...head, doubt: quarantine })), headKey);
  t.same(written, onDisk);
  t.same(decodeHead(headKey, onDisk)?.quarantine, quarantine);
  t.end();
});

void t.test('a log with such a record is neither opened nor repaired, and inspecting it says so', async (t) => {
  for (const key of [headKey, appliedKey, identityKey]) {
    const disk = new MemoryDisk();
    const options = { raftId: 1, newIncarnation: 'one', bootstrap: true };
    await (await openMemoryLogStore(options, disk)).store.close();
    disk.replace(key, sealed(bytes('of a newer version'), key));
    const { writeCount } = disk;
    const refusal = { code: 'LOG_CORRUPT', message: new RegExp(key) };
    await t.rejects(openMemoryLogStore(options, disk), refusal, key);
    await t.rejects(inspectLog(disk), refusal, key);
    t.equal(disk.writeCount, writeCount, 'nothing is changed');
  }
});
