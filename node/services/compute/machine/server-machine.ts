/**
 * The state machine of a server, up to its host: may this verb be asked of a server that is so, and what does it ask? Pure:
 * the same situation and verb have the same verdict. What the host then does is its plan's (node/host/plan/server-plan.ts).
 */
import { shoal } from '../../../../proto/messages.ts';
import { movePhase } from '../../kit/server-move.ts';
import { type ServerVerb, type Transition, type VerbRule, verbs } from './verbs.ts';
import { type VmState, vmState } from './vm-state.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

/** All of a server that a verdict depends on. */
export interface Situation {
  readonly id: string;
  readonly vmState: VmState;
  /** Nova's word; empty: idle. */
  readonly task: string;
  /** Locked, and the caller is none whom a lock does not hold. */
  readonly isLocked: boolean;
  readonly isDeleting: boolean;
  readonly hasHost: boolean;
}

/** Which rule refuses. `gone`: as if there were no such server. */
type Objection = 'locked' | 'vm-state' | 'deleting' | 'task' | 'no-host' | 'gone';

/** What comes of a verb. */
type Verdict =
  | { readonly kind: 'accepted'; readonly to: Transition | undefined }
  | { readonly kind: 'refused'; readonly by: Objection; readonly message: string };

/** The situation of a record. @param mayPassLocks whether the caller is an administrator. */
export function situationOf(server: shoal.v1.Server, mayPassLocks: boolean): Situation {
  const phase = movePhase(server);
  // What only waits to be confirmed, or for the former host to remove what it kept, is in nobody's way.
  const isMoving = server.previousHostId !== '' && phase !== 'finished' && phase !== 'cleaning';
  return {
    id: server.id,
    vmState: vmState(server),
    task: server.taskState === '' && isMoving ? 'migrating' : server.taskState,
    isLocked: server.locked && !mayPassLocks,
    isDeleting: server.deleting,
    hasHost: server.hostId !== '',
  };
}

/**
 * The verdict. The rules are asked in Nova's order, and the first that refuses gives the message: Nova's own.
 * @param mode `outage`: without a quorum the record may be old, so what it says of state and task refuses nothing.
 */
export function judge(verb: ServerVerb, situation: Situation, mode: 'recorded' | 'outage' = 'recorded'): Verdict {
  const rule: VerbRule = verbs[verb];
  const { id, task, isLocked, isDeleting, hasHost } = situation;
  const refused = (by: Objection, message: string): Verdict => ({ kind: 'refused', by, message });
  const inState = (attribute: string, state: string): string =>
    `Cannot '${rule.action}' instance ${id} while it is in ${attribute} ${state}`;

  if (isDeleting && rule.deletion === 'hides') return refused('gone', `Instance ${id} could not be found.`);
  if (isLocked && rule.lock === 'refuses') return refused('locked', `Instance ${id} is locked`);
  const isRecorded = mode === 'recorded';
  // That a memory is saved is no guess, and it is lost for good by what is not taken in that state.
  const isStateSure = isRecorded || situation.vmState === 'suspended';
  if (isStateSure && rule.from !== undefined && !rule.from.includes(situation.vmState)) {
    return refused('vm-state', inState('vm_state', situation.vmState));
  }
  if (isDeleting && rule.deletion === 'refuses') return refused('deleting', inState('task_state', 'deleting'));
  const isTaskOver = rule.task === 'refuses-unless-error' && situation.vmState === 'error';
  if (isRecorded && task !== '' && rule.task !== undefined && !isTaskOver)
    return refused('task', inState('task_state', task));
  if (!hasHost && rule.host === 'needed') {
    return refused('no-host', `Instance ${id} has no host: it could not be placed`);
  }
  return { kind: 'accepted', to: rule.to };
}

const powerWanted = {
  running: PowerWanted.POWER_WANTED_RUNNING,
  stopped: PowerWanted.POWER_WANTED_STOPPED,
  paused: PowerWanted.POWER_WANTED_PAUSED,
  suspended: PowerWanted.POWER_WANTED_SUSPENDED,
} as const;

/** The record's fields that say what a transition asks of the host. */
export function fieldsOf(server: shoal.v1.Server, { power, task, reboot }: Transition): shoal.v1.Server.$Properties {
  const wanted = power === undefined ? {} : { powerWanted: powerWanted[power] };
  if (reboot === undefined) return { ...wanted, taskState: task, heldInError: false };
  // What is off only has to be started.
  const isOff = vmState(server) === 'stopped';
  return {
    ...wanted,
    taskState: task,
    heldInError: false,
    status: ServerStatus.SERVER_STATUS_REBOOT,
    rebootHard: reboot === 'hard',
    rebootsWanted: server.rebootsWanted + (isOff ? 0 : 1),
  };
}
