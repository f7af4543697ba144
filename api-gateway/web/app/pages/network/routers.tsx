import { ask } from '../../kit/api.ts';
import { choicesFrom } from '../../kit/choices.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Page } from '../../parts/page.tsx';
import { Status, Thing } from '../../parts/values.tsx';

interface Router {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly external_gateway_info: {
    readonly network_id: string;
    readonly external_fixed_ips: readonly { readonly ip_address: string }[];
  } | null;
}

/** All routers of the project. */
export default function Routers() {
  const words = texts.routers;
  const external = choicesFrom('/networking/v2.0/networks?router:external=true', 'networks');
  return (
    <Page title={words.title}>
      <Collection<Router>
        what={words.what}
        path="/networking/v2.0/routers"
        collection="routers"
        columns={[
          {
            key: 'name',
            title: texts.name,
            text: ({ name, id }) => name || id,
            show: ({ id, name }) => <Thing to={pathOf(['routers', id])} name={name} id={id} />,
          },
          {
            key: 'status',
            title: texts.status,
            text: ({ status }) => status,
            show: ({ status }) => <Status value={status} />,
          },
          {
            key: 'gateway',
            title: words.outside,
            text: (row) =>
              row.external_gateway_info?.external_fixed_ips.map((ip) => ip.ip_address).join(', ') ?? texts.none,
          },
        ]}
        create={{
          label: words.create,
          fields: [
            { key: 'name', label: texts.name, kind: 'text' },
            { key: 'external', label: words.external, kind: 'select', isOptional: true, choices: external },
          ],
          run: (values) => {
            const network = values.get('external') ?? '';
            const gateway = network === '' ? {} : { external_gateway_info: { network_id: network } };
            return ask('POST', '/networking/v2.0/routers', {
              body: { router: { name: values.get('name'), ...gateway } },
            });
          },
        }}
        deeds={[
          {
            label: words.addSubnet,
            fields: () => [
              {
                key: 'subnet',
                label: words.subnet,
                kind: 'select',
                choices: choicesFrom('/networking/v2.0/subnets', 'subnets'),
              },
            ],
            run: ({ id }, values) =>
              ask('PUT', `/networking/v2.0/routers/${id}/add_router_interface`, {
                body: { subnet_id: values.get('subnet') },
              }),
          },
        ]}
        remove={{ losses: ({ name, id }) => [words.loss(name || id)] }}
        cli={'openstack router list\nopenstack router add subnet ROUTER SUBNET'}
      />
    </Page>
  );
}
