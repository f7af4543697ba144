/**
 * Who is in the mesh and where: from the records, and before there are any (a first start, an empty log) from what this
 * host was told when it joined. Kept in memory and renewed when a host record changes.
 */
import type { HostId, RaftId } from '../base/ids.ts';
import type { MemberDirectory } from '../consensus/transport/grpc-transport.ts';
import { hostTable } from '../state/tables/index.ts';
import type { StateReader } from '../state/types.ts';
import { type KnownHost, knownHost, type Membership } from './membership.ts';

/** Where a host is reached. */
type Addresses = Pick<KnownHost, 'peerAddress' | 'gossipAddress'>;

/** Where every member is reached, by host and by number in the Raft group: as recorded, told at the join, or learned since. */
export class HostDirectory implements MemberDirectory {
  readonly self: RaftId;
  readonly #membership: Membership;
  /** As recorded, or as told at the join. */
  #recorded: readonly KnownHost[];
  /** Where hosts say that they are reached, and the recorded address that this corrects: it counts while that stands. */
  readonly #learned = new Map<string, { readonly instead: string; readonly addresses: Addresses }>();
  #byHost = new Map<string, KnownHost>();
  #byRaft = new Map<RaftId, KnownHost>();

  constructor(membership: Membership) {
    this.self = membership.raftId;
    this.#membership = membership;
    this.#recorded = membership.hosts;
    this.#index();
  }

  /** Takes the records in; they win over what was told at the join. True when anything is different now. */
  renew(reader: StateReader): boolean {
    const recorded = hostTable.list(reader).map((row) => knownHost(row.record));
    if (recorded.length === 0) return false;
    const own = this.#membership.hosts.filter((host) => host.hostId === this.#membership.hostId);
    // Until its own record arrives a host knows itself from its membership.
    this.#recorded = [...own, ...recorded];
    return this.#index();
  }

  /**
   * Takes in where a host, which has proved who it is, says that it is reached. Counts until its record says something new.
   * True when anything is different now. A host that nobody has recorded yet is left to its record.
   */
  learn(hostId: string, addresses: Addresses): boolean {
    const recorded = this.#recorded.findLast((host) => host.hostId === hostId);
    if (recorded === undefined) return false;
    this.#learned.set(hostId, { instead: recorded.peerAddress, addresses });
    return this.#index();
  }

  /** How many hosts there are. */
  get count(): number {
    return this.#byHost.size;
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

  #index(): boolean {
    const before = JSON.stringify(this.hosts());
    this.#byHost = new Map(this.#recorded.map((host) => [host.hostId, this.#corrected(host)]));
    this.#byRaft = new Map([...this.#byHost.values()].map((host) => [host.raftId, host]));
    return JSON.stringify(this.hosts()) !== before;
  }

  #corrected(host: KnownHost): KnownHost {
    const learned = this.#learned.get(host.hostId);
    if (learned === undefined) return host;
    if (learned.instead === host.peerAddress) return { ...host, ...learned.addresses };
    this.#learned.delete(host.hostId);
    return host;
  }
}
