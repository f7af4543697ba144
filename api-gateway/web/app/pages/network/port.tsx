import { useState } from 'preact/hooks';
import { ask, get } from '../../kit/api.ts';
import type { PageProps } from '../../kit/page-entry.ts';
import { useResource } from '../../kit/resource.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { CheckField, Form } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Cli, Facts, Status, Thing } from '../../parts/values.tsx';
import type { Port } from './port-list.tsx';

/** One port, and the security groups that it is in. */
export default function ShowPort({ parameters }: PageProps) {
  const id = new Map(Object.entries(parameters)).get('id') ?? '';
  const path = `/networking/v2.0/ports/${encodeURIComponent(id)}`;
  const port = useResource(async (signal) => (await get<{ port: Port }>(path, signal)).port, [id]);
  const words = texts.ports;
  return (
    <Page title={port.data?.name || id}>
      <Loaded of={port}>
        {(data) => (
          <>
            <Facts
              of={[
                [texts.id, data.id],
                [texts.status, <Status key="status" value={data.status} />],
                [texts.servers.addresses, data.fixed_ips.map(({ ip_address: address }) => address).join(', ')],
                [texts.servers.mac, data.mac_address],
                [
                  texts.kinds.network,
                  <Thing key="network" to={pathOf(['networks', data.network_id])} id={data.network_id} />,
                ],
                [
                  words.usedBy,
                  data.device_owner.startsWith('compute:') ? (
                    <Thing to={pathOf(['servers', data.device_id])} id={data.device_id} />
                  ) : (
                    data.device_owner
                  ),
                ],
              ]}
            />
            <h2>{texts.securityGroups.title}</h2>
            <Groups key={data.security_groups.join()} port={data} path={path} onDone={port.refresh} />
            <Cli command={`openstack port show ${data.id}\nopenstack port set --security-group GROUP ${data.id}`} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Groups(props: { port: Port; path: string; onDone: () => void }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(props.port.security_groups));
  const groups = useResource(
    async (signal) => {
      const path = '/networking/v2.0/security-groups';
      return (await get<{ security_groups: readonly { id: string; name: string }[] }>(path, signal)).security_groups;
    },
    [],
    0,
  );
  return (
    <Loaded of={groups}>
      {(all) => (
        <Form
          submit={texts.save}
          onSubmit={async () => {
            await ask('PUT', props.path, { body: { port: { security_groups: [...chosen] } } });
            props.onDone();
          }}
        >
          {all.map(({ id, name }) => (
            <CheckField
              key={id}
              label={name || id}
              checked={chosen.has(id)}
              onChange={(is) =>
                setChosen((before) => new Set(is ? [...before, id] : [...before].filter((one) => one !== id)))
              }
            />
          ))}
        </Form>
      )}
    </Loaded>
  );
}
