import { get } from '../../kit/api.ts';
import { useResource } from '../../kit/resource.ts';
import { href } from '../../kit/router.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import type { Port } from './port-list.tsx';
import { layOut, type Topology, type TopologyInput } from './topology-layout.ts';

/** Characters of a name that a box has room for. */
const labelMax = 22;
const pages = { network: 'networks', external: 'networks', router: 'routers', server: 'servers' } as const;

/** Networks, routers, servers and floating IPs as a drawing; each box leads to its page. */
export default function TopologyPage() {
  const topology = useResource(async (signal) => layOut(await load(signal)), []);
  return (
    <Page title={texts.topology.title}>
      <Loaded of={topology}>
        {(drawing) =>
          drawing.boxes.length === 0 ? (
            <p class="quiet">{texts.topology.empty}</p>
          ) : (
            <>
              <Drawing of={drawing} />
              {drawing.left === 0 ? null : <p class="quiet">{texts.topology.left(drawing.left)}</p>}
            </>
          )
        }
      </Loaded>
    </Page>
  );
}

function Drawing({ of: { boxes, wires, width, height } }: { of: Topology }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard
    <section class="topology" aria-label={texts.topology.title} tabIndex={0}>
      <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-label={texts.topology.drawing}>
        {wires.map(({ from, to, label }) => {
          const middle = (from.x + to.x) / 2;
          return (
            <g key={`${from.x} ${from.y} ${to.x} ${to.y} ${label}`}>
              <path
                class="wire"
                d={`M ${from.x} ${from.y} C ${middle} ${from.y}, ${middle} ${to.y}, ${to.x} ${to.y}`}
              />
              <text x={to.x > from.x ? to.x - 8 : to.x + 8} y={to.y - 6} text-anchor={to.x > from.x ? 'end' : 'start'}>
                {label}
              </text>
            </g>
          );
        })}
        {boxes.map(({ kind, id, label, x, y, width: boxWidth, height: boxHeight }) => (
          <a
            key={id}
            href={href(pathOf([pages[kind], id]))}
            class={kind}
            aria-label={`${kind === 'external' ? texts.networks.external : texts.kinds[kind]} ${label}`}
          >
            <rect x={x} y={y} width={boxWidth} height={boxHeight} rx={kind === 'router' ? boxHeight / 2 : 4} />
            <text x={x + boxWidth / 2} y={y + boxHeight / 2 + 5} text-anchor="middle">
              {label.length > labelMax ? `${label.slice(0, labelMax - 1)}…` : label}
            </text>
            <title>{label}</title>
          </a>
        ))}
      </svg>
    </section>
  );
}

async function load(signal: AbortSignal): Promise<TopologyInput> {
  const base = '/networking/v2.0';
  const [networks, routers, ports, floatingIps, servers] = await Promise.all([
    get<{ networks: readonly { id: string; name: string; 'router:external': boolean }[] }>(`${base}/networks`, signal),
    get<{
      routers: readonly { id: string; name: string; external_gateway_info: { network_id: string } | null }[];
    }>(`${base}/routers`, signal),
    get<{ ports: readonly Port[] }>(`${base}/ports`, signal),
    get<{ floatingips: readonly { floating_ip_address: string; fixed_ip_address: string | null }[] }>(
      `${base}/floatingips`,
      signal,
    ),
    get<{ servers: readonly { id: string; name: string }[] }>('/compute/v2.1/servers?limit=1000', signal),
  ]);
  return {
    networks: networks.networks.map((one) => ({ id: one.id, name: one.name, isExternal: one['router:external'] })),
    routers: routers.routers.map((one) => ({
      id: one.id,
      name: one.name,
      externalNetworkId: one.external_gateway_info?.network_id,
    })),
    servers: servers.servers,
    ports: ports.ports.map((port) => ({
      networkId: port.network_id,
      deviceId: port.device_id,
      address: port.fixed_ips[0]?.ip_address ?? '',
    })),
    floatingIps: floatingIps.floatingips.map((one) => ({
      address: one.floating_ip_address,
      fixedAddress: one.fixed_ip_address ?? '',
    })),
  };
}
