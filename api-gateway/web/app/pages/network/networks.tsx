import { ask } from '../../kit/api.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Page } from '../../parts/page.tsx';
import { Status, Thing } from '../../parts/values.tsx';

interface Network {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly mtu: number;
  readonly shared: boolean;
  readonly 'router:external': boolean;
  readonly subnets: readonly string[];
}

/** All networks that the project sees. */
export default function Networks() {
  const words = texts.networks;
  return (
    <Page title={words.title}>
      <Collection<Network>
        what={words.what}
        path="/networking/v2.0/networks"
        collection="networks"
        columns={[
          {
            key: 'name',
            title: texts.name,
            text: ({ name, id }) => name || id,
            show: ({ id, name }) => <Thing to={pathOf(['networks', id])} name={name} id={id} />,
          },
          {
            key: 'status',
            title: texts.status,
            text: ({ status }) => status,
            show: ({ status }) => <Status value={status} />,
          },
          { key: 'subnets', title: words.subnets, text: ({ subnets }) => subnets.length },
          { key: 'mtu', title: words.mtu, text: ({ mtu }) => mtu },
          {
            key: 'external',
            title: words.kind,
            text: (row) => (row['router:external'] ? words.external : row.shared ? words.shared : words.own),
          },
        ]}
        create={{
          label: words.create,
          fields: [
            { key: 'name', label: texts.name, kind: 'text' },
            { key: 'cidr', label: words.cidr, hint: words.cidrHint, kind: 'text', initial: '192.168.0.0/24' },
          ],
          run: async (values) => {
            const { network } = await ask<{ network: { id: string } }>('POST', '/networking/v2.0/networks', {
              body: { network: { name: values.get('name') } },
            });
            try {
              await ask('POST', '/networking/v2.0/subnets', {
                body: { subnet: subnetOf(network.id, values.get('cidr') ?? '') },
              });
            } catch (error) {
              // One without addresses is not what was asked for.
              await ask('DELETE', `/networking/v2.0/networks/${network.id}`);
              throw error;
            }
          },
        }}
        remove={{ losses: ({ name, id }) => [words.loss(name || id)] }}
        cli={
          'openstack network list\nopenstack network create NAME\nopenstack subnet create --network NAME --subnet-range 192.168.0.0/24 NAME'
        }
      />
    </Page>
  );
}

function subnetOf(networkId: string, cidr: string): object {
  return { network_id: networkId, cidr, ip_version: cidr.includes(':') ? 6 : 4 };
}
