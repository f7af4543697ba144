/** The tables of a service's LEDGER.md: what the API is beside the real service's, row by row. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '../../../../node/dev/house/source.ts';

export type LedgerService = 'compute' | 'identity' | 'image' | 'network';

export interface LedgerRow {
  /** `GET /v2.1/servers ?name`, or `newServerBody: server.name`. */
  readonly key: string;
  readonly verdict: string;
  readonly note: string;
  readonly proof: string;
}

/** Rows of the table below a heading, as cells. */
export function cellsOf(service: LedgerService, heading: string): readonly (readonly string[])[] {
  const text = readFileSync(join(repositoryRoot, `api-gateway/rest/${service}/LEDGER.md`), 'utf8');
  const [, part = ''] = text.split(`## ${heading}\n`);
  return (part.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|---'))
    .slice(1)
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

export function rowsOf(service: LedgerService, heading: string): readonly LedgerRow[] {
  return cellsOf(service, heading).map(([key = '', verdict = '', note = '', proof = '']) => ({
    key,
    verdict,
    note,
    proof,
  }));
}
