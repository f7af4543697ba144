/**
 * What cannot be written now for want of a quorum may be written later, and so may what cannot because the replicas hold
 * different states. Whoever treats the one so treats the other so.
 */
import t from 'tap';
import { unwritableCodes } from '../../../node/base/errors.ts';
import { sources } from '../../../node/dev/house/source.ts';

/** Parts of consensus itself: they make these errors, or ask another member for the one reason alone. */
const makers = new Set(['node/consensus/client/state-client.ts', 'node/consensus/loop/loop.ts']);

t.test('nobody lists the codes of a state that takes no writes by himself', (t) => {
  t.same(unwritableCodes, ['NO_QUORUM', 'STATE_DIVERGED']);
  const product = sources().filter(({ path }) => !path.startsWith('test/') && !path.startsWith('sim/checkers/'));
  t.ok(product.length > 500);
  const lists = /(?:ShoalError\.is\(|\[)[^)\];]*'NO_QUORUM'/u;
  const offences = product.filter(
    ({ path, text }) => lists.test(text) && !makers.has(path) && path !== 'node/base/errors.ts',
  );
  t.same(
    offences.map(({ path }) => path),
    [],
    'each of these takes ...unwritableCodes instead',
  );
  t.end();
});
