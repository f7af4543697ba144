/**
 * A flat map of texts as clients write it into the query of a list: Python's form of a dictionary (`{'a': 'b', u'c': 'd'}`), or
 * JSON's. Undefined: it is neither, or has other values than texts, numbers, True, False and None.
 */
export function parseFlatMap(text: string): ReadonlyMap<string, string> | undefined {
  const inner = /^\s*\{(.*)\}\s*$/s.exec(text)?.[1];
  if (inner === undefined) return undefined;
  const found = new Map<string, string>();
  const part =
    /\s*u?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*:\s*(?:u?(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")|([\w.+-]+))\s*(,|$)/sy;
  while (part.lastIndex < inner.length) {
    if (inner.slice(part.lastIndex).trim() === '') return found;
    const match = part.exec(inner);
    if (match === null) return undefined;
    const [, single, double, singleValue, doubleValue, bare, end] = match;
    found.set(unescaped(single ?? double ?? ''), bare ?? unescaped(singleValue ?? doubleValue ?? ''));
    if (end !== ',') return part.lastIndex === inner.length ? found : undefined;
  }
  return found;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

function unescaped(text: string): string {
  return text.replaceAll(/\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(.)/gs, (_whole, wide, narrow, other) => {
    const code: string | undefined = wide ?? narrow;
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    return escapes.get(String(other)) ?? String(other);
  });
}
