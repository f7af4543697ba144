/**
 * Reports that could not be committed for want of a quorum. They are said again by the host loop at each pass until they
 * are; meanwhile a client that asks this agent about a guest of this host is shown what is so, not what is recorded.
 */

import { shoal } from '../../../proto/messages.ts';
import { coverageMark } from '../../base/buggify/buggify.ts';
import { isUnrecorded, ShoalError } from '../../base/errors.ts';
import type { DoneFor, HostReports, ReportedPower } from '../../services/kit/reporting/host-reporting.ts';

const markReportPending = coverageMark('report-pending', 'a host has a report that it cannot record yet');

const { ServerStatus } = shoal.v1;

/** Nova's numbers of power states. */
const shown = {
  running: { status: ServerStatus.SERVER_STATUS_ACTIVE, powerState: 1 },
  paused: { status: ServerStatus.SERVER_STATUS_PAUSED, powerState: 3 },
  suspended: { status: ServerStatus.SERVER_STATUS_SUSPENDED, powerState: 4 },
  stopped: { status: ServerStatus.SERVER_STATUS_SHUTOFF, powerState: 4 },
} as const;

interface PendingReport {
  readonly generation: number;
  readonly power: keyof typeof shown;
  /** What its owner is to be told of how it got there. */
  readonly notice?: string | undefined;
  readonly done?: DoneFor | undefined;
}

/** Reports through `inner`, and remembers what it could not say. */
export class PendingReports implements HostReports {
  readonly #inner: HostReports;
  readonly #pending = new Map<string, PendingReport>();

  constructor(inner: HostReports) {
    this.#inner = inner;
  }

  /** The record with what could not be said laid over it. */
  overlay(server: shoal.v1.Server): shoal.v1.Server {
    const pending = this.#pending.get(server.id);
    if (pending === undefined || pending.generation !== server.generation) return server;
    return new shoal.v1.Server({ ...server, ...shown[pending.power], taskState: '' });
  }

  power(
    server: shoal.v1.Server,
    power: ReportedPower,
    rebootsDone: number,
    notice?: string,
    done?: DoneFor,
  ): Promise<void> {
    const pending = this.#pending.get(server.id);
    // Said again, the report is of a guest that runs: how it came to is known here alone.
    const told =
      notice ?? (pending?.generation === server.generation && pending.power === power ? pending.notice : undefined);
    const how =
      done ?? (pending?.generation === server.generation && pending.power === power ? pending.done : undefined);
    const say = (): Promise<void> => this.#inner.power(server, power, rebootsDone, told, how);
    return this.#say(server, power, say, { notice: told, done: how });
  }

  shutdown(server: shoal.v1.Server): Promise<void> {
    return this.#say(server, 'stopped', () => this.#inner.shutdown(server), {});
  }

  fault(server: shoal.v1.Server, message: string, details: string): Promise<void> {
    return this.#inner.fault(server, message, details);
  }

  released(server: shoal.v1.Server, done?: DoneFor): Promise<void> {
    return this.#inner.released(server, done);
  }

  cleaned(server: shoal.v1.Server): Promise<void> {
    return this.#inner.cleaned(server);
  }

  rebuilt(server: shoal.v1.Server): Promise<void> {
    return this.#inner.rebuilt(server);
  }

  unrescued(server: shoal.v1.Server): Promise<void> {
    return this.#inner.unrescued(server);
  }

  async offloaded(server: shoal.v1.Server): Promise<void> {
    await this.#inner.offloaded(server);
    this.#pending.delete(server.id);
  }

  async deleted(server: shoal.v1.Server): Promise<void> {
    await this.#inner.deleted(server);
    this.#pending.delete(server.id);
  }

  task(server: shoal.v1.Server, taskState: string): Promise<void> {
    return this.#inner.task(server, taskState);
  }

  async #say(
    server: shoal.v1.Server,
    power: keyof typeof shown,
    run: () => Promise<void>,
    told: Pick<PendingReport, 'notice' | 'done'>,
  ): Promise<void> {
    try {
      await run();
      this.#pending.delete(server.id);
    } catch (caught) {
      if (ShoalError.of(caught, isUnrecorded)) {
        markReportPending();
        this.#pending.set(server.id, { generation: server.generation, power, ...told });
      }
      throw caught;
    }
  }
}
