/**
 * How a host is emptied, or all hosts of a zone or failure domain: no new servers first, then each server that is there goes to
 * another host, the most urgent first. Servers that are on go over while they run where their storage allows it; else they are
 * stopped, moved and started again, if the operator has said so. What cannot move stays, and is named at the end.
 *
 * Resting, it begins nothing new. Taken back (cancelled, or out of time): what goes over is called back, what it has stopped is
 * started again where it is, and the hosts take new servers again if they did before. What has moved stays where it is.
 */
import { shoal } from '../../../proto/messages.ts';
import { byUrgency, type WayOut } from '../../services/compute/moves/ways-out.ts';
import type { JobDecision, JobProgress } from './job-plan.ts';

const { JobStatus } = shoal.v1;

/** Servers on their way at once unless asked otherwise: each is a claim and a disk that changes hands. */
const movesAtOnceDefault = 4;
/** Tries for one server, of each way that it could take, before it is left where it is. */
const attemptsMax = 3;

/** A host that is emptied. */
interface DrainedHost {
  readonly id: string;
  readonly name: string;
  readonly isEnabled: boolean;
  /** It took new servers when the job began. */
  readonly wasEnabled: boolean;
}

/** One server that the drain has to do with. */
export interface DrainServer {
  readonly id: string;
  readonly name: string;
  /**
   * `leaving`: the drained host has not let go of its disks yet; `arriving`: it goes there by a move that began before, or has left
   * something there by one that came to nothing.
   */
  readonly place: 'here' | 'leaving' | 'arriving' | 'elsewhere';
  readonly power: 'running' | 'paused' | 'stopped' | 'other';
  /** Nothing is being done to it. */
  readonly isIdle: boolean;
  /** How it could leave, as far as its state and its storage go. */
  readonly way: WayOut;
  readonly priority: number;
  readonly memoryMib: number;
  readonly isDeleting: boolean;
  /** The last that was asked of its power is the job's stop: neither its owner nor the guest itself turned it off. */
  readonly isStoppedByJob: boolean;
  /** Of one that goes over while it runs and is its former host's still. */
  readonly liveMove?: {
    readonly migrationId: string;
    readonly isByJob: boolean;
    /** It is being called back. */
    readonly isCancelled: boolean;
    /** How far it is, for people. */
    readonly told: string;
  };
  /** Times that the job has begun to move it while it runs. */
  readonly liveTries: number;
  /** Why the last of these came to nothing; empty: it did not, or nothing was told. */
  readonly liveFailure: string;
}

/** What the records say. */
export interface DrainWorld {
  /** Those that are members still. */
  readonly hosts: readonly DrainedHost[];
  /** Those of the hosts, and those that the job has stopped. */
  readonly servers: readonly DrainServer[];
}

/** What a drain does. */
export type DrainAction =
  | { readonly kind: 'disable-host'; readonly hostId: string }
  | { readonly kind: 'enable-host'; readonly hostId: string }
  | { readonly kind: 'move-live'; readonly serverId: string }
  /** Has a server that goes over while it runs stay where it is. */
  | { readonly kind: 'call-back'; readonly serverId: string; readonly migrationId: string }
  | { readonly kind: 'stop-server'; readonly serverId: string }
  | { readonly kind: 'move-server'; readonly serverId: string }
  | { readonly kind: 'start-server'; readonly serverId: string }
  /** It has been started, or is gone: the job need not start it any more. */
  | { readonly kind: 'forget-stopped'; readonly serverId: string };

/** The next thing to do for a drain. */
export function nextOfDrain(job: shoal.v1.Job, world: DrainWorld): JobDecision<DrainAction> {
  const { hosts } = world;
  if (hosts.length === 0) return end('failed', 'The host has left the mesh.');
  if (job.status === JobStatus.JOB_STATUS_ROLLING_BACK) return takeBack(job, world);
  const enabled = hosts.find(({ isEnabled }) => isEnabled);
  if (job.phase !== 'moving') {
    return enabled === undefined
      ? { kind: 'turn', phase: 'moving', message: `Moving the servers of ${hosts.map(({ name }) => name).join(', ')}.` }
      : act(
          { kind: 'disable-host', hostId: enabled.id },
          `host/${enabled.id}`,
          `Keeping new servers away from ${enabled.name}.`,
        );
  }
  if (enabled !== undefined) return end('failed', 'Somebody has let the host take new servers again.');
  return startOfOne(job, world, 'elsewhere') ?? moveOfOne(job, world) ?? waitOrEnd(job, world);
}

