/**
 * Whether this agent may run: its host is a member still, and no other process has the host's key.
 * A host that was switched off learns of its removal from its peers alone; and a copy of a host's disk on a second machine is
 * the same host to everybody: both would vote, and run the same guests. So an agent asks before it listens to anybody, and again
 * while it has no quorum. Of two live ones the older stays.
 *
 * Nobody's word alone stops an agent: that there is another is proved by a connection between the two, by the key itself; that
 * the host was removed, or that another is there which cannot be reached from here, most of those who answer have to say.
 */
import { type Clock, sleep } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { atLeastEpoch } from '../mesh/identity/epoch-file.ts';
import {
  formatInstance,
  type Instance,
  isOlderInstance,
  isSameInstance,
  parseInstance,
  parseListensAt,
} from '../mesh/peers/instance.ts';
import type { PeerClient, PeerClients } from '../mesh/peers/peer-client.ts';
import { keyInUse, type SeenInstance, whereabouts } from '../mesh/peers/peer-instances.ts';
import { hostRemoved } from '../mesh/peers/peer-server.ts';
import { hostTable } from '../state/tables/index.ts';
import type { StateClient } from '../state/types.ts';
import type { HostDirectory } from './host-directory.ts';

/** Members asked at a time. All that hold the whole state are among the first. */
const askedMax = 8;
/** Time for an answer, ms: agents that are down must not hold up a start. */
const answerMsMax = 1_000;
/** A peer may hold a dead connection of this host's last run for so long, and a pause between two questions, ms. */
const patienceMs = 9_000;
const pauseMs = 500;
/** How often it is asked while there is no quorum, ms. */
const againMs = 10_000;
/** How long another agent is told of after it was met last, ms. */
const toldMs = 600_000;

interface SelfCheckDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peers: PeerClients;
  readonly directory: HostDirectory;
  readonly state: StateClient;
  /** Ends what waits when the agent stops. */
  readonly signal: AbortSignal;
  /**
   * Tries to get another certificate, by the host key. `renewed`: there is one now; `removed`: those who answer say that this host
   * was removed; `nobody`: nobody answers, either.
   */
  readonly renew: () => Promise<'renewed' | 'removed' | 'nobody'>;
  /** This agent must end. */
  readonly onFatal: (error: unknown) => void;
}

interface SelfCheckOptions {
  readonly hostId: HostId;
  readonly instance: Instance;
  readonly dataDir: string;
  /** Where this agent listens for its peers, as others reach it. */
  readonly peerAddress: string;
}

/** Said in the facts of what an agent ends with that is to begin again at once, with a higher epoch. */
export const epochOutrun = 'epoch-outrun';

/** What there is against this agent. `proved`: no later answer can change it. */
interface Objection {
  readonly error: ShoalError;
  readonly proved: boolean;
}

/** See above. */
export class SelfCheck {
  readonly #deps: SelfCheckDeps;
  readonly #options: SelfCheckOptions;
  #askedMs = Number.NEGATIVE_INFINITY;
  #other: { readonly where: string; readonly metMs: number } | undefined;

