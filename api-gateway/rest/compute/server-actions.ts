/** `POST /servers/{id}/action`: one key names the action. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { unservedActions } from '../schemas/unserved-actions.ts';
import { viewingOf } from './kit/common.ts';
import { microversionOf, requireMicroversion } from './kit/microversion.ts';

/** What an action is called with. */
interface Call {
  readonly request: FastifyRequest;
  readonly context: RequestContext;
  readonly id: string;
  /** What stands beside the action's name. */
  readonly argument: unknown;
}

/** Returns a body for 200, or nothing for an empty 202. */
type Action = (call: Call) => Promise<object | undefined>;

/**
 * Adds the actions of servers. One that Nova has and this does not (`unserved.ts`) answers 501 once its argument and
 * the server are found good; an unknown one 400.
 */
export function addActions(app: FastifyInstance, gateway: Gateway, { servers, moves }: ComputeService): void {
  /** An action that takes no argument. */
  const plain =
    (run: (context: RequestContext, id: string) => Promise<void>): Action =>
    async ({ context, id }) => {
      await run(context, id);
      return undefined;
    };
  const actions: Readonly<Record<string, Action>> = {
    'os-start': plain((context, id) => servers.start(context, id)),
    'os-stop': plain((context, id) => servers.stop(context, id)),
    pause: plain((context, id) => servers.pause(context, id)),
    unpause: plain((context, id) => servers.unpause(context, id)),
    suspend: plain((context, id) => servers.suspend(context, id)),
    resume: plain((context, id) => servers.resume(context, id)),
    unlock: plain((context, id) => servers.unlock(context, id)),
    revertResize: plain((context, id) => moves.cancel(context, id)),
    forceDelete: plain((context, id) => servers.delete(context, id)),
    async lock({ request, context, id, argument }) {
      // Before, Nova looks at nothing that stands here.
      const asked = microversionOf(request) >= 73 ? parse(schemas.lockBody, argument) : null;
      await servers.lock(context, id, asked?.locked_reason);
      return undefined;
    },
    async 'os-resetState'({ context, id, argument }) {
      await servers.resetState(context, id, parse(schemas.resetStateBody, argument).state);
      return undefined;
    },
    async trigger_crash_dump({ request, context, id, argument }) {
      requireMicroversion(request, { from: 17 });
      parse(schemas.crashDumpBody, argument);
      await servers.triggerCrashDump(context, id);
      return undefined;
    },
    async changePassword({ context, id, argument }) {
      await servers.setPassword(context, id, parse(schemas.changePasswordBody, argument).adminPass);
      return undefined;
    },
    async reboot({ context, id, argument }) {
      const { type } = parse(schemas.rebootBody, argument);
      await servers.reboot(context, id, type.toUpperCase() === 'HARD');
      return undefined;
    },
    async migrate({ request, context, id, argument }) {
      const host = parse(schemas.migrateBody, argument)?.host ?? undefined;
      if (host !== undefined && microversionOf(request) < 56) {
        throw new ShoalError('INVALID_ARGUMENT', 'A host for migrate can be named from microversion 2.56 on.');
      }
      await moves.migrate(context, id, host);
      return undefined;
    },
    async 'os-getConsoleOutput'({ request, context, id, argument }) {
      const { length } = parse(schemas.consoleBody, argument ?? {});
      const { reader } = await viewingOf(gateway, request);
      const lines = length == null ? undefined : Number(length);
      return { output: await servers.consoleOutput(context, reader, id, lines) };
    },
    async addSecurityGroup({ context, id, argument }) {
      await servers.setSecurityGroup(context, id, parse(schemas.groupNameBody, argument).name, true);
      return undefined;
    },
    async removeSecurityGroup({ context, id, argument }) {
      await servers.setSecurityGroup(context, id, parse(schemas.groupNameBody, argument).name, false);
      return undefined;
    },
  };

  // Each action has a policy of its own; the gateway checks it before this runs.
  const config = { actions: Object.keys(actions) };
  app.post<{ Params: { id: string } }>('/v2.1/servers/:id/action', { config }, async (request, reply) => {
    const context = gateway.context(request);
    const { name, argument } = actionOf(request.body);
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const argumentSchema = Object.hasOwn(unservedActions, name) ? unservedActions[name] : undefined;
      if (argumentSchema === undefined) throw unknownAction(name);
      // What is wrong with the request is said first: it would be wrong anywhere.
      parse(argumentSchema, argument);
      const { context, reader } = await viewingOf(gateway, request);
      servers.show(context, reader, request.params.id);
      throw new ShoalError('NOT_IMPLEMENTED', `This version of Shoal does not have the action ${name}.`);
    }
    const answer = await action({ request, context, id: request.params.id, argument });
    return answer === undefined ? reply.code(202).send() : reply.code(200).send(answer);
  });
}

function actionOf(body: unknown): { readonly name: string; readonly argument: unknown } {
  const entries = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) {
    throw new ShoalError('INVALID_ARGUMENT', 'There is no such action: the body must name one.');
  }
  return { name: entry[0], argument: entry[1] };
}

function unknownAction(name: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `There is no such action: ${name.slice(0, 64)}`);
}
