/** What a set of runs is to have reached at least once; whoever sums up `SimResult.reached` can tell what was not. */
import { failpoints, probes, unlikelyBranches } from '../../node/base/buggify/names.ts';
import { faultNames } from './fault-names.ts';

/** Rare branches of production code and of the world, as they stand in `SimResult.reached`, each in words. */
const worldProbes = {
  'host-suspected': 'a host is suspected of being gone',
  'host-thought-dead': 'a host counts as gone',
  'host-back': 'a host that counted as gone is there again',
  'old-advert-refused': 'an advert comes that is older than the one held',
  'forged-advert-refused': 'a member speaks for another host, and is not believed',
  'client-gave-up': 'a client stops waiting for an answer',
  'same-creation-twice-at-once': 'one creation is under way at two agents',
  'group-members-made-at-once': 'servers of one strict group are made at the same time, by several agents',
  'foreign-thing-named': 'a tenant names what belongs to another in a request of its own',
  'member-left': 'a member was removed while other faults went on',
  'member-came-back': 'a removed member was taken in again',
  'disk-rolled-back': 'a disk was put back from an older copy',
} as const satisfies Readonly<Record<string, string>>;

export type WorldProbe = keyof typeof worldProbes;

/** By group: the names in `SimResult.reached`. */
export const probeNames: {
  readonly [group in 'probe' | 'unlikely' | 'failpoint' | 'fault']: readonly string[];
} = {
  probe: [...Object.keys(probes), ...Object.keys(worldProbes)].map((name) => `probe ${name}`).sort(),
  unlikely: Object.keys(unlikelyBranches).map((name) => `unlikely ${name}`),
  failpoint: Object.keys(failpoints).map((name) => `failpoint ${name}`),
  fault: faultNames.map((name) => `fault ${name}`),
};

/** What none of the runs reached, by group; for a report. */
export function unreached(
  reached: Readonly<Record<string, number>>,
): Readonly<Record<keyof typeof probeNames, readonly string[]>> {
  const missing = (names: readonly string[]): readonly string[] => names.filter((name) => (reached[name] ?? 0) === 0);
  return {
    probe: missing(probeNames.probe),
    unlikely: missing(probeNames.unlikely),
    failpoint: missing(probeNames.failpoint),
    fault: missing(probeNames.fault),
  };
}
