/**
 * The part of etcd's key-value API that the bench speaks (package etcdserverpb, etcd 3.4): put, range of one key, status.
 * Written by hand on protobufjs' reader and writer, so that the load generator spends little on it, and the same little on
 * both systems: the members under test answer this API too (kv-server.ts).
 */
import { Reader, Writer } from 'protobufjs';

/** Paths of the calls. */
export const kvPaths = {
  put: '/etcdserverpb.KV/Put',
  range: '/etcdserverpb.KV/Range',
  status: '/etcdserverpb.Maintenance/Status',
} as const;

export interface PutRequest {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Asks for one key. */
export interface RangeRequest {
  readonly key: string;
  /** From the replica that is asked, however old; otherwise linearizable. */
  readonly serializable: boolean;
}

/** Of a range of one key. */
export interface RangeResponse {
  readonly value: Uint8Array | undefined;
}

/** Ids are 64 bits wide and come as the nearest number: good enough to tell three members apart. */
export interface StatusResponse {
  readonly memberId: number;
  readonly leader: number;
}

// Numbers of fields, as they are on the wire.
const putKey = 1;
const putValue = 2;
const rangeKey = 1;
const rangeSerializable = 7;
const responseHeader = 1;
const headerMemberId = 2;
const rangeKvs = 2;
const kvKey = 1;
const kvValue = 5;
const statusLeader = 4;

/** Kinds of protobuf fields, in the low three bits of a tag. */
const varint = 0;
const lengthDelimited = 2;
const tag = (field: number, kind: number): number => field * 8 + kind;

export function encodePut(request: PutRequest): Buffer {
  return finished(
    Writer.create()
      .uint32(tag(putKey, lengthDelimited))
      .string(request.key)
      .uint32(tag(putValue, lengthDelimited))
      .bytes(request.value),
  );
}

export function decodePut(bytes: Uint8Array): PutRequest {
  let key = '';
  let value = new Uint8Array(0);
  eachField(Reader.create(bytes), (field, reader) => {
    if (field === putKey) key = reader.string();
    else if (field === putValue) value = new Uint8Array(reader.bytes());
    else return false;
    return true;
  });
  return { key, value };
}

export function encodeRange(request: RangeRequest): Buffer {
  const writer = Writer.create().uint32(tag(rangeKey, lengthDelimited)).string(request.key);
  if (request.serializable) writer.uint32(tag(rangeSerializable, varint)).bool(true);
  return finished(writer);
}

export function decodeRange(bytes: Uint8Array): RangeRequest {
  let key = '';
  let serializable = false;
  eachField(Reader.create(bytes), (field, reader) => {
    if (field === rangeKey) key = reader.string();
    else if (field === rangeSerializable) serializable = reader.bool();
    else return false;
    return true;
  });
  return { key, serializable };
}

export function encodeRangeResponse(key: string, value: Uint8Array | undefined): Buffer {
  const writer = Writer.create();
  if (value !== undefined) {
    writer.uint32(tag(rangeKvs, lengthDelimited)).fork();
    writer.uint32(tag(kvKey, lengthDelimited)).string(key);
    writer.uint32(tag(kvValue, lengthDelimited)).bytes(value).ldelim();
  }
  return finished(writer);
}

export function decodeRangeResponse(bytes: Uint8Array): RangeResponse {
  let value: Uint8Array | undefined;
  eachField(Reader.create(bytes), (field, reader) => {
    if (field !== rangeKvs) return false;
    eachField(Reader.create(reader.bytes()), (inner, kv) => {
      if (inner !== kvValue) return false;
      value = kv.bytes();
      return true;
    });
    return true;
  });
  return { value };
}

export function decodeStatusResponse(bytes: Uint8Array): StatusResponse {
  let memberId = 0;
  let leader = 0;
  eachField(Reader.create(bytes), (field, reader) => {
    if (field === statusLeader) {
      leader = Number(reader.uint64());
      return true;
    }
    if (field !== responseHeader) return false;
    eachField(Reader.create(reader.bytes()), (inner, header) => {
      if (inner !== headerMemberId) return false;
      memberId = Number(header.uint64());
      return true;
    });
    return true;
  });
  return { memberId, leader };
}

/** An answer or a question of no fields, or one whose fields nobody looks at. */
export const noMessage = Buffer.alloc(0);

/** Calls `take` with each field; it returns false for what it does not read. */
function eachField(reader: Reader, take: (field: number, reader: Reader) => boolean): void {
  while (reader.pos < reader.len) {
    const read = reader.uint32();
    if (!take(read >>> 3, reader)) reader.skipType(read & 7);
  }
}

function finished(writer: Writer): Buffer {
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
