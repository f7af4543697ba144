// Writes proto/gen/ from proto/shoal/ and proto/grpc/; `--check` fails instead when what is there differs.
// Static code: nothing parses schemas at run time, and each service method carries its path and types.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const check = process.argv.includes('--check');
const out = check ? mkdtempSync(join(tmpdir(), 'shoal-proto-')) : join(here, 'gen');
const sources = ['shoal', 'grpc'].flatMap((folder) =>
  readdirSync(join(here, folder), { recursive: true })
    .filter((name) => name.endsWith('.proto'))
    .sort()
    .map((name) => join(here, folder, name)),
);

execFileSync(
  join(here, '../node_modules/.bin/pbjs'),
  [
    '-t',
    'static-module',
    '-w',
    'esm',
    '--dts',
    '--force-number',
    '--null-semantics',
    '--no-verify',
    '--no-convert',
    '--no-delimited',
    '--no-typeurl',
    '-p',
    here,
    '-o',
    join(out, 'shoal.js'),
    ...sources,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
// The reflection service hands out schemas, field names as they are written; a JSON descriptor is the smallest form that
// it can be built from.
execFileSync(
  join(here, '../node_modules/.bin/pbjs'),
  ['-t', 'json', '--keep-case', '-p', here, '-o', join(out, 'shoal.json'), ...sources],
  {
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);

if (check) {
  const stale = readdirSync(out).filter(
    (name) => readFileSync(join(out, name), 'utf8') !== readFileSync(join(here, 'gen', name), 'utf8'),
  );
  rmSync(out, { recursive: true });
  if (stale.length > 0) {
    console.error(`proto/gen differs from its sources (${stale.join(', ')}): run npm run proto`);
    process.exit(1);
  }
}
