import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { place, setQuery } from '../kit/router.ts';
import { type ColumnText, filtered, sorted, visibleRange } from '../kit/table-rows.ts';
import { texts } from '../kit/texts.ts';

/** One column. */
export interface Column<T> extends ColumnText<T> {
  readonly title: string;
  /** What stands there; default: the text. */
  readonly show?: (row: T) => ComponentChildren;
}

/** Height of a row, pixels; style.css says the same. */
const rowHeight = 40;
/** Longest table that stands on the page whole; longer ones scroll by themselves, and only rows in sight are elements. */
const wholeRowsMax = 200;

/**
 * Rows with a filter and an order, both in the address. Ten thousand rows cost what fifty do, since only those in sight are
 * elements.
 * @param what the rows are, in the plural.
 */
export function Table<T extends { readonly id: string }>(props: {
  what: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  /** Prefix of the table's keys in the address, where a page has several. */
  name?: string;
  /** Selected ids, where rows can be selected. */
  selected?: ReadonlySet<string>;
  onSelect?: (selected: ReadonlySet<string>) => void;
  nameOf?: (row: T) => string;
}) {
  const { rows, columns, what } = props;
  const [filterKey, orderKey] = [`${props.name ?? ''}filter`, `${props.name ?? ''}sort`];
  const { query } = place.value;
  const filter = query.get(filterKey) ?? '';
  const order = query.get(orderKey) ?? columns[0]?.key ?? '';
  const shown = useMemo(() => sorted(filtered(rows, columns, filter), columns, order), [rows, columns, filter, order]);
  const filterId = useId();
  return (
    <section class="table-part" aria-label={what}>
      <div class="table-tools">
        <label class="sr-only" for={filterId}>
          {texts.table.filterHint(what)}
        </label>
        <input
          id={filterId}
          type="search"
          placeholder={texts.table.filter}
          value={filter}
          onInput={(event) => setQuery(filterKey, event.currentTarget.value)}
        />
        <span class="quiet" role="status">
          {texts.table.count(shown.length, rows.length)}
        </span>
      </div>
      {shown.length === 0 ? (
        <p class="quiet empty">{rows.length === 0 ? texts.table.empty(what) : texts.table.noMatch(what)}</p>
      ) : (
        <Rows {...props} rows={shown} order={order} orderKey={orderKey} filter={filter} />
      )}
    </section>
  );
}

function Rows<T extends { readonly id: string }>(
  props: Parameters<typeof Table<T>>[0] & { order: string; orderKey: string; filter: string },
) {
  const { rows, columns, what, order, orderKey, selected, onSelect } = props;
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(800);
  const scroll = useRef<HTMLElement>(null);
  // Other rows, or another order: from the top.
  useLayoutEffect(() => {
    setTop(0);
    if (scroll.current !== null) scroll.current.scrollTop = 0;
  }, [order, props.filter]);
  const isWhole = rows.length <= wholeRowsMax;
  const { first, end } = isWhole ? { first: 0, end: rows.length } : visibleRange(rows.length, rowHeight, top, height);
  const width = columns.length + (onSelect === undefined ? 0 : 1);
  const onScroll = (event: Event): void => {
    if (!(event.currentTarget instanceof HTMLElement) || isWhole) return;
    setTop(event.currentTarget.scrollTop);
    setHeight(event.currentTarget.clientHeight);
  };
  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect?.(next);
  };
  return (
    <section
      ref={scroll}
      class={`table-scroll ${isWhole ? '' : 'virtual'}`}
      aria-label={`${what}, rows`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard
      tabIndex={0}
      onScroll={onScroll}
    >
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {onSelect === undefined ? null : <td class="select" />}
            {columns.map((column) => (
              <Heading key={column.key} column={column} order={order} orderKey={orderKey} />
            ))}
          </tr>
        </thead>
        <tbody>
          <Gap rows={first} width={width} />
          {rows.slice(first, end).map((row, at) => (
            <tr key={row.id} aria-rowindex={first + at + 2} aria-selected={selected?.has(row.id)}>
              {onSelect === undefined ? null : (
                <td class="select">
                  <input
                    type="checkbox"
                    checked={selected?.has(row.id) === true}
                    aria-label={texts.table.select(props.nameOf?.(row) ?? row.id)}
                    onChange={() => toggle(row.id)}
                  />
                </td>
              )}
              {columns.map((column) => (
                <td key={column.key} data-label={column.title}>
                  <bdi>{column.show === undefined ? column.text(row) : column.show(row)}</bdi>
                </td>
              ))}
            </tr>
          ))}
          <Gap rows={rows.length - end} width={width} />
        </tbody>
      </table>
    </section>
  );
}

function Heading<T>(props: { column: Column<T>; order: string; orderKey: string }) {
  const { column, order, orderKey } = props;
  const isUp = order === column.key;
  const isDown = order === `-${column.key}`;
  return (
    <th scope="col" aria-sort={isUp ? 'ascending' : isDown ? 'descending' : 'none'}>
      <button type="button" class="sort" onClick={() => setQuery(orderKey, isUp ? `-${column.key}` : column.key)}>
        {column.title}
        <span aria-hidden="true">{isUp ? ' ↑' : isDown ? ' ↓' : ''}</span>
      </button>
    </th>
  );
}

/** Stands for rows that are out of sight. */
function Gap(props: { rows: number; width: number }) {
  if (props.rows === 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a row without content takes no focus
    <tr class="gap" aria-hidden="true">
      <td colSpan={props.width} style={{ height: `${props.rows * rowHeight}px` }} />
    </tr>
  );
}
