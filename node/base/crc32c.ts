/**
 * CRC-32C (Castagnoli polynomial, reflected 0x82F63B78; RFC 3720 B.4), eight bytes a step (slicing-by-8). Pure, so that the
 * replicated state can use it. Finds torn and flipped bytes; no protection against an adversary.
 */
const tables = makeTables();

/**
 * The checksum of `bytes` from `start` on, in [0, 2^32). Give the checksum of what came before as `before` to go on from
 * there.
 */
export function crc32c(bytes: Uint8Array, before = 0, start = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let crc = ~before;
  let at = start;
  const end8 = bytes.length - 8;
  while (at <= end8) {
    const low =
      crc ^ (byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24));
    crc =
      entry(t7, low & 0xff) ^
      entry(t6, (low >>> 8) & 0xff) ^
      entry(t5, (low >>> 16) & 0xff) ^
      entry(t4, low >>> 24) ^
      entry(t3, byte(bytes, at + 4)) ^
      entry(t2, byte(bytes, at + 5)) ^
      entry(t1, byte(bytes, at + 6)) ^
      entry(t0, byte(bytes, at + 7));
    at += 8;
  }
  for (; at < bytes.length; at += 1) crc = entry(t0, (crc ^ byte(bytes, at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The checksum of a text's characters, each of which must be ASCII. */
export function crc32cOfAscii(text: string): number {
  const [t0] = tables;
  let crc = ~0;
  for (let at = 0; at < text.length; at += 1) crc = entry(t0, (crc ^ text.charCodeAt(at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

function entry(table: Int32Array, at: number): number {
  return table[at] as number;
}

function makeTables(): Tables {
  const made: Tables = [
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
    new Int32Array(256),
  ];
  for (let n = 0; n < 256; n += 1) {
    let crc = n;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
    made[0][n] = crc;
  }
  for (let n = 0; n < 256; n += 1) {
    let crc = entry(made[0], n);
    for (const table of made.slice(1)) {
      crc = entry(made[0], crc & 0xff) ^ (crc >>> 8);
      table[n] = crc;
    }
  }
  return made;
}
