/** Servers: what their owners see of them and ask of them. Making them: server-create.ts. */
import { shoal } from '../../../proto/messages.ts';
import { isOutage, ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { ownValue } from '../../base/own-value.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { hostTable, imageTable, portTable, securityGroupTable, serverTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { GuestQuestion, LocalIntent } from '../kit/dependencies.ts';
import { nextRequest } from '../kit/server-request.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { zoneOf } from '../kit/zones.ts';
import { renamePorts, updatePortRow } from '../network/port-record.ts';
import type { ComputeDependencies, ComputeOptions } from './dependencies.ts';
import { askedAction } from './history/action-history.ts';
import { findDeletedServer } from './history/deleted-servers.ts';
import { labelOf } from './kit/nic-rules.ts';
import { checkName, conflict } from './kit/refusals.ts';
import { findServer, freeNamingPorts, mustTake, removeServerRow, seeServer } from './kit/server-record.ts';
import { fieldsOf } from './machine/server-machine.ts';
import { type HostVerb, type ServerVerb, verbs } from './machine/verbs.ts';
import { type MadeServers, ServerMaker } from './server-create.ts';
import { checkAccessAddress, checkHostname, checkMetadata, checkTags, type ServerDraft } from './server-draft.ts';

const { ServerStatus } = shoal.v1;

/** Most of a console log that is handed out, bytes: what fits an answer and a person. */
const consoleBytesMax = 256 * 1024;

/** How long the servers of a request that failed are tried to be deleted again. Unit: ms. */
const takeBackMsMax = 15_000;

interface ServerPatch {
  readonly name?: string;
  readonly description?: string;
  readonly hostname?: string;
  /** The zone that moves keep it in: its own, or null for any. */
  readonly pinnedZone?: string | null;
  /** Empty: none. */
  readonly accessIpv4?: string;
  readonly accessIpv6?: string;
  readonly diskConfigAuto?: boolean;
}

/** What the server's own host does without a quorum, by verb. */
const intents: ReadonlyMap<ServerVerb, LocalIntent> = new Map<ServerVerb, LocalIntent>([
  ['start', { kind: 'start' }],
  ['stop', { kind: 'stop' }],
  ['reboot-soft', { kind: 'reboot', hard: false }],
  ['reboot-hard', { kind: 'reboot', hard: true }],
]);

/**
 * Nova's servers. A server of another project is `NOT_FOUND` but for administrators. A locked one refuses what its
 * owner asks with `CONFLICT`, but for `update` and the lock itself. Without a quorum, `stop`, `start` and `reboot`
 * still work at the server's own host; all else throws what `transact` throws.
 */
export class Servers {
  readonly #deps: ComputeDependencies;
  readonly #maker: ServerMaker;

  constructor(deps: ComputeDependencies, options: ComputeOptions) {
    this.#deps = deps;
    this.#maker = new ServerMaker(deps, options);
  }

  /** The project's servers; with `allProjects` everybody's, which is the caller's to ask for. Newest first. */
  list(context: RequestContext, reader: StateReader, allProjects = false): readonly shoal.v1.Server[] {
    const rows = allProjects
      ? serverTable.list(reader)
      : serverTable.by(reader, 'project', indexKey(context.projectId));
    return rows
      .map((row) => this.#deps.hostControl.withLocalIntents(row.record))
      .sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? 1 : -1));
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.Server {
    return this.#deps.hostControl.withLocalIntents(seeServer(context, reader, id).record);
  }

  /** What was asked of a server, oldest first. @param alsoDeleted of one that has gone, too, while it is still told of. */
  actionsOf(
    context: RequestContext,
    reader: StateReader,
    id: string,
    { alsoDeleted }: { readonly alsoDeleted: boolean },
  ): Pick<shoal.v1.Server, 'id' | 'projectId' | 'actions'> {
    const gone = alsoDeleted ? findDeletedServer(context, reader, id) : undefined;
    return gone ?? this.show(context, reader, id);
  }

  create(context: RequestContext, draft: ServerDraft): Promise<MadeServers> {
    return this.#maker.make(context, draft, (server) => this.#takeBack(context, server.id));
  }

  /** A server of a request that failed goes again, also when the caller has gone meanwhile. */
  async #takeBack(context: RequestContext, id: string): Promise<void> {
    const bound = new AbortController();
    const timer = this.#deps.clock.setTimeout(() => bound.abort(), takeBackMsMax);
    try {
      await this.delete({ ...context, signal: bound.signal }, id);
    } finally {
      timer.cancel();
    }
  }

  /**
   * Asks for deletion: its host tears it down, then the record goes. A server that has no host goes at once. Asked twice,
   * it is asked once.
   */
  async delete(context: RequestContext, id: string): Promise<void> {
    const unplaced = findServer(context, this.#deps.state.local, id)?.record;
    if (unplaced?.hostId === '') await freeNamingPorts(this.#deps, context, unplaced);
    await transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, id);
      mustTake(context, row.record, 'delete');
      if (row.record.hostId === '') {
        removeServerRow(attempt.change, attempt.reader, row, this.#deps.clock.nowMs());
      } else if (!row.record.deleting) {
        const request = nextRequest(row.record);
        const actions = askedAction(row.record, 'delete', context, this.#deps.clock.nowMs(), request);
        const deletion = { deleting: true, taskState: 'deleting', ...request, actions };
        this.#write(attempt, row, { ...row.record, ...deletion });
      }
    });
  }

  stop(context: RequestContext, id: string): Promise<void> {
    return this.#ask(context, id, 'stop');
  }

  start(context: RequestContext, id: string): Promise<void> {
    return this.#ask(context, id, 'start');
  }

  reboot(context: RequestContext, id: string, hard: boolean): Promise<void> {
    return this.#ask(context, id, hard ? 'reboot-hard' : 'reboot-soft');
  }

  pause(context: RequestContext, id: string): Promise<void> {
    return this.#ask(context, id, 'pause');
  }

  unpause(context: RequestContext, id: string): Promise<void> {
    return this.#ask(context, id, 'unpause');
  }

  /** Saves the guest's memory on its host and ends its process. */
  suspend(context: RequestContext, id: string): Promise<void> {
    return this.#ask(context, id, 'suspend');
  }

  resume(context: RequestContext, id: string): Promise<void> {
    return this.#ask(context, id, 'resume');
  }

  /**
   * Puts a server in ERROR, where it stays until something is asked of it; or ends its error (`active`): its host tries again what
   * was asked last, and its reports say what is so.
   */
  async resetState(context: RequestContext, id: string, state: 'active' | 'error'): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    await this.#edit(context, id, 'reset-state', (server) => {
      const { askedRevision } = nextRequest(server);
      const fields =
        state === 'error'
          ? { status: ServerStatus.SERVER_STATUS_ERROR, heldInError: true, observedRevision: askedRevision }
          : { status: ServerStatus.SERVER_STATUS_ACTIVE, heldInError: false, fault: null };
      const actions = askedAction(server, verbs['reset-state'].action, context, nowMs);
      return { ...server, ...fields, taskState: '', askedRevision, actions };
    });
  }

  /** Sends the guest a non-maskable interrupt. `CONFLICT` when its host has no guest of it that runs. */
  triggerCrashDump(context: RequestContext, id: string): Promise<void> {
    return this.#askGuest(context, id, 'trigger_crash_dump', { kind: 'crash-dump' });
  }

  /**
   * Sets the password of the guest's administrator: by the image's `os_admin_user`, else root, or Administrator on Windows.
   * `CONFLICT` when the guest has no agent that answers, or it refuses.
   */
  async setPassword(context: RequestContext, id: string, password: string): Promise<void> {
    const reader = await this.#deps.state.fresh(context.signal);
    const { properties = {} } = imageTable.find(reader, seeServer(context, reader, id).record.imageId)?.record ?? {};
    const isWindows = ownValue(properties, 'os_type') === 'windows';
    const user = ownValue(properties, 'os_admin_user') ?? (isWindows ? 'Administrator' : 'root');
    await this.#askGuest(context, id, 'changePassword', { kind: 'password', user, password });
  }

  async #askGuest(
    context: RequestContext,
    id: string,
    verb: 'trigger_crash_dump' | 'changePassword',
    question: GuestQuestion,
  ): Promise<void> {
    const { hostControl, hostProbe, state, clock } = this.#deps;
    const server = seeServer(context, await state.fresh(context.signal), id).record;
    mustTake(context, server, verb);
    try {
      await hostControl.askGuest(server, question, context.signal);
    } catch (caught) {
      if (!(caught instanceof ShoalError)) throw caught;
      if (caught.code === 'NOT_FOUND') throw conflict(`Instance ${id} is not ready`);
      const isGuests = caught.code === 'DRIVER_FAILED' || caught.code === 'CONFLICT';
      const isSilent =
        caught.code === 'UNAVAILABLE' && (await hostProbe.answers(server.hostId as HostId, context.signal));
      if (!isGuests && !isSilent) throw caught;
      throw conflict(`Cannot '${verbs[verb].action}' instance ${id}: ${caught.message}`);
    }
    await this.#edit(context, id, verb, (record) => ({
      ...record,
      actions: askedAction(record, verbs[verb].action, context, clock.nowMs()),
    }));
  }

  /** @param reason why, for users who meet the lock; empty: not said. A second lock has the last one's. */
  async lock(context: RequestContext, id: string, reason = ''): Promise<void> {
    await this.#setLock(context, id, { action: 'lock', locked: true, lockedReason: reason });
  }

  async unlock(context: RequestContext, id: string): Promise<void> {
    await this.#setLock(context, id, { action: 'unlock', locked: false, lockedReason: '' });
  }

  async #setLock(
    context: RequestContext,
    id: string,
    {
      action,
      ...lock
    }: { readonly action: 'lock' | 'unlock'; readonly locked: boolean; readonly lockedReason: string },
  ): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    const edit = (server: shoal.v1.Server) => ({
      ...server,
      ...lock,
      actions: askedAction(server, action, context, nowMs),
    });
    await this.#edit(context, id, action, edit);
  }

  async update(context: RequestContext, id: string, patch: ServerPatch): Promise<shoal.v1.Server> {
    const name = patch.name === undefined ? undefined : checkName('name', patch.name);
    const hostname = patch.hostname === undefined ? undefined : checkHostname(patch.hostname);
    checkAccessAddress(4, patch.accessIpv4 ?? '');
    const accessIpv6 = checkAccessAddress(6, patch.accessIpv6 ?? '');
    return this.#edit(context, id, 'update', (server, reader) => ({
      ...server,
      zone: patch.pinnedZone === undefined ? server.zone : pinnedZone(reader, server, patch.pinnedZone),
      name: name ?? server.name,
      description: patch.description ?? server.description,
      hostname: hostname ?? server.hostname,
      accessIpv4: patch.accessIpv4 ?? server.accessIpv4,
      accessIpv6: patch.accessIpv6 === undefined ? server.accessIpv6 : accessIpv6,
      diskConfigAuto: patch.diskConfigAuto ?? server.diskConfigAuto,
    }));
  }

  /** Makes the metadata exactly this (`replace`), or adds this to it. */
  async setMetadata(
    context: RequestContext,
    id: string,
    metadata: Readonly<Record<string, string>>,
    options: { readonly replace: boolean },
  ): Promise<Readonly<Record<string, string>>> {
    const server = await this.#edit(context, id, 'metadata', (record, reader) => ({
      ...record,
      metadata: checkMetadata(context, reader, options.replace ? metadata : { ...record.metadata, ...metadata }),
    }));
    return server.metadata;
  }

  /** 404 when there is no such key. */
  async removeMetadata(context: RequestContext, id: string, key: string): Promise<void> {
    await this.#edit(context, id, 'metadata', (server) => {
      if (!Object.hasOwn(server.metadata, key)) throw new ShoalError('NOT_FOUND', 'Metadata item was not found');
      const metadata = Object.fromEntries(Object.entries(server.metadata).filter(([name]) => name !== key));
      return { ...server, metadata };
    });
  }

  /** Makes the tags what `edit` says. */
  async setTags(
    context: RequestContext,
    id: string,
    edit: (tags: readonly string[]) => readonly string[],
  ): Promise<readonly string[]> {
    const server = await this.#edit(context, id, 'tags', (record) => ({
      ...record,
      tags: [...checkTags(edit(record.tags))],
    }));
    return server.tags;
  }

  /** Puts all of the server's ports in a group of its project, or takes them out. Names or ids. */
  async setSecurityGroup(context: RequestContext, id: string, name: string, member: boolean): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = seeServer(context, reader, id);
      mustTake(context, row.record, member ? 'addSecurityGroup' : 'removeSecurityGroup');
      const group = securityGroupTable
        .by(reader, 'project', indexKey(row.record.projectId))
        .find((candidate) => candidate.record.id === name || candidate.record.name === name)?.record;
      if (group === undefined) {
        throw new ShoalError('NOT_FOUND', `Security group ${name} not found for project ${row.record.projectId}.`);
      }
      const ports = row.record.portIds.flatMap((portId) => portTable.get(reader, portId) ?? []);
      if (!member && !ports.some((port) => port.record.securityGroupIds.includes(group.id))) {
        throw new ShoalError('NOT_FOUND', `Security group ${name} is not associated with the instance ${id}`);
      }
      change.compare({ key: securityGroupTable.key(group.id), exists: true });
      for (const port of ports) {
        const others = port.record.securityGroupIds.filter((groupId) => groupId !== group.id);
        const securityGroupIds = member ? [...others, group.id] : others;
        updatePortRow(change, port, new shoal.v1.Port({ ...port.record, securityGroupIds }));
      }
    });
  }

  /** The end of what the guest wrote to its serial console. @param lines how many lines from its end; absent: all kept. */
  async consoleOutput(context: RequestContext, reader: StateReader, id: string, lines?: number): Promise<string> {
    const server = seeServer(context, reader, id).record;
    if (server.hostId === '') throw conflict(`Instance ${id} is not ready`);
    const bytes = await this.#deps.hostControl
      .consoleLog(server, consoleBytesMax, context.signal)
      .catch((caught: unknown) => {
        // The server is there; its host has not made a guest of it yet, or not made one again.
        if (caught instanceof ShoalError && caught.code === 'NOT_FOUND') throw conflict(`Instance ${id} is not ready`);
        throw caught;
      });
    const text = new TextDecoder().decode(bytes);
    if (lines === undefined || lines < 0) return text;
    if (lines === 0) return '';
    const all = text.split('\n');
    const hasEnd = all.at(-1) === '';
    return all.slice(-(lines + (hasEnd ? 1 : 0))).join('\n');
  }

  /** Commits what the owner asks for. Without a quorum, the server's own host takes it on its own account. */
  async #ask(context: RequestContext, id: string, verb: HostVerb): Promise<void> {
    const { action } = verbs[verb];
    try {
      await transact(this.#deps, context, (attempt) => {
        const row = seeServer(context, attempt.reader, id);
        // Judged by what this agent shows: what its host does and could not report yet counts.
        mustTake(context, this.#deps.hostControl.withLocalIntents(row.record), verb);
        const fields = fieldsOf(row.record, verbs[verb].to);
        const request = nextRequest(row.record);
        const actions = askedAction(row.record, action, context, this.#deps.clock.nowMs(), request);
        this.#write(attempt, row, { ...row.record, ...fields, ...request, actions });
      });
    } catch (caught) {
      const intent = intents.get(verb);
      if (!ShoalError.of(caught, isOutage) || intent === undefined) throw caught;
      await this.#intend(context, id, verb, intent, caught);
    }
  }

  async #intend(
    context: RequestContext,
    id: string,
    verb: HostVerb,
    intent: LocalIntent,
    noQuorum: ShoalError,
  ): Promise<void> {
    const { hostControl, state } = this.#deps;
    const record = seeServer(context, state.local, id).record;
    mustTake(context, record, verb, 'outage');
    if (record.hostId !== hostControl.hostId) {
      const host = hostTable.get(state.local, record.hostId)?.record;
      throw new ShoalError(
        'NO_QUORUM',
        `${noQuorum.message} The server's own host, ${host?.name ?? 'none'}, can ${verbs[verb].action} it without: ask its API.`,
        { facts: { ...noQuorum.facts, hostName: host?.name, apiUrl: host?.apiUrl }, cause: noQuorum },
      );
    }
    await hostControl.intendLocally(hostControl.withLocalIntents(record), intent);
  }

  #edit(
    context: RequestContext,
    id: string,
    verb: ServerVerb,
    edit: (server: shoal.v1.Server, reader: StateReader) => shoal.v1.Server.$Properties,
  ): Promise<shoal.v1.Server> {
    return transact(this.#deps, context, (attempt) => {
      const row = seeServer(context, attempt.reader, id);
      mustTake(context, row.record, verb);
      return this.#write(attempt, row, edit(row.record, attempt.reader));
    });
  }

  #write(attempt: Attempt, row: Row<shoal.v1.Server>, fields: shoal.v1.Server.$Properties): shoal.v1.Server {
    const next = new shoal.v1.Server({ ...fields, updatedMs: this.#deps.clock.nowMs() });
    serverTable.update(attempt.change, row, next);
    if (next.hostname !== row.record.hostname) renamePorts(attempt, next.portIds, labelOf(next.hostname));
    return next;
  }
}

/** What a server's `zone` becomes. Throws `CONFLICT` for any but none and, of a server that is in none, its host's. */
function pinnedZone(reader: StateReader, server: shoal.v1.Server, wanted: string | null): string {
  if (wanted === null || wanted === server.zone) return wanted ?? '';
  if (server.zone !== '') {
    throw conflict(
      'Cannot change pinned availability zone directly. Unpin first by setting pinned_availability_zone to null.',
    );
  }
  const host = hostTable.get(reader, server.hostId)?.record;
  const zone = host === undefined ? '' : zoneOf(reader, host);
  if (zone === wanted) return wanted;
  throw conflict(
    `Server can only be pinned to its current availability zone '${zone}', but '${wanted.slice(0, 64)}' was requested.`,
  );
}
