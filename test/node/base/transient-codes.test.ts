/**
 * Whether a failure may pass is said of each code once, in node/base/errors.ts. A part that lists codes by itself forgets the
 * next one: an outage that it takes for an answer, or an answer that it waits out.
 */
import t from 'tap';
import {
  type ErrorCode,
  errorCodes,
  isOutage,
  isTransient,
  isUnanswered,
  isUnrecorded,
  mayHaveHappened,
  ShoalError,
} from '../../../node/base/errors.ts';
import { sources } from '../../../node/dev/house/source.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

t.test('every code is classified; these are transient, and all others are answers', (t) => {
  t.same(codes.filter(isTransient).sort(), [
    'CANCELLED',
    'CANNOT_TELL',
    'CLAIM_REFUSED',
    'DEADLINE_EXCEEDED',
    'FENCE_UNPROVEN',
    'NOT_IN_SLICE',
    'NOT_LEADER',
    'NO_QUORUM',
    'OUTCOME_UNKNOWN',
    'PRECONDITION_CHANGED',
    'PROPOSAL_DROPPED',
    'RATE_LIMITED',
    'STALE',
    'STATE_DIVERGED',
    'UNAVAILABLE',
  ]);
  t.end();
});

t.test('the finer questions are asked of transient codes alone, and agree with one another', (t) => {
  for (const code of codes) {
    for (const holds of [isOutage, isUnrecorded, isUnanswered, mayHaveHappened]) {
      if (holds(code)) t.ok(isTransient(code), `${code}: ${holds.name}`);
    }
    if (isOutage(code)) t.ok(isUnrecorded(code) && !mayHaveHappened(code), `${code}: nothing was written`);
  }
  t.same(codes.filter(isOutage).sort(), ['NOT_LEADER', 'NO_QUORUM', 'STATE_DIVERGED']);
  t.same(codes.filter(mayHaveHappened).sort(), ['CANCELLED', 'CANNOT_TELL', 'DEADLINE_EXCEEDED', 'OUTCOME_UNKNOWN']);
  t.end();
});

t.test('ShoalError.of asks of failures that have a name', (t) => {
  t.ok(ShoalError.of(new ShoalError('NO_QUORUM', 'x'), isTransient));
  t.notOk(ShoalError.of(new ShoalError('NOT_FOUND', 'x'), isTransient));
  t.notOk(ShoalError.of(new Error('NO_QUORUM'), isTransient));
  t.end();
});

/** Parts of the consensus itself and of its transports: they act upon one code at a time, each for its own reason. */
const protocol = ['node/consensus/', 'node/mesh/peers/'];

t.test('no part lists three transient codes by itself', (t) => {
  const quoted = /'([A-Z_]+)'/gu;
  const offences: string[] = [];
  const product = sources().filter(
    ({ path }) =>
      !path.startsWith('test/') &&
      !path.startsWith('sim/checkers/') &&
      path !== 'node/base/errors.ts' &&
      !protocol.some((folder) => path.startsWith(folder)),
  );
  t.ok(product.length > 500);
  for (const { path, text } of product) {
    for (const [list] of text.matchAll(/(?:ShoalError\.is\(|\[|Set\(\[)[^)\];]*[)\]]/gu)) {
      const named = [...list.matchAll(quoted)].flatMap(([, name]) => codes.filter((code) => code === name));
      const listed = named.filter(isTransient);
      if (listed.length >= 3 && path !== 'sim/workload/client.ts') offences.push(`${path}: ${listed.join(', ')}`);
    }
  }
  t.same(offences, [], 'each of these asks a question of node/base/errors.ts instead');
  t.end();
});
