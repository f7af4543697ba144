/** What a set of runs must have reached at least once: `unreached` tells from the sum of `SimResult.reached` what was not. */
import { faultNames } from './fault-names.ts';
import { productionPoints } from './production-points.ts';

/** Rare branches of production code and of the world, as they stand in `SimResult.reached`, each in words. */
const worldMarks = {
  'host-suspected': 'a host is suspected of being gone',
  'host-thought-dead': 'a host counts as gone',
  'host-back': 'a host that counted as gone is there again',
  'old-advert-refused': 'an advert comes that is older than the one held',
  'forged-advert-refused': 'a member speaks for another host, and is not believed',
  'client-gave-up': 'a client stops waiting for an answer',
  'same-creation-twice-at-once': 'one creation is under way at two agents',
  'group-members-made-at-once': 'servers of one strict group are made at the same time, by several agents',
  'volume-attached-twice-at-once': 'two requests at once attach one volume',
  'server-boots-from-volume': 'a server is made whose root disk is a volume',
  'several-created-at-once': 'one request asks for several servers',
  'foreign-thing-named': 'a tenant names what belongs to another in a request of its own',
  'member-left': 'a member was removed while other faults went on',
  'member-came-back': 'a removed member was taken in again',
  'disk-rolled-back': 'a disk was put back from an older copy',
  'loss-that-only-peers-know': 'a disk has lost entries, and nothing of its own shows that',
} as const satisfies Readonly<Record<string, string>>;

export type WorldMark = keyof typeof worldMarks;

/** Groups of names in `SimResult.reached`; each name there is behind that of its group and a blank. */
type Group = 'mark' | 'unlikely' | 'failpoint' | 'fault';

/** By group: the names in `SimResult.reached`. */
export function pointNames(): Readonly<Record<Group, readonly string[]>> {
  const of = (group: Group, names: readonly string[]): readonly string[] =>
    names.map((name) => `${group} ${name}`).sort();
  return {
    mark: of('mark', [...productionPoints('mark'), ...Object.keys(worldMarks)]),
    unlikely: of('unlikely', productionPoints('buggify')),
    failpoint: of('failpoint', productionPoints('failpoint')),
    fault: of('fault', faultNames),
  };
}

/** What none of the runs reached, by group; for a report. */
export function unreached(reached: Readonly<Record<string, number>>): Readonly<Record<Group, readonly string[]>> {
  const names = pointNames();
  const missing = (group: Group): readonly string[] => names[group].filter((name) => (reached[name] ?? 0) === 0);
  return {
    mark: missing('mark'),
    unlikely: missing('unlikely'),
    failpoint: missing('failpoint'),
    fault: missing('fault'),
  };
}
