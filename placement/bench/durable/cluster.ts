/** The processes of one run: three agents that vote, and simulated hosts; certificates of a mesh made on the spot. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../../../node/base/assert.ts';
import { MeshAuthority } from '../../../node/mesh/identity/authority.ts';
import { createTlsKey, HostIdentity } from '../../../node/mesh/identity/identity.ts';
import type { PeerCertificates } from '../../../node/mesh/peers/peer-credentials.ts';
import { freePorts, processCpuSeconds } from '../../../node/raft/bench/machine.ts';
import { Child } from './child.ts';
import type { AgentConfig, Counts, HostSize, HostsConfig, PlacerName, RecordedServer } from './messages.ts';

/** Voters, each a gateway and placer as well. */
export const agentCount = 3;
/** Processes that the hosts are spread over. */
export const hostProcessCount = 2;
/** Longest that anything is waited for while starting. Unit: milliseconds. */
const patienceMs = 120_000;
const pollMs = 50;

interface ClusterOptions {
  readonly folder: string;
  readonly hosts: number;
  readonly size: HostSize;
  readonly placer: PlacerName;
  /** Given to every process's Node, such as `--cpu-prof`. */
  readonly nodeOptions: readonly string[];
}

/** Processor time so far, seconds. */
interface CpuSeconds {
  readonly leader: number;
  readonly followers: number;
  readonly hosts: number;
}

export class DurableCluster {
  readonly #options: ClusterOptions;
  readonly #agents: Child[] = [];
  readonly #hosts: Child[] = [];
  #grpcAddresses: readonly string[] = [];
  /** A token for the project that places. */
  token = '';

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** host:port of each agent's native API. The first one leads. */
  get grpcAddresses(): readonly string[] {
    return this.#grpcAddresses;
  }

  /** Folders of the hosts' claims, one a process. */
  get claimFolders(): readonly string[] {
    return this.#hosts.map((_, at) => join(this.#options.folder, `hosts-${at}`, 'claims'));
  }

