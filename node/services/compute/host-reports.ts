/**
 * What a host tells the records of its guests. Each report is one transaction that first looks whether the record still
 * speaks of this host at this generation: a report that comes late changes nothing, and the same one twice changes
 * nothing the second time.
 *
 * An owner may have asked for something new while the host was busy with the old. A report then says what is so, and
 * leaves what is asked for (task, wanted power) alone.
 */

import { shoal } from '../../../proto/messages.ts';
import { coverageMark } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { beginningOf } from '../../base/text.ts';
import type { Row } from '../../state/table.ts';
import { portTable, serverTable } from '../../state/tables/index.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import type { DoneFor, HostReports, ReportedPower } from '../kit/reporting/host-reporting.ts';
import { awaitingHostOf } from '../kit/server-move.ts';
import { requestOf } from '../kit/server-request.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { updatePortRow } from '../network/port-record.ts';
import { isInRescue } from '../volume/kit/disks-of-server.ts';
import { askedAt, hostAction, hostEventOf, withEvents } from './history/action-history.ts';
import { noteMigration } from './history/migrations.ts';
import {
  freeNamingPorts,
  powerStates,
  refundDifference,
  removeServerRow,
  removeShelvedImage,
} from './kit/server-record.ts';
import { isJobTask } from './machine/job-tasks.ts';
import { arrived, cleaned, released } from './moves/move-reports.ts';

const markReportOfAnotherState = coverageMark(
  'report-of-another-state',
  'a report meets a record that wants something else',
);
const markFaultOfAnOldRequest = coverageMark(
  'fault-of-an-old-request',
  'a fault is not recorded, for the owner has asked for something else since',
);
const markReportComesLate = coverageMark('report-comes-late', 'a report speaks of a server that is gone');

const { PowerWanted, ServerStatus } = shoal.v1;

/** Longest fault message and details kept, characters: Nova's columns. */
const faultMessageMax = 255;
const faultDetailsMax = 16_384;

const reported = {
  running: { status: ServerStatus.SERVER_STATUS_ACTIVE, powerState: powerStates.running },
  stopped: { status: ServerStatus.SERVER_STATUS_SHUTOFF, powerState: powerStates.shutdown },
  paused: { status: ServerStatus.SERVER_STATUS_PAUSED, powerState: powerStates.paused },
  suspended: { status: ServerStatus.SERVER_STATUS_SUSPENDED, powerState: powerStates.shutdown },
} as const;

const wanted = {
  running: PowerWanted.POWER_WANTED_RUNNING,
  stopped: PowerWanted.POWER_WANTED_STOPPED,
  paused: PowerWanted.POWER_WANTED_PAUSED,
  suspended: PowerWanted.POWER_WANTED_SUSPENDED,
} as const;

/** The reports of one host. Given to its executor. */
export class HostReportService implements HostReports {
  readonly #deps: ServiceDependencies;
  readonly #hostId: HostId;
  readonly #signal: AbortSignal;

  /** @param signal ends waits when the agent stops. */
  constructor(deps: ServiceDependencies, hostId: HostId, signal: AbortSignal) {
    this.#deps = deps;
    this.#hostId = hostId;
    this.#signal = signal;
  }

