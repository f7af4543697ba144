/**
 * What a host tells the records of a server's NICs. Each report is one transaction that first looks whether the record still
 * speaks of this host and generation and still asks for what was done: one that comes late, or twice, changes nothing.
 */
import { shoal } from '../../../../proto/messages.ts';
import type { HostId } from '../../../base/ids.ts';
import type { Row } from '../../../state/table.ts';
import { portTable, serverTable } from '../../../state/tables/index.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import type { NicReports } from '../../kit/reporting/nic-reporting.ts';
import { nicOf, withoutNic, withPluggedNic } from '../../kit/servers/server-nics.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { updatePortRow } from '../../network/port-record.ts';
import { hostEventOf, withEvents } from '../history/action-history.ts';
import { letGoOfPort } from '../kit/server-record.ts';

type Server = shoal.v1.Server;
type NicVerb = 'attach_interface' | 'detach_interface';

/** The reports of one host. */
export class NicReportService implements NicReports {
  readonly #deps: ServiceDependencies;
  readonly #hostId: HostId;
  readonly #signal: AbortSignal;

  constructor(deps: ServiceDependencies, hostId: HostId, signal: AbortSignal) {
    this.#deps = deps;
    this.#hostId = hostId;
    this.#signal = signal;
  }

  async plugged(server: Server, portId: string, isUp: boolean): Promise<void> {
    await this.#report(server, portId, (attempt, row) => {
      const { record } = row;
      if (isUp) this.#setActive(attempt, record, portId);
      if (nicOf(record, portId)?.arriving !== true || record.leavingPortIds.includes(portId)) return;
      const actions = this.#withEvent(record, portId, 'attach_interface');
      this.#write(attempt, row, { ...withPluggedNic(record, portId), actions });
    });
  }

  async unplugged(server: Server, portId: string): Promise<void> {
    await this.#report(server, portId, (attempt, row) => {
      const { record } = row;
      if (!record.leavingPortIds.includes(portId)) return;
      const actions = this.#withEvent(record, portId, 'detach_interface');
      this.#write(attempt, row, { ...withoutNic(record, portId), actions });
      letGoOfPort(attempt, record, portId, this.#deps.clock.nowMs());
    });
  }

  async plugFailed(server: Server, portId: string, message: string): Promise<void> {
    await this.#report(server, portId, (attempt, row) => {
      const { record } = row;
      if (nicOf(record, portId)?.arriving !== true) return;
      const actions = this.#withEvent(record, portId, 'attach_interface', message);
      this.#write(attempt, row, { ...withoutNic(record, portId), actions });
      letGoOfPort(attempt, record, portId, this.#deps.clock.nowMs());
    });
  }

  async unplugFailed(server: Server, portId: string, message: string): Promise<void> {
    await this.#report(server, portId, (attempt, row) => {
      const { record } = row;
      if (!record.leavingPortIds.includes(portId)) return;
      const actions = this.#withEvent(record, portId, 'detach_interface', message);
      this.#write(attempt, row, { ...withPluggedNic(record, portId), actions });
    });
  }

  async passwordPosted(portId: string, password: string): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, ({ reader, change }) => {
      const row = serverTable.get(reader, portTable.get(reader, portId)?.record.deviceId ?? '');
      if (row === undefined || row.record.hostId !== this.#hostId || row.record.encryptedPassword !== '') return;
      const next = { ...row.record, encryptedPassword: password, updatedMs: this.#deps.clock.nowMs() };
      serverTable.update(change, row, new shoal.v1.Server(next));
    });
  }

  /** Runs `work` on the record if it is still this host's at this generation, and the NIC is the server's. */
  async #report(server: Server, portId: string, work: (attempt: Attempt, row: Row<Server>) => void): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = serverTable.get(attempt.reader, server.id);
      if (row?.record.hostId !== this.#hostId || row.record.generation !== server.generation) return;
      if (row.record.portIds.includes(portId)) work(attempt, row);
    });
  }

  #write(attempt: Attempt, row: Row<Server>, fields: Partial<Server>): void {
    const next = new shoal.v1.Server({ ...row.record, ...fields, updatedMs: this.#deps.clock.nowMs() });
    serverTable.update(attempt.change, row, next);
  }

  #setActive(attempt: Attempt, server: Server, portId: string): void {
    const port = portTable.get(attempt.reader, portId);
    if (port?.record.deviceId !== server.id || port.record.status === 'ACTIVE') return;
    updatePortRow(attempt.change, port, new shoal.v1.Port({ ...port.record, status: 'ACTIVE' }));
  }

  /** The history with what this host did for the request that asked for the NIC to come or go. */
  #withEvent(record: Server, portId: string, action: NicVerb, error?: string): shoal.v1.ServerAction[] {
    const requestId = nicOf(record, portId)?.requestId ?? '';
    const isIt = (one: shoal.v1.ServerAction): boolean =>
      requestId !== '' && one.requestId === requestId && one.action === action;
    const nowMs = this.#deps.clock.nowMs();
    const startMs = record.actions.findLast(isIt)?.startMs ?? nowMs;
    const event = {
      event: hostEventOf(action),
      hostId: this.#hostId,
      startMs,
      finishMs: nowMs,
      ...(error === undefined ? {} : { error }),
    };
    return withEvents(record, isIt, [event], nowMs);
  }
}
