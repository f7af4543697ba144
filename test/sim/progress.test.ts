import t from 'tap';
import { ledgerLine, withLine } from '../../sim/run/ledger.ts';
import { Progress, statusText } from '../../sim/run/progress.ts';

const status = { seedsDone: 50, seeds: 200, failures: 1, simulatedMs: 3_600_000, wallMs: 10_000 };

t.test('the progress line says how fast it goes and how long is left', async (t) => {
  t.equal(statusText(status), '50 of 200 seeds, 5.0 a second, 1.00 simulated hours, 1 failures, 30 s left');
  t.notMatch(statusText({ ...status, seedsDone: 200 }), /left/);
  t.match(statusText({ ...status, seeds: 100_000 }), /5 h 34 min left/);
});

t.test('on a terminal one line is written over; elsewhere there are plain lines, seldom', async (t) => {
  for (const isTTY of [true, false]) {
    let nowMs = 0;
    const written: string[] = [];
    const progress = new Progress({ isTTY, columns: 60, write: (text) => written.push(text) }, () => nowMs);
    for (; nowMs <= 30_000; nowMs += 100) progress.show(status);
    progress.clear();
    progress.clear();
    const lines = written.filter((text) => text.includes('seeds'));
    if (isTTY) {
      t.ok(lines.length > 100);
      t.ok(lines.every((text) => text.startsWith('\r\u001b[K') && text.length < 60 + 5 && !text.includes('\n')));
      t.equal(written.at(-1), '\r\u001b[K');
      t.equal(written.length, lines.length + 1, 'cleared once');
    } else {
      t.same(written, Array(3).fill(`${statusText(status)}\n`));
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
