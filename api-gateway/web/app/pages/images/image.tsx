import { get } from '../../kit/api.ts';
import { byteSize } from '../../kit/format.ts';
import type { PageProps } from '../../kit/page-entry.ts';
import { useResource } from '../../kit/resource.ts';
import { texts } from '../../kit/texts.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Cli, Facts, Status, Time } from '../../parts/values.tsx';

/** An image as the pages read it. Sizes in bytes; `min_ram` in MiB, `min_disk` in GiB. */
export interface Image {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly size: number | null;
  readonly virtual_size: number | null;
  readonly disk_format: string | null;
  readonly visibility: string;
  readonly protected: boolean;
  readonly min_ram: number;
  readonly min_disk: number;
  readonly created_at: string;
  readonly os_hash_algo?: string | null;
  readonly os_hash_value?: string | null;
  readonly tags: readonly string[];
}

/** One image. */
export default function ShowImage({ parameters }: PageProps) {
  const id = new Map(Object.entries(parameters)).get('id') ?? '';
  const image = useResource((signal) => get<Image>(`/image/v2/images/${encodeURIComponent(id)}`, signal), [id]);
  const words = texts.images;
  return (
    <Page title={image.data?.name || id}>
      <Loaded of={image}>
        {(data) => (
          <>
            <Facts
              of={[
                [texts.id, data.id],
                [texts.status, <Status key="status" value={data.status} />],
                [words.size, data.size === null ? undefined : byteSize(data.size)],
                [words.virtualSize, data.virtual_size === null ? undefined : byteSize(data.virtual_size)],
                [words.format, data.disk_format],
                [words.visibility, data.visibility],
                [words.protected, data.protected ? texts.yes : texts.no],
                [words.minimum, words.needs(data.min_ram, data.min_disk)],
                [data.os_hash_algo ?? words.hash, data.os_hash_value],
                [words.tags, data.tags.join(', ')],
                [texts.created, <Time key="created" at={data.created_at} />],
              ]}
            />
            <Cli command={`openstack image show ${data.id}\nopenstack image save --file FILE ${data.id}`} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
