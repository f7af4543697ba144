import t from 'tap';
import { ledgerLine, withLine } from '../../sim/run/ledger.ts';
import { Progress, standingText } from '../../sim/run/progress.ts';

const standing = { seedsDone: 50, seeds: 200, failures: 1, simulatedMs: 3_600_000, wallMs: 10_000 };

t.test('a standing says how fast it goes and how long it takes yet', async (t) => {
  t.equal(standingText(standing), '50 of 200 seeds, 5.0 a second, 1.00 simulated hours, 1 failures, 30 s left');
  t.notMatch(standingText({ ...standing, seedsDone: 200 }), /left/);
  t.match(standingText({ ...standing, seeds: 100_000 }), /5 h 34 min left/);
});

t.test('on a terminal one line is written over; elsewhere there are plain lines, seldom', async (t) => {
  for (const isTTY of [true, false]) {
    let nowMs = 0;
    const written: string[] = [];
    const progress = new Progress({ isTTY, columns: 60, write: (text) => written.push(text) }, () => nowMs);
    for (; nowMs <= 30_000; nowMs += 100) progress.show(standing);
    progress.clear();
    progress.clear();
    const lines = written.filter((text) => text.includes('seeds'));
    if (isTTY) {
      t.ok(lines.length > 100);
      t.ok(lines.every((text) => text.startsWith('\r\u001b[K') && text.length < 60 + 5 && !text.includes('\n')));
      t.equal(written.at(-1), '\r\u001b[K');
      t.equal(written.length, lines.length + 1, 'cleared once');
    } else {
      t.same(written, Array(3).fill(`${standingText(standing)}\n`));
    }
  }
});

t.test('the ledger gets its line at the end of its first table', async (t) => {
  const line = ledgerLine(
    { from: 1, to: 300, simulatedMs: 7_200_000, failures: [12, 48] },
    { commit: 'abc1234', date: '2026-11-27' },
  );
  t.equal(line, '| 2026-11-27 | abc1234 | 1-300 | 2.00 | 2: 12, 48 |');
  const head = '| a | b | c | d | e |\n|---|---|---|---|---|\n| 1 |\n';
  t.equal(withLine(`${head}\nMore.\n`, line), `${head}${line}\n\nMore.\n`);
  t.throws(() => withLine('no table', line), { code: 'CONFIG_INVALID' });
});
