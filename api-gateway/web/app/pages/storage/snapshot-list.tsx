import { ask } from '../../kit/api.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Status, Thing, Time } from '../../parts/values.tsx';

interface Snapshot {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly size: number;
  readonly volume_id: string;
  readonly created_at: string;
}

/** Snapshots of a volume, or of all. */
export function SnapshotList(props: { volumeId?: string }) {
  const words = texts.snapshots;
  const filter = props.volumeId === undefined ? '' : `&volume_id=${encodeURIComponent(props.volumeId)}`;
  return (
    <Collection<Snapshot>
      what={words.what}
      path={`/volume/v3/snapshots/detail?limit=1000${filter}`}
      collection="snapshots"
      name="snapshots-"
      columns={[
        { key: 'name', title: texts.name, text: ({ name, id }) => name || id },
        {
          key: 'status',
          title: texts.status,
          text: ({ status }) => status,
          show: ({ status }) => <Status value={status} />,
        },
        { key: 'size', title: texts.volumes.size, text: ({ size }) => size },
        {
          key: 'volume',
          title: texts.kinds.volume,
          text: (row) => row.volume_id,
          show: (row) => <Thing to={pathOf(['volumes', row.volume_id])} id={row.volume_id} />,
        },
        {
          key: 'created',
          title: texts.created,
          text: (row) => row.created_at,
          show: (row) => <Time at={row.created_at} />,
        },
      ]}
      deeds={[
        {
          label: words.toVolume,
          isFor: ({ status }) => status === 'available',
          fields: ({ size }) => [
            { key: 'name', label: texts.name, kind: 'text' },
            { key: 'size', label: texts.volumes.size, kind: 'number', initial: String(size) },
          ],
          run: ({ id }, values) =>
            ask('POST', '/volume/v3/volumes', {
              body: { volume: { snapshot_id: id, name: values.get('name'), size: Number(values.get('size')) } },
            }),
        },
      ]}
      remove={{
        losses: ({ name, id }) => [words.loss(name || id)],
        run: ({ id }) => ask('DELETE', `/volume/v3/snapshots/${id}`),
      }}
      cli="openstack volume snapshot list"
    />
  );
}
