/** One host: what it is and has told of itself, its servers, and what can be done with it. */
import { useState } from 'preact/hooks';
import { native } from '../../api/client.ts';
import { get } from '../../kit/api.ts';
import { useChanges } from '../../kit/changes.ts';
import type { PageProps } from '../../kit/page-entry.ts';
import { useResource } from '../../kit/resource.ts';
import { navigate } from '../../kit/router.ts';
import { texts } from '../../kit/texts.ts';
import { Bars } from '../../parts/bars.tsx';
import { Confirm } from '../../parts/dialog.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { Facts, Status, Thing, Time } from '../../parts/values.tsx';
import { DrainDialog } from './drain.tsx';
import { type HostRow, loadHosts } from './hosts.ts';

const words = texts.operators;

interface ServerRow {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

const serverColumns: readonly Column<ServerRow>[] = [
  {
    key: 'name',
    title: texts.name,
    text: ({ name }) => name,
    show: ({ id, name }) => <Thing to={`/servers/${id}`} name={name} id={id} />,
  },
  { key: 'status', title: texts.status, text: ({ status }) => status, show: ({ status }) => <Status value={status} /> },
];

async function serversOn(host: string, signal: AbortSignal): Promise<readonly ServerRow[]> {
  const query = new URLSearchParams({ all_tenants: 'true', host });
  return (await get<{ servers: ServerRow[] }>(`/compute/v2.1/servers/detail?${query}`, signal)).servers;
}

/** See above. */
export default function Host({ parameters }: PageProps) {
  const id = parameters['id'] ?? '';
  const hosts = useResource(loadHosts, []);
  useChanges(['host', 'server', 'job'], hosts.refresh);
  const host = hosts.data?.find((one) => one.id === id);
  return (
    <Page
      title={host?.name ?? words.host}
      actions={host === undefined ? null : <Verbs host={host} done={hosts.refresh} />}
    >
      <Loaded of={hosts}>{() => (host === undefined ? <p>{words.noHost}</p> : <Told host={host} />)}</Loaded>
    </Page>
  );
}

function Told({ host }: { host: HostRow }) {
  const servers = useResource((signal) => serversOn(host.name, signal), [host.name]);
  const { advert } = host;
  const whole = (value: number): number => Math.floor(value);
  return (
    <>
      <Facts
        of={[
          [texts.status, <Status key="status" value={host.state} />],
          [words.reason, host.reason],
          [words.accusedBy, host.accusedBy.join(', ')],
          [words.zone, host.zone],
          [words.domain, host.domain],
          [words.address, host.address],
          [words.version, host.version],
          [words.load, advert === undefined ? undefined : String(advert.load_1m)],
          [words.pools, advert?.storage_pools.join(', ')],
          [words.physicalNetworks, advert?.physical_networks.join(', ')],
          [
            words.upSince,
            advert === undefined ? undefined : <Time key="up" at={new Date(advert.booted_ms).toISOString()} />,
          ],
          [texts.id, host.id],
        ]}
      />
      {advert === undefined ? (
        <p class="problem">{words.silentHost}</p>
      ) : (
        <Bars
          bars={[
            {
              name: words.measures.vcpus,
              used: advert.vcpus_used,
              limit: whole(advert.vcpus * (advert.vcpus_ratio || 1)),
            },
            {
              name: words.memoryMib,
              used: advert.memory_mib_used,
              limit: whole(advert.memory_mib * (advert.memory_ratio || 1)),
            },
            {
              name: words.diskGib,
              used: advert.disk_gib_used,
              limit: whole(advert.disk_gib * (advert.disk_ratio || 1)),
            },
          ]}
        />
      )}
      <h2>{words.servers}</h2>
      <Loaded of={servers}>{(rows) => <Table what={words.rows.servers} rows={rows} columns={serverColumns} />}</Loaded>
    </>
  );
}

function Verbs({ host, done }: { host: HostRow; done: () => void }) {
  const [asking, setAsking] = useState<'drain' | 'remove' | undefined>(undefined);
  const [failure, setFailure] = useState('');
  const act = async (run: () => Promise<unknown>): Promise<void> => {
    setFailure('');
    try {
      await run();
      done();
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error));
    }
  };
  const close = (): void => setAsking(undefined);
  const isOff = host.state === 'disabled';
  const toggle = () => native('ClusterService/SetHostEnabled', { host_id: host.id, enabled: isOff });
  return (
    <>
      <div class="verbs">
        <button type="button" onClick={() => void act(toggle)}>
          {isOff ? words.enable : words.disable}
        </button>
        <button type="button" onClick={() => setAsking('drain')}>
          {words.drain}
        </button>
        <button type="button" onClick={() => void act(() => native('JobService/UndrainHost', { host: host.id }))}>
          {words.undrain}
        </button>
        <button type="button" class="danger" onClick={() => setAsking('remove')}>
          {words.removeHost}
        </button>
      </div>
      <p class="failure" role="alert">
        {failure}
      </p>
      {asking === 'drain' ? <DrainDialog host={host} onClose={close} onDone={done} /> : null}
      {asking === 'remove' ? (
        <Confirm
          title={words.removeTitle(host.name)}
          losses={words.removeLosses}
          submit={words.removeHost}
          typed={host.name}
          onConfirm={async () => {
            await native('ClusterService/RemoveHost', { host_id: host.id });
            navigate('/mesh');
          }}
          onClose={close}
        />
      ) : null}
    </>
  );
}
