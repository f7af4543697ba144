import { href } from '../../kit/router.ts';
import { texts } from '../../kit/texts.ts';
import { byPlace, fullness, type HostRow, type Measure } from './hosts.ts';

const words = texts.operators;

/** Every host as a square, by zone and failure domain: the fuller the darker; who is not alive or takes no servers has a sign. */
export function HeatMap(props: { hosts: readonly HostRow[]; by: Measure }) {
  return (
    <div class="heat-map">
      {byPlace(props.hosts).map(([place, hosts]) => (
        <section key={place} aria-label={words.place(place, hosts.length)}>
          <h3 dir="auto">{words.place(place, hosts.length)}</h3>
          <ul>
            {hosts.map((host) => (
              <li key={host.id}>
                <Cell host={host} by={props.by} />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

function Cell({ host, by }: { host: HostRow; by: Measure }) {
  const full = fullness(host, by);
  const percent = full === undefined ? undefined : Math.round(full * 100);
  const label = words.cell(host.name, host.state, percent === undefined ? words.silent : `${percent} %`);
  return (
    <a
      href={href(`/mesh/hosts/${host.id}`)}
      class={`cell ${host.state}`}
      title={label}
      style={{ '--full': `${percent ?? 0}%` }}
    >
      <span class="sr-only">{label}</span>
      <span aria-hidden="true">{signOf(host.state)}</span>
    </a>
  );
}

function signOf(state: string): string {
  if (state === 'alive') return '';
  if (state === 'disabled') return '–';
  return state === 'suspect' ? '?' : '!';
}
