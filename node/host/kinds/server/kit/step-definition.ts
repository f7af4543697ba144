import type { shoal } from '../../../../../proto/messages.ts';
import type { StepDefinition } from '../../../engine/step.ts';
import type { ServerStep } from '../../../plan/server-plan.ts';
import type { ServerTools } from './tools.ts';

/** One step of a server, by its name. */
export type ServerStepDefinition<Name extends ServerStep['kind']> = StepDefinition<
  Extract<ServerStep, { readonly kind: Name }>,
  shoal.v1.Server,
  ServerTools
>;
