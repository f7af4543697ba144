/** What the bench and its processes say to each other over the fork's channel. */
import type { PeerCertificates } from '../../../node/mesh/peers/peer-credentials.ts';

/** How a process is reached by the others. */
interface PeerAddress {
  readonly hostId: string;
  readonly peerAddress: string;
}

/** What both kinds of process are told when they start. */
interface ProcessConfig {
  /** Where it keeps its LevelDB. */
  readonly folder: string;
  readonly certificates: PeerCertificates;
  readonly self: PeerAddress;
  /** Agents 1..n by their number in the Raft group, in order. */
  readonly agents: readonly PeerAddress[];
  /** Simulated hosts of the whole mesh: the pace of adverts follows from it. */
  readonly hostCount: number;
}

/** An agent: voter, gateway, placer. */
export interface AgentConfig extends ProcessConfig {
  readonly role: 'agent';
  readonly raftId: number;
  /** Of tokens; 32 bytes, base64. */
  readonly tokenKey: string;
  readonly grpcAddress: string;
  readonly hostProcesses: readonly (PeerAddress & { readonly feedAddress: string })[];
  readonly seed: number;
}

/** A process of simulated hosts. */
export interface HostsConfig extends ProcessConfig {
  readonly role: 'hosts';
  /** Number of its first host, and how many there are. */
  readonly firstHost: number;
  readonly hosts: number;
  readonly size: HostSize;
  /** `host:port` on which adverts are to be had. */
  readonly feedAddress: string;
}

/** What a simulated host can give; allocation ratios of 1. */
export interface HostSize {
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
}

/** Who chooses hosts. */
export type PlacerName = 'shoal' | 'shoal-pack' | 'random2' | 'first-fit';

/** What the bench asks; each is answered by `Answer` with the same id. */
export type Question =
  | { readonly ask: 'status' }
  /** Agents: take this one into the Raft group. */
  | { readonly ask: 'add'; readonly raftId: number }
  /** Agents: which host is in which process. */
  | { readonly ask: 'hosts'; readonly places: readonly { readonly process: string; readonly hostIds: string[] }[] }
  /** The first agent: the records that a mesh begins with. Answers a token. */
  | { readonly ask: 'found'; readonly hosts: readonly FoundHost[] }
  | { readonly ask: 'place-by'; readonly placer: PlacerName }
  /** Agents: all servers on record. */
  | { readonly ask: 'records' }
  /** Hosts: watch the records of this agent from now on. */
  | { readonly ask: 'watch' }
  /** Hosts: those there are. */
  | { readonly ask: 'host-list' }
  /** Counts since the start. */
  | { readonly ask: 'counts' };

export interface FoundHost {
  readonly hostId: string;
  readonly publicKey: Uint8Array;
  readonly name: string;
}

/** A server on record. */
export interface RecordedServer {
  readonly id: string;
  readonly hostId: string;
  readonly generation: number;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
}

export interface AgentStatus {
  readonly isLeader: boolean;
  readonly isCaughtUp: boolean;
  readonly voters: readonly number[];
  readonly hostsInView: number;
}

export type Counts = Readonly<Record<string, number>>;

export interface Answers {
  readonly status: AgentStatus;
  readonly add: true;
  readonly hosts: true;
  readonly found: string;
  readonly 'place-by': true;
  readonly records: readonly RecordedServer[];
  readonly watch: true;
  readonly 'host-list': readonly FoundHost[];
  readonly counts: Counts;
}

/** A question on its way. Id 0 is the process saying that it is ready. */
export type Asked = Question & { readonly id: number };
export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };
