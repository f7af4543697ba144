/**
 * A test for addresses inside `address/prefixLength`, IPv4 or IPv6. Nothing is inside a malformed network, and no address
 * of the other family is.
 */
export function networkTest(address: string, prefixLength: number): (candidate: string) => boolean {
  const network = parseAddress(address);
  if (
    network === undefined ||
    !Number.isInteger(prefixLength) ||
    prefixLength < 0 ||
    prefixLength > network.length * 8
  ) {
    return () => false;
  }
  return (candidate) => {
    const parsed = parseAddress(candidate);
    if (parsed === undefined || parsed.length !== network.length) return false;
    for (let bit = 0; bit < prefixLength; bit += 8) {
      const i = bit >> 3;
      const mask = prefixLength - bit >= 8 ? 0xff : (0xff << (8 - (prefixLength - bit))) & 0xff;
      if ((((parsed[i] ?? 0) ^ (network[i] ?? 0)) & mask) !== 0) return false;
    }
    return true;
  };
}

/** The address's bytes: 4 or 16; undefined when it is neither. */
function parseAddress(text: string): readonly number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte < 256) ? bytes : undefined;
}

function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = words(halves[0] ?? '');
  const tail = halves.length === 2 ? words(halves[1] ?? '') : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...head, ...new Array<number>(Math.max(0, missing)).fill(0), ...tail];
  return all.flatMap((word) => [word >> 8, word & 0xff]);
}

/** 16-bit words of one side of `::`; a dotted IPv4 tail counts as two. */
function words(text: string): readonly number[] | undefined {
  if (text === '') return [];
  const result: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const bytes = i === parts.length - 1 ? parseIpv4(part) : undefined;
      if (bytes === undefined) return undefined;
      result.push(((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0), ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      result.push(Number.parseInt(part, 16));
    }
  }
  return result;
}
