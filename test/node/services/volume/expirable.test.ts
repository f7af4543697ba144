/** Which backups have expired, over random histories of volumes with full and incremental backups. */
import t from 'tap';
import { Prng } from '../../../../node/base/prng.ts';
import { expiredBackups } from '../../../../node/services/volume/backups/expirable.ts';

interface Backup {
  readonly id: string;
  readonly volumeId: string;
  readonly parentId: string;
  readonly status: string;
  readonly dataTimestampMs: number;
  readonly createdMs: number;
}

function backup(id: string, dataTimestampMs: number, parentId = '', more: Partial<Backup> = {}): Backup {
  return { id, volumeId: 'v', parentId, status: 'available', dataTimestampMs, createdMs: dataTimestampMs, ...more };
}

const everything = (): boolean => true;
const always = { keepNewest: 1, beforeMs: Number.MAX_SAFE_INTEGER };

t.test('the newest of each volume stay, and what they add to', (t) => {
  const all = [
    backup('full', 1),
    backup('inc', 2, 'full'),
    backup('other', 1, '', { volumeId: 'w' }),
    backup('new', 3),
  ];
  t.same(expiredBackups(all, always, everything), { leaves: ['inc'], later: 1, needed: 0 }, 'the end of a chain first');
  t.same(expiredBackups(all, { ...always, keepNewest: 2 }, everything), { leaves: [], later: 0, needed: 1 });
  t.same(expiredBackups(all, { ...always, beforeMs: 2 }, everything), { leaves: [], later: 0, needed: 1 }, 'age, too');
  t.same(expiredBackups(all, { ...always, keepNewest: 0 }, everything).leaves.length, 3);
  t.end();
});

t.test('one that is not whole counts as none of the newest, and stays', (t) => {
  const all = [
    backup('old', 1),
    backup('failed', 2, '', { status: 'error' }),
    backup('made', 3, '', { status: 'creating' }),
  ];
  t.same(expiredBackups(all, always, everything), { leaves: [], later: 0, needed: 0 });
  const adding = [backup('old', 1), backup('newer', 2), backup('made', 0, 'old', { status: 'creating', createdMs: 3 })];
  t.same(expiredBackups(adding, always, everything), { leaves: [], later: 0, needed: 1 }, 'and keeps what it adds to');
  t.end();
});

t.test('what is out of scope stays, and so does what it adds to', (t) => {
  const all = [backup('full', 1), backup('inc', 2, 'full'), backup('new', 3)];
  t.same(
    expiredBackups(all, always, ({ id }) => id !== 'inc'),
    { leaves: [], later: 0, needed: 1 },
  );
  t.end();
});

t.test('removed leaf by leaf, no chain is ever broken, and all that stays is what the rule keeps', (t) => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = new Prng(seed);
    let all: Backup[] = [];
    for (let at = 1; at <= 30; at++) {
      const volumeId = `v${random.below(3)}`;
      const before = all.filter((one) => one.volumeId === volumeId && one.status === 'available');
      const parentId = random.below(3) === 0 ? '' : (before.at(-1)?.id ?? '');
      const status = random.below(8) === 0 ? 'error' : 'available';
      all.push(backup(`b${at}`, at, parentId, { volumeId, status }));
    }
    const rule = { keepNewest: random.below(4), beforeMs: random.below(35) };
    const first = all;
    for (let round = 0; ; round++) {
      const { leaves, later, needed } = expiredBackups(all, rule, everything);
      for (const id of leaves)
        t.notOk(
          all.some(({ parentId }) => parentId === id),
          `seed ${seed}: ${id} has nothing above`,
        );
      if (leaves.length === 0) {
        if (later !== 0) t.fail(`seed ${seed}: ${later} wait for nothing`);
        const stays = new Set(all.map(({ id }) => id));
        t.ok(
          all.every(({ parentId }) => parentId === '' || stays.has(parentId)),
          `seed ${seed}: every chain is whole`,
        );
        for (const volumeId of ['v0', 'v1', 'v2']) {
          const newest = first
            .filter((one) => one.volumeId === volumeId && one.status === 'available')
            .slice(-rule.keepNewest);
          if (rule.keepNewest > 0)
            t.ok(
              newest.every(({ id }) => stays.has(id)),
              `seed ${seed}: the newest stay`,
            );
        }
        t.ok(first.filter((one) => one.dataTimestampMs >= rule.beforeMs).every(({ id }) => stays.has(id)));
        t.ok(needed <= all.length && round <= 30);
        break;
      }
      all = all.filter(({ id }) => !leaves.includes(id));
    }
  }
  t.end();
});
