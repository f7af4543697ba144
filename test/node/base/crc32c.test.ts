import t from 'tap';
import { crc32c, crc32cOfAscii } from '../../../node/base/crc32c.ts';

await t.test('the checksum agrees with the examples of RFC 3720 B.4 and the usual check value', (t) => {
  const cases: [string, Uint8Array, number][] = [
    ['zeros', new Uint8Array(32), 0x8a9136aa],
    ['ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['up', Uint8Array.from({ length: 32 }, (_, n) => n), 0x46dd794e],
    ['down', Uint8Array.from({ length: 32 }, (_, n) => 31 - n), 0x113fdb5c],
    ['check', new TextEncoder().encode('123456789'), 0xe3069283],
    ['empty', new Uint8Array(0), 0],
  ];
  for (const [name, bytes, sum] of cases) {
    t.equal(crc32c(bytes), sum, name);
    for (const cut of [0, 1, 5, 8, 31]) {
      t.equal(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut))), sum, `${name} in two parts at ${cut}`);
      t.equal(crc32c(bytes, crc32c(bytes.subarray(0, cut)), cut), sum, `${name} from ${cut} on`);
    }
  }
  t.equal(crc32cOfAscii('123456789'), 0xe3069283, 'of a text');
  t.equal(crc32cOfAscii(''), 0, 'of an empty text');
  t.end();
});