  async power(
    server: shoal.v1.Server,
    power: ReportedPower,
    rebootsDone: number,
    notice?: string,
    done?: DoneFor,
  ): Promise<void> {
    const requestId = notice === undefined ? '' : `req-${this.#deps.newId()}`;
    await this.#report(server, (attempt, row) => {
      const { record } = row;
      const isWanted = record.powerWanted === wanted[power];
      // A guest that is to be off, and is, owes no reboot any more.
      const moot = isWanted && power !== 'running' ? record.rebootsWanted : 0;
      const reboots = Math.max(record.rebootsDone, rebootsDone, moot);
      if (!isWanted) markReportOfAnotherState();
      const observedRevision = Math.max(record.observedRevision, server.askedRevision);
      const isAllAsked = observedRevision >= record.askedRevision;
      const isAsked = isWanted && isAllAsked && reboots >= record.rebootsWanted && !record.deleting;
      const next = new shoal.v1.Server({
        ...record,
        ...reported[power],
        rebootsDone: reboots,
        // A report that began before the first start was told knows none.
        machine: server.machine === '' ? record.machine : server.machine,
        observedRevision,
        taskState: isAsked && !isJobTask(record.taskState) ? '' : record.taskState,
        launchedMs: record.launchedMs === 0 && power === 'running' ? this.#deps.clock.nowMs() : record.launchedMs,
        fault: null,
      });
      if (isInRescue(record)) next.status = ServerStatus.SERVER_STATUS_RESCUE;
      if (!isAsked && record.status === ServerStatus.SERVER_STATUS_REBOOT) next.status = record.status;
      const isShelved = record.status === ServerStatus.SERVER_STATUS_SHELVED;
      if (isShelved && power === 'stopped') next.status = record.status;
      if (power === 'running' && record.shelvedImageId !== '') {
        // Its disk is made of it: nobody needs it any more.
        removeShelvedImage(attempt, record, this.#deps.clock.nowMs());
        next.shelvedImageId = '';
      }
      if (record.heldInError) next.status = record.status;
      if (notice !== undefined) {
        const did = { action: 'start', requestId, hostId: this.#hostId, message: notice };
        next.actions = hostAction(record, did, this.#deps.clock.nowMs());
      } else if (isWanted && record.observedRevision < server.askedRevision) {
        next.actions = this.#withEvents(record, server.askedRevision, done);
      }
      const hasCome = record.move?.kind === 'live-migration' && (power === 'running' || power === 'paused');
      // A guest that has come while it ran is there, whatever else has been asked of it meanwhile; its task is what that is.
      if (isAsked || hasCome) Object.assign(next, arrived(attempt, record, this.#deps.clock.nowMs()));
      if (!isAsked && hasCome) next.taskState = record.taskState === 'migrating' ? '' : record.taskState;
      refundDifference(attempt.change, record, next);
      this.#write(attempt, row, next);
      this.#setPortStatus(attempt, record, power === 'stopped' || power === 'suspended' ? 'DOWN' : 'ACTIVE');
    });
  }

  async shutdown(server: shoal.v1.Server): Promise<void> {
    await this.#report(server, (attempt, row) => {
      const { record } = row;
      const next = new shoal.v1.Server({ ...record, ...reported.stopped, fault: null });
      if (isInRescue(record)) next.status = ServerStatus.SERVER_STATUS_RESCUE;
      if (requestOf(record) === requestOf(server)) {
        next.powerWanted = PowerWanted.POWER_WANTED_STOPPED;
        if (!isJobTask(record.taskState)) next.taskState = '';
      }
      this.#write(attempt, row, next);
      this.#setPortStatus(attempt, record, 'DOWN');
    });
  }

  async rebuilt(server: shoal.v1.Server): Promise<void> {
    await this.#report(server, (attempt, row) => {
      const { record } = row;
      const gone = new Set(server.replacedDisks.map(({ volumeId }) => volumeId));
      const replacedDisks = record.replacedDisks.filter(({ volumeId }) => !gone.has(volumeId));
      const taskState = record.taskState === 'rebuilding' ? 'rebuild_spawning' : record.taskState;
      this.#write(attempt, row, new shoal.v1.Server({ ...record, replacedDisks, taskState }));
    });
  }

  async unrescued(server: shoal.v1.Server): Promise<void> {
    await this.#report(server, (attempt, row) => {
      const { record } = row;
      if (record.rescue?.ending !== true) return;
      this.#write(attempt, row, new shoal.v1.Server({ ...record, rescue: null }));
    });
  }

  async offloaded(server: shoal.v1.Server): Promise<void> {
    await this.#report(server, (attempt, row) => {
      const { record } = row;
      if (!record.offloading || record.deleting) return;
      const observedRevision = Math.max(record.observedRevision, server.askedRevision);
      const next = new shoal.v1.Server({
        ...record,
        hostId: '',
        offloading: false,
        status: ServerStatus.SERVER_STATUS_SHELVED_OFFLOADED,
        powerState: powerStates.shutdown,
        taskState: '',
        observedRevision,
        releasedGeneration: record.generation,
        fault: null,
      });
      this.#write(attempt, row, next);
      for (const portId of record.portIds) {
        const port = portTable.get(attempt.reader, portId);
        if (port === undefined || port.record.deviceId !== record.id) continue;
        updatePortRow(attempt.change, port, new shoal.v1.Port({ ...port.record, hostId: '', status: 'DOWN' }));
      }
    });
  }

  async fault(server: shoal.v1.Server, message: string, details: string): Promise<void> {
    await this.#report(server, (attempt, row) => {
      if (requestOf(row.record) !== requestOf(server)) {
        markFaultOfAnOldRequest();
        return;
      }
      const fault = new shoal.v1.ServerFault({
        code: 500,
        message: beginningOf(message, faultMessageMax),
        details: beginningOf(details, faultDetailsMax),
        createdMs: this.#deps.clock.nowMs(),
      });
      const isKnown =
        row.record.status === ServerStatus.SERVER_STATUS_ERROR &&
        row.record.taskState === '' &&
        row.record.fault?.message === fault.message &&
        row.record.fault.details === fault.details;
      if (isKnown) return;
      const next = new shoal.v1.Server({
        ...row.record,
        status: ServerStatus.SERVER_STATUS_ERROR,
        taskState: '',
        fault,
      });
      next.actions = this.#withEvents(row.record, server.askedRevision, undefined, message);
      const { move } = row.record;
      if (move?.phase === 'migrating' || move?.phase === 'reverting') {
        noteMigration(attempt, move.migrationId ?? '', { status: 'error', error: fault.message }, fault.createdMs);
      }
      this.#write(attempt, row, next);
    });
  }

  /** QEMU gone here, disks closed, lock given back: the next host may start. */
  async released(server: shoal.v1.Server, done?: DoneFor): Promise<void> {
    await transact(this.#deps, this.#options, (attempt) => {
      const row = serverTable.get(attempt.reader, server.id);
      const isOurs = row?.record.previousHostId === this.#hostId && row.record.generation === server.generation;
      if (row === undefined || !isOurs) return;
      const nowMs = this.#deps.clock.nowMs();
      this.#write(attempt, row, new shoal.v1.Server({ ...row.record, ...released(attempt, row.record, done, nowMs) }));
    });
  }

  /** Nothing of the server is left on this host, its former one. */
  async cleaned(server: shoal.v1.Server): Promise<void> {
    await transact(this.#deps, this.#options, (attempt) => {
      const row = serverTable.get(attempt.reader, server.id);
      if (row === undefined || row.record.generation !== server.generation) return;
      const { record } = row;
      const lostHostIds = record.lostHostIds.filter((id) => id !== this.#hostId);
      const isOurs = record.previousHostId === this.#hostId;
      if (!isOurs && lostHostIds.length === record.lostHostIds.length) return;
      const next = new shoal.v1.Server({ ...record, ...(isOurs ? cleaned(record) : {}), lostHostIds });
      // One that is deleted while its move waits to be confirmed counts in its larger shape until now.
      refundDifference(attempt.change, record, next);
      this.#write(attempt, row, next);
    });
  }

  /** The last word on a deletion: record, ports made for it, floating IPs' associations and quota, in one. */
  async deleted(server: shoal.v1.Server): Promise<void> {
    await freeNamingPorts(this.#deps, this.#options, server);
    await this.#report(server, (attempt, row) => {
      if (!row.record.deleting) return;
      if (row.record.previousHostId !== '' && row.record.previousHostId !== this.#hostId) {
        // Its former host needs the record to know what to let go of.
        throw new ShoalError('UNAVAILABLE', `the former host of server ${server.id} has not released it yet`, {
          facts: { serverId: server.id, previousHostId: row.record.previousHostId },
        });
      }
      const lostHostId = row.record.lostHostIds.find((id) => id !== this.#hostId);
      if (lostHostId !== undefined) {
        throw new ShoalError('UNAVAILABLE', `host ${lostHostId}, which was lost, may still have server ${server.id}`, {
          facts: { serverId: server.id, lostHostId },
        });
      }
      const awaitingHostId = awaitingHostOf(row.record);
      if (awaitingHostId !== '') {
        throw new ShoalError('UNAVAILABLE', `what host ${awaitingHostId} has of server ${server.id} is not gone yet`, {
          facts: { serverId: server.id, awaitingHostId },
        });
      }
      removeServerRow(attempt.change, attempt.reader, row, this.#deps.clock.nowMs());
    });
  }

  async task(server: shoal.v1.Server, taskState: string): Promise<void> {
    try {
      await this.#report(server, (attempt, row) => {
        if (requestOf(row.record) !== requestOf(server)) return;
        this.#write(attempt, row, new shoal.v1.Server({ ...row.record, taskState }));
      });
    } catch (caught) {
      // A hint for people: the work goes on without it.
      this.#deps.logger.debug({ serverId: server.id, taskState, err: caught }, 'a task could not be recorded');
    }
  }

  get #options(): { readonly signal: AbortSignal } {
    return { signal: this.#signal };
  }

  /** The history with what this host did for the request of that number: the whole of it, and its parts. */
  #withEvents(
    record: shoal.v1.Server,
    askedRevision: number,
    done: DoneFor | undefined,
    error?: string,
  ): shoal.v1.ServerAction[] {
    const isAsked = askedAt(askedRevision);
    const name = record.actions.findLast(isAsked)?.action ?? '';
    const nowMs = this.#deps.clock.nowMs();
    const whole = {
      event: hostEventOf(name),
      hostId: this.#hostId,
      startMs: done?.startMs ?? nowMs,
      finishMs: nowMs,
      ...(error === undefined ? {} : { error }),
    };
    return withEvents(record, isAsked, [...(done?.events ?? []), whole], nowMs);
  }

  /** Runs `work` on the record if it is still this host's at this generation. */
  async #report(server: shoal.v1.Server, work: (attempt: Attempt, row: Row<shoal.v1.Server>) => void): Promise<void> {
    await transact(this.#deps, this.#options, (attempt) => {
      const row = serverTable.get(attempt.reader, server.id);
      const isOurs = row?.record.hostId === this.#hostId && row.record.generation === server.generation;
      if (row !== undefined && isOurs) work(attempt, row);
      else markReportComesLate();
    });
  }

  /** Writes the record unless nothing but its time would change. */
  #write(attempt: Attempt, row: Row<shoal.v1.Server>, next: shoal.v1.Server): void {
    const bytes = (server: shoal.v1.Server): Buffer => Buffer.from(shoal.v1.Server.encode(server).finish());
    if (bytes(next).equals(bytes(row.record))) return;
    next.updatedMs = this.#deps.clock.nowMs();
    serverTable.update(attempt.change, row, next);
  }

  #setPortStatus(attempt: Attempt, server: shoal.v1.Server, status: string): void {
    for (const portId of server.portIds) {
      const row = portTable.get(attempt.reader, portId);
      if (row === undefined || row.record.deviceId !== server.id || row.record.status === status) continue;
      updatePortRow(attempt.change, row, new shoal.v1.Port({ ...row.record, status }));
    }
  }
}
