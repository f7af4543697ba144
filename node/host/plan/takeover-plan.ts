/**
 * How the servers of a lost host come back on others. Of each: its record names another host at the next generation; storage proves
 * that its former host can write no more; then it starts. Nothing begins while the witnesses do not agree that the host is gone, and
 * what has begun goes on until it is proved: it is never left between two hosts. Pure.
 *
 * A host that is there after all keeps what was not taken; what was taken it lets go of by itself, as in any move.
 */
import { shoal } from '../../../proto/messages.ts';
import type { HostVerdict } from './host-gone-plan.ts';
import type { JobDecision, JobProgress } from './job-plan.ts';

const { JobStatus } = shoal.v1;

/** Servers on their way at once: each is a claim, a fence and a boot. */
const atOnceMax = 8;
/** From one try to give a server another host to the next: no host had room. Unit: ms. */
const placeAgainMs = 10_000;
/** From one try to prove a fence to the next. Unit: ms. */
const fenceAgainMs = 2_000;

/** One server that the takeover has to do with. */
export interface LostServer {
  readonly id: string;
  readonly name: string;
  /**
   * `here`: the lost host's. `fencing`: another host's, which waits for the proof. `starting`: proved, and not there yet. `back`: it
   * is as it was, or has failed in a way that its owner sees. `gone`: it is no more.
   */
  readonly place: 'here' | 'fencing' | 'starting' | 'back' | 'gone';
  /** Higher comes first. */
  readonly priority: number;
  /** Why it stays where it is, for people; undefined: it is to be taken over. */
  readonly stays: string | undefined;
  /** When the job last tried something for it; 0: never. */
  readonly triedMs: number;
  /** Whether the job has noted that it is back. */
  readonly isNoted: boolean;
}

/** What records and witnesses say. */
export interface TakeoverWorld {
  readonly nowMs: number;
  /** Name of the lost host; undefined: it is no member any more. */
  readonly hostName: string | undefined;
  readonly verdict: HostVerdict;
  readonly servers: readonly LostServer[];
}

/** What a takeover does. */
export type TakeoverAction =
  /** Name another host for it. */
  | { readonly kind: 'move-server'; readonly serverId: string }
  /** Prove that its former hosts can write no more, and commit that. */
  | { readonly kind: 'fence-server'; readonly serverId: string }
  /** The note is all of it. */
  | { readonly kind: 'note-back'; readonly serverId: string };

/** The next thing to do for a takeover. */
export function nextOfTakeover(job: shoal.v1.Job, world: TakeoverWorld): JobDecision<TakeoverAction> {
  const back = world.servers.find(({ place, isNoted, triedMs }) => place === 'back' && !isNoted && triedMs > 0);
  if (back !== undefined) return act('note-back', back, `${back.name} is back.`);
  return fenceOfOne(world) ?? moveOfOne(job, world) ?? waitOrEnd(job, world);
}

/** Servers that are back, of all that are to be. */
export function progressOfTakeover(job: shoal.v1.Job, { servers }: TakeoverWorld): JobProgress {
  const concerned = servers.filter(({ stays, place }) => place !== 'here' || stays === undefined);
  const done = concerned.filter(({ place }) => place === 'back' || place === 'gone').length;
  return { done, total: Math.max(job.progressTotal, concerned.length) };
}

/** Also of a job that is taken back: what waits for the proof has no other way out, but for the host itself. */
function fenceOfOne({ servers, verdict, nowMs }: TakeoverWorld): JobDecision<TakeoverAction> | undefined {
  if (verdict.kind !== 'gone') return undefined;
  const due = servers.filter(({ place, triedMs }) => place === 'fencing' && nowMs - triedMs >= fenceAgainMs);
  const [first] = inOrder(due);
  return first && act('fence-server', first, `Proving that nobody writes the disks of ${first.name} any more.`);
}

