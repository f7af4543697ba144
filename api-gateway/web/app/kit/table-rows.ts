/** Which rows of a table are shown, in which order. Pure. */

/** A column as far as order and filter go. */
export interface ColumnText<T> {
  /** In the address. */
  readonly key: string;
  /** What the row is sorted and filtered by there. */
  readonly text: (row: T) => string | number;
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Rows in which each word of the filter occurs in some column or in the id. */
export function filtered<T extends { readonly id: string }>(
  rows: readonly T[],
  columns: readonly ColumnText<T>[],
  filter: string,
): readonly T[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== '');
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = `${row.id} ${columns.map((column) => column.text(row)).join(' ')}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** @param order a column's key, with `-` before it for the greatest first; one that there is not leaves the order alone. */
export function sorted<T>(rows: readonly T[], columns: readonly ColumnText<T>[], order: string): readonly T[] {
  const isDown = order.startsWith('-');
  const column = columns.find(({ key }) => key === (isDown ? order.slice(1) : order));
  if (column === undefined) return rows;
  const sign = isDown ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [column.text(a), column.text(b)];
    if (typeof left === 'number' && typeof right === 'number') return sign * (left - right);
    return sign * collator.compare(String(left), String(right));
  });
}

/** Rows from `first` to before `end` are in the window, or near it. */
export function visibleRange(
  rows: number,
  rowHeight: number,
  scrollTop: number,
  height: number,
): { readonly first: number; readonly end: number } {
  const near = 12;
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - near);
  return { first: Math.min(first, rows), end: Math.min(rows, Math.ceil((scrollTop + height) / rowHeight) + near) };
}
