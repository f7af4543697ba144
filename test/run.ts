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

/** What came of a round. */
interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  readonly failures: TapFailure[];
  readonly skips: string[];
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
  const outcome: Outcome = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };
  const ended = new Set<string>();
  const reader = new TapReader((file) => {
    ended.add(file.name);
    outcome.passed += file.passed;
    outcome.failed += file.failed;
    outcome.skipped += file.skipped;
    outcome.failures.push(...file.failures);
    outcome.skips.push(...file.skips);
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

function tell({ path, diagnostic }: TapFailure): void {
  console.log(`  not ok: ${path.join(' > ')}`);
  for (const line of diagnostic) console.log(`      ${line}`);
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

  const sum: Outcome = { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };
  for (const round of rounds) {
    if (round.files.length === 0) continue;
    const outcome = await runRound(round);
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
