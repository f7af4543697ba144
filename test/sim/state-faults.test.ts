/**
 * What a fault does to the state of one member it does to no other: members of one process may share the bytes of a value,
 * and may hold them as a Buffer, of which `slice` gives a view.
 */
import t from 'tap';
import { Prng } from '../../node/base/prng.ts';
import { isSameDigest } from '../../node/state/digest.ts';
import { StateMachine } from '../../node/state/state-machine.ts';
import type { Op } from '../../node/state/types.ts';
import { stateFaults } from '../../sim/faults/state.ts';
import { ballastPrefix } from '../../sim/world/ballast.ts';

interface Member {
  readonly name: string;
  readonly process: { readonly log: { readonly machine: StateMachine } };
}

/** Two members that have applied the same bytes. */
function members(): readonly [Member, Member] {
  const thenOps: Op[] = [1, 2, 3].map((n) => ({
    kind: 'put',
    key: `${ballastPrefix}${n}`,
    value: Buffer.alloc(30, n),
  }));
  const made = (name: string): Member => {
    const machine = new StateMachine();
    machine.apply(1, { clientToken: '', transaction: { compares: [], thenOps, elseOps: [] } });
    return { name, process: { log: { machine } } };
  };
  return [made('n1'), made('n2')];
}

function digestOfRows(machine: StateMachine) {
  const { value } = machine.view().sums(1_000_000).next();
  if (value === undefined) throw new Error('more rows than expected');
  return value;
}

for (const [name, fault] of Object.entries(stateFaults)) {
  await t.test(`${name} changes what the member holds that it strikes, and nothing of another`, async (t) => {
    const [struck, other] = members();
    const before = struck.process.log.machine.digest;
    const world = { random: new Prng(7), nodes: [struck], mayDamage: () => true };
    const done: unknown = Reflect.apply(fault.strike, fault, [world]);
    t.ok(done, 'it struck');
    t.notOk(isSameDigest(digestOfRows(struck.process.log.machine), before), 'its rows are others now');
    t.ok(isSameDigest(digestOfRows(other.process.log.machine), before), 'those of the other are not');
    t.ok(isSameDigest(other.process.log.machine.digest, before));
    const isKnownToItself = isSameDigest(struck.process.log.machine.digest, digestOfRows(struck.process.log.machine));
    t.equal(isKnownToItself, name !== 'memory-rots', 'only memory that rots does so behind the back of the machine');
  });
}
