/** What all users of a simulated cloud have in common: whom they ask, as whom, and what they are told. */
import { permissionsByDefault } from '../../api-gateway/policies/permissions.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import type { Trace } from '../trace/trace.ts';
import type { SimNode } from '../world/node.ts';
import type { Schedule } from '../world/schedule.ts';
import { type Answer, callAgent, patience, type Working } from './client.ts';

/** What each of them works with. */
export interface UserDeps {
  readonly schedule: Schedule;
  readonly random: Prng;
  readonly trace: Trace;
  readonly nodes: readonly SimNode[];
  readonly agentOf: (node: SimNode) => HostAgent | undefined;
  /** Who answers what is asked of a host. */
  readonly entryAt: (node: SimNode) => SimNode;
  readonly working: Working;
  readonly isOver: () => boolean;
  readonly onFailed: (error: unknown) => void;
}

/** As whom something is asked. */
interface Asker {
  readonly projectId: string;
  /** Default: a member. */
  readonly roles?: readonly string[];
  /** How long the answer is waited for, ms. Default: as long as it takes. */
  readonly patienceMs?: number | undefined;
}

/** What came of a question. */
interface Asked<T> {
  readonly answer: Answer<T>;
  /** Nobody waited for the answer any more. */
  readonly isGivenUp: boolean;
}

/**
 * Asks any agent.
 * @param what for the trace.
 * @param made what is added to the trace when it is done.
 */
export async function askAnyAgent<T>(
  { random, nodes, entryAt, agentOf, schedule, trace }: UserDeps,
  { projectId, roles = ['member'], patienceMs }: Asker,
  what: string,
  work: (agent: HostAgent, context: RequestContext) => Promise<T>,
  made: (value: T) => string = () => '',
): Promise<Asked<T>> {
  const node = entryAt(random.pick(nodes));
  const agent = agentOf(node);
  const signal = patience(schedule, patienceMs);
  const answer: Answer<T> =
    agent === undefined
      ? { kind: 'refused', error: new ShoalError('UNAVAILABLE', 'The agent does not listen.') }
      : await callAgent(node, () => work(agent, contextOf(projectId, roles, signal)));
  const code = answer.kind === 'done' ? made(answer.value) : ` ${answer.error?.code ?? 'agent died'}`;
  trace.add(projectId, `${what} by ${node.name}: ${answer.kind}${code}`);
  return { answer, isGivenUp: signal.aborted };
}

/** A member of a project. */
export function contextOf(
  projectId: string,
  roles: readonly string[] = ['member'],
  signal = new AbortController().signal,
): RequestContext {
  const userId = `user-of-${projectId}`;
  return {
    requestId: 'req-simulated',
    userId,
    userName: projectId,
    userDomainId: 'default',
    projectId,
    permissions: permissionsByDefault({ roles, userId, projectId }),
    signal,
  };
}
