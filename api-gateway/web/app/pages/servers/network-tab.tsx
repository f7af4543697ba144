import { useState } from 'preact/hooks';
import { ask, get } from '../../kit/api.ts';
import { notify } from '../../kit/notices.ts';
import { useResource } from '../../kit/resource.ts';
import { href } from '../../kit/router.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { Form, SelectField } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { Cli, Status, Thing } from '../../parts/values.tsx';
import type { Server } from './server.ts';

interface Nic {
  readonly port_id: string;
  readonly net_id: string;
  readonly mac_addr: string;
  readonly port_state: string;
  readonly fixed_ips: readonly { readonly ip_address: string }[];
}

type Row = Nic & { readonly id: string };

/** A server's NICs. */
export function NetworkTab({ server }: { server: Server }) {
  const path = `/compute/v2.1/servers/${server.id}/os-interface`;
  const [isAttaching, setAttaching] = useState(false);
  const [leaving, setLeaving] = useState<Row | undefined>(undefined);
  const nics = useResource(
    async (signal) => {
      const { interfaceAttachments } = await get<{ interfaceAttachments: readonly Nic[] }>(path, signal);
      return interfaceAttachments.map((nic): Row => ({ ...nic, id: nic.port_id }));
    },
    [server.id],
  );
  const columns: readonly Column<Row>[] = [
    {
      key: 'address',
      title: texts.servers.addresses,
      text: (nic) => nic.fixed_ips.map(({ ip_address: address }) => address).join(', '),
    },
    { key: 'mac', title: texts.servers.mac, text: (nic) => nic.mac_addr },
    {
      key: 'port',
      title: texts.kinds.port,
      text: (nic) => nic.port_id,
      show: (nic) => <Thing to={pathOf(['ports', nic.port_id])} id={nic.port_id} />,
    },
    {
      key: 'network',
      title: texts.kinds.network,
      text: (nic) => nic.net_id,
      show: (nic) => <Thing to={pathOf(['networks', nic.net_id])} id={nic.net_id} />,
    },
    {
      key: 'state',
      title: texts.status,
      text: (nic) => nic.port_state,
      show: (nic) => <Status value={nic.port_state} />,
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
      <p class="buttons">
        <button type="button" onClick={() => setAttaching(true)}>
          {texts.servers.attachNetwork}
        </button>
        <a href={href('/floating-ips')}>{texts.floatingIps.title}</a>
      </p>
      <Loaded of={nics}>
        {(rows) => <Table name="nics-" what={texts.servers.nics} rows={rows} columns={columns} />}
      </Loaded>
      {isAttaching ? (
        <Attach
          onClose={() => setAttaching(false)}
          onSubmit={async (networkId) => {
            await ask('POST', path, { body: { interfaceAttachment: { net_id: networkId } } });
            notify(texts.servers.attached);
            setAttaching(false);
            nics.refresh();
          }}
        />
      ) : null}
      {leaving === undefined ? null : (
        <Confirm
          title={texts.servers.detach}
          losses={[texts.servers.losses.nic(leaving.fixed_ips.map(({ ip_address: address }) => address).join(', '))]}
          submit={texts.servers.detach}
          onClose={() => setLeaving(undefined)}
          onConfirm={async () => {
            await ask('DELETE', `${path}/${leaving.port_id}`);
            setLeaving(undefined);
            nics.refresh();
          }}
        />
      )}
      <Cli command={`openstack port list --server ${server.id}\nopenstack server add network ${server.id} NETWORK`} />
    </>
  );
}

function Attach(props: { onClose: () => void; onSubmit: (networkId: string) => Promise<void> }) {
  const [networkId, setNetworkId] = useState('');
  const networks = useResource(
    async (signal) => {
      const path = '/networking/v2.0/networks?router:external=false';
      return (await get<{ networks: readonly { id: string; name: string }[] }>(path, signal)).networks;
    },
    [],
    0,
  );
  return (
    <Dialog title={texts.servers.attachNetwork} onClose={props.onClose}>
      <Form submit={texts.servers.attachNetwork} onSubmit={() => props.onSubmit(networkId)} onCancel={props.onClose}>
        <SelectField
          label={texts.kinds.network}
          value={networkId}
          onChange={setNetworkId}
          required
          choices={[
            { value: '', label: texts.verbWords.choose },
            ...(networks.data ?? []).map(({ id, name }) => ({ value: id, label: name || id })),
          ]}
        />
      </Form>
    </Dialog>
  );
}
