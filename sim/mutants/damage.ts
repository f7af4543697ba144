/** Bugs planted in what a start does about a damaged database. */
import type { Disk } from '../../node/store/log/disk.ts';
import { appliedKey, entryRange, headKey, indexOfEntryKey } from '../../node/store/log/keys.ts';
import type { LogPlace } from '../../node/store/log/log-place.ts';
import { decodeApplied, decodeHead, encodeRecord } from '../../node/store/log/records.ts';
import type { Mutant } from './mutant.ts';
import { consensus } from './settings.ts';

/** A start that looks at nothing: neither at the files nor at what lies beside them. */
function unexamined(inner: LogPlace, more: Partial<LogPlace> = {}): LogPlace {
  return {
    ...inner,
    mark: { ...inner.mark, found: undefined },
    check: async () => ({ isThere: true, faults: [], brokenEnd: undefined, last: undefined }),
    ...more,
  };
}

export const damageMutants = {
  'dropped-block-ignored': {
    text: 'a start goes on with what LevelDB has left of its log: where entries are missing, the log begins behind the state',
    overrides: {
      ...consensus,
      faults: ['disk-block-dropped', 'leader-moves'],
      faultEveryMs: 700,
      clients: 6,
      thinkMs: 20,
    },
    place: (_node, inner) =>
      unexamined(inner, {
        open: async () => {
          const disk = await inner.open();
          await beginBehindState(disk);
          return disk;
        },
      }),
  },
  'missing-current-taken-for-new': {
    text: 'a database without its CURRENT is taken for one that was never made',
    overrides: { ...consensus, faults: ['disk-current-gone', 'leader-moves'], faultEveryMs: 700 },
    place: (_node, inner) => unexamined(inner, { owner: undefined }),
  },
  'mark-not-looked-at': {
    text: 'a start believes a log whose end is missing: it does not look at the mark beside it',
    overrides: {
      ...consensus,
      faults: ['disk-end-missing', 'net-isolate', 'net-one-way', 'leader-moves'],
      faultEveryMs: 300,
      clients: 6,
      thinkMs: 20,
    },
    place: (_node, inner) => ({ ...inner, mark: { ...inner.mark, found: undefined } }),
  },
} as const satisfies Readonly<Record<string, Mutant>>;

/** What a start once did: whatever the state covers was not missed. */
async function beginBehindState(disk: Disk): Promise<void> {
  const [headBytes, appliedBytes] = [disk.get(headKey), disk.get(appliedKey)];
  const head = headBytes && decodeHead(headKey, headBytes);
  const applied = appliedBytes && decodeApplied(appliedKey, appliedBytes);
  if (head === undefined || applied === undefined) return;
  const { logSum: _sum, batch: _batch, ...rest } = head;
  const { digest: _digest, ...rows } = applied;
  let expected = head.startIndex + 1;
  const { start, end } = entryRange(head.logGeneration);
  for await (const { key } of disk.scan(start, end)) if (indexOfEntryKey(key) === expected) expected += 1;
  const isWhole = expected > head.lastIndex;
  const isBehind = !isWhole && applied.index >= head.startIndex && applied.index <= head.lastIndex;
  const begun = isBehind ? { ...rest, startIndex: applied.index, startTerm: applied.term } : rest;
  await disk.write([
    { key: headKey, value: encodeRecord(headKey, begun) },
    { key: appliedKey, value: encodeRecord(appliedKey, rows) },
  ]);
}
