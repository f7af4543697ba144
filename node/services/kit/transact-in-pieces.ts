/**
 * A change of as many rows as there are, which no single transaction may hold: it is made in pieces, each of which fits.
 *
 * A piece looks at what is left, changes rows while its change has room, and says whether that was the last of them. The
 * thing that the rows hang on goes with the last piece, so that an agent that dies in between leaves something that the
 * same request, sent again, brings to its end. What few rows hang on is still one transaction.
 */
import { assert } from '../../base/assert.ts';
import { ShoalError } from '../../base/errors.ts';
import type { ServiceDependencies } from './dependencies.ts';
import { type Attempt, type TransactOptions, transact } from './transact.ts';

/** Pieces of one change: some millions of rows, and an end to a race with those who keep adding more. */
const piecesMax = 10_000;

/** What a piece says when rows are left for the next one. */
export const unfinished = Symbol('unfinished');

/**
 * Runs `piece`, a plan as `transact` has it, until it returns something else than `unfinished`, and returns that. A piece
 * asks `change.hasRoom` before each row, and `unfinished` is for pieces that have changed something.
 * Throws as `transact`; what earlier pieces did stays done.
 */
export async function transactInPieces<T>(
  deps: ServiceDependencies,
  options: Omit<TransactOptions, 'clientToken'>,
  piece: (attempt: Attempt) => T | typeof unfinished,
): Promise<T> {
  for (let count = 0; count < piecesMax; count++) {
    const result = await transact(deps, options, (attempt) => {
      const said = piece(attempt);
      assert(said !== unfinished || !attempt.change.isEmpty, 'each piece of a change does something');
      return said;
    });
    if (result !== unfinished) return result;
  }
  throw new ShoalError('PRECONDITION_CHANGED', 'Rows kept being added while they were changed; try again.', {
    facts: { pieces: piecesMax },
  });
}

/** Calls `edit` with rows while the change has room. Whether it was called with all of them. */
export function editWhileRoom<R>(attempt: Pick<Attempt, 'change'>, rows: Iterable<R>, edit: (row: R) => void): boolean {
  for (const row of rows) {
    if (!attempt.change.hasRoom) return false;
    edit(row);
  }
  return true;
}
