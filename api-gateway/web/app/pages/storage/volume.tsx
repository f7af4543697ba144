import { get } from '../../kit/api.ts';
import type { PageProps } from '../../kit/page-entry.ts';
import { useResource } from '../../kit/resource.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Cli, Facts, Status, Thing, Time } from '../../parts/values.tsx';
import { SnapshotList } from './snapshot-list.tsx';
import type { Volume } from './volume-deeds.ts';

/** One volume, who uses it, and its snapshots. */
export default function ShowVolume({ parameters }: PageProps) {
  const id = new Map(Object.entries(parameters)).get('id') ?? '';
  const volume = useResource(
    async (signal) => (await get<{ volume: Volume }>(`/volume/v3/volumes/${encodeURIComponent(id)}`, signal)).volume,
    [id],
  );
  const words = texts.volumes;
  return (
    <Page title={volume.data?.name || id}>
      <Loaded of={volume}>
        {(data) => (
          <>
            <Facts
              of={[
                [texts.id, data.id],
                [texts.status, <Status key="status" value={data.status} />],
                [texts.description, data.description],
                [words.size, data.size],
                [words.type, data.volume_type],
                [words.bootable, data.bootable === 'true' ? texts.yes : texts.no],
                [words.encrypted, data.encrypted ? texts.yes : texts.no],
                [texts.created, <Time key="created" at={data.created_at} />],
                [
                  words.attachedTo,
                  data.attachments.length === 0 ? undefined : (
                    <span>
                      {data.attachments.map(({ server_id: server, device }) => (
                        <span key={server}>
                          <Thing to={pathOf(['servers', server], { tab: 'volumes' })} id={server} /> {device ?? ''}{' '}
                        </span>
                      ))}
                    </span>
                  ),
                ],
              ]}
            />
            <Cli command={`openstack volume show ${data.id}`} />
            <h2>{texts.snapshots.title}</h2>
            <SnapshotList volumeId={data.id} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
