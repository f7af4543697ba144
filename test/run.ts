/**
 * `npm test`: everything that can run on this machine, in three rounds. First what needs nothing but Node, two files at a
 * time; then the simulator, one file at a time, since its seeds take all cores themselves; then what uses the machine
 * itself (QEMU, kernel networking, Ceph, whole clouds), one file at a time, since those measure time. Each file's outcome is printed as it ends; what failed is shown at once and again
 * at the end, above the last line: `N passed, N failed, N skipped`.
 *
 *     npm test                             everything
 *     npm test -- --unit                   the first two rounds alone
 *     npm test -- --machine                the third round alone
 *     npm test -- test/node/raft           files under these paths
 *     npm test -- --no-install             install no Debian packages; tests that need them skip and say so
 *     npm test -- --second-try             a file of the third round that fails runs once more, alone; it is told either way
 */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from '../node/dev/house/source.ts';
import {
  agentPackages,
  cephPackages,
  ensurePackages,
  guestImagePackages,
  PackagesMissing,
  testPackages,
} from '../node/dev/packages.ts';
import { type TapFailure, TapReader } from './support/tap-reader.ts';

/** Lines of the stream that are shown when tap itself fails. */
const tailLines = 80;

/** The simulator's tests. */
const simulatorFolder = 'test/sim/';
/** Folders whose tests use the machine itself. */
const machineFolders = ['test/drivers/', 'test/compliance/', 'test/e2e/', 'test/security/machine/'];

interface Round {
  readonly name: string;
  readonly files: readonly string[];
  readonly jobs: number;
  /** Longest a file may take, seconds. */
  readonly timeoutSeconds: number;
}

/** A second try is for what a busy machine disturbs. More files than this that fail are no accident. */
const secondTryFilesMax = 3;

/** What came of a round. */
interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  readonly failures: TapFailure[];
  readonly skips: string[];
  /** Files of which something failed. */
  readonly failedFiles: string[];
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

/** Runs the files of a round, says how each ended as it ends, and its failures at once. */
async function runRound(round: Round): Promise<Outcome> {
  const outputFolder = join(repositoryRoot, '.tap');
  mkdirSync(outputFolder, { recursive: true });
  const output = createWriteStream(join(outputFolder, `${round.name}.tap`));
  console.log(`\n== ${round.name}: ${round.files.length} files`);
  const outcome: Outcome = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [], failedFiles: [] };
  const ended = new Set<string>();
  const reader = new TapReader((file) => {
    ended.add(file.name);
    outcome.passed += file.passed;
    outcome.failed += file.failed;
    outcome.skipped += file.skipped;
    outcome.failures.push(...file.failures);
    outcome.skips.push(...file.skips);
    if (file.failed > 0) outcome.failedFiles.push(file.name);
    const counts = `${file.passed} passed${file.failed > 0 ? `, ${file.failed} FAILED` : ''}${file.skipped > 0 ? `, ${file.skipped} skipped` : ''}`;
    console.log(`${file.failed > 0 ? 'FAIL' : 'ok  '} ${file.name} (${(file.timeMs / 1000).toFixed(1)} s): ${counts}`);
    for (const failure of file.failures) tell(failure);
  });
  const child = spawn(
    join(repositoryRoot, 'node_modules/.bin/tap'),
    ['run', '--reporter=tap', `--jobs=${round.jobs}`, `--timeout=${round.timeoutSeconds}`, ...round.files],
    { cwd: repositoryRoot, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exit = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(`tap could not be run: ${error.message}`));
    child.on('exit', (code, signal) => resolve(code === 0 ? '' : `tap ended with ${signal ?? `status ${code}`}`));
  });
  /** The last lines of the stream: all there is to go by when tap itself fails. */
  const tail: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    output.write(`${line}\n`);
    tail.push(line);
    if (tail.length > tailLines) tail.shift();
    reader.line(line);
  }
  reader.end();
  output.end();
  const ill = await exit;
  const missing = round.files.filter((file) => !ended.has(file));
  // A run that ended badly without a failed test, or that left files out, counts as one failure: it proves nothing.
  if ((ill !== '' || missing.length > 0) && outcome.failed === 0) {
    const failure: TapFailure = {
      path: [ill === '' ? 'tap ended well' : ill, `${missing.length} files without a verdict`, ...missing.slice(0, 10)],
      diagnostic: tail,
    };
    outcome.failed += 1;
    outcome.failures.push(failure);
    tell(failure);
  }
  return outcome;
}

