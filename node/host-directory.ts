/**
 * Who is in the mesh and where: from the records, and before there are any (a first start, an empty log) from what this
 * host was told when it joined. Kept in memory and renewed when a host record changes.
 */
import type { HostId, RaftId } from './base/ids.ts';
import type { MemberDirectory } from './grpc-raft-transport.ts';
import { type KnownHost, knownHost, type Membership } from './membership.ts';
import { hostTable } from './state/tables/index.ts';
import type { StateReader } from './state/types.ts';

/** See above. */
export class HostDirectory implements MemberDirectory {
  readonly self: RaftId;
  readonly #membership: Membership;
  #byHost = new Map<string, KnownHost>();
  #byRaft = new Map<RaftId, KnownHost>();

  constructor(membership: Membership) {
    this.self = membership.raftId;
    this.#membership = membership;
    this.#index(membership.hosts);
  }

  /** Takes the records in; they win over what was told at the join. True when anything is different now. */
  renew(reader: StateReader): boolean {
    const recorded = hostTable.list(reader).map((row) => knownHost(row.record));
    if (recorded.length === 0) return false;
    const before = JSON.stringify([...this.#byHost.values()]);
    const own = this.#membership.hosts.filter((host) => host.hostId === this.#membership.hostId);
    // Until its own record arrives a host knows itself from its membership.
    this.#index([...own, ...recorded]);
    return JSON.stringify([...this.#byHost.values()]) !== before;
  }

  hosts(): readonly KnownHost[] {
    return [...this.#byHost.values()];
  }

  find(hostId: string): KnownHost | undefined {
    return this.#byHost.get(hostId);
  }

  addressOf(hostId: HostId): string | undefined {
    return this.#byHost.get(hostId)?.peerAddress;
  }

  hostIdOf(raftId: RaftId): HostId | undefined {
    return this.#byRaft.get(raftId)?.hostId as HostId | undefined;
  }

  /** What people call a member: its host's name. */
  nameOf(raftId: RaftId): string {
    return this.#byRaft.get(raftId)?.name ?? `voter ${raftId}`;
  }

  raftIdOf(hostId: HostId): RaftId | undefined {
    return this.#byHost.get(hostId)?.raftId;
  }

  #index(hosts: readonly KnownHost[]): void {
    this.#byHost = new Map(hosts.map((host) => [host.hostId, host]));
    this.#byRaft = new Map([...this.#byHost.values()].map((host) => [host.raftId, host]));
  }
}