/** Servers that have left, of all that were there. */
export function progressOfDrain(job: shoal.v1.Job, world: DrainWorld): JobProgress {
  const left = world.servers.filter(({ place }) => place !== 'elsewhere').length;
  const total = Math.max(job.progressTotal, left);
  return { done: total - left, total };
}

function takeBack(job: shoal.v1.Job, world: DrainWorld): JobDecision<DrainAction> {
  const start = startOfOne(job, world, 'anywhere');
  if (start !== undefined && start.kind !== 'wait') return start;
  for (const { id: serverId, name, place, liveMove } of world.servers) {
    if (place !== 'here' || liveMove?.isByJob !== true) continue;
    const { migrationId, isCancelled } = liveMove;
    if (isCancelled) return { kind: 'wait', message: `Waiting for ${name}.` };
    // One that cannot be called back any more is about to arrive.
    if (timesFailed(job, liveSubject(serverId)) >= 2 * attemptsMax) continue;
    return act({ kind: 'call-back', serverId, migrationId }, liveSubject(serverId), `Calling ${name} back.`);
  }
  if (start !== undefined) return start;
  const disabled = world.hosts.find(({ wasEnabled, isEnabled }) => wasEnabled && !isEnabled);
  if (disabled !== undefined) {
    const { id: hostId, name } = disabled;
    return act({ kind: 'enable-host', hostId }, `host/${hostId}`, `Letting ${name} take new servers again.`);
  }
  const isLate = !job.cancelRequested;
  return end(isLate ? 'failed' : 'cancelled', isLate ? 'The time for it ran out; it was taken back.' : 'Taken back.');
}

/**
 * What the job has stopped is started again: where it has arrived, where it is when it cannot go, and where it is when the
 * job is taken back.
 */
function startOfOne(
  job: shoal.v1.Job,
  world: DrainWorld,
  where: 'elsewhere' | 'anywhere',
): JobDecision<DrainAction> | undefined {
  let waitsFor: DrainServer | undefined;
  for (const serverId of job.drain?.stoppedServerIds ?? []) {
    const server = world.servers.find(({ id }) => id === serverId);
    const about = `server/${serverId}`;
    const forget = act({ kind: 'forget-stopped', serverId }, about, 'Going on.');
    if (server === undefined || server.isDeleting || timesFailed(job, about) >= 2 * attemptsMax) return forget;
    const stays = server.place === 'here' && wayOf(job, server).how === 'stay';
    if (where === 'elsewhere' && server.place !== 'elsewhere' && !stays) continue;
    if (server.power === 'running' && server.place !== 'leaving') return forget;
    // Its owner has made something else of it since: it is shelved, in rescue or broken, and starting it is not for this job.
    if (server.isIdle && (!server.isStoppedByJob || server.power !== 'stopped')) return forget;
    if (server.isIdle && server.place !== 'leaving') {
      return act({ kind: 'start-server', serverId }, about, `Starting ${server.name} again.`);
    }
    waitsFor ??= server;
  }
  if (waitsFor === undefined || where === 'elsewhere') return undefined;
  return { kind: 'wait', message: `Waiting for ${waitsFor.name}.` };
}

