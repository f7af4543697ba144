import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { Prng } from '../../node/base/prng.ts';
import { MemoryDisk } from '../../node/store/index.ts';
import { openLevelDisk } from '../../node/store/level/level-disk.ts';
import { SimDisk } from '../../sim/world/disk.ts';
import { Life, Schedule } from '../../sim/world/schedule.ts';
import { replaceWriteAheadFile } from '../support/store/broken-disk.ts';
import { diskCompliance } from './disk.ts';

await t.test('LevelDB', async (t) => {
  await diskCompliance(t, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-disk-'));
    return {
      open: () => openLevelDisk(folder),
      failNextWrite: () => replaceWriteAheadFile(folder, '/dev/null'),
      dispose: () => rm(folder, { recursive: true, force: true }),
    };
  });
});

for (const how of ['lost', 'kept', 'full'] as const) {
  await t.test(`in memory, where a write fails: ${how}`, async (t) => {
    await diskCompliance(t, async () => {
      const disk = new MemoryDisk();
      return {
        open: async () => {
          disk.isFull = false;
          return disk;
        },
        failNextWrite: () => {
          if (how === 'full') disk.isFull = true;
          else disk.failNextWrite = how;
        },
        dispose: async () => {},
      };
    });
  });
}

for (const how of ['lost', 'kept', 'full'] as const) {
  await t.test(`simulated, where a write fails: ${how}`, async (t) => {
    await diskCompliance(t, async () => {
      const schedule = new Schedule();
      const observer = { onDurable() {}, onWiped() {}, onRolledBack() {} };
      const disk = new SimDisk({ schedule, random: new Prng(1), observer }, { syncMs: 1 });
      const life = new Life('n1.1');
      let isOver = false;
      const time = async (): Promise<void> => {
        while (!isOver) {
          await schedule.runUntil(schedule.nowMs + 10, () => isOver);
          await delay(0);
        }
      };
      const running = time();
      return {
        open: async () => {
          disk.isFull = false;
          return disk.open(life);
        },
        failNextWrite: () => {
          if (how === 'full') disk.isFull = true;
          else disk.failNext = how;
        },
        dispose: async () => {
          isOver = true;
          await running;
        },
      };
    });
  });
}

await t.test('no more writes are lost than are remembered', async (t) => {
  const disk = new MemoryDisk({ keepsHistory: true });
  await disk.write([{ key: 'a', value: new Uint8Array(1) }]);
  await disk.write([{ key: 'b', value: new Uint8Array(1) }]);
  t.throws(() => disk.lose(3), RangeError);
  disk.lose(1);
  t.same(disk.keys(), ['a']);
  t.throws(() => new MemoryDisk().lose(1), RangeError);
});
