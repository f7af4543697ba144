/** What a replica that lies sends as a packed piece costs the host that follows it no more than a piece may. */
import { deflateRawSync } from 'node:zlib';
import t from 'tap';
import { unpackedBytesMax } from '../../node/slices/packed-piece.ts';
import { replyFromWire } from '../../node/slices/slice-codec.ts';
import { shoal } from '../../proto/messages.ts';

function read(packedPiece: Uint8Array): unknown {
  const bytes = shoal.v1.SliceReply.encode({ packedPiece }).finish();
  return replyFromWire(shoal.v1.SliceReply.decode(bytes));
}

await t.test('one that unpacks to more than a piece may be is refused before it is unpacked', (t) => {
  const bomb = deflateRawSync(new Uint8Array(256 * 1024 * 1024));
  t.ok(bomb.length < 512 * 1024, `${bomb.length} bytes for 256 MiB`);
  const beforeBytes = process.memoryUsage().arrayBuffers;
  t.throws(() => read(bomb), { code: 'INVALID_ARGUMENT' });
  const tookBytes = process.memoryUsage().arrayBuffers - beforeBytes;
  t.ok(tookBytes < 4 * unpackedBytesMax, `${tookBytes} bytes were taken`);
  t.end();
});

await t.test('one that is cut, is no compressed data, or holds no piece is refused', (t) => {
  const piece = shoal.v1.SlicePiece.encode({
    revision: 7,
    deletes: Array.from({ length: 90 }, (_, at) => `t/a/${at}`),
  });
  const whole = deflateRawSync(piece.finish());
  t.match(read(whole), { kind: 'piece', delta: { revision: 7 } });
  for (const bytes of [
    whole.subarray(0, whole.length - 3),
    new Uint8Array(40).fill(0xff),
    deflateRawSync(new Uint8Array(40).fill(0xff)),
    new Uint8Array(0),
  ]) {
    t.throws(() => read(bytes), { code: 'INVALID_ARGUMENT' });
  }
  t.end();
});
