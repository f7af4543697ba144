import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { serversOfLost, whyItStays } from '../../services/compute/takeover/lost-servers.ts';
import { beginJob } from '../../services/jobs/job-record.ts';
import type { HostViews, ServiceDependencies } from '../../services/kit/dependencies.ts';
import { transact } from '../../services/kit/transact.ts';
import { indexKey } from '../../state/table.ts';
import { hostTable, jobTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { HostWitnesses } from '../takeover/host-witnesses.ts';
import type { LeaderTask } from './task.ts';

/** A host that stays away is named by its job until an operator has decided; then another job begins. Unit: ms. */
const durationMs = 24 * 3_600_000;

interface TakeoverTaskParts {
  readonly hostViews: Pick<HostViews, 'condition'>;
  readonly witnesses: HostWitnesses;
  /** Whether a pool of this name can be reached from other hosts. */
  readonly isShared: (pool: string) => boolean;
}

/**
 * Asks the witnesses about each host that seems to be down, and begins a takeover when they agree that it is gone and it has servers
 * that are to come back elsewhere, or that others wait for.
 */
export function takeOverLostHosts({ hostViews, witnesses, isShared }: TakeoverTaskParts): LeaderTask {
  return {
    name: 'take-over-lost-hosts',
    periodMs: 1_000,
    async run(deps, signal) {
      const reader = deps.state.local;
      const hosts = hostTable.list(reader).map(({ record }) => record);
      const down = hosts.filter(({ id, forcedDown }) => forcedDown || hostViews.condition(id) !== 'alive');
      await Promise.all(hosts.map(({ id }) => witnesses.look(id as HostId, signal)));
      for (const host of down) {
        if (witnesses.verdict(host.id, host.forcedDown).kind !== 'gone') continue;
        if (!isConcerned(reader, host.id, { isShared, nowMs: deps.clock.nowMs() })) continue;
        await begin(deps, host, witnesses.downMs(host.id), signal);
      }
    },
  };
}

/** Whether there is something to do that no job does yet. */
function isConcerned(
  reader: StateReader,
  hostId: string,
  options: { readonly isShared: (pool: string) => boolean; readonly nowMs: number },
): boolean {
  if (jobTable.one(reader, 'subject', indexKey(subjectOf(hostId))) !== undefined) return false;
  return serversOfLost(reader, hostId).some(
    (server) => server.hostId !== hostId || whyItStays(reader, server, options) === undefined,
  );
}

async function begin(
  deps: ServiceDependencies,
  host: shoal.v1.Host,
  downMs: number,
  signal: AbortSignal,
): Promise<void> {
  const id = deps.newId();
  try {
    await transact(deps, { signal }, (attempt) => {
      const nowMs = Math.floor(deps.clock.nowMs());
      const downSinceMs = nowMs - Math.floor(downMs);
      const takeover = new shoal.v1.TakeoverJob({ hostId: host.id, confirmedMs: nowMs, downSinceMs });
      const about = { subject: subjectOf(host.id), projectId: '', userId: '' };
      beginJob(
        attempt,
        { id, kind: 'takeover', ...about, deadlineMs: nowMs + durationMs, detail: { takeover } },
        nowMs,
      );
    });
    deps.logger.warn({ hostId: host.id, name: host.name, downMs }, 'a host is gone; its servers are taken over');
  } catch (caught) {
    // Another leader was faster.
    if (!ShoalError.is(caught, 'CONFLICT')) throw caught;
    deps.logger.debug({ hostId: host.id, err: caught }, 'a takeover was begun by somebody else');
  }
}

function subjectOf(hostId: string): string {
  return `takeover/${hostId}`;
}
