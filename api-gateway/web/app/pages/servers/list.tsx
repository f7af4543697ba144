import { useMemo, useState } from 'preact/hooks';
import { ask } from '../../kit/api.ts';
import { wordsOf } from '../../kit/api-error.ts';
import { notify } from '../../kit/notices.ts';
import { useResource } from '../../kit/resource.ts';
import { href } from '../../kit/router.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Confirm } from '../../parts/dialog.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { Cli, Status, Thing, Time } from '../../parts/values.tsx';
import { lossesOfDeletion } from './deletion.ts';
import { addressesOf, type Server, ServerList } from './server.ts';

const columns: readonly Column<Server>[] = [
  {
    key: 'name',
    title: texts.name,
    text: ({ name }) => name,
    show: ({ id, name }) => <Thing to={pathOf(['servers', id])} name={name} id={id} />,
  },
  {
    key: 'status',
    title: texts.status,
    text: (server) => `${server.status} ${server['OS-EXT-STS:task_state'] ?? ''}`,
    show: (server) => <Status value={server.status} task={server['OS-EXT-STS:task_state']} />,
  },
  { key: 'addresses', title: texts.servers.addresses, text: (server) => addressesOf(server).join(', ') },
  { key: 'flavor', title: texts.servers.flavorTitle, text: ({ flavor }) => flavor.original_name },
  {
    key: 'created',
    title: texts.created,
    text: ({ created }) => created,
    show: ({ created }) => <Time at={created} />,
  },
];

/** All servers of the project. */
export default function Servers() {
  const list = useMemo(() => new ServerList(), []);
  const servers = useResource((signal) => list.load(signal), []);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isDeleting, setDeleting] = useState(false);
  const chosen = (servers.data ?? []).filter(({ id }) => selected.has(id));
  const each = async (words: string, work: (server: Server) => Promise<unknown>): Promise<void> => {
    const outcomes = await Promise.allSettled(chosen.map(work));
    const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [wordsOf(one.reason)] : []));
    notify(texts.servers.bulk(words, outcomes.length - failures.length, failures));
    setSelected(new Set());
    servers.refresh();
  };
  const act = (words: string, body: object) => () =>
    void each(words, ({ id }) => ask('POST', `/compute/v2.1/servers/${id}/action`, { body }));
  return (
    <Page
      title={texts.servers.title}
      actions={
        <>
          {chosen.length === 0 ? null : (
            <>
              <button type="button" onClick={act(texts.verbs.start, { 'os-start': null })}>
                {texts.verbs.start}
              </button>
              <button type="button" onClick={act(texts.verbs.stop, { 'os-stop': null })}>
                {texts.verbs.stop}
              </button>
              <button type="button" class="danger" onClick={() => setDeleting(true)}>
                {texts.delete}
              </button>
            </>
          )}
          <a class="button" href={href('/servers/new')}>
            {texts.servers.create}
          </a>
        </>
      }
    >
      <Loaded of={servers}>
        {(rows) => (
          <Table
            what={texts.servers.what}
            rows={rows}
            columns={columns}
            selected={selected}
            onSelect={setSelected}
            nameOf={({ name, id }) => name || id}
          />
        )}
      </Loaded>
      <Cli command="openstack server list" />
      {isDeleting ? (
        <Confirm
          title={texts.servers.deleteMany(chosen.length)}
          losses={chosen.flatMap(lossesOfDeletion)}
          submit={texts.delete}
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await each(texts.delete, ({ id }) => ask('DELETE', `/compute/v2.1/servers/${id}`));
            setDeleting(false);
          }}
        />
      ) : null}
    </Page>
  );
}