  /** Starts all; resolves once every agent votes and sees every host. */
  async start(): Promise<void> {
    const { folder, hosts, size, placer, nodeOptions } = this.#options;
    const authority = MeshAuthority.create('bench');
    const ports = (await freePorts(2 * agentCount + 2 * hostProcessCount)).map((port) => `127.0.0.1:${port}`);
    const address = (at: number): string => must(ports[at], 'a free port');
    const certified = (): { readonly hostId: string; readonly certificates: PeerCertificates } => {
      const { hostId } = HostIdentity.create();
      const tls = createTlsKey();
      return {
        hostId,
        certificates: {
          meshId: authority.meshId,
          certificatePem: authority.issueHost(hostId, tls.publicKeySpki),
          privateKeyPem: tls.privateKeyPem,
          authorityPem: authority.certificatePem,
        },
      };
    };
    const agents = Array.from({ length: agentCount }, (_, at) => ({ ...certified(), peerAddress: address(at) }));
    this.#grpcAddresses = agents.map((_, at) => address(agentCount + at));
    const hostProcesses = Array.from({ length: hostProcessCount }, (_, at) => ({
      ...certified(),
      peerAddress: address(2 * agentCount + 2 * at),
      feedAddress: address(2 * agentCount + 2 * at + 1),
    }));
    const plain = ({ hostId, peerAddress }: { readonly hostId: string; readonly peerAddress: string }) => ({
      hostId,
      peerAddress,
    });
    for (const [at, process] of hostProcesses.entries()) {
      const firstHost = Math.floor((at * hosts) / hostProcessCount);
      const config: HostsConfig = {
        role: 'hosts',
        folder: join(folder, `hosts-${at}`),
        certificates: process.certificates,
        self: plain(process),
        agents: agents.map(plain),
        hostCount: hosts,
        firstHost,
        hosts: Math.floor(((at + 1) * hosts) / hostProcessCount) - firstHost,
        size,
        feedAddress: process.feedAddress,
      };
      await mkdir(config.folder, { recursive: true });
      this.#hosts.push(await Child.start(config, nodeOptions));
    }
    const tokenKey = randomBytes(32).toString('base64');
    for (const [at, agent] of agents.entries()) {
      const config: AgentConfig = {
        role: 'agent',
        folder: join(folder, `agent-${at}`),
        certificates: agent.certificates,
        self: plain(agent),
        agents: agents.map(plain),
        hostCount: hosts,
        raftId: at + 1,
        tokenKey,
        grpcAddress: must(this.#grpcAddresses[at], 'an address of the native API'),
        hostProcesses: hostProcesses.map((process) => ({ ...plain(process), feedAddress: process.feedAddress })),
        seed: at + 1,
      };
      await mkdir(config.folder, { recursive: true });
      this.#agents.push(await Child.start(config, nodeOptions));
    }
    const first = must(this.#agents[0], 'the first agent');
    await eventually('the first agent leads', async () => (await first.ask({ ask: 'status' })).isCaughtUp);
    for (let raftId = 2; raftId <= agentCount; raftId++) await first.ask({ ask: 'add', raftId });
    const lists = await Promise.all(this.#hosts.map((process) => process.ask({ ask: 'host-list' })));
    this.token = await first.ask({ ask: 'found', hosts: lists.flat() });
    const places = lists.map((list, at) => ({
      process: must(hostProcesses[at], 'a host process').hostId,
      hostIds: list.map((host) => host.hostId),
    }));
    for (const agent of this.#agents) {
      await agent.ask({ ask: 'hosts', places });
      await agent.ask({ ask: 'place-by', placer });
    }
    // An advert is of no use to an agent that has not got its host's record yet.
    for (const agent of this.#agents) {
      await eventually('every agent votes', async () => {
        const { voters } = await agent.ask({ ask: 'status' });
        return voters.length === agentCount;
      });
      await agent.ask({ ask: 'records' });
    }
    await Promise.all(this.#hosts.map((process) => process.ask({ ask: 'watch' })));
    for (const agent of this.#agents) {
      await eventually('every agent sees every host', async () => {
        const { hostsInView } = await agent.ask({ ask: 'status' });
        return hostsInView === hosts;
      });
    }
  }

  cpuSeconds(): CpuSeconds {
    const [leader = 0, ...followers] = this.#agents.map((agent) => processCpuSeconds(agent.pid));
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      leader,
      followers: sum(followers),
      hosts: sum(this.#hosts.map((process) => processCpuSeconds(process.pid))),
    };
  }

  /** Whether the agent that led at first still does. */
  async firstLeads(): Promise<boolean> {
    return (await must(this.#agents[0], 'the first agent').ask({ ask: 'status' })).isLeader;
  }

  /** Counts of all agents together, and of all hosts. */
  async counts(): Promise<{ readonly agents: Counts; readonly hosts: Counts }> {
    const added = (all: readonly Counts[]): Counts => {
      const total: Record<string, number> = {};
      for (const counts of all) {
        for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count;
      }
      return total;
    };
    return {
      agents: added(await Promise.all(this.#agents.map((agent) => agent.ask({ ask: 'counts' })))),
      hosts: added(await Promise.all(this.#hosts.map((process) => process.ask({ ask: 'counts' })))),
    };
  }

  /** All servers on record, as each agent has them. */
  async records(): Promise<readonly (readonly RecordedServer[])[]> {
    const replicas: (readonly RecordedServer[])[] = [];
    for (const agent of this.#agents) replicas.push(await agent.ask({ ask: 'records' }));
    return replicas;
  }

  /** kill -9 of the hosts' processes: what they have not synced is gone. */
  async killHosts(): Promise<void> {
    await Promise.all(this.#hosts.map((process) => process.kill()));
  }

  /** Ends all in their own way. Safe to call twice. */
  async stop(): Promise<void> {
    await Promise.all([...this.#agents, ...this.#hosts].map((child) => child.end()));
  }
}

async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (performance.now() < endMs) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Error(`${what}: not within ${patienceMs / 1000} s`);
}
