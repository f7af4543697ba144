/** What must hold when all is placed; read from the hosts' own LevelDB and from the records, not from what anybody said. */
import { openHostStore } from '../../../node/store/host/host-store.ts';
import type { ClaimRecord } from '../../index.ts';
import type { HostSize, RecordedServer } from './messages.ts';

/** Faults named in full; the rest is counted. */
const faultsNamedMax = 5;

interface CheckResult {
  /** Hosts whose live claims, as they lie on disk, exceed what the host has; must be 0. */
  readonly overcommittedByClaims: number;
  /** The same of the servers on record. */
  readonly overcommittedByRecords: number;
  readonly claims: number;
  readonly records: number;
  /** Standard deviation of the hosts' vCPU use over its mean, percent: how even the spread is. */
  readonly unevennessPct: number;
  /** In words; empty: all holds. */
  readonly faults: readonly string[];
}

/**
 * @param claimFolders the hosts' stores; nobody may have them open
 * @param replicas the servers on record as each voter has them
 * @param answered ids that callers were told of
 */
export async function checkPlacements(
  claimFolders: readonly string[],
  replicas: readonly (readonly RecordedServer[])[],
  answered: readonly string[],
  limits: { readonly size: HostSize; readonly hosts: number },
): Promise<CheckResult> {
  const faults: string[] = [];
  const claims = new Map<string, { readonly hostId: string; readonly record: ClaimRecord }>();
  for (const folder of claimFolders) {
    const store = await openHostStore(folder, (error) => {
      throw error;
    });
    for (const [key, value] of store.entries('host/')) {
      const [, hostId = '', kind] = key.split('/');
      if (kind !== 'claim') continue;
      const record = value as ClaimRecord;
      if (record.state !== 'admitted' && record.state !== 'bound') continue;
      claims.set(`${record.serverId}/${record.generation}`, { hostId, record });
    }
    await store.close();
  }
  const byClaims = new Usage();
  for (const { hostId, record } of claims.values()) byClaims.add(hostId, record.needs);
  const records = replicas[0] ?? [];
  const byRecords = new Usage();
  for (const server of records) byRecords.add(server.hostId, server);
  for (const [at, replica] of replicas.entries()) {
    if (textOf(replica) !== textOf(records))
      faults.push(`the records of agent ${at + 1} differ from those of the first`);
  }
  const known = new Set(records.map((server) => server.id));
  for (const id of answered) if (!known.has(id)) faults.push(`server ${id} was acknowledged and is not on record`);
  if (new Set(answered).size !== answered.length) faults.push('a server was given to two callers');
  for (const server of records) {
    const claim = claims.get(`${server.id}/${server.generation}`);
    if (claim === undefined) faults.push(`server ${server.id} is bound without a claim on disk`);
    else if (claim.hostId !== server.hostId)
      faults.push(`server ${server.id} is bound to one host and claimed at another`);
    else if (claim.record.needs.vcpus !== server.vcpus) faults.push(`server ${server.id} was claimed in another shape`);
  }
  const overcommittedByClaims = byClaims.over(limits.size);
  const overcommittedByRecords = byRecords.over(limits.size);
  if (overcommittedByClaims + overcommittedByRecords > 0) faults.push('hosts are over-committed');
  return {
    overcommittedByClaims,
    overcommittedByRecords,
    claims: claims.size,
    records: records.length,
    unevennessPct: byRecords.unevennessPct(limits.hosts),
    faults:
      faults.length <= faultsNamedMax
        ? faults
        : [...faults.slice(0, faultsNamedMax), `and ${faults.length - faultsNamedMax} more`],
  };
}

/** What is given away, by host. */
class Usage {
  readonly #byHost = new Map<string, HostSize>();

  add(hostId: string, { vcpus, memoryMib, diskGib }: HostSize): void {
    const before = this.#byHost.get(hostId);
    this.#byHost.set(hostId, {
      vcpus: (before?.vcpus ?? 0) + vcpus,
      memoryMib: (before?.memoryMib ?? 0) + memoryMib,
      diskGib: (before?.diskGib ?? 0) + diskGib,
    });
  }

  over(size: HostSize): number {
    return [...this.#byHost.values()].filter(
      (used) => used.vcpus > size.vcpus || used.memoryMib > size.memoryMib || used.diskGib > size.diskGib,
    ).length;
  }

  unevennessPct(hosts: number): number {
    const used = [...this.#byHost.values()].map((host) => host.vcpus);
    while (used.length < hosts) used.push(0);
    const mean = used.reduce((sum, value) => sum + value, 0) / used.length;
    const variance = used.reduce((sum, value) => sum + (value - mean) ** 2, 0) / used.length;
    return mean === 0 ? 0 : (100 * Math.sqrt(variance)) / mean;
  }
}

function textOf(replica: readonly RecordedServer[]): string {
  return replica.map((server) => `${server.id} ${server.hostId} ${server.generation}`).join('\n');
}
