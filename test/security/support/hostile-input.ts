/** Input as a hostile or broken sender makes it: noise, and what is right but for a few changes. Seeded. */
import fc from 'fast-check';

/** Bytes in which a number, a length or a text may be cut, flipped, doubled or replaced. */
export function hostileBytes(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const noise = fc.uint8Array({ maxLength: 300 });
  if (valid.length === 0) return noise;
  const changed = fc
    .tuple(
      fc.constantFrom(...valid),
      fc.array(fc.tuple(fc.constantFrom('flip', 'set', 'cut', 'drop', 'double', 'insert'), fc.nat(), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([bytes, changes]) => changes.reduce((now, [how, at, value]) => change(now, how, at, value), bytes));
  return fc.oneof({ weight: 1, arbitrary: noise }, { weight: 4, arbitrary: changed });
}

function change(bytes: Uint8Array, how: string, place: number, value: number): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(value);
  const at = place % bytes.length;
  const before = bytes.subarray(0, at);
  switch (how) {
    case 'flip':
      return Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ (1 << (value & 7)) : byte));
    case 'set':
      return Uint8Array.from(bytes, (byte, index) => (index === at ? value : byte));
    case 'cut':
      return Uint8Array.from(before);
    case 'drop':
      return Uint8Array.of(...before, ...bytes.subarray(at + 1 + (value % 8)));
    case 'double':
      return Uint8Array.of(...bytes.subarray(0, at + 1), ...bytes.subarray(at));
    default:
      return Uint8Array.of(...before, value, ...bytes.subarray(at));
  }
}

/** Text: noise of any code units, and the valid ones with changes. */
export function hostileText(valid: readonly string[]): fc.Arbitrary<string> {
  const unit = fc.oneof(
    fc.integer({ min: 0x20, max: 0x7e }),
    fc.integer({ min: 0, max: 0xffff }),
    fc.constantFrom(0, 0x2f, 0x3a, 0x2c, 0xd800, 0xdfff),
  );
  const noise = fc.string({ unit: unit.map((code) => String.fromCharCode(code)), maxLength: 120 });
  if (valid.length === 0) return noise;
  const changed = fc
    .tuple(
      fc.constantFrom(...valid),
      fc.array(
        fc.tuple(
          fc.nat(),
          fc.nat(3),
          noise.map((text) => text.slice(0, 6)),
        ),
        { minLength: 1, maxLength: 4 },
      ),
    )
    .map(([text, changes]) =>
      changes.reduce((now, [place, drop, put]) => {
        const at = place % (now.length + 1);
        return now.slice(0, at) + put + now.slice(at + drop);
      }, text),
    );
  const long = fc
    .tuple(fc.constantFrom(...valid), fc.integer({ min: 2, max: 2_000 }))
    .map(([text, n]) => text.repeat(n));
  return fc.oneof({ weight: 2, arbitrary: noise }, { weight: 6, arbitrary: changed }, { weight: 1, arbitrary: long });
}

/** Any value that JSON can hold, and the valid ones with members of other types. */
export function hostileValue(valid: readonly object[]): fc.Arbitrary<unknown> {
  const any = fc.jsonValue({ maxDepth: 4 });
  if (valid.length === 0) return any;
  const changed = fc
    .tuple(fc.constantFrom(...valid), fc.nat(), any)
    .map(([value, place, put]) => replaced(structuredClone(value), place, put));
  return fc.oneof({ weight: 1, arbitrary: any }, { weight: 3, arbitrary: changed });
}

/** The value with another in one of its places. */
function replaced(value: object, place: number, put: unknown): unknown {
  const places: (() => void)[] = [];
  const visit = (at: object): void => {
    for (const [key, member] of Object.entries(at)) {
      places.push(
        () => Reflect.set(at, key, put),
        () => Reflect.deleteProperty(at, key),
      );
      if (typeof member === 'object' && member !== null) visit(member);
    }
  };
  visit(value);
  if (places.length === 0) return put;
  places[place % places.length]?.();
  return value;
}
