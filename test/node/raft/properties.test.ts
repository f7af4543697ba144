/**
 * What Raft promises, under random schedules (the checks are in properties/cluster.ts). Each run draws options and a list
 * of steps. The seeds are fixed, so that a test run is the same everywhere.
 */
import fc from 'fast-check';
import t from 'tap';
import { Prng } from '../../../node/base/prng.ts';
import { Cluster, type ClusterOptions } from './properties/cluster.ts';
import { runSchedule } from './properties/schedule.ts';

const options = (nodes: number, membershipChanges: boolean): fc.Arbitrary<ClusterOptions> =>
  fc.record({
    nodes: fc.constant(nodes),
    asyncStorageWrites: fc.boolean(),
    preVote: fc.boolean(),
    checkQuorum: fc.boolean(),
    leaseReads: fc.constant(false),
    maxBytesPerMessage: fc.constantFrom(0, 60, Number.POSITIVE_INFINITY),
    maxInflightMessages: fc.constantFrom(1, 3, 256),
    maxInflightBytes: fc.constant(Number.POSITIVE_INFINITY),
    maxCommittedBytesPerReady: fc.constantFrom(1, 100, Number.POSITIVE_INFINITY),
    membershipChanges: fc.constant(membershipChanges),
  });

const schedule = fc.array(fc.noBias(fc.nat(0xff_ffff)), { minLength: 500, maxLength: 3000, size: 'max' });

interface Totals {
  runs: number;
  elections: number;
  committed: number;
  reads: number;
}

interface Plan {
  readonly arbitrary: fc.Arbitrary<ClusterOptions>;
  readonly runs: number;
  readonly seed: number;
}

function check({ arbitrary, runs, seed }: Plan): Totals {
  const totals: Totals = { runs: 0, elections: 0, committed: 0, reads: 0 };
  const property = fc.property(arbitrary, fc.integer(), schedule, (drawn, clusterSeed, draws) => {
    const random = new Prng(clusterSeed);
    const cluster = new Cluster(drawn, random);
    runSchedule(cluster, drawn, draws);
    cluster.checkLogs();
    totals.runs++;
    totals.elections += cluster.elections;
    totals.committed += cluster.committed;
    totals.reads += cluster.readsAnswered;
    cluster.heal();
    cluster.checkLogs();
  });
  // Shrinking a schedule takes minutes; the path that a failure prints replays it as it is.
  fc.assert(property, { numRuns: runs, seed, endOnFailure: true });
  return totals;
}

const plans: readonly (Plan & { readonly name: string })[] = [
  { name: 'three nodes', arbitrary: options(3, false), runs: 600, seed: 1 },
  { name: 'five nodes', arbitrary: options(5, false), runs: 300, seed: 2 },
  { name: 'a membership that changes', arbitrary: options(3, true), runs: 600, seed: 3 },
];

for (const plan of plans) {
  void t.test(`${plan.name}: no schedule of losses, repeats and crashes breaks what Raft promises`, async (t) => {
    const totals = check(plan);
    t.comment(JSON.stringify(totals));
    t.ok(
      totals.elections > totals.runs && totals.committed > totals.runs * 10 && totals.reads > 0,
      'runs do something',
    );
  });
}

void t.test('lease reads see all that was committed before them, while all clocks tick alike', async (t) => {
  const leases = options(3, false).map((drawn) => ({ ...drawn, leaseReads: true }));
  const totals = check({ arbitrary: leases, runs: 500, seed: 4 });
  t.comment(JSON.stringify(totals));
  t.ok(totals.reads > totals.runs / 4, 'reads were answered');
});
