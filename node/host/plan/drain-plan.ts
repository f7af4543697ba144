/**
 * How a host is emptied: no new servers first, then each server that is there goes to another host. Servers that run are
 * stopped, moved and started again, if the operator has said so; what cannot move stays, and is named at the end.
 *
 * Taken back (cancelled, or out of time): what it has stopped is started again where it is, and the host takes new servers
 * again if it did before. What has moved stays where it is.
 */
import { shoal } from '../../../proto/messages.ts';
import type { JobDecision, JobProgress } from './job-plan.ts';

const { JobStatus } = shoal.v1;

/** Servers on their way at once: each is a claim and a disk that changes hands. */
const movesAtOnceMax = 4;
/** Tries for one server before it is left where it is. */
const attemptsMax = 3;

/** One server that the drain has to do with. */
export interface DrainServer {
  readonly id: string;
  readonly name: string;
  /** `leaving`: the drained host has not let go of its disks yet. */
  readonly place: 'here' | 'leaving' | 'elsewhere';
  readonly power: 'running' | 'stopped' | 'other';
  /** Nothing is being done to it. */
  readonly isIdle: boolean;
  /** Its disks can be reached from other hosts. */
  readonly isShared: boolean;
  readonly isDeleting: boolean;
  /** The last that was asked of its power is the job's stop: neither its owner nor the guest itself turned it off. */
  readonly isStoppedByJob: boolean;
}

/** What the records say. */
export interface DrainWorld {
  /** Absent: it is no member any more. */
  readonly host: { readonly name: string; readonly isEnabled: boolean } | undefined;
  /** Those of the host, and those that the job has stopped. */
  readonly servers: readonly DrainServer[];
}

/** What a drain does. */
export type DrainAction =
  | { readonly kind: 'disable-host' }
  | { readonly kind: 'enable-host' }
  | { readonly kind: 'stop-server'; readonly serverId: string }
  | { readonly kind: 'move-server'; readonly serverId: string }
  | { readonly kind: 'start-server'; readonly serverId: string }
  /** It has been started, or is gone: the job need not start it any more. */
  | { readonly kind: 'forget-stopped'; readonly serverId: string };

/** The next thing to do for a drain. */
export function nextOfDrain(job: shoal.v1.Job, world: DrainWorld): JobDecision<DrainAction> {
  if (world.host === undefined) return end('failed', 'The host has left the mesh.');
  if (job.status === JobStatus.JOB_STATUS_ROLLING_BACK) return takeBack(job, world);
  if (job.phase !== 'moving') {
    return world.host.isEnabled
      ? act({ kind: 'disable-host' }, `host/${job.drain?.hostId}`, `Keeping new servers away from ${world.host.name}.`)
      : { kind: 'turn', phase: 'moving', message: `Moving the servers of ${world.host.name}.` };
  }
  if (world.host.isEnabled) return end('failed', 'Somebody has let the host take new servers again.');
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
  if (start !== undefined) return start;
  if (job.drain?.wasEnabled === true && world.host?.isEnabled === false) {
    return act({ kind: 'enable-host' }, `host/${job.drain.hostId}`, 'Letting the host take new servers again.');
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
    if (server === undefined || server.isDeleting || isGivenUp(job, serverId)) return forget;
    const stays = server.place === 'here' && reasonToStay(job, server) !== undefined;
    if (where === 'elsewhere' && server.place !== 'elsewhere' && !stays) continue;
    if (server.power === 'running' && server.place !== 'leaving') return forget;
    // Its owner has made something else of it since: it is shelved, in rescue or broken, and starting it is not for this job.
    if (server.isIdle && (!server.isStoppedByJob || server.power === 'other')) return forget;
    if (server.isIdle && server.place !== 'leaving' && server.power === 'stopped') {
      return act({ kind: 'start-server', serverId }, about, `Starting ${server.name} again.`);
    }
    waitsFor ??= server;
  }
  if (waitsFor === undefined || where === 'elsewhere') return undefined;
  return { kind: 'wait', message: `Waiting for ${waitsFor.name}.` };
}

function moveOfOne(job: shoal.v1.Job, world: DrainWorld): JobDecision<DrainAction> | undefined {
  const underWay = world.servers.filter(({ place }) => place === 'leaving').length;
  for (const server of world.servers) {
    const { id: serverId, name } = server;
    if (server.place !== 'here' || !server.isIdle || reasonToStay(job, server) !== undefined) continue;
    const about = `server/${serverId}`;
    if (server.power === 'running') return act({ kind: 'stop-server', serverId }, about, `Stopping ${name}.`);
    if (underWay < movesAtOnceMax) return act({ kind: 'move-server', serverId }, about, `Moving ${name}.`);
  }
  return undefined;
}

function waitOrEnd(job: shoal.v1.Job, world: DrainWorld): JobDecision<DrainAction> {
  const waiting = world.servers.filter(
    (server) =>
      server.place === 'leaving' ||
      server.isDeleting ||
      (server.place === 'here' && (!server.isIdle || reasonToStay(job, server) === undefined)) ||
      job.drain?.stoppedServerIds.includes(server.id) === true,
  );
  const [first] = waiting;
  if (first !== undefined) {
    const others = waiting.length === 1 ? '' : ` and ${waiting.length - 1} more`;
    return { kind: 'wait', message: `Waiting for ${first.name}${others}.` };
  }
  const stay = world.servers.filter(({ place }) => place === 'here');
  if (stay.length === 0) return end('succeeded', 'The host is empty and takes no new servers.');
  const reasons = stay.slice(0, 10).map((server) => `${server.name}: ${reasonToStay(job, server)}`);
  const more = stay.length > reasons.length ? `; and ${stay.length - reasons.length} more` : '';
  return end('failed', `${stay.length} of its servers stay. ${reasons.join('; ')}${more}`);
}

/** Why a server is left where it is, for people; undefined: it is to go. */
function reasonToStay(job: shoal.v1.Job, server: DrainServer): string | undefined {
  if (!server.isShared) return "its disk is on its host's own storage";
  const failure = job.failures.find(({ subject }) => subject === `server/${server.id}`);
  if (failure !== undefined && failure.attempts >= attemptsMax) return failure.message;
  if (server.power === 'running' && job.drain?.stopRunning !== true) return 'it runs, and was not to be stopped';
  if (server.power === 'other') return 'it is neither running nor stopped';
  return undefined;
}

function isGivenUp(job: shoal.v1.Job, serverId: string): boolean {
  return job.failures.some(({ subject, attempts }) => subject === `server/${serverId}` && attempts >= 2 * attemptsMax);
}

function act(action: DrainAction, about: string, message: string): JobDecision<DrainAction> {
  return { kind: 'do', action, about, message };
}

function end(status: 'succeeded' | 'failed' | 'cancelled', message: string): JobDecision<DrainAction> {
  return { kind: 'end', status, message };
}
