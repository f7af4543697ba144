/** An operator who empties hosts by jobs, cancels some of them, and lets hosts take servers again, through any agent. */
import type { RequestContext } from '../../node/services/kit/context.ts';
import { hostTable } from '../../node/state/tables/index.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import { hostIdOf } from '../world/ids.ts';
import { askAnyAgent, type UserDeps } from './agents.ts';
import { workUntilOver } from './client.ts';

/** As whom an operator asks. */
const operators = { projectId: 'operators', roles: ['admin'] } as const;

interface OperatorDeps extends UserDeps {
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
    switch (random.below(5)) {
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
        return this.#changeJob();
      case 3: {
        const at = hostId;
        await this.#call(`undrain ${at}`, (agent, context) => agent.services.compute.drains.undrain(context, at));
        return;
      }
      default:
        await this.#call(`enable ${hostId}`, async (agent, context) => {
          if (hostTable.get(agent.deps.state.local, hostId)?.record.disabled !== true) return;
          await agent.services.compute.hosts.setEnabled(context, hostId, true);
        });
    }
  }

  /** A job that is under way is cancelled, or rests, or goes on. */
  async #changeJob(): Promise<void> {
    const { random } = this.#deps;
    const verb = random.pick(['cancel', 'cancel', 'pause', 'resume'] as const);
    await this.#call(`${verb} a job`, async ({ deps, services: { jobs } }, context) => {
      const underWay = jobs.list(deps.state.local, { ended: false });
      if (underWay.length > 0) await jobs[verb](context, random.pick(underWay).id);
    });
  }

  async #call(what: string, work: (agent: HostAgent, context: RequestContext) => Promise<unknown>): Promise<void> {
    await askAnyAgent(this.#deps, operators, what, work);
  }
}
