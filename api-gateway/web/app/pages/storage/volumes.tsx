import { ask } from '../../kit/api.ts';
import { choicesFrom } from '../../kit/choices.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import type { Values } from '../../parts/fields-dialog.tsx';
import { Page } from '../../parts/page.tsx';
import { Status, Thing, Time } from '../../parts/values.tsx';
import { isFree, lossesOfVolume, type Volume, volumeDeeds } from './volume-deeds.ts';

/** All volumes of the project. */
export default function Volumes() {
  const words = texts.volumes;
  return (
    <Page title={words.title}>
      <Collection<Volume>
        what={words.what}
        path="/volume/v3/volumes/detail?limit=1000"
        collection="volumes"
        columns={[
          {
            key: 'name',
            title: texts.name,
            text: ({ name, id }) => name || id,
            show: ({ id, name }) => <Thing to={pathOf(['volumes', id])} name={name} id={id} />,
          },
          {
            key: 'status',
            title: texts.status,
            text: ({ status }) => status,
            show: ({ status }) => <Status value={status} />,
          },
          { key: 'size', title: words.size, text: ({ size }) => size },
          { key: 'type', title: words.type, text: (volume) => volume.volume_type ?? '' },
          {
            key: 'created',
            title: texts.created,
            text: (row) => row.created_at,
            show: (row) => <Time at={row.created_at} />,
          },
        ]}
        create={{
          label: words.create,
          fields: [
            { key: 'name', label: texts.name, kind: 'text' },
            { key: 'size', label: words.size, kind: 'number', initial: '1' },
            {
              key: 'type',
              label: words.type,
              kind: 'select',
              isOptional: true,
              choices: choicesFrom('/volume/v3/types', 'volume_types'),
            },
            {
              key: 'image',
              label: words.fromImage,
              kind: 'select',
              isOptional: true,
              choices: choicesFrom('/image/v2/images?status=active&limit=1000', 'images'),
            },
          ],
          run: createVolume,
        }}
        deeds={volumeDeeds}
        remove={{
          losses: lossesOfVolume,
          run: ({ id }) => ask('DELETE', `/volume/v3/volumes/${id}`),
          isFor: isFree,
        }}
        cli={'openstack volume list\nopenstack volume create --size 1 NAME'}
      />
    </Page>
  );
}

function createVolume(values: Values): Promise<unknown> {
  const [type, image] = [values.get('type') ?? '', values.get('image') ?? ''];
  return ask('POST', '/volume/v3/volumes', {
    body: {
      volume: {
        name: values.get('name'),
        size: Number(values.get('size')),
        ...(type === '' ? {} : { volume_type: type }),
        ...(image === '' ? {} : { imageRef: image }),
      },
    },
  });
}
