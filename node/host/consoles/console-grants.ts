/** Who may open a console of a guest of this host: one session a grant, for some minutes. In memory alone. */
import type { Clock } from '../../base/clock.ts';
import type { ServerId } from '../../base/ids.ts';
import type { ConsoleKind } from '../../services/kit/dependencies.ts';

/** How long a grant waits to be used, as Nova's tokens. Unit: ms. */
const consoleGrantMs = 600_000;

/** What one guest may have: a user who asks again and again loses the oldest of his own, and nobody else any. */
const grantsPerServerMax = 32;

/** What a grant lets in to. */
interface ConsoleGrant {
  readonly serverId: ServerId;
  readonly kind: ConsoleKind;
  /** Secret: the token by which it was asked for, with which the session ends. Empty: the operator at the machine. */
  readonly sessionToken: string;
}

interface Kept extends ConsoleGrant {
  readonly endsMs: number;
}

/**
 * The grants of one host. They are no records: the guest's own host makes and honours them, so that consoles open while
 * no quorum can be had, and a restart of its agent, which ends the sessions, voids them.
 */
export class ConsoleGrants {
  readonly #clock: Clock;
  readonly #newId: () => string;
  /** By secret, oldest first. */
  readonly #kept = new Map<string, Kept>();

  /** @param newId a fresh UUID that nobody can guess. */
  constructor(clock: Clock, newId: () => string) {
    this.#clock = clock;
    this.#newId = newId;
  }

  /** Returns the grant's secret: 32 hex digits. */
  add(grant: ConsoleGrant): string {
    this.#dropEnded();
    const own = [...this.#kept].filter(([, { serverId }]) => serverId === grant.serverId);
    for (const [secret] of own.slice(0, Math.max(0, own.length - grantsPerServerMax + 1))) this.#kept.delete(secret);
    const secret = this.#newId().replaceAll('-', '');
    this.#kept.set(secret, { ...grant, endsMs: this.#clock.monotonicMs() + consoleGrantMs });
    return secret;
  }

  /** The grant with that secret; undefined: there is none, it was used, or has ended. */
  find(secret: string): ConsoleGrant | undefined {
    this.#dropEnded();
    return this.#kept.get(secret);
  }

  /** Uses it up. False: somebody else has, or it has ended. */
  use(secret: string): boolean {
    this.#dropEnded();
    return this.#kept.delete(secret);
  }

  #dropEnded(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [secret, { endsMs }] of this.#kept) {
      if (endsMs > nowMs) return;
      this.#kept.delete(secret);
    }
  }
}
