/**
 * An address of the API that moves: one live host of those that are configured for it has it, by the lease of a record. A VRRP
 * daemon (keepalived) would need no quorum, and that is what is wrong with it: hosts that are cut off from one another would each
 * take the address; and it would be a second opinion on who is alive.
 */
import type { LinkAddress } from '../../../drivers/link-address/link-address.ts';
import { shoal } from '../../../proto/messages.ts';
import type { Timer } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Service } from '../../base/lifecycle.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import type { ServiceDependencies } from '../../services/kit/dependencies.ts';
import { transact } from '../../services/kit/transact.ts';
import { apiAddressTable } from '../../state/tables/index.ts';
import { kernelHold, leaseMs, nextLeaseStep } from './lease.ts';

/** How often it is looked, ms. */
const lookMs = 200;
/** A write that takes longer has missed its lease. */
const writeMsMax = leaseMs;
/** How long stopping may take to tell the others, ms. */
const giveUpMsMax = 1_000;

interface ApiAddressDeps extends ServiceDependencies {
  readonly link: LinkAddress;
  /** Whether this host sees all that is written: one that holds a slice of the state holds no address. */
  readonly isReplica: () => boolean;
}

/** See above. */
export class ApiAddress implements Service {
  readonly #deps: ApiAddressDeps;
  readonly #address: string;
  readonly #hostId: HostId;
  readonly #repeated: RepeatedLog;
  readonly #abort = new AbortController();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #announcing: Promise<void> | undefined;
  #seen: { readonly revision: number; readonly atMs: number } | undefined;
  #renewedMs: number | undefined;

  /** @param address without its prefix length: the record's id. */
  constructor(deps: ApiAddressDeps, address: string, hostId: HostId) {
    this.#deps = deps;
    this.#address = address;
    this.#hostId = hostId;
    this.#repeated = new RepeatedLog(deps);
  }

  /** Whether this host has the address now, as far as it may tell the kernel. */
  get isHeld(): boolean {
    return this.#renewedMs !== undefined && this.#deps.clock.monotonicMs() < this.#renewedMs + leaseMs;
  }

  async start(): Promise<void> {
    this.#timer = this.#deps.clock.setInterval(() => this.#look(), lookMs);
  }

  /** Gives the address up, so that another host takes it at once. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    await this.#running;
    await this.#announcing;
    if (!this.isHeld) return;
    const signal = AbortSignal.timeout(giveUpMsMax);
    try {
      // First here, then in the record: the next holder begins as soon as it reads that.
      await this.#deps.link.release(signal);
      await this.#write(signal, ({ holderHostId, ...rest }) =>
        holderHostId === this.#hostId ? { ...rest, holderHostId: '' } : undefined,
      );
    } catch (caught) {
      this.#deps.logger.warn({ err: caught, address: this.#address }, 'the address of the API runs out by itself');
    }
  }

  #look(): void {
    if (this.#running !== undefined || this.#abort.signal.aborted) return;
    this.#running = this.#step()
      .catch((caught: unknown) => {
        if (this.#abort.signal.aborted) return;
        const error = ShoalError.from(caught, 'DRIVER_FAILED');
        const facts = { address: this.#address, code: error.code, err: error };
        this.#repeated.warn(
          `api-address ${error.code}`,
          facts,
          'the address of the API was not kept; it is tried again',
        );
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #step(): Promise<void> {
    const { clock, state } = this.#deps;
    const row = apiAddressTable.get(state.local, this.#address);
    const revision = row?.revision ?? 0;
    const nowMs = clock.monotonicMs();
    if (this.#seen?.revision !== revision) this.#seen = { revision, atMs: nowMs };
    const step = nextLeaseStep({
      record: row?.record,
      ownHostId: this.#hostId,
      seenMs: this.#seen.atMs,
      renewedMs: this.#renewedMs,
      isCandidate: this.#deps.isReplica(),
      nowMs,
    });
    if (step === 'wait') return;
    const isTaken = await this.#write(
      AbortSignal.any([this.#abort.signal, AbortSignal.timeout(writeMsMax)]),
      (record, now) => {
        // Somebody was faster, or what was seen is not what is there.
        if (now !== revision) return undefined;
        const { generation, renewals } = record;
        return step === 'renew'
          ? { ...record, renewals: renewals + 1 }
          : { ...record, holderHostId: this.#hostId, generation: generation + 1, renewals: 0 };
      },
    );
    if (!isTaken) {
      this.#renewedMs = undefined;
      return;
    }
    this.#renewedMs = nowMs;
    await this.#hold(nowMs, step === 'take');
  }

  /** Has the kernel keep it for what is left of the lease. */
  async #hold(renewedMs: number, isNew: boolean): Promise<void> {
    const { clock, link, logger } = this.#deps;
    const hold = kernelHold(renewedMs, clock.monotonicMs());
    if (hold === undefined) return;
    const inTime = AbortSignal.timeout(Math.floor(hold.untilMs - clock.monotonicMs()));
    try {
      await link.hold(hold.seconds, AbortSignal.any([this.#abort.signal, inTime]));
    } finally {
      // A machine that stood still in between may have told the kernel too late.
      if (clock.monotonicMs() > hold.untilMs) await link.release(AbortSignal.timeout(writeMsMax));
    }
    if (!isNew) return;
    logger.info({ address: this.#address }, 'this host has the address of the API now');
    this.#announcing = link
      .announce(this.#abort.signal)
      .catch((caught: unknown) =>
        logger.warn({ err: caught, address: this.#address }, 'announcing the address failed'),
      );
  }

  /** Whether the record is as `edit` wants it. False: it wants nothing, since another host has written meanwhile. */
  #write(
    signal: AbortSignal,
    edit: (record: shoal.v1.ApiAddress, revision: number) => Partial<shoal.v1.ApiAddress> | undefined,
  ): Promise<boolean> {
    return transact(this.#deps, { signal, hasReadFresh: true }, ({ reader, change }) => {
      const row = apiAddressTable.get(reader, this.#address);
      const next = edit(row?.record ?? new shoal.v1.ApiAddress({ id: this.#address }), row?.revision ?? 0);
      if (next === undefined) return false;
      const record = new shoal.v1.ApiAddress({ ...next, id: this.#address });
      if (row === undefined) apiAddressTable.insert(change, record);
      else apiAddressTable.update(change, row, record);
      return true;
    });
  }
}
