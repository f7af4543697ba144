/** The machine of a server drawn as its README has it, by asking it: nothing here knows a rule. */
import { judge, type Situation } from '../../../../../node/services/compute/machine/server-machine.ts';
import { type ServerVerb, type VerbRule, verbs } from '../../../../../node/services/compute/machine/verbs.ts';
import { vmStates } from '../../../../../node/services/compute/machine/vm-state.ts';

/** All verbs. */
export const verbNames = Object.keys(verbs) as readonly ServerVerb[];

/** A server that is at rest, and in nobody's way. */
export const restful: Situation = {
  id: 'ID',
  vmState: 'active',
  task: '',
  isLocked: false,
  isDeleting: false,
  hasHost: true,
};

/** The Markdown of the whole table. */
export function machineTable(): string {
  const heads = ['verb', ...vmStates, 'task under way', 'locked', 'being deleted', 'no host', 'no quorum'];
  const rows = verbNames.map((verb) => [`\`${verb}\``, ...vmStates.map(() => ''), ...limitsOf(verb)]);
  for (const [at, verb] of verbNames.entries()) {
    for (const [column, vmState] of vmStates.entries()) {
      const row = rows[at];
      if (row !== undefined) row[column + 1] = cell(verb, { ...restful, vmState });
    }
  }
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(verb: ServerVerb, situation: Situation): string {
  const verdict = judge(verb, situation);
  if (verdict.kind === 'refused') return '-';
  return verdict.to === undefined ? 'yes' : `${verdict.to.task} → ${verdict.to.endsIn}`;
}

/** What each other circumstance does, in a state in which the verb is taken. */
function limitsOf(verb: ServerVerb): readonly string[] {
  const taken = vmStates.filter((vmState) => judge(verb, { ...restful, vmState }).kind === 'accepted');
  const [vmState = 'active'] = taken;
  const answer = (change: Partial<Situation>): string => statusOf(verb, { ...restful, vmState, ...change });
  const inError: string = taken.includes('error') ? statusOf(verb, { ...restful, vmState: 'error', task: 'x' }) : '';
  const task = answer({ task: 'x' });
  const rule: VerbRule = verbs[verb];
  return [
    inError === '' || inError === task ? task : `${task}, in ERROR ${inError}`,
    answer({ isLocked: true }),
    answer({ isDeleting: true }),
    answer({ hasHost: false }),
    rule.outage === undefined ? '503' : rule.outage.replace('-', ' '),
  ];
}

function statusOf(verb: ServerVerb, situation: Situation): string {
  const verdict = judge(verb, situation);
  if (verdict.kind === 'accepted') return 'yes';
  return verdict.by === 'gone' ? '404' : '409';
}
