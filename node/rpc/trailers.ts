/** Trailers of calls: what is told after the answer, and also after a failure. */
import { Metadata } from '@grpc/grpc-js';
import type { HeaderList } from './answer-part.ts';

const trailersByCall = new WeakMap<object, Map<string, string>>();

/** The trailers of a call, by lower-case name, to be added to. Values are printable ASCII. */
export function trailersOf(call: object): Map<string, string> {
  const known = trailersByCall.get(call);
  if (known !== undefined) return known;
  const made = new Map<string, string>();
  trailersByCall.set(call, made);
  return made;
}

/** Those that were set, for the wire; undefined: none. */
export function trailersSet(call: object): Metadata | undefined {
  const trailers = trailersByCall.get(call);
  return trailers === undefined ? undefined : metadataFrom([...trailers]);
}

/** As grpc-js has them. */
export function metadataFrom(list: HeaderList): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of list) metadata.add(name, value);
  return metadata;
}

/** The texts of a call's metadata; bytes (`-bin`) are left out. */
export function textsOf(metadata: Metadata): HeaderList {
  return Object.keys(metadata.getMap()).flatMap((name) =>
    metadata.get(name).flatMap((value): [string, string][] => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
