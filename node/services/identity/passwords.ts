/** Passwords as argon2id in PHC strings, checked in the same time whether or not the user exists. */
import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { ShoalError } from '../../base/errors.ts';

/** Longest password, bytes of UTF-8: room for any passphrase, and a bound on what is hashed for a stranger. */
const passwordBytesMax = 1024;
/** 19 MiB and two passes: the least that OWASP's cheat sheet asks for; about 15 ms on one core. */
const cost = { memoryKib: 19_456, passes: 2, parallelism: 1 } as const;
const saltBytes = 16;
const hashBytes = 32;
/** Costs accepted from a stored string: a record must not be able to make a check run for minutes. */
const costMax = { memoryKib: 1024 * 1024, passes: 16, parallelism: 16 } as const;
/** Hashes computed at once: each takes a thread of Node's pool (4) that file reads want too. */
const hashesAtOnceMax = 2;
/** Hashes that wait for a turn: at 15 ms each the last waits half a second. */
const hashesWaitingMax = 64;

/** A stored hash, taken apart. */
interface StoredHash {
  readonly memoryKib: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/** Hashes and checks passwords, a bounded number at once. */
export class Passwords {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** Stands in where a user is unknown or has no password, so that the answer takes as long. */
  readonly #nobody: StoredHash = { ...cost, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) };

  /** The PHC string to keep. Throws `INVALID_ARGUMENT` for an empty or overlong password. */
  async hash(password: string): Promise<string> {
    if (password === '') throw new ShoalError('INVALID_ARGUMENT', 'A password may not be empty.');
    if (Buffer.byteLength(password) > passwordBytesMax) {
      throw new ShoalError('INVALID_ARGUMENT', `A password may have at most ${passwordBytesMax} bytes.`);
    }
    const salt = randomBytes(saltBytes);
    const hash = await this.#compute(password, { ...cost, salt, hash: new Uint8Array(hashBytes) });
    const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
    return `$argon2id$v=19$m=${cost.memoryKib},t=${cost.passes},p=${cost.parallelism}$${base64(salt)}$${base64(hash)}`;
  }

  /** Whether `password` is the one of `stored`. `stored` undefined or empty: always false, after the same work. */
  async check(password: string, stored: string | undefined): Promise<boolean> {
    const parsed = stored === undefined || stored === '' ? undefined : parseStored(stored);
    const against = parsed ?? this.#nobody;
    const acceptable = Buffer.byteLength(password) <= passwordBytesMax;
    const computed = await this.#compute(acceptable ? password : '-', against);
    const equal = computed.length === against.hash.length && timingSafeEqual(computed, against.hash);
    return equal && acceptable && parsed !== undefined;
  }

  async #compute(password: string, like: StoredHash): Promise<Uint8Array> {
    await this.#turn();
    try {
      const parameters: Argon2Parameters = {
        message: Buffer.from(password, 'utf8'),
        nonce: like.salt,
        parallelism: like.parallelism,
        tagLength: like.hash.length,
        memory: like.memoryKib,
        passes: like.passes,
      };
      return await new Promise<Uint8Array>((resolve, reject) => {
        argon2('argon2id', parameters, (error, key) => (error === null ? resolve(key) : reject(error)));
      });
    } finally {
      // A turn is handed on, not given back: a newcomer cannot slip in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running < hashesAtOnceMax) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= hashesWaitingMax) {
      throw new ShoalError('RATE_LIMITED', 'Too many passwords are being checked; try again later.', {
        facts: { retryAfterSeconds: 1 },
      });
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** Undefined when it is no argon2id string of acceptable cost: then nobody can log in by it. */
function parseStored(stored: string): StoredHash | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{22,88})$/.exec(
      stored,
    );
  if (match === null) return undefined;
  const [, memory, passes, parallelism, salt, hash] = match;
  const parsed: StoredHash = {
    memoryKib: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt ?? '', 'base64'),
    hash: Buffer.from(hash ?? '', 'base64'),
  };
  const inRange =
    parsed.parallelism >= 1 &&
    parsed.passes >= 1 &&
    parsed.memoryKib >= 8 * parsed.parallelism &&
    parsed.memoryKib <= costMax.memoryKib &&
    parsed.passes <= costMax.passes &&
    parsed.parallelism <= costMax.parallelism;
  return inRange ? parsed : undefined;
}
