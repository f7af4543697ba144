import { ask, get } from '../../kit/api.ts';
import type { PageProps } from '../../kit/page-entry.ts';
import { useResource } from '../../kit/resource.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Facts, Status, Thing } from '../../parts/values.tsx';
import type { Port } from './port-list.tsx';

/** One router, and the networks that it joins. */
export default function ShowRouter({ parameters }: PageProps) {
  const id = new Map(Object.entries(parameters)).get('id') ?? '';
  const router = useResource(
    async (signal) => {
      const path = `/networking/v2.0/routers/${encodeURIComponent(id)}`;
      return (await get<{ router: { id: string; name: string; status: string } }>(path, signal)).router;
    },
    [id],
  );
  const words = texts.routers;
  return (
    <Page title={router.data?.name || id}>
      <Loaded of={router}>
        {(data) => (
          <>
            <Facts
              of={[
                [texts.id, data.id],
                [texts.status, <Status key="status" value={data.status} />],
              ]}
            />
            <h2>{words.interfaces}</h2>
            <Collection<Port>
              what={words.interfacesWhat}
              path={`/networking/v2.0/ports?device_id=${data.id}`}
              collection="ports"
              name="interfaces-"
              columns={[
                {
                  key: 'address',
                  title: texts.servers.addresses,
                  text: (port) => port.fixed_ips.map(({ ip_address: address }) => address).join(', '),
                },
                {
                  key: 'network',
                  title: texts.kinds.network,
                  text: (port) => port.network_id,
                  show: (port) => <Thing to={pathOf(['networks', port.network_id])} id={port.network_id} />,
                },
                { key: 'kind', title: texts.ports.usedBy, text: (port) => port.device_owner },
              ]}
              remove={{
                isFor: (port) => port.device_owner === 'network:router_interface',
                losses: (port) => [words.interfaceLoss(port.fixed_ips.map((ip) => ip.ip_address).join(', '))],
                run: (port) =>
                  ask('PUT', `/networking/v2.0/routers/${data.id}/remove_router_interface`, {
                    body: { port_id: port.id },
                  }),
              }}
              cli={`openstack router show ${data.id}`}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}
