/** Hosts as operators see them: records say who is there, gossip says how they are. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { beginningOf } from '../../base/text.ts';
import { hostTable, serverTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import { transact } from '../kit/transact.ts';
import { zoneOf } from '../kit/zones.ts';
import type { ComputeDependencies } from './dependencies.ts';
import { hostRow, type Removal, removeHost } from './host-removal.ts';

/** Longest reason for disabling a host, characters: Nova's column. */
const reasonCharactersMax = 255;

/** One host with what is known of it. */
export interface HostView {
  readonly host: shoal.v1.Host;
  /** Absent: it has published none that reached this agent. */
  readonly advert: shoal.v1.Advert | undefined;
  readonly isUp: boolean;
  /** When it was last known to be alive, wall clock, ms; else when its advert was made, or when it joined. */
  readonly lastSeenMs: number;
  readonly zone: string;
  /** Servers placed there, by the records. */
  readonly servers: readonly shoal.v1.Server[];
}

/** What is absent stays as it is. */
interface HostPatch {
  readonly enabled?: boolean;
  /** Why it is disabled. */
  readonly reason?: string;
  /** An operator says that it is gone: it is shown as down and gets no new servers. */
  readonly forcedDown?: boolean;
}

/**
 * Nova's `os-hypervisors`, `os-services` and `os-availability-zone`. All but `statusOf` and `zones` are for
 * administrators (`FORBIDDEN`).
 */
export class Hosts {
  readonly #deps: ComputeDependencies;

  constructor(deps: ComputeDependencies) {
    this.#deps = deps;
  }

  /** All, by name. */
  list(reader: StateReader): readonly HostView[] {
    return this.#views(reader);
  }

  /** By id or by name; 404 when neither fits. */
  show(reader: StateReader, idOrName: string): HostView {
    const found = this.list(reader).find((view) => view.host.id === idOrName || view.host.name === idOrName);
    if (found === undefined) throw new ShoalError('NOT_FOUND', `Compute host ${idOrName} could not be found.`);
    return found;
  }

  /** Nova's word for how the host of a server is; empty when it has none. A suspicion is no verdict. */
  statusOf(host: shoal.v1.Host | undefined): '' | 'UP' | 'DOWN' | 'MAINTENANCE' | 'UNKNOWN' {
    if (host === undefined) return '';
    if (host.forcedDown) return 'DOWN';
    if (host.disabled) return 'MAINTENANCE';
    const condition = this.#deps.hostViews.condition(host.id);
    return condition === 'alive' || condition === 'suspect' ? 'UP' : 'UNKNOWN';
  }

  /** Zones with their hosts; for everybody. */
  zones(reader: StateReader): ReadonlyMap<string, readonly HostView[]> {
    const zones = new Map<string, HostView[]>();
    for (const view of this.#views(reader)) zones.set(view.zone, [...(zones.get(view.zone) ?? []), view]);
    return new Map([...zones].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A disabled host keeps its guests and gets no new ones. */
  setEnabled(context: RequestContext, idOrName: string, enabled: boolean, reason = ''): Promise<shoal.v1.Host> {
    return this.update(context, idOrName, { enabled, reason });
  }

  /** Changes what is said of a host, all of it in one transaction. Nothing is done to its guests. */
  async update(context: RequestContext, idOrName: string, patch: HostPatch): Promise<shoal.v1.Host> {
    const { enabled, reason = '', forcedDown } = patch;
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = hostRow(reader, idOrName);
      const next = new shoal.v1.Host({ ...row.record, forcedDown: forcedDown ?? row.record.forcedDown });
      if (enabled !== undefined) {
        next.disabled = !enabled;
        next.disabledReason = enabled ? '' : beginningOf(reason, reasonCharactersMax);
      }
      hostTable.update(change, row, next);
      return next;
    });
  }

  /**
   * Takes a host out of the mesh. Throws what `removeHost` throws. Nova's API has no force: a host that is alive and votes
   * must be stopped first, or removed by the native API.
   */
  async remove(context: RequestContext, idOrName: string): Promise<Removal> {
    return removeHost(this.#deps, { host: idOrName, force: false, signal: context.signal });
  }

  #views(reader: StateReader): readonly HostView[] {
    const { hostViews } = this.#deps;
    const adverts = new Map(hostViews.adverts().map((advert) => [advert.hostId, advert]));
    return hostTable
      .list(reader)
      .map(({ record: host }) => {
        const condition = hostViews.condition(host.id);
        return {
          host,
          advert: adverts.get(host.id),
          // A suspicion is no verdict.
          isUp: !host.forcedDown && (condition === 'alive' || condition === 'suspect'),
          lastSeenMs: hostViews.lastSeenMs?.(host.id) ?? adverts.get(host.id)?.publishedMs ?? host.joinedMs,
          zone: zoneOf(reader, host),
          servers: serverTable
            .by(reader, 'host', host.id)
            .map((row) => row.record)
            .filter((server) => server.hostId === host.id),
        };
      })
      .sort((a, b) => (a.host.name < b.host.name ? -1 : 1));
  }
}
