/** How far a run of many seeds has come: one line that is written over on a terminal, a plain line now and then elsewhere. */

interface SweepStatus {
  readonly seedsDone: number;
  readonly seeds: number;
  readonly failures: number;
  readonly simulatedMs: number;
  readonly wallMs: number;
}

/** Between two lines on a terminal, and elsewhere. Unit: ms. */
const terminalMs = 200;
const plainMs = 10_000;

/** Where it is written. */
interface ProgressOutput {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export class Progress {
  readonly #output: ProgressOutput;
  readonly #nowMs: () => number;
  #toldMs: number;
  #isLineOpen = false;

  constructor(output: ProgressOutput, nowMs: () => number) {
    this.#output = output;
    this.#nowMs = nowMs;
    this.#toldMs = nowMs();
  }

  /** Called as often as there is something new. */
  show(status: SweepStatus): void {
    const isTerminal = this.#output.isTTY === true;
    if (this.#nowMs() - this.#toldMs < (isTerminal ? terminalMs : plainMs)) return;
    this.#toldMs = this.#nowMs();
    const line = statusText(status);
    if (!isTerminal) {
      this.#output.write(`${line}\n`);
      return;
    }
    this.#output.write(`\r\u001b[K${line.slice(0, (this.#output.columns ?? 80) - 1)}`);
    this.#isLineOpen = true;
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.#isLineOpen) this.#output.write('\r\u001b[K');
    this.#isLineOpen = false;
  }
}

/** One line. */
export function statusText({ seedsDone, seeds, failures, simulatedMs, wallMs }: SweepStatus): string {
  const perSecond = seedsDone / (wallMs / 1000);
  const left = seedsDone === 0 || seedsDone >= seeds ? '' : `, ${timeText((seeds - seedsDone) / perSecond)} left`;
  return `${seedsDone} of ${seeds} seeds, ${perSecond.toFixed(1)} a second, ${(simulatedMs / 3_600_000).toFixed(2)} simulated hours, ${failures} failures${left}`;
}

/** @param seconds at least 0. */
function timeText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  if (seconds < 3_600) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.ceil((seconds % 3_600) / 60)} min`;
}