function moveOfOne(job: shoal.v1.Job, world: TakeoverWorld): JobDecision<TakeoverAction> | undefined {
  const { servers, verdict, nowMs, hostName } = world;
  if (verdict.kind !== 'gone' || hostName === undefined || isTakenBack(job)) return undefined;
  const underWay = servers.filter(({ place }) => place === 'fencing' || place === 'starting').length;
  if (underWay >= atOnceMax) return undefined;
  const due = inOrder(lostOnes(servers)).find(({ triedMs }) => triedMs === 0 || nowMs - triedMs >= placeAgainMs);
  return due && act('move-server', due, `Finding another host for ${due.name}.`);
}

function waitOrEnd(job: shoal.v1.Job, world: TakeoverWorld): JobDecision<TakeoverAction> {
  const { servers, verdict, hostName = 'the lost host' } = world;
  const fencing = inOrder(servers.filter(({ place }) => place === 'fencing'));
  const starting = inOrder(servers.filter(({ place }) => place === 'starting'));
  const here = isTakenBack(job) || world.hostName === undefined ? [] : inOrder(lostOnes(servers));
  const [unproved] = fencing;
  if (unproved !== undefined) {
    const why =
      verdict.kind === 'gone' ? failureOf(job, unproved) : `${hostName} is not known to be gone: ${verdict.reason}`;
    return wait(`${unproved.name}${others(fencing)} waits for the fence${why === '' ? '.' : `: ${why}`}`);
  }
  if (verdict.kind === 'unknown' && here.length > 0) {
    return wait(`Nothing more is taken from ${hostName}: ${verdict.reason}`);
  }
  const [booting] = starting;
  if (booting !== undefined) return wait(`${booting.name}${others(starting)} is being started.`);
  const [roomless] = here;
  if (verdict.kind === 'gone' && roomless !== undefined) {
    return wait(`${roomless.name}${others(here)} has no other host yet: ${failureOf(job, roomless)}`);
  }
  return endOf(job, world);
}

function endOf(job: shoal.v1.Job, { servers, verdict, hostName }: TakeoverWorld): JobDecision<TakeoverAction> {
  const back = servers.filter(({ place, triedMs }) => place === 'back' && triedMs > 0).length;
  const staying = servers.filter(({ place }) => place === 'here');
  const taken = `${back} of its servers ${back === 1 ? 'is' : 'are'} back on other hosts`;
  const reasons = staying.slice(0, 10).map(({ name, stays }) => `${name}: ${stays ?? 'not taken'}`);
  const more = staying.length > reasons.length ? `; and ${staying.length - reasons.length} more` : '';
  const stay = staying.length === 0 ? '' : ` ${staying.length} stay with it. ${reasons.join('; ')}${more}`;
  if (hostName === undefined) return end('succeeded', `The host has left the mesh; ${taken}.`);
  if (isTakenBack(job)) return end('cancelled', `Taken back; ${taken}.${stay}`);
  if (verdict.kind === 'there') {
    return end(back > 0 ? 'succeeded' : 'cancelled', `${hostName} is not gone: ${verdict.reason}; ${taken}.${stay}`);
  }
  return end('succeeded', `${taken}.${stay}`);
}

function isTakenBack(job: shoal.v1.Job): boolean {
  return job.status === JobStatus.JOB_STATUS_ROLLING_BACK;
}

function lostOnes(servers: readonly LostServer[]): readonly LostServer[] {
  return servers.filter(({ place, stays }) => place === 'here' && stays === undefined);
}

function inOrder(servers: readonly LostServer[]): readonly LostServer[] {
  return servers.toSorted((a, b) => b.priority - a.priority || (a.id < b.id ? -1 : 1));
}

function failureOf(job: shoal.v1.Job, { id }: LostServer): string {
  return job.failures.find(({ subject }) => subject === `server/${id}`)?.message ?? '';
}

function others({ length }: readonly LostServer[]): string {
  return length === 1 ? '' : ` and ${length - 1} more`;
}

function act(kind: TakeoverAction['kind'], { id }: LostServer, message: string): JobDecision<TakeoverAction> {
  return { kind: 'do', action: { kind, serverId: id }, about: `server/${id}`, message };
}

function wait(message: string): JobDecision<TakeoverAction> {
  return { kind: 'wait', message };
}

function end(status: 'succeeded' | 'cancelled', message: string): JobDecision<TakeoverAction> {
  return { kind: 'end', status, message };
}
