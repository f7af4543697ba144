/**
 * Ceph through its own programs. There is no maintained binding of librados for Node, and a call costs 30-60 ms (the
 * Python `ceph` 150 ms), which volumes can bear. All answers are read as JSON; failures are told by exit status.
 */
import { ShoalError } from '../../node/base/errors.ts';
import { type CommandResult, type CommandRunner, runCommand } from '../command.ts';
import { endsWithAgent, longWorkTimeoutMs } from '../qemu-tools.ts';
import { cephFailure, refuseNoPool } from './exit-status.ts';
import { refusalOfMap } from './osd-map.ts';

/** Who this host is to Ceph. */
export interface CephIdentity {
  /** Path of a ceph.conf that names the monitors and this client's keyring. */
  readonly confPath: string;
  /** Client name without `client.`. One client a host, so that one host can be fenced. */
  readonly user: string;
}

/** How long librados waits for monitors and OSDs before a command fails, where nothing else is asked for. Seconds. */
const answerTimeoutSDefault = 20;
/** Import and removal of large images. */
const longTimeoutMs = 600_000;
/** What a command may take beyond the wait for an answer. */
const marginMs = 10_000;
/** How long the monitors are asked why nothing answered. Seconds. */
const whyTimeoutS = 5;

interface CephCallOptions {
  readonly signal: AbortSignal;
  /** Exit statuses that are answers. Default: only 0. */
  readonly okStatus?: readonly number[];
  /** True for work that grows with the image's size. */
  readonly isLong?: boolean;
}

/**
 * Runs `rbd`, `rados`, `ceph` and `qemu-img` as one Ceph client. A call fails 10 s after the time in which Ceph must answer (30 s
 * by default), one that `isLong` after 600 s. Failures are `ShoalError`s by exit status (exit-status.ts); an answer that is no JSON is `CANNOT_TELL`.
 */
export class CephClient {
  readonly identity: CephIdentity;
  readonly #run: CommandRunner;
  readonly #common: readonly string[];
  readonly #answerTimeoutS: number;

  /** @param answerTimeoutS how long monitors and OSDs may take to answer, at least 1; default 20. Unit: seconds. */
  constructor(identity: CephIdentity, run: CommandRunner = runCommand, answerTimeoutS = answerTimeoutSDefault) {
    this.identity = identity;
    this.#run = run;
    this.#answerTimeoutS = answerTimeoutS;
    this.#common = ['--conf', identity.confPath, '--id', identity.user];
  }

  /** `rbd ...`. */
  async rbd(args: readonly string[], options: CephCallOptions): Promise<CommandResult> {
    const result = await this.#call(['rbd', ...this.#common, ...this.#timeouts(options), ...args], options);
    refuseNoPool(result);
    return result;
  }

  /** `rbd ... --format json`; undefined when the status is an answer other than 0. */
  async rbdJson(args: readonly string[], options: CephCallOptions): Promise<unknown> {
    return asJson(await this.rbd([...args, '--format', 'json'], options));
  }

  /** `rados ...`. Its exit status is 1 for every failure. */
  rados(args: readonly string[], options: CephCallOptions): Promise<CommandResult> {
    return this.#call(['rados', ...this.#common, ...this.#timeouts(options), ...args], options);
  }

  async radosJson(args: readonly string[], options: CephCallOptions): Promise<unknown> {
    return asJson(await this.rados([...args, '--format', 'json'], options));
  }

  /** `ceph ...`. */
  ceph(args: readonly string[], options: CephCallOptions): Promise<CommandResult> {
    return this.#call(['ceph', ...this.#common, '--connect-timeout', String(this.#answerTimeoutS), ...args], options);
  }

  async cephJson(args: readonly string[], options: CephCallOptions): Promise<unknown> {
    return asJson(await this.ceph([...args, '--format', 'json'], options));
  }

  /** Writes a local image file into an existing RBD image of at least its size that holds only zeros. */
  async convertInto(
    file: { readonly path: string; readonly format: 'qcow2' | 'raw' },
    target: { readonly pool: string; readonly image: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { confPath, user } = this.identity;
    const options = ['driver=raw', 'file.driver=rbd', `file.pool=${target.pool}`, `file.image=${target.image}`];
    options.push(`file.conf=${confPath.replaceAll(',', ',,')}`, `file.user=${user}`);
    const argv = ['qemu-img', 'convert', '-n', '--target-is-zero', '-f', file.format, file.path];
    await this.#call([...argv, '--target-image-opts', options.join(',')], { signal, isLong: true });
  }

  /** Runs `qemu-img` for as long as it takes; ended with the agent. */
  async qemuImg(
    args: readonly string[],
    options: { readonly signal: AbortSignal; readonly stdin?: string; readonly onOutput?: (text: string) => void },
  ): Promise<void> {
    try {
      await this.#run(endsWithAgent('qemu-img', args), { ...options, timeoutMs: longWorkTimeoutMs });
    } catch (caught) {
      throw cephFailure(caught);
    }
  }

  #timeouts(options: CephCallOptions): readonly string[] {
    if (options.isLong === true) return [];
    return [`--rados-mon-op-timeout=${this.#answerTimeoutS}`, `--rados-osd-op-timeout=${this.#answerTimeoutS}`];
  }

  async #call(argv: readonly string[], options: CephCallOptions): Promise<CommandResult> {
    try {
      return await this.#run(argv, {
        signal: options.signal,
        timeoutMs: options.isLong === true ? longTimeoutMs : this.#answerTimeoutS * 1000 + marginMs,
        ...(options.okStatus === undefined ? {} : { okStatus: options.okStatus }),
      });
    } catch (caught) {
      const failure = cephFailure(caught);
      throw failure.code === 'CANNOT_TELL' ? await this.#whyUnanswered(failure, argv, options.signal) : failure;
    }
  }

  /**
   * Ceph lets who writes to a full pool wait until there is room again, as if nobody answered. The monitors know better; where
   * they do not answer either, or know of nothing, it is what it was.
   */
  async #whyUnanswered(failure: ShoalError, argv: readonly string[], signal: AbortSignal): Promise<ShoalError> {
    if (signal.aborted) return failure;
    const timeoutS = Math.min(whyTimeoutS, this.#answerTimeoutS);
    const ask = ['ceph', ...this.#common, '--connect-timeout', String(timeoutS), 'osd', 'dump', '--format', 'json'];
    try {
      const map = asJson(await this.#run(ask, { signal, timeoutMs: 2 * timeoutS * 1000 }));
      return refusalOfMap(map, argv, failure) ?? failure;
    } catch (caught) {
      // The failure that is told is the first one.
      if (caught instanceof ShoalError) return failure;
      throw caught;
    }
  }
}

function asJson(result: CommandResult): unknown {
  if (result.status !== 0) return undefined;
  const { stdout } = result;
  try {
    return JSON.parse(stdout) as unknown;
  } catch {
    // `ceph osd blocklist ls` of Ceph 16 prints a stray `[]` behind its answer.
    try {
      return JSON.parse(stdout.trim().replace(/\s*\[\]$/, '')) as unknown;
    } catch (caught) {
      throw ShoalError.from(caught, 'CANNOT_TELL', 'Ceph answered what is not JSON');
    }
  }
}
