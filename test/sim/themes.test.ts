import t from 'tap';
import { drawOptions } from '../../sim/settings/draw-options.ts';

t.test('one seed in ten or so has a theme, and what is fixed by hand stays fixed', async (t) => {
  const seeds = Array.from({ length: 1_000 }, (_, at) => at + 1);
  const isThemed = (seed: number): boolean => {
    const { faults, chaosMs } = drawOptions(seed);
    return faults.length <= 6 && (chaosMs === 120_000 || faults.includes('disk-rolled-back'));
  };
  const themed = seeds.filter(isThemed);
  t.ok(themed.length > 60 && themed.length < 180, `${themed.length} of 1,000`);
  t.ok(new Set(themed.map((seed) => drawOptions(seed).faults.join())).size >= 4, 'each theme in its turn');
  const [seed = 1] = themed;
  t.match(drawOptions(seed, { hosts: 7, faults: [], chaosMs: 1_000 }), { hosts: 7, faults: [], chaosMs: 1_000 });
});
