import { randomUUID } from 'node:crypto';
import t from 'tap';
import { digestText } from '../../../node/state/digest.ts';
import { MemoryDisk, type OpenedLog, openMemoryLogStore } from '../../../node/store/index.ts';
import { digestsKey, digestsRange } from '../../../node/store/log/keys.ts';
import { applyPut, entriesFrom } from '../../compliance/log-store.ts';

const open = (disk: MemoryDisk): Promise<OpenedLog> =>
  openMemoryLogStore({ raftId: 1, newIncarnation: randomUUID() }, disk);

/** Applies entries from `first` to `last`, and returns what the digest was after each. */
async function applied(log: OpenedLog, first: number, last: number): Promise<Map<number, string>> {
  const digests = new Map<number, string>();
  await log.store.append({
    hardState: { term: 2, vote: 1, commit: last },
    entries: entriesFrom(first, last - first + 1, 2),
  });
  for (let n = first; n <= last; n += 1) {
    applyPut(log, n, `k${n}`);
    digests.set(n, digestText(log.machine.digest));
  }
  await log.store.flush();
  return digests;
}

const known = ({ digests }: OpenedLog): Map<number, string> =>
  new Map(digests.map(({ revision, digest }) => [revision, digestText(digest)]));

void t.test('what the digest was at each revision is known after any restart', async (t) => {
  const disk = new MemoryDisk();
  const expected = new Map<number, string>();
  let last = 0;
  for (const more of [1, 5, 25, 1, 1, 64, 3, 100, 31]) {
    const log = await open(disk);
    t.same(known(log), expected, `after ${last} revisions`);
    for (const [revision, digest] of await applied(log, last + 1, last + more)) expected.set(revision, digest);
    last += more;
    // As a crash: what was flushed is there, and nothing else.
    await log.store.abandon();
  }
});

void t.test('a few thousand are kept, and no more', async (t) => {
  const disk = new MemoryDisk();
  const log = await open(disk);
  await applied(log, 1, 5000);
  await log.store.close();
  const again = await open(disk);
  const revisions = again.digests.map(({ revision }) => revision);
  t.ok(revisions.length >= 4096 && revisions.length < 4200, `${revisions.length} are kept`);
  t.equal(revisions.at(-1), 5000);
});

void t.test('a row that has rotted is forgotten, and told', async (t) => {
  const disk = new MemoryDisk();
  const log = await open(disk);
  await applied(log, 1, 70);
  await log.store.close();
  disk.corrupt(digestsKey(1, 32), 6);
  const again = await open(disk);
  t.equal(again.store.quarantine, undefined);
  t.match(again.findings, [/d\/.* fails its checksum and is forgotten/]);
  t.equal(again.digests[0]?.revision, 33);
  t.equal(again.digests.at(-1)?.revision, 70);
});

void t.test('those of a state that a snapshot replaced are gone', async (t) => {
  const disk = new MemoryDisk();
  const log = await open(disk);
  await applied(log, 1, 70);
  const install = log.store.install();
  await install.write([]);
  const { digest } = log.machine;
  const place = { index: 90, term: 2, confState: log.store.initialState().confState };
  await install.commit(place, digest, { term: 2, vote: 1, commit: 90 });
  t.equal(await countRows(disk, 1), 0);
  await log.store.close();
});

async function countRows(disk: MemoryDisk, generation: number): Promise<number> {
  const { start, end } = digestsRange(generation);
  let count = 0;
  for await (const _ of disk.scan(start, end)) count += 1;
  return count;
}
