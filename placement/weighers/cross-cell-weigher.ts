import type { ClassWeigher } from './weigher.ts';

/** On a move: 1 in the cell that the guest comes from, 0 elsewhere. */
export const crossCellWeigher: ClassWeigher = {
  name: 'CrossCellWeigher',
  purpose: 'a moving guest stays in its cell',
  scope: 'class',
  readsSize: false,
  multiplierKey: 'cross_cell_move_weight_multiplier',
  multipliers: { spread: 1_000_000, pack: 1_000_000 },
  compile(request) {
    const { sourceCell } = request;
    if (sourceCell === '') return undefined;
    return (columns, slot) => (columns.profileOf[slot]?.cell === sourceCell ? 1 : 0);
  },
};
