import type { Argument, Case } from './scenario-file.ts';

/** Runs the cases of one file, which share its state. Returns the output of each. */
export type CaseRunner = (one: Case) => string;

/** A mistake in a scenario file, not in the core. */
export class ScenarioError extends Error {}

/** The bare numbers of a command, in order. */
export function idsOf(one: Case): number[] {
  return one.args.filter((arg) => arg.values.length === 0).map((arg) => toInteger(arg.key));
}

/** The first bare word as a number. */
export function firstId(one: Case): number {
  const [id] = idsOf({ ...one, args: one.args.slice(0, 1) });
  if (id === undefined) throw new ScenarioError(`line ${one.line}: ${one.command} needs a node`);
  return id;
}

export function findArgument(one: Case, key: string): Argument | undefined {
  return one.args.find((arg) => arg.key === key && arg.values.length > 0);
}

/** The only value of `key=value`. */
export function optionOf(one: Case, key: string): string | undefined {
  return findArgument(one, key)?.values[0];
}

export function toInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new ScenarioError(`${text} is not an integer`);
  return value;
}

export function toBoolean(text: string): boolean {
  if (text !== 'true' && text !== 'false') throw new ScenarioError(`${text} is neither true nor false`);
  return text === 'true';
}