function moveOfOne(job: shoal.v1.Job, world: DrainWorld): JobDecision<DrainAction> | undefined {
  const isStopped = ({ id }: DrainServer): boolean => job.drain?.stoppedServerIds.includes(id) === true;
  const isUnderWay = (server: DrainServer): boolean =>
    server.place === 'leaving' || (server.place === 'here' && (server.liveMove !== undefined || isStopped(server)));
  const most = job.drain?.parallel === 0 ? movesAtOnceDefault : (job.drain?.parallel ?? movesAtOnceDefault);
  const mayBegin = !job.paused && world.servers.filter(isUnderWay).length < most;
  for (const server of [...world.servers].sort(byUrgency)) {
    const { id: serverId, name } = server;
    if (server.place !== 'here' || !server.isIdle || !(mayBegin || isStopped(server))) continue;
    const { how } = wayOf(job, server);
    if (how === 'stay') continue;
    if (how === 'live') {
      return act({ kind: 'move-live', serverId }, liveSubject(serverId), `Moving ${name} while it runs.`);
    }
    const about = `server/${serverId}`;
    if (server.power === 'running') return act({ kind: 'stop-server', serverId }, about, `Stopping ${name}.`);
    return act({ kind: 'move-server', serverId }, about, `Moving ${name}.`);
  }
  return undefined;
}

function waitOrEnd(job: shoal.v1.Job, world: DrainWorld): JobDecision<DrainAction> {
  const waiting = world.servers.filter(
    (server) =>
      server.place === 'leaving' ||
      server.place === 'arriving' ||
      (server.isDeleting && server.place === 'here') ||
      (server.place === 'here' && (!server.isIdle || wayOf(job, server).how !== 'stay')) ||
      job.drain?.stoppedServerIds.includes(server.id) === true,
  );
  // Those that are under way say more than those that wait for their turn.
  const first = waiting.find(({ liveMove, place }) => liveMove !== undefined || place === 'leaving') ?? waiting[0];
  if (first !== undefined) {
    const told = (first.liveMove?.told ?? '') === '' ? '' : ` (${first.liveMove?.told})`;
    const others = waiting.length === 1 ? '' : ` and ${waiting.length - 1} more`;
    return { kind: 'wait', message: `${job.paused ? 'Resting. ' : ''}Waiting for ${first.name}${told}${others}.` };
  }
  const stay = world.servers.filter(({ place }) => place === 'here');
  if (stay.length === 0) {
    return end(
      'succeeded',
      world.hosts.length === 1
        ? 'The host is empty and takes no new servers.'
        : 'The hosts are empty and take no new servers.',
    );
  }
  const reasons = stay.slice(0, 10).map((server) => `${server.name}: ${wayOf(job, server).why}`);
  const more = stay.length > reasons.length ? `; and ${stay.length - reasons.length} more` : '';
  return end('failed', `${stay.length} of its servers stay. ${reasons.join('; ')}${more}`);
}

/** How a server leaves after all that was tried. */
function wayOf(job: shoal.v1.Job, server: DrainServer): WayOut {
  const { id, way, power } = server;
  if (way.how === 'stay') return way;
  if (way.how === 'live') {
    const failure = failureOf(job, liveSubject(id));
    if (server.liveTries + (failure?.attempts ?? 0) < attemptsMax) return way;
    const why = server.liveFailure === '' ? (failure?.message ?? 'it came to nothing') : server.liveFailure;
    // Where there is no room for it while it runs, there is none while it is off.
    const isWithoutRoom = server.liveFailure === '' && failure?.code === 'NO_VALID_HOST';
    if (power !== 'running' || isWithoutRoom || job.drain?.stopRunning !== true) {
      return { how: 'stay', why: isWithoutRoom ? why : `it could not be moved while it runs: ${why}` };
    }
  }
  const failure = failureOf(job, `server/${id}`);
  if (failure !== undefined && (failure.attempts ?? 0) >= attemptsMax) {
    return { how: 'stay', why: failure.message ?? '' };
  }
  return { how: 'cold', why: '' };
}

function liveSubject(serverId: string): string {
  return `live-migration/${serverId}`;
}

function failureOf({ failures }: shoal.v1.Job, about: string): shoal.v1.IJobFailure | undefined {
  return failures.find(({ subject }) => subject === about);
}

function timesFailed(job: shoal.v1.Job, about: string): number {
  return failureOf(job, about)?.attempts ?? 0;
}

function act(action: DrainAction, about: string, message: string): JobDecision<DrainAction> {
  return { kind: 'do', action, about, message };
}

function end(status: 'succeeded' | 'failed' | 'cancelled', message: string): JobDecision<DrainAction> {
  return { kind: 'end', status, message };
}
