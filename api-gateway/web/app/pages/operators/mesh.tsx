/** The mesh: who votes and leads, every host by how full it is, and what can be done with all of them. */
import { useState } from 'preact/hooks';
import { native } from '../../api/client.ts';
import { useChanges } from '../../kit/changes.ts';
import { useResource } from '../../kit/resource.ts';
import { place, setQuery } from '../../kit/router.ts';
import { texts } from '../../kit/texts.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { type Column, Table } from '../../parts/table.tsx';
import { Facts, Status, Thing } from '../../parts/values.tsx';
import { HeatMap } from './heat-map.tsx';
import { fullness, type HostRow, loadHosts, type Measure, measures } from './hosts.ts';
import { TicketDialog } from './ticket.tsx';

const words = texts.operators;

const percentOf = (host: HostRow, by: Measure): string => {
  const full = fullness(host, by);
  return full === undefined ? '' : `${Math.round(full * 100)} %`;
};

const columns: readonly Column<HostRow>[] = [
  {
    key: 'name',
    title: texts.name,
    text: ({ name }) => name,
    show: ({ id, name }) => <Thing to={`/mesh/hosts/${id}`} name={name} id={id} />,
  },
  { key: 'state', title: texts.status, text: ({ state }) => state, show: ({ state }) => <Status value={state} /> },
  { key: 'zone', title: words.zone, text: ({ zone }) => zone },
  { key: 'domain', title: words.domain, text: ({ domain }) => domain },
  { key: 'servers', title: words.servers, text: ({ advert }) => String(advert?.servers ?? '') },
  ...measures.map((by) => ({ key: by, title: words.measures[by], text: (host: HostRow) => percentOf(host, by) })),
  { key: 'version', title: words.version, text: ({ version }) => version },
];

/** See above. */
export default function Mesh() {
  const hosts = useResource(loadHosts, []);
  useChanges(['host'], hosts.refresh);
  const [isMaking, setMaking] = useState(false);
  const asked = place.value.query.get('by');
  const by = measures.find((one) => one === asked) ?? 'memory';
  const add = (
    <button type="button" class="primary" onClick={() => setMaking(true)}>
      {words.addHost}
    </button>
  );
  return (
    <Page title={words.mesh} actions={add}>
      <Quorum />
      <Loaded of={hosts}>
        {(rows) => (
          <>
            <h2>{words.byPlace}</h2>
            <fieldset class="choice">
              <legend>{words.colouredBy}</legend>
              {measures.map((one) => (
                <label key={one}>
                  <input type="radio" name="by" checked={one === by} onChange={() => setQuery('by', one)} />{' '}
                  {words.measures[one]}
                </label>
              ))}
            </fieldset>
            <HeatMap hosts={rows} by={by} />
            <h2>{words.hosts}</h2>
            <Table what={words.rows.hosts} rows={rows} columns={columns} />
          </>
        )}
      </Loaded>
      {isMaking ? <TicketDialog onClose={() => setMaking(false)} /> : null}
    </Page>
  );
}

/** Who votes, who leads, and how far the log is, as the agent that answers knows. */
function Quorum() {
  const status = useResource((signal) => native('ClusterService/GetStatus', {}, signal), []);
  return (
    <Loaded of={status}>
      {({ has_quorum: hasQuorum, voters, leader_host_id: leader, ...rest }) => (
        <section aria-label={words.quorum}>
          <p class={hasQuorum ? '' : 'problem'} role="status">
            {hasQuorum ? words.quorumHeld : words.quorumLost}
          </p>
          <Facts
            of={[
              [words.leader, voters.find(({ host_id }) => host_id === leader)?.host_name ?? words.noLeader],
              [
                words.voters,
                <ul key="voters" class="plain-list">
                  {voters.map(({ host_id, host_name, learner, reachable }) => (
                    <li key={host_id}>
                      <Status value={reachable ? 'up' : 'down'} /> {host_name}
                      {learner ? ` (${words.learner})` : ''}
                    </li>
                  ))}
                </ul>,
              ],
              [words.log, words.logAt(rest.term, rest.commit_index, rest.applied_index)],
              [words.answeredBy, `${rest.version} · ${rest.host_id.slice(0, 8)}`],
              [words.troubles, rest.troubles.length === 0 ? undefined : rest.troubles.join('; ')],
            ]}
          />
        </section>
      )}
    </Loaded>
  );
}
