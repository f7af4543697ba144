/** An operator who empties hosts by jobs, cancels some of them, and lets hosts take servers again, through any agent. */
import { ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import { hostTable } from '../../node/state/tables/index.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import type { Trace } from '../trace/trace.ts';
import { hostIdOf } from '../world/ids.ts';
import type { SimNode } from '../world/node.ts';
import type { Schedule } from '../world/schedule.ts';
import { type Answer, callAgent, patience, type Working, workUntilOver } from './client.ts';
import { contextOf } from './tenant.ts';

interface OperatorDeps {
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
  /** Servers may be in states that only their owners end, in which none leaves its host. */
  readonly mayWaitForOwners: boolean;
}

/** See above. */
export class Operator {
  readonly #deps: OperatorDeps;
  readonly #thinkMs: number;

  /** @param thinkMs mean pause between two operations. */
  constructor(deps: OperatorDeps, thinkMs: number) {
    this.#deps = deps;
    this.#thinkMs = thinkMs;
  }

  run(): Promise<void> {
    return workUntilOver(this.#deps, this.#thinkMs, () => this.#step());
  }

  async #step(): Promise<void> {
    const { random, nodes, mayWaitForOwners } = this.#deps;
    const hostId = hostIdOf(random.pick(nodes).raftId);
    switch (random.below(4)) {
      case 0:
      case 1: {
        const draft = {
          ...{ host: hostId, zone: '', failureDomain: '', parallel: random.pick([0, 1, 8]) },
          ...{ stopRunning: random.chance(0.8), timeoutSeconds: random.pick([0, 60]) },
        };
        if (mayWaitForOwners) draft.timeoutSeconds = 60;
        await this.#call(`drain ${hostId}`, (agent, context) => agent.services.compute.drains.begin(context, draft));
        return;
      }
      case 2:
        await this.#call('cancel a job', async (agent, context) => {
          const underWay = agent.services.jobs.list(agent.deps.state.local, { ended: false });
          if (underWay.length > 0) await agent.services.jobs.cancel(context, random.pick(underWay).id);
        });
        return;
      default:
        await this.#call(`enable ${hostId}`, async (agent, context) => {
          if (hostTable.get(agent.deps.state.local, hostId)?.record.disabled !== true) return;
          await agent.services.compute.hosts.setEnabled(context, hostId, true);
        });
    }
  }

  async #call(what: string, work: (agent: HostAgent, context: RequestContext) => Promise<unknown>): Promise<void> {
    const { random, nodes, agentOf, trace, schedule } = this.#deps;
    const node = this.#deps.entryAt(random.pick(nodes));
    const agent = agentOf(node);
    const context = contextOf('operators', ['admin'], patience(schedule, undefined));
    const answer: Answer<unknown> =
      agent === undefined
        ? { kind: 'refused', error: new ShoalError('UNAVAILABLE', 'The agent does not listen.') }
        : await callAgent(node, () => work(agent, context));
    const code = answer.kind === 'done' ? '' : ` ${answer.error?.code ?? 'agent died'}`;
    trace.add('operator', `${what} by ${node.name}: ${answer.kind}${code}`);
  }
}
