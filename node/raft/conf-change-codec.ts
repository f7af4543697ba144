/**
 * Conf changes as bytes of an entry. The layout is that of raftpb's `ConfChange` and `ConfChangeV2` in protobuf, written
 * by hand because it is six fields and because the log is forever: a generated codec may change, this may not.
 *
 *     ConfChange       { 1: id (not used)   2: type   3: node_id   4: context }
 *     ConfChangeV2     { 1: transition   2: repeated ConfChangeSingle   3: context }
 *     ConfChangeSingle { 1: type   2: node_id }
 *
 * Zero values are left out; unknown fields are skipped, so that an older node reads a newer one's change.
 */
import type {
  ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeType,
  ConfChangeV1,
  ConfChangeV2,
} from './conf-change.ts';
import { noBytes } from './messages/messages.ts';

/** Numbers on disk. Never renumber. */
const changeTypes: readonly ConfChangeType[] = ['addNode', 'removeNode', 'updateNode', 'addLearner'];
const transitions: readonly ConfChangeTransition[] = ['auto', 'implicit', 'explicit'];

/** More changes at once than any cell has agents would need: a bound on what a hostile entry makes us allocate. */
export const changesPerEntryMax = 1024;

const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;

/** The data of a `confChange` entry, as etcd writes it but without an id. Read by `decodeConfChangeV1`. */
export function encodeConfChangeV1(change: ConfChangeV1): Uint8Array {
  const out: number[] = [];
  pushVarintField(out, 2, changeTypes.indexOf(change.type));
  pushVarintField(out, 3, change.nodeId);
  pushBytesField(out, 4, change.context);
  return Uint8Array.from(out);
}

/** The data of a `confChangeV2` entry; no bytes at all for the change that leaves a joint configuration. */
export function encodeConfChangeV2(change: ConfChangeV2): Uint8Array {
  const out: number[] = [];
  pushVarintField(out, 1, transitions.indexOf(change.transition));
  for (const single of change.changes) {
    const inner: number[] = [];
    pushVarintField(inner, 1, changeTypes.indexOf(single.type));
    pushVarintField(inner, 2, single.nodeId);
    pushVarint(out, (2 << 3) | wireBytes);
    pushVarint(out, inner.length);
    out.push(...inner);
  }
  pushBytesField(out, 3, change.context);
  return out.length === 0 ? noBytes : Uint8Array.from(out);
}

/** The change in `data`, or `undefined` when the bytes are not one. */
export function decodeConfChangeV1(data: Uint8Array): ConfChangeV1 | undefined {
  let type: ConfChangeType | undefined = 'addNode';
  let nodeId = 0;
  let context = noBytes;
  const whole = readFields(data, (field, value) => {
    if (field === 2 && typeof value === 'number') type = changeTypes[value];
    else if (field === 3 && typeof value === 'number') nodeId = value;
    else if (field === 4 && typeof value !== 'number') context = value;
  });
  return whole && type !== undefined ? { type, nodeId, context } : undefined;
}

/** The change in `data`, or `undefined` when the bytes are not one. */
export function decodeConfChangeV2(data: Uint8Array): ConfChangeV2 | undefined {
  let transition: ConfChangeTransition | undefined = 'auto';
  let context = noBytes;
  let valid = true;
  const changes: ConfChangeSingle[] = [];
  const whole = readFields(data, (field, value) => {
    if (field === 1 && typeof value === 'number') transition = transitions[value];
    else if (field === 3 && typeof value !== 'number') context = value;
    else if (field === 2 && typeof value !== 'number') {
      const single = decodeSingle(value);
      if (single === undefined || changes.length >= changesPerEntryMax) valid = false;
      else changes.push(single);
    }
  });
  return whole && valid && transition !== undefined ? { transition, changes, context } : undefined;
}

function decodeSingle(data: Uint8Array): ConfChangeSingle | undefined {
  let type: ConfChangeType | undefined = 'addNode';
  let nodeId = 0;
  const whole = readFields(data, (field, value) => {
    if (field === 1 && typeof value === 'number') type = changeTypes[value];
    else if (field === 2 && typeof value === 'number') nodeId = value;
  });
  return whole && type !== undefined ? { type, nodeId } : undefined;
}

function pushVarint(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80); // Not a shift: ids have up to 53 bits.
  }
  out.push(rest);
}

function pushVarintField(out: number[], field: number, value: number): void {
  if (value === 0) return;
  pushVarint(out, (field << 3) | wireVarint);
  pushVarint(out, value);
}

function pushBytesField(out: number[], field: number, value: Uint8Array): void {
  if (value.length === 0) return;
  pushVarint(out, (field << 3) | wireBytes);
  pushVarint(out, value.length);
  for (const byte of value) out.push(byte);
}

/** Calls `visit` for each field; false when the bytes end early, hold a number of 2^53 or more, or an unknown type. */
function readFields(data: Uint8Array, visit: (field: number, value: number | Uint8Array) => void): boolean {
  let at = 0;
  const varint = (): number | undefined => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = data[at];
      if (byte === undefined) return undefined;
      at++;
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) return undefined;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  };
  while (at < data.length) {
    const tag = varint();
    if (tag === undefined) return false;
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === wireVarint) {
      const value = varint();
      if (value === undefined) return false;
      visit(field, value);
      continue;
    }
    const length = wire === wireBytes ? varint() : wire === wireFixed64 ? 8 : wire === wireFixed32 ? 4 : undefined;
    if (length === undefined || at + length > data.length) return false;
    if (wire === wireBytes) visit(field, new Uint8Array(data.subarray(at, at + length)));
    at += length;
  }
  return true;
}
