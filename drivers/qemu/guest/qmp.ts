/**
 * A client of QEMU's machine protocol: JSON lines over a Unix socket, replies matched by id, events in between.
 *
 * QEMU serves one client a chardev. A second connection is accepted by the kernel and then hears nothing, so a greeting
 * that does not come within a second means "somebody else is attached", not "QEMU is slow".
 */
import { connect, type Socket } from 'node:net';
import { ShoalError } from '../../../node/base/errors.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { errnoOf } from '../../../node/base/system-error.ts';
import { mibBytes } from '../../../node/base/units.ts';

/** QEMU greets at once when nobody else holds the chardev; a second covers a loaded machine. */
const greetingTimeoutMsDefault = 1_000;
/** QEMU answers in milliseconds; ten seconds covers one that waits for slow storage under its big lock. */
const commandTimeoutMsDefault = 10_000;
/** The longest reply is query-qmp-schema, about 200 KiB. */
const lineBytesMax = 4 * mibBytes;
/** Commands in flight. The driver sends one at a time a guest; more is a bug or a stuck QEMU. */
const pendingMax = 64;

/** Something that QEMU says unasked. */
export interface QmpEvent {
  /** QEMU's name for it: `SHUTDOWN`, `STOP`, `BLOCK_IO_ERROR`... */
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** How to connect. */
interface QmpOptions {
  readonly signal?: AbortSignal;
  readonly greetingTimeoutMs?: number;
  /** Called for each event, in order. Must not throw. */
  readonly onEvent?: (event: QmpEvent) => void;
  /** Called once when a connection that was made is gone, whichever side ended it. A failed `connect` only throws. */
  readonly onClose?: () => void;
}

interface Pending {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ShoalError) => void;
}

/** One attached monitor. */
export class QmpClient {
  readonly #socket: Socket;
  readonly #options: QmpOptions;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #text = '';
  #isOpen = true;
  #isConnected = false;
  #greeted: ((error?: ShoalError) => void) | undefined;

  private constructor(socket: Socket, options: QmpOptions) {
    this.#socket = socket;
    this.#options = options;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    // The reason reaches the waiting calls through `close`, which always follows.
    socket.on('error', (error) => this.#greeted?.(unreachable(error)));
    socket.on('close', () => this.#closed());
  }

  /**
   * Attaches and leaves negotiation mode. `UNAVAILABLE` when nothing listens there (fact `errno`), `CONFLICT` when
   * another client holds the monitor, `CANCELLED` when `signal` aborts.
   */
  static async connect(path: string, options: QmpOptions = {}): Promise<QmpClient> {
    if (options.signal?.aborted) throw new ShoalError('CANCELLED', 'attaching to QEMU was cancelled');
    const socket = connect(path);
    const client = new QmpClient(socket, options);
    const timeoutMs = options.greetingTimeoutMs ?? greetingTimeoutMsDefault;
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(
          () => client.#greeted?.(new ShoalError('CONFLICT', `no greeting on ${path}: another client is attached`)),
          timeoutMs,
        );
        const onAbort = (): void => client.#greeted?.(new ShoalError('CANCELLED', 'attaching to QEMU was cancelled'));
        options.signal?.addEventListener('abort', onAbort, { once: true });
        client.#greeted = (error) => {
          client.#greeted = undefined;
          clearTimeout(timer);
          options.signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve();
          else reject(error);
        };
      });
      await client.execute(
        'qmp_capabilities',
        undefined,
        options.signal === undefined ? {} : { signal: options.signal },
      );
      client.#isConnected = true;
      return client;
    } catch (caught) {
      client.close();
      throw caught;
    }
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Sends one command and returns what it returned. `DRIVER_FAILED` with facts `qmpClass` and `command` when QEMU
   * refuses, `DEADLINE_EXCEEDED` when it does not answer (a late answer is dropped), `UNAVAILABLE` when the connection ends.
   */
  execute(
    command: string,
    args?: Readonly<Record<string, unknown>>,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<unknown> {
    if (!this.#isOpen) return Promise.reject(new ShoalError('UNAVAILABLE', `${command}: not attached to QEMU`));
    if (this.#pending.size >= pendingMax) {
      return Promise.reject(new ShoalError('UNAVAILABLE', `${command}: ${pendingMax} commands wait for QEMU already`));
    }
    if (options.signal?.aborted) return Promise.reject(new ShoalError('CANCELLED', `${command}: cancelled`));
    const timeoutMs = options.timeoutMs ?? commandTimeoutMsDefault;
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
      };
      const fail = (error: ShoalError): void => {
        settle();
        reject(error);
      };
      const timer = setTimeout(
        () => fail(new ShoalError('DEADLINE_EXCEEDED', `QEMU did not answer ${command} in ${timeoutMs} ms`)),
        timeoutMs,
      );
      const onAbort = (): void => fail(new ShoalError('CANCELLED', `${command}: cancelled`));
      options.signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        command,
        resolve: (value) => {
          settle();
          resolve(value);
        },
        reject: fail,
      });
      this.#socket.write(
        `${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }), id })}\n`,
      );
    });
  }

  /** Detaches. The guest runs on. Safe to call twice. */
  close(): void {
    this.#socket.destroy();
  }

  #receive(chunk: string): void {
    this.#text += chunk;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end).trim();
      this.#text = this.#text.slice(end + 1);
      if (line !== '') this.#handle(line);
    }
    if (this.#text.length > lineBytesMax) this.close();
  }

  #handle(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      // Whatever speaks here is not QEMU's monitor; everyone who waits hears that the connection ended.
      this.close();
      return;
    }
    if (!isRecord(message)) {
      this.close();
      return;
    }
    if (message['QMP'] !== undefined) {
      this.#greeted?.();
    } else if (typeof message['event'] === 'string') {
      this.#options.onEvent?.({ name: message['event'], data: isRecord(message['data']) ? message['data'] : {} });
    } else if (typeof message['id'] === 'number') {
      const pending = this.#pending.get(message['id']);
      if (pending === undefined) return; // The answer to a command that timed out.
      const error = message['error'];
      if (isRecord(error)) {
        pending.reject(
          new ShoalError('DRIVER_FAILED', `QEMU refused ${pending.command}: ${String(error['desc'])}`, {
            facts: { command: pending.command, qmpClass: error['class'] },
          }),
        );
      } else {
        pending.resolve(message['return']);
      }
    }
  }

  #closed(): void {
    this.#isOpen = false;
    this.#greeted?.(new ShoalError('UNAVAILABLE', 'QEMU closed the connection before its greeting'));
    for (const pending of [...this.#pending.values()]) {
      pending.reject(new ShoalError('UNAVAILABLE', `${pending.command}: QEMU closed the connection`));
    }
    if (this.#isConnected) this.#options.onClose?.();
  }
}

function unreachable(error: Error): ShoalError {
  return new ShoalError('UNAVAILABLE', `cannot reach QEMU: ${error.message}`, {
    facts: { errno: errnoOf(error) },
    cause: error,
  });
}
