import { ask } from '../../kit/api.ts';
import { choicesFrom } from '../../kit/choices.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Page } from '../../parts/page.tsx';
import { Status, Time } from '../../parts/values.tsx';

interface Backup {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly size: number;
  readonly is_incremental: boolean;
  readonly has_dependent_backups: boolean;
  readonly created_at: string;
  readonly fail_reason: string | null;
}

/** All backups of volumes. */
export default function Backups() {
  const words = texts.backups;
  return (
    <Page title={words.title}>
      <Collection<Backup>
        what={words.what}
        path="/volume/v3/backups/detail?limit=1000"
        collection="backups"
        columns={[
          { key: 'name', title: texts.name, text: ({ name, id }) => name || id },
          {
            key: 'status',
            title: texts.status,
            text: ({ status }) => status,
            show: ({ status }) => <Status value={status} />,
          },
          { key: 'size', title: texts.volumes.size, text: ({ size }) => size },
          { key: 'kind', title: words.kind, text: (row) => (row.is_incremental ? words.incremental : words.full) },
          {
            key: 'created',
            title: texts.created,
            text: (row) => row.created_at,
            show: (row) => <Time at={row.created_at} />,
          },
          { key: 'reason', title: words.reason, text: (row) => row.fail_reason ?? '' },
        ]}
        deeds={[
          {
            label: words.restore,
            isFor: ({ status }) => status === 'available',
            fields: () => [
              { key: 'name', label: words.newName, kind: 'text', isOptional: true },
              {
                key: 'volume',
                label: words.over,
                hint: words.overHint,
                kind: 'select',
                isOptional: true,
                choices: choicesFrom('/volume/v3/volumes?status=available&limit=1000', 'volumes'),
              },
            ],
            run: ({ id }, values) => {
              const [name, volume] = [values.get('name') ?? '', values.get('volume') ?? ''];
              const restore = { ...(name === '' ? {} : { name }), ...(volume === '' ? {} : { volume_id: volume }) };
              return ask('POST', `/volume/v3/backups/${id}/restore`, { body: { restore } });
            },
          },
        ]}
        remove={{
          losses: ({ name, id }) => [words.loss(name || id)],
          run: ({ id }) => ask('DELETE', `/volume/v3/backups/${id}`),
          isFor: (row) => !row.has_dependent_backups,
        }}
        cli="openstack volume backup list"
      />
    </Page>
  );
}
