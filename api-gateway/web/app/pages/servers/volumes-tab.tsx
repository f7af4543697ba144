import { useState } from 'preact/hooks';
import { ask, get } from '../../kit/api.ts';
import { notify } from '../../kit/notices.ts';
import { useResource } from '../../kit/resource.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { Form, SelectField } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { Cli, Thing } from '../../parts/values.tsx';
import type { Server } from './server.ts';

interface Attachment {
  readonly volumeId: string;
  readonly device: string | null;
  readonly delete_on_termination?: boolean;
}

type Row = Attachment & { readonly id: string };

/** A server's volumes. */
export function VolumesTab({ server }: { server: Server }) {
  const path = `/compute/v2.1/servers/${server.id}/os-volume_attachments`;
  const [isAttaching, setAttaching] = useState(false);
  const [leaving, setLeaving] = useState<Row | undefined>(undefined);
  const attachments = useResource(
    async (signal) => {
      const { volumeAttachments } = await get<{ volumeAttachments: readonly Attachment[] }>(path, signal);
      return volumeAttachments.map((one): Row => ({ ...one, id: one.volumeId }));
    },
    [server.id],
  );
  const columns: readonly Column<Row>[] = [
    {
      key: 'volume',
      title: texts.kinds.volume,
      text: ({ volumeId }) => volumeId,
      show: ({ volumeId }) => <Thing to={pathOf(['volumes', volumeId])} id={volumeId} />,
    },
    { key: 'device', title: texts.servers.device, text: ({ device }) => device ?? '' },
    {
      key: 'goes',
      title: texts.servers.goesWith,
      text: ({ delete_on_termination: goes }) => (goes === true ? texts.yes : texts.no),
    },
    {
      key: 'detach',
      title: texts.actions,
      text: () => '',
      show: (row) => (
        <button type="button" onClick={() => setLeaving(row)}>
          {texts.servers.detach}
        </button>
      ),
    },
  ];
  return (
    <>
      <p>
        <button type="button" onClick={() => setAttaching(true)}>
          {texts.servers.attachVolume}
        </button>
      </p>
      <Loaded of={attachments}>
        {(rows) => <Table name="volumes-" what={texts.volumes.what} rows={rows} columns={columns} />}
      </Loaded>
      {isAttaching ? (
        <Attach
          onClose={() => setAttaching(false)}
          onSubmit={async (volumeId) => {
            await ask('POST', path, { body: { volumeAttachment: { volumeId } } });
            notify(texts.servers.attached);
            setAttaching(false);
            attachments.refresh();
          }}
        />
      ) : null}
      {leaving === undefined ? null : (
        <Confirm
          title={texts.servers.detach}
          losses={[texts.servers.losses.detach(leaving.volumeId)]}
          submit={texts.servers.detach}
          onClose={() => setLeaving(undefined)}
          onConfirm={async () => {
            await ask('DELETE', `${path}/${leaving.volumeId}`);
            setLeaving(undefined);
            attachments.refresh();
          }}
        />
      )}
      <Cli command={`openstack server volume list ${server.id}\nopenstack server add volume ${server.id} VOLUME`} />
    </>
  );
}

function Attach(props: { onClose: () => void; onSubmit: (volumeId: string) => Promise<void> }) {
  const [volumeId, setVolumeId] = useState('');
  const volumes = useResource(
    async (signal) => {
      const path = '/volume/v3/volumes/detail?status=available&limit=1000';
      return (await get<{ volumes: readonly { id: string; name: string; size: number }[] }>(path, signal)).volumes;
    },
    [],
    0,
  );
  return (
    <Dialog title={texts.servers.attachVolume} onClose={props.onClose}>
      <Form submit={texts.servers.attachVolume} onSubmit={() => props.onSubmit(volumeId)} onCancel={props.onClose}>
        <SelectField
          label={texts.kinds.volume}
          value={volumeId}
          onChange={setVolumeId}
          required
          choices={[
            { value: '', label: texts.verbWords.choose },
            ...(volumes.data ?? []).map(({ id, name, size }) => ({ value: id, label: `${name || id}, ${size} GiB` })),
          ]}
        />
      </Form>
    </Dialog>
  );
}
