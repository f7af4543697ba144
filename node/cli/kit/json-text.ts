/** What `--json` prints: one line of JSON, in which bytes are base64, as in JSON of Protobuf. */
export function jsonText(value: unknown): string {
  return JSON.stringify(plain(value));
}

/** Bytes would print as an object of numbers, and a Buffer as an object of its own kind. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  // A message, or a 64-bit number, may know better how it is written.
  if ('toJSON' in value && typeof value.toJSON === 'function') return plain(value.toJSON());
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
