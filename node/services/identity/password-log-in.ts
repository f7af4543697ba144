import { shoal } from '../../../proto/messages.ts';
import { isOutage, ShoalError } from '../../base/errors.ts';
import { userTable } from '../../state/tables/index.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { transact } from '../kit/transact.ts';
import { Passwords } from './passwords.ts';

/** What an operator may demand of passwords, by the names of Keystone's `security_compliance`. */
export interface PasswordRules {
  /** The newest passwords of a user, the one in use among them, that must all differ; 0 or 1: none are kept. */
  readonly uniqueLastPasswordCount: number;
  /** Wrong passwords in a row after which a user is locked out; 0: never. */
  readonly lockoutFailureAttempts: number;
  /** How long, milliseconds from the last wrong password. */
  readonly lockoutMs: number;
}

/** Keystone's defaults: no history and no lock-out. */
const defaultPasswordRules: PasswordRules = {
  uniqueLastPasswordCount: 0,
  lockoutFailureAttempts: 0,
  lockoutMs: 1_800_000,
};

/**
 * Checks passwords of users, and locks out who was guessed at, where that is set. The count is kept in the record of the
 * user, so that all agents of the mesh count together. Without quorum nothing is counted and everybody is still let in:
 * log-ins must work then, and each agent slows guessing by itself.
 */
export class PasswordLogIn {
  readonly passwords = new Passwords();
  readonly rules: PasswordRules;
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies, rules: PasswordRules = defaultPasswordRules) {
    this.#deps = deps;
    this.rules = rules;
  }

  /** Whether `password` is the user's and they are not locked out; `user` undefined: no, after the same work. */
  async check(user: shoal.v1.User | undefined, password: string, signal: AbortSignal): Promise<boolean> {
    const isCorrect = await this.passwords.check(password, user?.passwordHash);
    if (this.rules.lockoutFailureAttempts === 0) return isCorrect;
    const isLocked = user !== undefined && this.#isLocked(user);
    if (!isCorrect || isLocked || user === undefined) {
      await this.#note(isLocked ? undefined : user, signal, (now) => ({
        failedLogins: this.#countOf(now) + 1,
        failedLoginMs: this.#deps.clock.nowMs(),
      }));
      return false;
    }
    if (user.failedLogins > 0) await this.#note(user, signal, () => noFailures);
    return true;
  }

  /** The hashes to keep of the passwords before, when the one of `user` is replaced; newest first. */
  formerHashes(user: shoal.v1.User): string[] {
    const hashes = [user.passwordHash, ...user.formerPasswordHashes].filter((hash) => hash !== '');
    return hashes.slice(0, Math.max(0, this.rules.uniqueLastPasswordCount - 1));
  }

  /** Throws `INVALID_ARGUMENT` when `password` is one that `user` had too lately. */
  async mustBeNew(user: shoal.v1.User, password: string): Promise<void> {
    for (const hash of this.formerHashes(user)) {
      if (!(await this.passwords.check(password, hash))) continue;
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `The new password was used before; the last ${this.rules.uniqueLastPasswordCount} passwords must differ.`,
      );
    }
  }

  /** Failures in a row that still count. */
  #countOf(user: shoal.v1.User): number {
    return this.#deps.clock.nowMs() - user.failedLoginMs < this.rules.lockoutMs ? user.failedLogins : 0;
  }

  #isLocked(user: shoal.v1.User): boolean {
    return this.#countOf(user) >= this.rules.lockoutFailureAttempts;
  }

  /** Writes to the user's record; asks the quorum all the same when there is nobody to write of, so that it takes as long. */
  async #note(
    user: shoal.v1.User | undefined,
    signal: AbortSignal,
    change: (now: shoal.v1.User) => Partial<shoal.v1.User>,
  ): Promise<void> {
    const { state, logger } = this.#deps;
    try {
      if (user === undefined) {
        await state.fresh(signal);
        return;
      }
      await transact(this.#deps, { signal }, ({ reader, change: writes }) => {
        const row = userTable.get(reader, user.id);
        if (row !== undefined)
          userTable.update(writes, row, new shoal.v1.User({ ...row.record, ...change(row.record) }));
      });
    } catch (error) {
      if (!ShoalError.of(error, isOutage) && !ShoalError.is(error, 'UNAVAILABLE')) throw error;
      logger.warn({ error }, 'a log-in is not counted for the lock-out: the state takes no writes');
    }
  }
}

/** Fields of a user whose password was right, or whom an administrator lets in again. */
export const noFailures = { failedLogins: 0, failedLoginMs: 0 } as const;