/**
 * Runs the failed files of `first` once more, one at a time. What fails again has failed; what passes is told as unsteady.
 * Returns the outcome that counts, and what was unsteady.
 */
async function tryAgain(first: Outcome, round: Round): Promise<{ outcome: Outcome; unsteady: readonly TapFailure[] }> {
  const { failedFiles } = first;
  // What failed without a file, as tap itself does, has no second try.
  const hasFiles = first.failures.every(({ path }) => path[0] !== undefined && failedFiles.includes(path[0]));
  if (failedFiles.length === 0 || failedFiles.length > secondTryFilesMax || !hasFiles) {
    return { outcome: first, unsteady: [] };
  }
  const second = await runRound({ ...round, name: `${round.name}-again`, files: failedFiles, jobs: 1 });
  return {
    outcome: { ...second, passed: first.passed + second.passed, skips: [...first.skips, ...second.skips] },
    unsteady: first.failures.filter(({ path }) => !second.failedFiles.some((file) => file === path[0])),
  };
}

function tell({ path, diagnostic }: TapFailure): void {
  console.log(`  not ok: ${path.join(' > ')}`);
  for (const line of diagnostic) console.log(`      ${line}`);
}

async function main(): Promise<number> {
  const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
  const paths = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
  const unknown = flags.filter((flag) => !['--unit', '--machine', '--no-install', '--second-try'].includes(flag));
  if (unknown.length > 0) {
    console.error(
      `unknown option ${unknown.join(' ')}; there are --unit, --machine, --no-install and --second-try, and paths`,
    );
    return 2;
  }
  const all = testFiles(join(repositoryRoot, 'test')).filter(
    (file) => paths.length === 0 || paths.some((path) => file.startsWith(relative('', path).replace(/^\.\//, ''))),
  );
  const machine = all.filter((file) => machineFolders.some((folder) => file.startsWith(folder)));
  const simulator = all.filter((file) => file.startsWith(simulatorFolder));
  const unit = all.filter((file) => !machine.includes(file) && !simulator.includes(file));
  const rounds: Round[] = [];
  if (!flags.includes('--machine')) {
    rounds.push({ name: 'unit', files: unit, jobs: 2, timeoutSeconds: 180 });
    rounds.push({ name: 'simulator', files: simulator, jobs: 1, timeoutSeconds: 900 });
  }
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

  const sum: Outcome = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [], failedFiles: [] };
  const unsteady: TapFailure[] = [];
  for (const round of rounds) {
    if (round.files.length === 0) continue;
    let outcome = await runRound(round);
    if (round.name === 'machine' && flags.includes('--second-try')) {
      const tried = await tryAgain(outcome, round);
      outcome = tried.outcome;
      unsteady.push(...tried.unsteady);
    }
    sum.passed += outcome.passed;
    sum.failed += outcome.failed;
    sum.skipped += outcome.skipped;
    sum.failures.push(...outcome.failures);
    sum.skips.push(...outcome.skips);
  }
  if (sum.skips.length > 0) {
    console.log('\nSkipped:');
    for (const skip of sum.skips) console.log(`  ${skip}`);
  }
  if (unsteady.length > 0) {
    console.log('\nUnsteady (failed once, passed when run again):');
    for (const failure of unsteady) tell(failure);
  }
  if (sum.failures.length > 0) {
    console.log('\nFailed:');
    for (const failure of sum.failures) tell(failure);
  }
  if (sum.passed + sum.failed + sum.skipped === 0) {
    console.error('no test was found');
    return 1;
  }
  console.log(`\n${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
