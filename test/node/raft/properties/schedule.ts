import { must } from '../../../../node/base/assert.ts';
import type { Cluster, ClusterOptions, Member } from './cluster.ts';

interface Step {
  /** Of all weights together. */
  readonly weight: number;
  readonly run: (cluster: Cluster, member: Member) => void;
}

/** What may happen next, and how often. Most of it is honest work, or nothing would ever be committed. */
const steps: readonly Step[] = [
  { weight: 300, run: (cluster) => everybodyWorks(cluster, true) },
  { weight: 80, run: (cluster) => everybodyWorks(cluster, false) },
  { weight: 120, run: (cluster) => cluster.deliver(true) },
  { weight: 60, run: (cluster, member) => cluster.workAppend(member) },
  { weight: 60, run: (cluster, member) => cluster.workApply(member) },
  { weight: 80, run: (cluster, member) => cluster.propose(member) },
  { weight: 40, run: (cluster, member) => cluster.read(member) },
  { weight: 30, run: (cluster) => cluster.lose() },
  { weight: 30, run: (cluster) => cluster.repeat() },
  { weight: 30, run: (cluster, member) => cluster.powerOn(member) },
  { weight: 5, run: (cluster, member) => cluster.powerOff(member) },
  { weight: 5, run: (cluster, member) => cluster.work(member, true) },
  { weight: 15, run: (cluster, member) => cluster.compact(member) },
  { weight: 4, run: (cluster, member) => cluster.transfer(member) },
  { weight: 6, run: (cluster) => cluster.split() },
  { weight: 6, run: (cluster) => cluster.join() },
];

/** With lease reads, all clocks tick at once; else each for itself, and some jump far ahead. */
const tickTogether: Step = { weight: 100, run: everybodyTicks };
const tickAlone: Step = { weight: 140, run: (cluster, member) => cluster.tick(member) };
const tickFar: Step = { weight: 3, run: (cluster, member) => repeatedly(12, () => cluster.tick(member)) };
const changeMembership: Step = { weight: 20, run: (cluster, member) => cluster.changeMembership(member) };

function everybodyTicks(cluster: Cluster): void {
  for (const one of cluster.members) cluster.tick(one);
}

function everybodyWorks(cluster: Cluster, inOrder: boolean): void {
  for (const one of cluster.members) cluster.work(one, false);
  repeatedly(4, () => cluster.deliver(inOrder));
}

function repeatedly(times: number, work: () => void): void {
  for (let i = 0; i < times; i++) work();
}

function stepsFor(drawn: ClusterOptions): readonly Step[] {
  const clocks = drawn.leaseReads ? [tickTogether] : [tickAlone, tickFar];
  return [...steps, ...clocks, ...(drawn.membershipChanges ? [changeMembership] : [])];
}

/** The step that `draw`, which is uniform, stands for. */
function pickStep(from: readonly Step[], draw: number): Step {
  let left = draw % from.reduce((sum, { weight }) => sum + weight, 0);
  for (const one of from) {
    left -= one.weight;
    if (left < 0) return one;
  }
  return tickAlone;
}

/** Does what `draws`, each uniform in [0, 2^24), stand for. */
export function runSchedule(cluster: Cluster, drawn: ClusterOptions, draws: readonly number[]): void {
  const possible = stepsFor(drawn);
  for (const draw of draws) {
    const member = must(cluster.members[draw % cluster.members.length], 'a member');
    pickStep(possible, Math.floor(draw / cluster.members.length)).run(cluster, member);
  }
}
