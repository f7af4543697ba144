import { ask } from '../../kit/api.ts';
import { byteSize } from '../../kit/format.ts';
import { href } from '../../kit/router.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Page } from '../../parts/page.tsx';
import { Status, Thing, Time } from '../../parts/values.tsx';
import type { Image } from './image.tsx';

/** All images that the project sees. */
export default function Images() {
  const words = texts.images;
  return (
    <Page
      title={words.title}
      actions={
        <a class="button" href={href('/images/new')}>
          {words.upload}
        </a>
      }
    >
      <Collection<Image>
        what={words.what}
        path="/image/v2/images?limit=1000"
        collection="images"
        columns={[
          {
            key: 'name',
            title: texts.name,
            text: ({ name, id }) => name || id,
            show: ({ id, name }) => <Thing to={pathOf(['images', id])} name={name} id={id} />,
          },
          {
            key: 'status',
            title: texts.status,
            text: ({ status }) => status,
            show: ({ status }) => <Status value={status} />,
          },
          { key: 'size', title: words.size, text: ({ size }) => size ?? 0, show: ({ size }) => byteSize(size ?? 0) },
          { key: 'format', title: words.format, text: (row) => row.disk_format ?? '' },
          { key: 'visibility', title: words.visibility, text: ({ visibility }) => visibility },
          {
            key: 'created',
            title: texts.created,
            text: (row) => row.created_at,
            show: (row) => <Time at={row.created_at} />,
          },
        ]}
        remove={{
          losses: ({ name, id }) => [words.loss(name || id)],
          run: ({ id }) => ask('DELETE', `/image/v2/images/${id}`),
          isFor: (row) => !row.protected,
        }}
        cli="openstack image list"
      />
    </Page>
  );
}
