/**
 * `npm test`: everything that can run on this machine, in two rounds. First what needs nothing but Node, two files at a
 * time; then what uses the machine itself (QEMU, kernel networking, Ceph, whole clouds), one file at a time, since those
 * measure time and own the machine's cores. Ends with `N passed, N failed, N skipped`.
 *
 *     npm test                             everything
 *     npm test -- --unit                   the first round alone
 *     npm test -- --machine                the second round alone
 *     npm test -- test/node/raft           files under these paths
 *     npm test -- --no-install             install no Debian packages; tests that need them skip and say so
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  agentPackages,
  cephPackages,
  ensurePackages,
  guestImagePackages,
  PackagesMissing,
  testPackages,
} from '../node/dev/packages.ts';
import { repositoryRoot } from './support/sources.ts';

/** Folders whose tests use the machine itself. */
const machineFolders = ['test/drivers/', 'test/compliance/', 'test/e2e/'];

interface Round {
  readonly name: string;
  readonly files: readonly string[];
  readonly jobs: number;
  /** Longest a file may take, seconds. */
  readonly timeoutSeconds: number;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

function testFiles(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...testFiles(path));
    else if (entry.name.endsWith('.test.ts')) found.push(relative(repositoryRoot, path));
  }
  return found.sort();
}

async function runRound(round: Round): Promise<Counts & { readonly reasons: readonly string[] }> {
  const outputFolder = join(repositoryRoot, '.tap');
  mkdirSync(outputFolder, { recursive: true });
  const output = join(outputFolder, `${round.name}.tap`);
  rmSync(output, { force: true });
  console.log(`\n== ${round.name}: ${round.files.length} files`);
  const status = await new Promise<number>((resolve) => {
    const child = spawn(
      join(repositoryRoot, 'node_modules/.bin/tap'),
      [
        'run',
        '--reporter=terse',
        `--jobs=${round.jobs}`,
        `--timeout=${round.timeoutSeconds}`,
        `--output-file=${output}`,
        ...round.files,
      ],
      { cwd: repositoryRoot, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    child.on('error', (error) => {
      console.error(`tap could not be run: ${error.message}`);
      resolve(127);
    });
    child.on('exit', (code) => resolve(code ?? 1));
  });
  return countsOf(output, status);
}

/** Reads the totals off the TAP stream's end. A run that ended badly without a failed test counts as one failure. */
function countsOf(output: string, status: number): Counts & { readonly reasons: readonly string[] } {
  const text = existsSync(output) ? readFileSync(output, 'utf8') : '';
  const totals = [...text.matchAll(/^# \{ total: \d+.*\}$/gm)].at(-1)?.[0] ?? '';
  const number = (name: string): number => Number(new RegExp(`\\b${name}: (\\d+)`).exec(totals)?.[1] ?? 0);
  const reasons = [...text.matchAll(/^\s*ok \d+ - (.*?) # SKIP ?(.*)$/gm)].map((match) => `${match[1]}: ${match[2]}`);
  const failed = number('fail');
  return {
    passed: number('pass'),
    failed: failed === 0 && (status !== 0 || totals === '') ? 1 : failed,
    skipped: number('skip'),
    reasons,
  };
}

async function main(): Promise<number> {
  const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
  const paths = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const unknown = flags.filter((flag) => !['--unit', '--machine', '--no-install'].includes(flag));
  if (unknown.length > 0) {
    console.error(`unknown option ${unknown.join(' ')}; there are --unit, --machine and --no-install, and paths`);
    return 2;
  }
  const all = testFiles(join(repositoryRoot, 'test')).filter(
    (file) => paths.length === 0 || paths.some((path) => file.startsWith(relative('', path).replace(/^\.\//, ''))),
  );
  const machine = all.filter((file) => machineFolders.some((folder) => file.startsWith(folder)));
  const unit = all.filter((file) => !machine.includes(file));
  const rounds: Round[] = [];
  if (!flags.includes('--machine')) rounds.push({ name: 'unit', files: unit, jobs: 2, timeoutSeconds: 180 });
  if (!flags.includes('--unit')) rounds.push({ name: 'machine', files: machine, jobs: 1, timeoutSeconds: 600 });

  if (!flags.includes('--unit') && machine.length > 0) {
    try {
      ensurePackages([...agentPackages, ...guestImagePackages, ...cephPackages, ...testPackages], {
        install: !flags.includes('--no-install'),
        say: (line) => console.log(line),
      });
    } catch (caught) {
      if (!(caught instanceof PackagesMissing)) throw caught;
      console.log(`${caught.message}\nTests that need them are skipped.`);
    }
  }

  const sum: Counts = { passed: 0, failed: 0, skipped: 0 };
  const reasons: string[] = [];
  for (const round of rounds) {
    if (round.files.length === 0) continue;
    const counts = await runRound(round);
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
    reasons.push(...counts.reasons);
  }
  if (reasons.length > 0) {
    console.log('\nSkipped:');
    for (const reason of reasons) console.log(`  ${reason}`);
  }
  if (sum.passed + sum.failed + sum.skipped === 0) {
    console.error('no test was found');
    return 1;
  }
  console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
