/** A state that holds a cell: the real state machine and the log's own encoding, without a log. */
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import type { Cell } from '../state/cell.ts';

/** Commits all records of `cell`. */
export async function filledState(cell: Cell): Promise<MemoryStateClient> {
  const state = new MemoryStateClient();
  for (const transaction of cell.transactions()) {
    const outcome = await state.commit(transaction);
    if (!outcome.succeeded) throw new Error(`a record of the cell was refused: ${JSON.stringify(outcome)}`);
  }
  return state;
}
