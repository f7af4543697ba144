import { ask, get } from '../../kit/api.ts';
import { choicesFrom } from '../../kit/choices.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import type { Choice } from '../../parts/form.tsx';
import { Page } from '../../parts/page.tsx';
import { Status, Thing } from '../../parts/values.tsx';
import type { Port } from './port-list.tsx';

interface FloatingIp {
  readonly id: string;
  readonly name: string;
  readonly floating_ip_address: string;
  readonly fixed_ip_address: string | null;
  readonly port_id: string | null;
  readonly status: string;
}

const path = '/networking/v2.0/floatingips';

/** All floating IPs of the project, and where each leads. */
export default function FloatingIps() {
  const words = texts.floatingIps;
  const external = choicesFrom('/networking/v2.0/networks?router:external=true', 'networks');
  return (
    <Page title={words.title}>
      <Collection<FloatingIp>
        what={words.what}
        path={path}
        collection="floatingips"
        rowsOf={(rows) => rows.map((row) => ({ ...row, name: row.floating_ip_address }))}
        columns={[
          { key: 'address', title: words.address, text: (row) => row.floating_ip_address },
          {
            key: 'status',
            title: texts.status,
            text: ({ status }) => status,
            show: ({ status }) => <Status value={status} />,
          },
          {
            key: 'fixed',
            title: words.leadsTo,
            text: (row) => row.fixed_ip_address ?? texts.none,
            show: (row) =>
              row.port_id === null ? (
                texts.none
              ) : (
                <Thing to={pathOf(['ports', row.port_id])} name={row.fixed_ip_address} id={row.port_id} />
              ),
          },
        ]}
        create={{
          label: words.create,
          fields: [
            { key: 'network', label: texts.routers.external, kind: 'select', choices: external },
            { key: 'port', label: words.port, kind: 'select', isOptional: true, choices: guestPorts },
          ],
          run: (values) => {
            const port = values.get('port') ?? '';
            const floatingip = {
              floating_network_id: values.get('network'),
              ...(port === '' ? {} : { port_id: port }),
            };
            return ask('POST', path, { body: { floatingip } });
          },
        }}
        deeds={[
          {
            label: words.associate,
            isFor: (row) => row.port_id === null,
            fields: () => [{ key: 'port', label: words.port, kind: 'select', choices: guestPorts }],
            run: ({ id }, values) =>
              ask('PUT', `${path}/${id}`, { body: { floatingip: { port_id: values.get('port') } } }),
          },
          {
            label: words.disassociate,
            isFor: (row) => row.port_id !== null,
            fields: () => [],
            run: ({ id }) => ask('PUT', `${path}/${id}`, { body: { floatingip: { port_id: null } } }),
          },
        ]}
        remove={{ losses: (row) => [words.loss(row.floating_ip_address)] }}
        cli={'openstack floating ip list\nopenstack floating ip create NETWORK'}
      />
    </Page>
  );
}

/** Ports of servers, by their addresses. */
async function guestPorts(signal: AbortSignal): Promise<readonly Choice[]> {
  const { ports } = await get<{ ports: readonly Port[] }>('/networking/v2.0/ports', signal);
  return ports
    .filter(({ device_owner: owner }) => owner.startsWith('compute:'))
    .map((port) => ({
      value: port.id,
      label: `${port.fixed_ips.map((ip) => ip.ip_address).join(', ')} ${port.name}`.trim() || port.id,
    }));
}
