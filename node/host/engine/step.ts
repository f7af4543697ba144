/** One step of a kind: what it does to the host, how it is taken back, and what it waits for. One file each. */

/**
 * How a step is treated.
 * - `acts`: it changes the host. Its failure is told to the owner when it is final, or has lasted too long.
 * - `reports`: it only tells the records what is so.
 * - `tears-down`: it takes away what a committed deletion or move names. It is tried until it works.
 * - `restores`: it brings back what was so, and has gone by itself. It is tried until it works.
 */
type StepMode = 'acts' | 'reports' | 'tears-down' | 'restores';

/**
 * A step may be cut off after any line of `do` and is then planned again from what is found: it must be safe to do twice.
 * @typeParam Step what the plan asks for.
 * @typeParam Wanted the record, with what its owner has asked of this host alone.
 * @typeParam Tools what the steps of the kind work with.
 */
export interface StepDefinition<Step, Wanted, Tools> {
  readonly mode: StepMode;
  /** What it does, behind "failed": "starting the server". */
  readonly words: string;
  /** Why it cannot begin yet, for people; undefined: it can. It is asked again at each try, and counts as one. */
  wait?(step: Step, wanted: Wanted, tools: Tools): string | undefined;
  /** Throws what the drivers throw. */
  do(step: Step, wanted: Wanted, tools: Tools): Promise<void>;
  /** Takes back what a `do` that failed must not leave behind. Not called when the agent stops: the next start goes on. */
  undo?(step: Step, wanted: Wanted, tools: Tools): Promise<void>;
}

/** The steps of a kind by name; the compiler sees that none is missing. */
export type Steps<Step extends { readonly kind: string }, Wanted, Tools> = {
  readonly [Name in Step['kind']]: StepDefinition<Extract<Step, { readonly kind: Name }>, Wanted, Tools>;
};

/** The definition of one of several steps, for callers that know no more than that it is one of them. */
export function stepOf<Step extends { readonly kind: string }, Wanted, Tools>(
  steps: Steps<Step, Wanted, Tools>,
  step: Step,
): StepDefinition<Step, Wanted, Tools> {
  const name: Step['kind'] = step.kind;
  return steps[name];
}
