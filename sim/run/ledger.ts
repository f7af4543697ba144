/** Adds what was run to the ledger: one line by commit, in the table at its head. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { ShoalError } from '../../node/base/errors.ts';

const ledger = new URL('../LEDGER.md', import.meta.url);
/** The table's line under its heads. */
const tableStart = '|---|---|---|---|---|\n';

interface LedgerEntry {
  /** First and last seed. */
  readonly from: number;
  readonly to: number;
  readonly simulatedMs: number;
  /** Seeds that failed. */
  readonly failures: readonly number[];
}

/** Writes the line behind the last one of the table and returns it. Throws `CONFIG_INVALID` where there is no table. */
export function appendToLedger(entry: LedgerEntry): string {
  const text = readFileSync(ledger, 'utf8');
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: new URL('.', import.meta.url), encoding: 'utf8' }).trim();
  const isChanged = git('status', '--porcelain', '--untracked-files=no') !== '';
  const commit = `${git('rev-parse', '--short', 'HEAD')}${isChanged ? ' and changes after it' : ''}`;
  const line = ledgerLine(entry, { commit, date: new Date().toISOString().slice(0, 10) });
  writeFileSync(ledger, withLine(text, line));
  return line;
}

export function ledgerLine(entry: LedgerEntry, made: { readonly commit: string; readonly date: string }): string {
  const { from, to, simulatedMs, failures } = entry;
  const found = failures.length === 0 ? '0' : `${failures.length}: ${failures.slice(0, 20).join(', ')}`;
  return `| ${made.date} | ${made.commit} | ${from}-${to} | ${(simulatedMs / 3_600_000).toFixed(2)} | ${found} |`;
}

/** The ledger with `line` at the end of its first table. */
export function withLine(text: string, line: string): string {
  const start = text.indexOf(tableStart);
  if (start === -1) throw new ShoalError('CONFIG_INVALID', 'sim/LEDGER.md has no table of five columns');
  const end = text.indexOf('\n\n', start);
  const at = end === -1 ? text.length : end + 1;
  return `${text.slice(0, at)}${line}\n${text.slice(at)}`;
}
