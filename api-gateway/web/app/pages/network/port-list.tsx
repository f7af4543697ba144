import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Status, Thing } from '../../parts/values.tsx';

/** A port as the pages read it. */
export interface Port {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly mac_address: string;
  readonly network_id: string;
  readonly device_id: string;
  readonly device_owner: string;
  readonly fixed_ips: readonly { readonly ip_address: string; readonly subnet_id: string }[];
  readonly security_groups: readonly string[];
}

/** Ports, of a network or of all. @param filter a query of Neutron's. */
export function PortList(props: { filter?: string }) {
  const words = texts.ports;
  return (
    <Collection<Port>
      what={words.what}
      path={`/networking/v2.0/ports${props.filter === undefined ? '' : `?${props.filter}`}`}
      collection="ports"
      name="ports-"
      columns={[
        {
          key: 'address',
          title: texts.servers.addresses,
          text: (port) => port.fixed_ips.map(({ ip_address: address }) => address).join(', ') || port.id,
          show: (port) => (
            <Thing
              to={pathOf(['ports', port.id])}
              name={port.fixed_ips.map(({ ip_address: address }) => address).join(', ')}
              id={port.id}
            />
          ),
        },
        { key: 'name', title: texts.name, text: ({ name }) => name },
        {
          key: 'status',
          title: texts.status,
          text: ({ status }) => status,
          show: ({ status }) => <Status value={status} />,
        },
        { key: 'mac', title: texts.servers.mac, text: (port) => port.mac_address },
        { key: 'owner', title: words.usedBy, text: (port) => port.device_owner },
      ]}
      remove={{
        losses: (port) => [words.loss(port.fixed_ips.map(({ ip_address: address }) => address).join(', ') || port.id)],
        isFor: (port) => port.device_owner === '',
      }}
      cli="openstack port list"
    />
  );
}
