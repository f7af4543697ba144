/** Where a server would go and why, and how many more of each flavor fit. */
import { native, rest } from '../../api/client.ts';
import { get } from '../../kit/api.ts';
import { useResource } from '../../kit/resource.ts';
import { place, setQuery } from '../../kit/router.ts';
import { texts } from '../../kit/texts.ts';
import { SelectField } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { type Column, Table } from '../../parts/table.tsx';

const words = texts.operators;
/** Counted to; beyond it the page says "at least". */
const countMax = 10_000;

interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  readonly ram: number;
  readonly disk: number;
}

interface Explanation {
  readonly hosts: number;
  readonly passed: number;
  readonly summary: string;
  readonly filters: readonly {
    readonly name: string;
    readonly purpose: string;
    readonly considered: number;
    readonly removed: number;
    readonly reasons: readonly { readonly reason: string; readonly hosts: number }[];
  }[];
  readonly per_host?: readonly HostVerdict[];
}

interface HostVerdict {
  readonly host_id: string;
  readonly host: string;
  readonly passes: boolean;
  readonly refusals: readonly { readonly filter: string; readonly reason: string }[];
  readonly score?: number;
}

interface Fit extends Flavor {
  readonly count: number;
}

async function loadFlavors(signal: AbortSignal): Promise<readonly Flavor[]> {
  return (await get<{ flavors: Flavor[] }>('/compute/v2.1/flavors/detail', signal)).flavors;
}

async function loadFits(signal: AbortSignal): Promise<readonly Fit[]> {
  const flavors = await loadFlavors(signal);
  return Promise.all(
    flavors.map(async (flavor) => {
      const asked = { flavor_id: flavor.id, count_max: countMax };
      return { ...flavor, count: (await native('PlacementService/WhatIf', asked, signal)).count };
    }),
  );
}

function explain(flavorId: string, zone: string, signal: AbortSignal): Promise<Explanation> {
  const body = { flavor_id: flavorId, ...(zone === '' ? {} : { availability_zone: zone }) };
  return rest('POST /placement/shoal/v1/explain', { path: {}, body, signal });
}

const fitColumns: readonly Column<Fit>[] = [
  { key: 'name', title: words.flavor, text: ({ name }) => name },
  { key: 'vcpus', title: words.measures.vcpus, text: ({ vcpus }) => String(vcpus) },
  { key: 'ram', title: words.memoryMib, text: ({ ram }) => String(ram) },
  { key: 'disk', title: words.diskGib, text: ({ disk }) => String(disk) },
  { key: 'count', title: words.fits, text: ({ count }) => (count === countMax ? words.atLeast(count) : String(count)) },
];

/** See above. */
export default function Placement() {
  const flavors = useResource(loadFlavors, [], 0);
  const fits = useResource(loadFits, [], 30_000);
  return (
    <Page title={words.placement}>
      <h2>{words.capacity}</h2>
      <p>{words.capacityIs}</p>
      <Loaded of={fits}>
        {(rows) => <Table what={words.rows.flavors} rows={rows} columns={fitColumns} name="fits-" />}
      </Loaded>
      <h2>{words.why}</h2>
      <Loaded of={flavors}>{(all) => <Why flavors={all} />}</Loaded>
    </Page>
  );
}

function Why({ flavors }: { flavors: readonly Flavor[] }) {
  const { query } = place.value;
  const flavorId = query.get('flavor') ?? flavors[0]?.id ?? '';
  const zone = query.get('zone') ?? '';
  const choices = flavors.map(({ id, name }) => ({ value: id, label: name }));
  return (
    <>
      <SelectField
        label={words.flavor}
        value={flavorId}
        choices={choices}
        onChange={(value) => setQuery('flavor', value)}
      />
      {flavorId === '' ? <p>{words.noFlavors}</p> : <Explained key={flavorId} flavorId={flavorId} zone={zone} />}
    </>
  );
}

function Explained(props: { flavorId: string; zone: string }) {
  const { flavorId, zone } = props;
  const explained = useResource((signal) => explain(flavorId, zone, signal), [flavorId, zone], 10_000);
  return (
    <Loaded of={explained}>
      {(answer) => (
        <>
          <p role="status">{words.passed(answer.passed, answer.hosts)}</p>
          {answer.summary === '' ? null : <p>{answer.summary}</p>}
          <Funnel of={answer} />
          <Verdicts of={answer.per_host ?? []} />
        </>
      )}
    </Loaded>
  );
}

/** What each filter left of the hosts that came to it. */
function Funnel({ of: { filters, hosts } }: { of: Explanation }) {
  return (
    <>
      <h3>{words.filters}</h3>
      <ol class="funnel" aria-label={words.filters}>
        {filters.map(({ name, purpose, considered, removed, reasons }) => {
          const left = considered - removed;
          return (
            <li key={name}>
              <div class="label">
                <span title={purpose}>{name}</span>
                <span>{words.left(left, considered)}</span>
              </div>
              <div class="bar-line" aria-hidden="true">
                <span style={{ width: `${hosts === 0 ? 0 : (100 * left) / hosts}%` }} />
              </div>
              {reasons.map(({ reason, hosts: count }) => (
                <p class="quiet" key={reason}>
                  {words.because(count, reason)}
                </p>
              ))}
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** Each host's weight, or why it is not one. */
function Verdicts({ of: verdicts }: { of: readonly HostVerdict[] }) {
  const best = Math.max(...verdicts.map(({ score }) => score ?? 0), 0);
  const sorted = [...verdicts].sort((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity)).slice(0, 200);
  return (
    <>
      <h3>{words.perHost}</h3>
      <ol class="funnel" aria-label={words.perHost}>
        {sorted.map(({ host_id: id, host, passes, score = 0, refusals }) => (
          <li key={id}>
            <div class="label">
              <span dir="auto">{host}</span>
              <span>{passes ? words.weight(score) : words.refused}</span>
            </div>
            {passes ? (
              <div class="bar-line" aria-hidden="true">
                <span style={{ width: `${best <= 0 ? 0 : Math.max(0, (100 * score) / best)}%` }} />
              </div>
            ) : null}
            {refusals.map(({ filter, reason }) => (
              <p class="quiet" key={filter}>
                {filter}: {reason}
              </p>
            ))}
          </li>
        ))}
      </ol>
    </>
  );
}
