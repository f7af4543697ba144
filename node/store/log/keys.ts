/**
 * Every key of the log's LevelDB. Part of the stored format: forever.
 *
 *     head                      term, vote, commit, where the log begins and ends (records.ts); in every batch
 *     applied                   applied index and term, membership, which state rows count (records.ts)
 *     identity                  member number, incarnation, number of starts (records.ts)
 *     peer/<raft id>            the last that was heard of a member (records.ts)
 *     l/<log>/<index>           one entry (entry-record.ts)
 *     r/<state>/<row>           one row of the state (state/rows.ts) behind its checksum
 *     d/<state>/<index>         the state's digests at revisions up to <index> (kept-digests.ts)
 *     q/<log>/<index>           what was found broken and set aside, for people to look at
 *
 * `<index>` is 14 hex digits, so that keys sort by index. `<log>` and `<state>` are generations, 8 hex digits: a snapshot
 * that is installed writes new ones beside the old, then switches to them in one batch.
 */
export const headKey = 'head';

/** Where the `AppliedRecord` lies. */
export const appliedKey = 'applied';

/** Where the `Identity` lies. */
export const identityKey = 'identity';

/** Where the `PeerMemory` of a member lies. */
export function peerKey(raftId: number): string {
  return `peer/${raftId}`;
}

/** All peers lie in [start, end). */
export const peerRange = { start: 'peer/', end: 'peer0' } as const;

/** Where an entry lies: `index` in [1, 2^53), `generation` the head's `logGeneration`. */
export function entryKey(generation: number, index: number): string {
  return `${prefix('l', generation)}${hex(index, 14)}`;
}

/** Where a broken entry is set aside. Nothing reads it but `shoal inspect`, and nothing removes it. */
export function quarantineKey(generation: number, index: number): string {
  return `q/${hex(generation, 8)}/${hex(index, 14)}`;
}

/** All entries of a generation lie in [start, end). */
export function entryRange(generation: number): KeyRange {
  return { start: `l/${hex(generation, 8)}/`, end: `l/${hex(generation, 8)}0` };
}

/** The index that an entry's key names. */
export function indexOfEntryKey(key: string): number {
  return Number.parseInt(key.slice(-14), 16);
}

/** Where a row of the state lies; `row` as in state/rows.ts, `generation` the applied record's `stateGeneration`. */
export function rowKey(generation: number, row: string): string {
  return `${prefix('r', generation)}${row}`;
}

/** All rows of a generation lie in [start, end). */
export function rowRange(generation: number): KeyRange {
  return { start: `r/${hex(generation, 8)}/`, end: `r/${hex(generation, 8)}0` };
}

/** The row that a row's key names. */
export function rowOfKey(key: string): string {
  return key.slice(11);
}

/** Where the digests of revisions up to `index` lie. */
export function digestsKey(generation: number, index: number): string {
  return `d/${hex(generation, 8)}/${hex(index, 14)}`;
}

/** All digests of a generation lie in [start, end). */
export function digestsRange(generation: number): KeyRange {
  return { start: `d/${hex(generation, 8)}/`, end: `d/${hex(generation, 8)}0` };
}

/** Everything of the generations before this one. */
export function olderGenerations(kind: 'l' | 'r' | 'd', generation: number): KeyRange {
  return { start: `${kind}/`, end: `${kind}/${hex(generation, 8)}/` };
}

/** The ranges of every generation but one. */
export function otherGenerations(kind: 'l' | 'r' | 'd', generation: number): readonly KeyRange[] {
  return [
    { start: `${kind}/`, end: `${kind}/${hex(generation, 8)}/` },
    { start: `${kind}/${hex(generation, 8)}0`, end: `${kind}0` },
  ];
}

interface KeyRange {
  readonly start: string;
  readonly end: string;
}

/** The prefixes asked for last: one generation is written at a time, thousands of keys a second. */
const lastPrefix = { l: { generation: -1, text: '' }, r: { generation: -1, text: '' } };

function prefix(kind: 'l' | 'r', generation: number): string {
  const last = lastPrefix[kind];
  if (last.generation === generation) return last.text;
  const text = `${kind}/${hex(generation, 8)}/`;
  lastPrefix[kind] = { generation, text };
  return text;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
