/**
 * CRC-32C (Castagnoli polynomial, reflected 0x82F63B78; RFC 3720 B.4), eight bytes a step (slicing-by-8). Pure, so that the
 * replicated state can use it. Finds torn and flipped bytes; no protection against an adversary.
 */
const slices = 8;
/** Eight tables of 256 behind one another: one array to hold in a register, which takes half the time of eight. */
const table = makeTable();

/**
 * The checksum of `bytes` from `start` on, in [0, 2^32). Give the checksum of what came before as `before` to go on from
 * there.
 */
export function crc32c(bytes: Uint8Array, before = 0, start = 0): number {
  const t = table;
  let crc = ~before;
  let at = start;
  const end8 = bytes.length - slices;
  while (at <= end8) {
    const low =
      crc ^
      ((bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24));
    crc =
      (t[0x700 + (low & 0xff)] as number) ^
      (t[0x600 + ((low >>> 8) & 0xff)] as number) ^
      (t[0x500 + ((low >>> 16) & 0xff)] as number) ^
      (t[0x400 + (low >>> 24)] as number) ^
      (t[0x300 + (bytes[at + 4] as number)] as number) ^
      (t[0x200 + (bytes[at + 5] as number)] as number) ^
      (t[0x100 + (bytes[at + 6] as number)] as number) ^
      (t[bytes[at + 7] as number] as number);
    at += slices;
  }
  for (; at < bytes.length; at += 1) crc = (t[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The checksum of a text's characters, each of which must be ASCII. */
export function crc32cOfAscii(text: string): number {
  const t = table;
  let crc = ~0;
  for (let at = 0; at < text.length; at += 1) {
    crc = (t[(crc ^ text.charCodeAt(at)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

function makeTable(): Int32Array {
  const made = new Int32Array(slices * 256);
  for (let n = 0; n < 256; n += 1) {
    let crc = n;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
    made[n] = crc;
  }
  for (let n = 0; n < 256; n += 1) {
    let crc = made[n] as number;
    for (let slice = 1; slice < slices; slice += 1) {
      crc = (made[crc & 0xff] as number) ^ (crc >>> 8);
      made[slice * 256 + n] = crc;
    }
  }
  return made;
}