  constructor(deps: SelfCheckDeps, options: SelfCheckOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Before this agent listens. Throws `IDENTITY_MISMATCH` when it must not run. Returns at once when nobody answers. */
  async mustPass(): Promise<void> {
    const { clock, logger, signal } = this.#deps;
    const endMs = clock.monotonicMs() + patienceMs;
    // The clock's timers do not keep the process alive, and nothing else may while it waits.
    const alive = setInterval(() => {}, 2 ** 30);
    try {
      for (;;) {
        const objection = await this.#objection();
        if (objection === undefined) return;
        if (objection.proved || clock.monotonicMs() >= endMs) throw objection.error;
        logger.warn({ error: objection.error }, 'peers know another agent with the key of this host; asking again');
        await sleep(clock, pauseMs, signal);
      }
    } finally {
      clearInterval(alive);
    }
  }

  /** While there is no quorum: asks again now and then. */
  async review(): Promise<void> {
    const { clock, logger, onFatal } = this.#deps;
    if (clock.monotonicMs() - this.#askedMs < againMs) return;
    const objection = await this.#objection();
    if (objection?.proved === true) onFatal(objection.error);
    else if (objection !== undefined) logger.error({ error: objection.error }, 'peers refuse this agent');
  }

  /** Another process has called with this host's key, which TLS has proved. The newer of the two ends. */
  met(other: SeenInstance): void {
    if (isOlderInstance(other.instance, this.#options.instance)) {
      this.#deps.onFatal(this.#copied(whereabouts(other), other.instance));
    } else this.#note(whereabouts(other));
  }

  /**
   * An advert of this host that another run of it has signed, later than this one began: all that this one says is old to
   * everybody from now on, so it has to begin again with a higher epoch.
   */
  heard({ epoch, peerAddress }: { readonly epoch: number; readonly peerAddress: string }): void {
    const { onFatal } = this.#deps;
    const { dataDir, hostId } = this.#options;
    this.#note(peerAddress);
    const outrun = new ShoalError('IDENTITY_MISMATCH', `An agent at ${peerAddress} has spoken for this host.`, {
      facts: { hostId, reason: epochOutrun },
    });
    atLeastEpoch(dataDir, epoch).then(() => onFatal(outrun), onFatal);
  }

  /** Where another agent with this host's key is, while it is news. */
  get other(): string | undefined {
    const { clock } = this.#deps;
    return this.#other !== undefined && clock.monotonicMs() - this.#other.metMs < toldMs
      ? this.#other.where
      : undefined;
  }

  /** For people; empty when all is well. */
  troubles(): Readonly<Record<string, string>> {
    const where = this.other;
    if (where === undefined) return {};
    return {
      identity: `another agent runs with the key of this host, at ${where}: a copy of this host's data folder. Stop it, and join that machine with an empty data folder and a ticket of its own.`,
    };
  }

  #note(where: string): void {
    const isNew = this.other === undefined;
    this.#other = { where, metMs: this.#deps.clock.monotonicMs() };
    if (isNew) this.#deps.logger.error({ where }, Object.values(this.troubles()).join());
  }

  async #objection(): Promise<Objection | undefined> {
    const { peers, clock } = this.#deps;
    this.#askedMs = clock.monotonicMs();
    const recorded = hostTable.get(this.#deps.state.local, this.#options.hostId)?.record.peerAddress;
    const asked = this.#others().slice(0, askedMax);
    const ask = () => Promise.all(asked.map((member) => this.#answerOf(() => peers.to(member))));
    const [former, first] = await Promise.all([this.#askAt(recorded), ask()]);
    if (former !== undefined) return former;
    let heard = first.filter((answer) => answer !== undefined);
    if (heard.length === 0 && asked.length > 0) {
      // Nobody is there, or nobody takes this host's certificate.
      const tried = await this.#deps.renew();
      if (tried === 'removed') return { error: removedError(this.#options), proved: true };
      if (tried === 'renewed') heard = (await ask()).filter((answer) => answer !== undefined);
    }
    const removed = heard.filter((answer) => answer instanceof ShoalError && answer.facts['reason'] === hostRemoved);
    if (removed.length * 2 > heard.length) return { error: removedError(this.#options), proved: true };
    const refusals = heard.filter((answer) => answer instanceof ShoalError && answer.facts['reason'] === keyInUse);
    for (const refusal of refusals) {
      const address = refusal instanceof ShoalError ? refusal.facts['otherAddress'] : undefined;
      const found = await this.#askAt(parseListensAt(typeof address === 'string' ? address : undefined));
      if (found !== undefined) return found;
    }
    if (refusals.length * 2 <= heard.length) return undefined;
    return { error: this.#copied('an address that cannot be reached from here'), proved: false };
  }

  /** The other members, those that hold the whole state first. */
  #others(): readonly HostId[] {
    const { directory, state } = this.#deps;
    const voters = state.status().voters.map((raftId) => directory.hostIdOf(raftId));
    const all = new Set([...voters, ...directory.hosts().map((host) => host.hostId as HostId)]);
    return [...all].filter((hostId) => hostId !== undefined).filter((hostId) => hostId !== this.#options.hostId);
  }

  /** Asks for this host itself where it may be reached elsewhere. */
  async #askAt(address: string | undefined): Promise<Objection | undefined> {
    const { hostId, instance, peerAddress } = this.#options;
    if (address === undefined || address === peerAddress) return undefined;
    const client = this.#deps.peers.at(hostId, address);
    try {
      const answer = await this.#answerOf(() => client);
      if (answer === undefined || answer instanceof ShoalError || isSameInstance(answer, instance)) return undefined;
      if (isOlderInstance(answer, instance)) return { error: this.#copied(address, answer), proved: true };
      // The other has begun later: it is the one that ends, and this call has told it so.
      this.#note(address);
      return undefined;
    } finally {
      client.close();
    }
  }

  /** Which instance answers; an error when a peer has one; undefined when nobody has said anything. */
  async #answerOf(client: () => PeerClient): Promise<Instance | ShoalError | undefined> {
    const options = { timeoutMs: answerMsMax, signal: this.#deps.signal };
    try {
      const { instance } = await client().call((calls) => calls.getInstance({}, options));
      return parseInstance(instance);
    } catch (caught) {
      return ShoalError.is(caught, 'IDENTITY_MISMATCH') ? caught : undefined;
    }
  }

  #copied(where: string, other?: Instance): ShoalError {
    const { dataDir, hostId, instance } = this.#options;
    const since = other === undefined ? '' : `, since ${new Date(other.epoch).toISOString()}`;
    return new ShoalError(
      'IDENTITY_MISMATCH',
      `Another agent runs with the key of this host at ${where}${since}: ${dataDir} is a copy of its data folder, or it of this ` +
        'one. The older agent stays and this one ends. Is this machine the copy: give it an empty data folder, and join it ' +
        'with a ticket of its own. Is it the original: stop the other agent, and start this one again.',
      { facts: { hostId, reason: keyInUse, own: formatInstance(instance) } },
    );
  }
}

/** What an agent ends with whose host was removed from the mesh. */
export function removedError({ hostId, dataDir }: { readonly hostId: string; readonly dataDir: string }): ShoalError {
  return new ShoalError(
    'IDENTITY_MISMATCH',
    'This host was removed from the mesh. Its guests, if any, run on until they are ended here. ' +
      `To join again, use another, empty data folder and a new ticket; keep ${dataDir} while it holds disks that you want.`,
    { facts: { hostId, reason: hostRemoved } },
  );
}
