/** What a drain would do, server by server: how each leaves, where there is room for it now, and what cannot leave and why. */
import type { shoal } from '../../../../proto/messages.ts';
import { serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { HostViews, PlacementInquiry } from '../../kit/dependencies.ts';
import { moveRequest } from '../moves/placing.ts';
import { byUrgency, priorityOf, wayOut } from '../moves/ways-out.ts';

/** Servers for which placement is asked: a bound on the work that one question makes. */
const askedMax = 1_000;

/** One server of a host that would be emptied. */
export interface DrainStep {
  readonly serverId: string;
  readonly serverName: string;
  readonly hostName: string;
  readonly how: 'live' | 'cold' | 'stay';
  /** Why it stays, or why it cannot go live; empty otherwise. */
  readonly reason: string;
  /** Which has room for it as things are; empty: it stays, or was not asked for. */
  readonly targetHostName: string;
  readonly memoryMib: number;
}

interface PreviewTools {
  readonly hostViews: Pick<HostViews, 'adverts'>;
  readonly inquiry: PlacementInquiry;
}

/** In the order in which they would be begun. Each is given the best host that has room once those before it have moved. */
export function drainSteps(
  tools: PreviewTools,
  reader: StateReader,
  hosts: readonly shoal.v1.Host[],
  mayStop: boolean,
): readonly DrainStep[] {
  const excludeHostIds = hosts.map(({ id }) => id);
  const room = new PlannedRoom(tools);
  const servers = hosts.flatMap((host) =>
    serverTable
      .by(reader, 'host', host.id)
      .filter(({ record }) => record.hostId === host.id)
      .map(({ record }) => ({
        ...{ server: record, hostName: host.name, id: record.id },
        ...{ priority: priorityOf(record), memoryMib: record.flavor?.memoryMib ?? 0 },
      })),
  );
  return servers.sort(byUrgency).map(({ server, hostName, memoryMib }, at): DrainStep => {
    const { how, why } = wayOut(tools, reader, server, mayStop);
    const { id: serverId, name: serverName, flavor } = server;
    const step = { serverId, serverName, hostName, memoryMib };
    if (how === 'stay') return { ...step, how, reason: why, targetHostName: '' };
    if (flavor === null || at >= askedMax) return { ...step, how, reason: why, targetHostName: '' };
    const found = room.take(reader, server, flavor, excludeHostIds);
    if (found.name === '') return { ...step, how: 'stay', reason: found.why, targetHostName: '' };
    return { ...step, how, reason: why, targetHostName: found.name };
  });
}

/** Room of hosts, less what was planned to go there. */
class PlannedRoom {
  readonly #tools: PreviewTools;
  readonly #free = new Map<string, { vcpus: number; memoryMib: number }>();
  readonly #members = new Map<string, string[]>();

  constructor(tools: PreviewTools) {
    this.#tools = tools;
    for (const advert of tools.hostViews.adverts()) {
      const left = (total: number, reserved: number, ratio: number, used: number): number =>
        Math.floor((total - reserved) * (ratio === 0 ? 1 : ratio)) - used;
      this.#free.set(advert.hostId, {
        vcpus: left(advert.vcpus, advert.vcpusReserved, advert.vcpusRatio, advert.vcpusUsed),
        memoryMib: left(advert.memoryMib, advert.memoryMibReserved, advert.memoryRatio, advert.memoryMibUsed),
      });
    }
  }

  /** The best host that placement finds and that has room still, from now on less the server's; else why there is none. */
  take(
    reader: StateReader,
    server: shoal.v1.Server,
    flavor: shoal.v1.Flavor,
    excludeHostIds: readonly string[],
  ): { readonly name: string; readonly why: string } {
    const asked = moveRequest(reader, server, { newFlavor: flavor, excludeHostIds });
    const memberHostIds = [...(asked.group?.memberHostIds ?? []), ...(this.#members.get(server.serverGroupId) ?? [])];
    const group = asked.group === undefined ? {} : { group: { ...asked.group, memberHostIds } };
    const { explanation, hosts } = this.#tools.inquiry.explain({ ...asked, ...group });
    const passing = hosts.filter(({ refusals }) => refusals.length === 0);
    const best = passing
      .filter(({ hostId }) => {
        const free = this.#free.get(hostId);
        return free !== undefined && free.vcpus >= flavor.vcpus && free.memoryMib >= flavor.memoryMib;
      })
      .sort((a, b) => (b.score ?? 0) - (a.score ?? 0))[0];
    if (best === undefined) {
      return {
        name: '',
        why: passing.length === 0 ? explanation.summary : 'no host has room for it once those before it have moved',
      };
    }
    const free = this.#free.get(best.hostId);
    if (free !== undefined) {
      free.vcpus -= flavor.vcpus;
      free.memoryMib -= flavor.memoryMib;
    }
    if (server.serverGroupId !== '') {
      this.#members.set(server.serverGroupId, [...(this.#members.get(server.serverGroupId) ?? []), best.hostId]);
    }
    return { name: best.hostName, why: '' };
  }
}
