import type { PageProps } from '../../kit/page-entry.ts';
import { useResource } from '../../kit/resource.ts';
import { href, place } from '../../kit/router.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { Cli, Facts, Status, Thing, Time } from '../../parts/values.tsx';
import { ActionsTab } from './actions-tab.tsx';
import { ConsoleTab } from './console-tab.tsx';
import { LogTab } from './log-tab.tsx';
import { NetworkTab } from './network-tab.tsx';
import { addressesOf, loadServer, type Server } from './server.ts';
import { VerbBar } from './verb-bar.tsx';
import { VolumesTab } from './volumes-tab.tsx';

const tabs = ['facts', 'console', 'log', 'actions', 'volumes', 'network'] as const;

/** How often a server that changes by itself is looked at, and one that does not. Milliseconds. */
const [busyMs, idleMs] = [1000, 4000];

/** One server. */
export default function ShowServer({ parameters }: PageProps) {
  const id = new Map(Object.entries(parameters)).get('id') ?? '';
  const tab = tabs.find((one) => one === place.value.query.get('tab')) ?? 'facts';
  const server = useResource((signal) => loadServer(id, signal), [id], idleMs);
  const isBusy = server.data?.['OS-EXT-STS:task_state'] != null;
  useResource(
    async () => {
      if (isBusy) server.refresh();
    },
    [isBusy],
    isBusy ? busyMs : 0,
  );
  return (
    <Page title={server.data?.name || id}>
      <Loaded of={server}>
        {(data) => (
          <>
            <p>
              <Status value={data.status} task={data['OS-EXT-STS:task_state']} />
              {data.locked ? ` · ${texts.verbWords.locked}` : ''}
            </p>
            {data.fault === undefined ? null : (
              <p class="problem" dir="auto">
                {data.fault.message}
              </p>
            )}
            <VerbBar server={data} onDone={server.refresh} />
            <Tabs
              label={texts.servers.title}
              tabs={tabs.map((one) => ({ key: one, title: texts.servers.tabs[one] }))}
              current={tab}
            />
            {tab === 'facts' ? <ServerFacts server={data} /> : null}
            {tab === 'console' ? <ConsoleTab server={data} /> : null}
            {tab === 'log' ? <LogTab id={data.id} /> : null}
            {tab === 'actions' ? <ActionsTab id={data.id} /> : null}
            {tab === 'volumes' ? <VolumesTab server={data} /> : null}
            {tab === 'network' ? <NetworkTab server={data} /> : null}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function ServerFacts({ server }: { server: Server }) {
  const { flavor, image } = server;
  return (
    <>
      <Facts
        of={[
          [texts.id, server.id],
          [texts.description, server.description],
          [texts.servers.addresses, addressesOf(server).join(', ')],
          [
            texts.servers.flavorTitle,
            texts.servers.flavor(flavor.original_name, flavor.vcpus, flavor.ram, flavor.disk),
          ],
          [
            texts.kinds.image,
            image === '' ? texts.servers.fromVolume : <Thing to={pathOf(['images', image.id])} id={image.id} />,
          ],
          [texts.servers.key, server.key_name],
          [texts.servers.zone, server['OS-EXT-AZ:availability_zone']],
          [texts.servers.host, server['OS-EXT-SRV-ATTR:host']],
          [texts.servers.groups, server.security_groups?.map(({ name }) => name).join(', ')],
          [texts.servers.tags, server.tags.join(', ')],
          [
            texts.servers.metadata,
            Object.entries(server.metadata)
              .map(([key, value]) => `${key}=${value}`)
              .join(', '),
          ],
          [texts.created, <Time key="created" at={server.created} />],
          [texts.servers.updated, <Time key="updated" at={server.updated} />],
        ]}
      />
      <p>
        <a href={href('/topology')}>{texts.topology.title}</a>
      </p>
      <Cli command={`openstack server show ${server.id}`} />
    </>
  );
}
