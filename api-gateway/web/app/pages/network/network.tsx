import { ask, get } from '../../kit/api.ts';
import type { PageProps } from '../../kit/page-entry.ts';
import { useResource } from '../../kit/resource.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Facts, Status } from '../../parts/values.tsx';
import { PortList } from './port-list.tsx';

interface Network {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly mtu: number;
  readonly description: string;
}

interface Subnet {
  readonly id: string;
  readonly name: string;
  readonly cidr: string;
  readonly gateway_ip: string | null;
  readonly enable_dhcp: boolean;
  readonly dns_nameservers: readonly string[];
}

/** One network: its subnets and ports. */
export default function ShowNetwork({ parameters }: PageProps) {
  const id = new Map(Object.entries(parameters)).get('id') ?? '';
  const network = useResource(
    async (signal) =>
      (await get<{ network: Network }>(`/networking/v2.0/networks/${encodeURIComponent(id)}`, signal)).network,
    [id],
  );
  const words = texts.networks;
  return (
    <Page title={network.data?.name || id}>
      <Loaded of={network}>
        {(data) => (
          <>
            <Facts
              of={[
                [texts.id, data.id],
                [texts.status, <Status key="status" value={data.status} />],
                [texts.description, data.description],
                [words.mtu, data.mtu],
              ]}
            />
            <h2>{words.subnets}</h2>
            <Collection<Subnet>
              what={words.subnetsWhat}
              path={`/networking/v2.0/subnets?network_id=${data.id}`}
              collection="subnets"
              name="subnets-"
              columns={[
                { key: 'cidr', title: words.cidr, text: ({ cidr }) => cidr },
                { key: 'name', title: texts.name, text: ({ name }) => name },
                { key: 'gateway', title: words.gateway, text: (row) => row.gateway_ip ?? texts.none },
                { key: 'dhcp', title: 'DHCP', text: (row) => (row.enable_dhcp ? texts.yes : texts.no) },
                { key: 'dns', title: words.dns, text: (row) => row.dns_nameservers.join(', ') },
              ]}
              create={{
                label: words.addSubnet,
                fields: [
                  { key: 'cidr', label: words.cidr, kind: 'text' },
                  { key: 'name', label: texts.name, kind: 'text', isOptional: true },
                ],
                run: (values) => {
                  const cidr = values.get('cidr') ?? '';
                  const subnet = {
                    network_id: data.id,
                    cidr,
                    ip_version: cidr.includes(':') ? 6 : 4,
                    name: values.get('name') ?? '',
                  };
                  return ask('POST', '/networking/v2.0/subnets', { body: { subnet } });
                },
              }}
              remove={{ losses: ({ cidr }) => [words.subnetLoss(cidr)] }}
              cli={`openstack subnet list --network ${data.id}`}
            />
            <h2>{texts.ports.title}</h2>
            <PortList filter={`network_id=${data.id}`} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
