/** Bugs planted in slices: what a replica tells of them, what a host keeps and believes, what is answered from them. */
import type { Clock } from '../../node/base/clock.ts';
import { RequestQueue } from '../../node/slices/request-queue.ts';
import type { SliceHandler, SliceReply, SliceRequest } from '../../node/slices/slice-channel.ts';
import type { SliceDelta } from '../../node/state/slices/slice-delta.ts';
import type { Disk, DiskOp } from '../../node/store/log/disk.ts';
import { withoutFence } from './host-ports.ts';
import type { Mutant } from './mutant.ts';
import { slices } from './settings.ts';

/** How late what a slice writes comes to a disk that lies. Unit: ms. */
const lateMs = 15_000;

/** A replica that tells other pieces than it should. */
function telling(edit: (delta: SliceDelta) => SliceDelta): (inner: SliceHandler) => SliceHandler {
  return (inner) =>
    async function* serve(requests, signal) {
      for await (const reply of inner(requests, signal))
        yield reply.kind === 'piece' ? { kind: 'piece', delta: edit(reply.delta) } : reply;
    };
}

/** A replica that hears something else than what subscribers say. */
function hearing(inner: SliceHandler, edit: (request: SliceRequest) => SliceRequest): SliceHandler {
  return (requests, signal) =>
    inner(
      (async function* heard() {
        for await (const request of requests) yield edit(request);
      })(),
      signal,
    );
}

/** Says of each term, as soon as it is asked for, that all there is of it has come. */
function holdingAtOnce(inner: SliceHandler): SliceHandler {
  return (requests, signal) => {
    const heard = new RequestQueue<SliceRequest>();
    const told = new RequestQueue<SliceReply>();
    let revision = 0;
    const hearing = async (): Promise<void> => {
      for await (const request of requests) {
        heard.push(request);
        if (request.kind !== 'change' || revision === 0) continue;
        const { termsNumber } = request;
        told.push({ kind: 'piece', delta: { revision, puts: [], deletes: [], isWhole: true, termsNumber } });
      }
    };
    const telling = async (): Promise<void> => {
      for await (const reply of inner(heard, signal)) {
        if (reply.kind === 'piece') revision = reply.delta.revision;
        told.push(reply);
      }
    };
    const serving = Promise.all([hearing().finally(() => heard.close()), telling()]).finally(() => told.close());
    return (async function* serve() {
      yield* told;
      await serving;
    })();
  };
}

/** What is written is on disk much later, all in order: a start finds a slice of before. */
function late(inner: Disk, clock: Clock): Disk {
  const write = async (ops: readonly DiskOp[]): Promise<void> => {
    clock.setTimeout(() => {
      inner.write(ops).catch(() => {
        // The bug: nobody looks.
      });
    }, lateMs);
  };
  return {
    get: (key) => inner.get(key),
    scan: (start, end) => inner.scan(start, end),
    write,
    clear: (start, end) => inner.clear(start, end),
    compact: () => inner.compact(),
    close: async () => {},
  };
}

/** Every so many pieces that have something in them. */
function everyNth(count: number): (delta: SliceDelta) => boolean {
  let seen = 0;
  return ({ puts, deletes }) => {
    if (puts.length + deletes.length > 0) seen += 1;
    return seen % count === count - 1;
  };
}

export const sliceMutants = {
  'slice-delta-dropped': {
    text: 'a replica passes over what it has to tell of a slice, now and then',
    overrides: slices,
    slices: {
      feeder: (inner) => {
        const isDropped = everyNth(5);
        return telling((delta) => (isDropped(delta) ? { ...delta, puts: [], deletes: [] } : delta))(inner);
      },
    },
  },
  'slice-removals-not-fed': {
    text: 'a replica tells slices of rows that have changed, and not of those that are gone',
    overrides: slices,
    slices: { feeder: telling((delta) => ({ ...delta, deletes: [] })) },
  },
  'slice-resumes-too-late': {
    text: 'a replica takes a subscriber that comes back for one that is current',
    overrides: slices,
    slices: {
      feeder: (inner, replica) =>
        hearing(inner, (request) =>
          request.kind === 'subscribe' && request.revision > 0
            ? { ...request, revision: replica.local.revision }
            : request,
        ),
    },
  },
  'slice-goes-back': {
    text: 'a replica that is behind feeds a slice that is newer',
    overrides: { ...slices, faults: ['disk-rolled-back', 'agent-crash'], faultEveryMs: 500 },
    slices: {
      feeder: (inner, replica) =>
        hearing(inner, (request) =>
          request.kind === 'subscribe'
            ? { ...request, revision: Math.min(request.revision, replica.local.revision) }
            : request,
        ),
    },
  },
  'slice-term-held-at-once': {
    text: 'a slice counts as whole in what it has asked for before that has come',
    overrides: slices,
    slices: { feeder: holdingAtOnce },
  },
  'slice-repair-believes-digests': {
    text: 'a replica takes the slice of a subscriber that sends digests for the same as its own',
    overrides: { ...slices, logBytesMax: 20_000 },
    slices: {
      feeder: telling((delta) =>
        delta.cleared === undefined
          ? delta
          : { ...delta, puts: [], deletes: [], cleared: { ...delta.cleared, numbers: new Set<number>() } },
      ),
    },
  },
  'slice-partial-unmarked': {
    text: 'what is answered from a slice is given as all that there is',
    overrides: slices,
    slices: {
      part: (inner) => ({
        revision: inner.revision,
        bare: inner.bare,
        covers: () => true,
        coversRange: () => true,
      }),
    },
  },
  'stale-slice-acts': {
    text: 'a host goes on with an older slice than the one on whose word it has acted',
    overrides: {
      ...slices,
      faults: ['agent-crash', 'net-isolate'],
      faultEveryMs: 300,
      faultForMs: 4_000,
      chaosMs: 60_000,
    },
    slices: { disk: late },
    ports: withoutFence,
  },
} as const satisfies Readonly<Record<string, Mutant>>;
