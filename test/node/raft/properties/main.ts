/**
 * Random schedules without end in sight: one seed draws options and steps, as in properties.test.ts, for as many seeds as
 * asked. A failure prints the one command that replays it.
 *
 *     node test/node/raft/properties/main.ts [--from 0] [--to 1000] [--nodes 3] [--steps 2000] [--membership] [--lease]
 *
 * Exit status: 0 when nothing broke, 1 when something did, 2 for a wrong argument.
 */
import { parseArgs } from 'node:util';
import { AssertionError } from '../../../../node/base/assert.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { runSchedule } from './schedule.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: '1000' },
    nodes: { type: 'string', default: '3' },
    steps: { type: 'string', default: '2000' },
    membership: { type: 'boolean', default: false },
    lease: { type: 'boolean', default: false },
  },
});

function count(name: 'from' | 'to' | 'nodes' | 'steps'): number {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} ${values[name]}: give a number`);
  process.exit(2);
}

const [from, to, nodes, steps] = [count('from'), count('to'), count('nodes'), count('steps')];
const totals = { seeds: 0, failures: 0, elections: 0, committed: 0, reads: 0 };

for (let seed = from; seed < to; seed++) {
  const random = new Prng(seed);
  const options: ClusterOptions = {
    nodes,
    asyncStorageWrites: random.chance(0.5),
    preVote: random.chance(0.5),
    checkQuorum: random.chance(0.5),
    leaseReads: values.lease,
    maxBytesPerMessage: random.pick([0, 60, Number.POSITIVE_INFINITY]),
    maxInflightMessages: random.pick([1, 3, 256]),
    maxInflightBytes: Number.POSITIVE_INFINITY,
    maxCommittedBytesPerReady: random.pick([1, 100, Number.POSITIVE_INFINITY]),
    membershipChanges: values.membership,
  };
  const draws = Array.from({ length: steps }, () => random.below(2 ** 24));
  const cluster = new Cluster(options, random);
  try {
    runSchedule(cluster, options, draws);
    cluster.checkLogs();
    totals.elections += cluster.elections;
    totals.committed += cluster.committed;
    totals.reads += cluster.readsAnswered;
    cluster.heal();
    cluster.checkLogs();
  } catch (caught) {
    if (!(caught instanceof AssertionError)) throw caught;
    totals.failures++;
    const flags = `${values.membership ? ' --membership' : ''}${values.lease ? ' --lease' : ''}`;
    console.log(JSON.stringify(options));
    console.log(caught.stack);
    console.log(
      `node test/node/raft/properties/main.ts --from ${seed} --to ${seed + 1} --nodes ${nodes} --steps ${steps}${flags}`,
    );
  }
  totals.seeds++;
}
console.log(JSON.stringify(totals));
process.exitCode = totals.failures > 0 ? 1 : 0;
