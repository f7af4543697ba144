/** `POST .../action`: the body's one key names the action, and is an operation of its own for the policies. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { ShoalError } from '../../../../node/base/errors.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';

/** What an action is called with. */
export interface Call {
  readonly request: FastifyRequest;
  readonly context: RequestContext;
  /** Of the thing, from the path; empty where the path has none. */
  readonly id: string;
  /** What stands beside the action's name. */
  readonly argument: unknown;
}

/** Nothing: an empty 202. */
interface Answer {
  readonly status: number;
  readonly body?: object;
}

/** One action. */
export type Action = (call: Call) => Promise<Answer | undefined>;

/** By name. */
export type Actions = Readonly<Record<string, Action>>;

/** An action whose argument has been read by its schema. */
export function action<Schema extends TSchema>(
  schema: Schema,
  run: (argument: Static<Schema>, call: Call) => Promise<Answer | undefined> | Promise<void>,
): Action {
  return async (call) => (await run(parse(schema, call.argument), call)) ?? undefined;
}

/** Adds `POST path` with these actions, and no others. */
export function addActions(app: FastifyInstance, gateway: Gateway, path: string, actions: Actions): void {
  const config = { actions: Object.keys(actions) };
  app.post<{ Params: { id?: string } }>(path, { config }, async (request, reply) => {
    const context = gateway.context(request);
    const { name, argument } = actionOf(request.body);
    const run = ownValue(actions, name);
    if (run === undefined) throw new ShoalError('INVALID_ARGUMENT', `There is no such action: ${name.slice(0, 64)}`);
    const answer = await run({ request, context, id: request.params.id ?? '', argument });
    return reply.code(answer?.status ?? 202).send(answer?.body);
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
