import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { ask, get } from '../kit/api.ts';
import { notify } from '../kit/notices.ts';
import { useResource } from '../kit/resource.ts';
import { texts } from '../kit/texts.ts';
import { Confirm } from './dialog.tsx';
import { type FieldSpec, FieldsDialog, type Values } from './fields-dialog.tsx';
import { Loaded } from './loaded.tsx';
import { type Column, Table } from './table.tsx';
import { Cli } from './values.tsx';

interface Row {
  readonly id: string;
  readonly name?: string | null;
}

/** Something that can be done to a row, or on the page. */
interface Deed<T> {
  readonly label: string;
  readonly fields: (row: T) => readonly FieldSpec[];
  readonly run: (row: T, values: Values) => Promise<unknown>;
  /** Whether it can be done to this one. */
  readonly isFor?: (row: T) => boolean;
}

/** A list of the API's: its rows, one more, one less. */
export function Collection<T extends Row>(props: {
  what: string;
  /** `GET` of all of them, and the key that they stand below. */
  path: string;
  collection: string;
  /** The rows of the answer; default: as they come. */
  rowsOf?: (rows: readonly T[]) => readonly T[];
  columns: readonly Column<T>[];
  create?: {
    readonly label: string;
    readonly fields: readonly FieldSpec[];
    readonly run: (values: Values) => Promise<unknown>;
  };
  deeds?: readonly Deed<T>[];
  /** What is lost with one, and how it goes. Default: `DELETE {path}/{id}`. */
  remove?: {
    readonly losses: (row: T) => readonly string[];
    readonly run?: (row: T) => Promise<unknown>;
    readonly isFor?: (row: T) => boolean;
  };
  name?: string;
  cli: string;
  children?: ComponentChildren;
}) {
  const { path, collection, columns, create, deeds = [], remove } = props;
  const [isCreating, setCreating] = useState(false);
  const [leaving, setLeaving] = useState<T | undefined>(undefined);
  const [doing, setDoing] = useState<{ deed: Deed<T>; row: T } | undefined>(undefined);
  const list = useResource(
    async (signal) => {
      const body = new Map(Object.entries(await get<Readonly<Record<string, readonly T[]>>>(path, signal)));
      const rows = body.get(collection) ?? [];
      return props.rowsOf?.(rows) ?? rows;
    },
    [path],
  );
  const last: Column<T> = {
    key: 'deeds',
    title: texts.actions,
    text: () => '',
    show: (row) => (
      <RowDeeds
        row={row}
        deeds={deeds}
        onDeed={(deed) => setDoing({ deed, row })}
        onRemove={remove === undefined || remove.isFor?.(row) === false ? undefined : () => setLeaving(row)}
      />
    ),
  };
  return (
    <>
      {create === undefined ? null : (
        <p>
          <button type="button" class="primary" onClick={() => setCreating(true)}>
            {create.label}
          </button>
        </p>
      )}
      <Loaded of={list}>
        {(rows) => (
          <Table
            what={props.what}
            rows={rows}
            columns={remove === undefined && deeds.length === 0 ? columns : [...columns, last]}
            {...(props.name === undefined ? {} : { name: props.name })}
          />
        )}
      </Loaded>
      {props.children}
      <Cli command={props.cli} />
      {isCreating && create !== undefined ? (
        <FieldsDialog
          title={create.label}
          submit={texts.create}
          fields={create.fields}
          onClose={() => setCreating(false)}
          onSubmit={async (values) => {
            await create.run(values);
            list.refresh();
          }}
        />
      ) : null}
      {doing === undefined ? null : (
        <FieldsDialog
          title={`${doing.deed.label}: ${nameOf(doing.row)}`}
          submit={doing.deed.label}
          fields={doing.deed.fields(doing.row)}
          onClose={() => setDoing(undefined)}
          onSubmit={async (values) => {
            await doing.deed.run(doing.row, values);
            notify(texts.collection.done(doing.deed.label, nameOf(doing.row)));
            list.refresh();
          }}
        />
      )}
      {leaving === undefined || remove === undefined ? null : (
        <Confirm
          title={texts.collection.deleteTitle(nameOf(leaving))}
          losses={remove.losses(leaving)}
          submit={texts.delete}
          onClose={() => setLeaving(undefined)}
          onConfirm={async () => {
            await (remove.run?.(leaving) ??
              ask('DELETE', `${path.split('?')[0] ?? path}/${encodeURIComponent(leaving.id)}`));
            notify(texts.collection.deleted(nameOf(leaving)));
            setLeaving(undefined);
            list.refresh();
          }}
        />
      )}
    </>
  );
}

function RowDeeds<T extends Row>(props: {
  row: T;
  deeds: readonly Deed<T>[];
  onDeed: (deed: Deed<T>) => void;
  onRemove: (() => void) | undefined;
}) {
  return (
    <span class="row-deeds">
      {props.deeds
        .filter(({ isFor }) => isFor?.(props.row) !== false)
        .map((deed) => (
          <button
            key={deed.label}
            type="button"
            aria-label={`${deed.label} ${nameOf(props.row)}`}
            onClick={() => props.onDeed(deed)}
          >
            {deed.label}
          </button>
        ))}
      {props.onRemove === undefined ? null : (
        <button
          type="button"
          class="danger"
          aria-label={`${texts.delete} ${nameOf(props.row)}`}
          onClick={props.onRemove}
        >
          {texts.delete}
        </button>
      )}
    </span>
  );
}

function nameOf({ name, id }: Row): string {
  return name === undefined || name === null || name === '' ? id : name;
}
