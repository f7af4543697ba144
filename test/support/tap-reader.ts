/**
 * Reads the TAP stream of a run of many files as it comes: which file ended how, which assertions failed and with what
 * diagnostic, what was skipped and why. Only the shape that tap 21 writes: nested subtests indented by four spaces, their
 * verdict on the line behind them, a YAML block between `---` and `...` below an assertion that failed.
 */

/** An assertion that failed, or a test that could not be run to its end. */
export interface TapFailure {
  /** File, subtests, assertion. */
  readonly path: readonly string[];
  /** Lines of the YAML block, as written. */
  readonly diagnostic: readonly string[];
}

/** A file of tests that has ended. */
export interface TapFile {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly timeMs: number;
  readonly failures: readonly TapFailure[];
  /** `file > name: reason` of each. */
  readonly skips: readonly string[];
}

/** Lines of a diagnostic that are kept: enough for a stack and a difference. */
const diagnosticLinesMax = 60;
const assertion = /^( *)(not )?ok(?: \d+)?(?: - (.*?))?(?: # (SKIP|TODO|time=([\d.]+)ms) ?(.*))?(?: \{)?$/;

/** One run. Feed it lines in order; each file is handed out as its verdict arrives. */
export class TapReader {
  readonly #onFile: (file: TapFile) => void;
  /** Names of the subtests that are open, by depth. */
  #open: string[] = [];
  /** By depth: whether an assertion directly inside of the open subtest failed, so that its own verdict is no news. */
  #hasFailed: boolean[] = [];
  #file = newFile();
  /** A file whose verdict was the last thing read. */
  #ended: TapFile | undefined;
  /** The failure whose diagnostic is being read, and the indentation of its block. */
  #diagnosing: { readonly lines: string[]; readonly indent: number; isInside: boolean } | undefined;

  constructor(onFile: (file: TapFile) => void) {
    this.#onFile = onFile;
  }

  line(line: string): void {
    if (this.#isDiagnostic(line)) return;
    this.#handOut();
    const subtest = /^( *)# Subtest(?:: (.*))?$/.exec(line);
    if (subtest !== null) {
      const depth = (subtest[1]?.length ?? 0) / 4;
      this.#open = [...this.#open.slice(0, depth), subtest[2] ?? ''];
      this.#hasFailed[depth] = false;
      return;
    }
    const found = assertion.exec(line);
    if (found === null) return;
    const depth = (found[1]?.length ?? 0) / 4;
    // Behind its assertions, a subtest's own verdict: an `ok` line at its depth with its name.
    // What is still open inside of it was cut off.
    const closes = this.#open[depth] === (found[3] ?? '');
    // What is only to come proves nothing, whichever way it went: it is told as skipped, never as passed.
    const skipped = found[4] === 'SKIP' || found[4] === 'TODO' ? (found[6] ?? '') : undefined;
    const isFailed = found[2] !== undefined && found[4] !== 'TODO';
    if (closes) this.#close(depth, isFailed, Number(found[5] ?? 0), skipped);
    else this.#count(depth, isFailed, found[3] ?? '', skipped);
  }

  /** The stream has ended. */
  end(): void {
    this.#handOut();
  }

  /** A file is handed out with the line behind its verdict, whose own diagnostic belongs to it. */
  #handOut(): void {
    const file = this.#ended;
    this.#ended = undefined;
    if (file !== undefined) this.#onFile(file);
  }

  #isDiagnostic(line: string): boolean {
    const reading = this.#diagnosing;
    if (reading === undefined) return false;
    const margin = ' '.repeat(reading.indent);
    if (!reading.isInside) {
      reading.isInside = line === `${margin}---`;
      if (!reading.isInside) this.#diagnosing = undefined;
      return reading.isInside;
    }
    if (line === `${margin}...`) this.#diagnosing = undefined;
    else if (reading.lines.length < diagnosticLinesMax) reading.lines.push(line.slice(reading.indent));
    return true;
  }

  #count(depth: number, isFailed: boolean, name: string, skipped: string | undefined): void {
    this.#open.length = Math.min(this.#open.length, depth);
    if (skipped !== undefined) {
      this.#file.skipped += 1;
      const path = [...this.#open.slice(0, depth), name].filter((part) => part !== '').join(' > ');
      this.#file.skips.push(skipped === '' ? path : `${path}: ${skipped}`);
    } else if (isFailed) this.#failed(depth, name);
    else this.#file.passed += 1;
  }

  #close(depth: number, isFailed: boolean, timeMs: number, skipped: string | undefined): void {
    const name = this.#open[depth] ?? '';
    // A subtest that fails although everything inside of it passed: timed out, or its process ended badly.
    const isNews = isFailed && this.#hasFailed[depth] !== true;
    this.#open.length = depth;
    if (skipped !== undefined) this.#count(depth, false, name, skipped);
    else if (isNews) this.#failed(depth, name);
    else if (isFailed) this.#markFailed(depth);
    if (depth > 0) return;
    const { passed, failed, skipped: skips, failures } = this.#file;
    this.#ended = { name, passed, failed, skipped: skips, timeMs, failures, skips: this.#file.skips };
    this.#file = newFile();
  }

  #failed(depth: number, name: string): void {
    const lines: string[] = [];
    this.#file.failed += 1;
    this.#file.failures.push({ path: [...this.#open.slice(0, depth), name], diagnostic: lines });
    this.#diagnosing = { lines, indent: depth * 4 + 2, isInside: false };
    this.#markFailed(depth);
  }

  #markFailed(depth: number): void {
    if (depth > 0) this.#hasFailed[depth - 1] = true;
  }
}

interface GrowingFile {
  passed: number;
  failed: number;
  skipped: number;
  readonly failures: TapFailure[];
  readonly skips: string[];
}

function newFile(): GrowingFile {
  return { passed: 0, failed: 0, skipped: 0, failures: [], skips: [] };
}
