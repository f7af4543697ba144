/**
 * A whole Shoal cloud on one machine: as many agents as hosts, each in a network namespace of its own with its own data
 * folder and key. `npm start` and the end-to-end tests run the same code.
 *
 * The agents are started as on real machines: the first founds the mesh, the others join with a ticket that it issues.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { runCommand } from '../../drivers/command.ts';
import { identifySync, type ProcessIdentity } from '../../drivers/process.ts';
import { RunFiles } from '../../drivers/qemu/confinement/run-files.ts';
import { PlugFolders } from '../../drivers/qemu/disks/plug-folder.ts';
import { uidRangeDefault } from '../../drivers/uid-range.ts';
import { makeUnderlay, removeUnderlay } from '../../drivers/vxlan/lab.ts';
import { localSocketPath } from '../agent/local-socket.ts';
import { readMembership } from '../cluster/membership.ts';
import {
  type AgentPlace,
  apiUrlOf,
  type CloudLayout,
  type CloudRecord,
  cloudLayout,
  labName,
  readCloudRecord,
  writeCloudRecord,
  writeCredentials,
} from './layout.ts';
import { RestClient } from './rest-client.ts';
import { trustAuthority } from './trust.ts';

const shoalBin = fileURLToPath(new URL('../bin/shoal.mjs', import.meta.url));
/** An agent that does not answer by then has failed; its log says why. */
const agentReadyMsMax = 30_000;
/** Agents that are started side by side: each takes a second or two of a core. */
const startsAtOnce = 4;
/** Time an agent has to end after SIGTERM. */
const agentStopMsMax = 15_000;
/** User numbers of one agent; and room for so many agents of one cloud. */
const uidCount = 1024;
const agentsMax = 256;
/** MTU of the make-believe underlay: guests get 1500. */
const underlayMtu = 1600;

/** How the cloud is to be. */
interface DevCloudOptions {
  /** Everything lives below it. */
  readonly folder: string;
  readonly agents: number;
  /** False: no root, one agent with the fake drivers. */
  readonly real: boolean;
  readonly storage: 'local' | 'rbd';
  /** How long an agent may take to answer after its start; default 30,000. Many agents share the cores. Unit: ms. */
  readonly readyMsMax?: number;
  /** Hosts beside the voters that hold the whole state; all others hold slices. Absent: the agent's own default. */
  readonly standbys?: number;
  /** Where backups of volumes go: a URL as the configuration's `backups.store`. Absent: nowhere. */
  readonly backupStore?: string;
  /** What each agent is told of Ceph. */
  readonly ceph?: (agent: AgentPlace) => {
    readonly confPath: string;
    readonly user: string;
    readonly diskPool: string;
  };
}

/** See above. */
export class DevCloud {
  readonly layout: CloudLayout;
  readonly options: DevCloudOptions;
  #record: CloudRecord;

  private constructor(options: DevCloudOptions, layout: CloudLayout, record: CloudRecord) {
    this.options = options;
    this.layout = layout;
    this.#record = record;
  }

  /** Opens the cloud of a folder, or lays out a new one. Starts nothing. */
  static async open(options: DevCloudOptions): Promise<DevCloud> {
    mkdirSync(options.folder, { recursive: true });
    const kept = readCloudRecord(options.folder);
    const record: CloudRecord = kept ?? {
      version: 1,
      adminPassword: randomBytes(12).toString('base64url'),
      demoPassword: randomBytes(12).toString('base64url'),
      storage: options.storage,
      real: options.real,
      agents: options.agents,
      octet: options.real ? await freeOctet() : 0,
      running: [],
    };
    const layout = cloudLayout(options.folder, record);
    if (kept === undefined) writeCloudRecord(options.folder, record);
    const { storage, real, agents } = record;
    return new DevCloud({ ...options, storage, real, agents }, layout, record);
  }

  /** The cloud that a folder holds; undefined when it holds none. */
  static find(folder: string): DevCloud | undefined {
    const record = readCloudRecord(folder);
    if (record === undefined) return undefined;
    const { agents, real, storage } = record;
    const layout = cloudLayout(folder, record);
    if (existsSync(layout.authorityPath)) trustAuthority(readFileSync(layout.authorityPath, 'utf8'));
    return new DevCloud({ folder, agents, real, storage }, layout, record);
  }

  get adminPassword(): string {
    return this.#record.adminPassword;
  }

  /** Of the ordinary user `demo`. */
  get demoPassword(): string {
    return this.#record.demoPassword;
  }

  /** True when agents of this cloud run now. */
  get isRunning(): boolean {
    return this.#record.running.some(isRunning);
  }

  /** True when the cloud has been set up before and its data are kept. */
  get hasData(): boolean {
    return this.layout.agents.every((agent) => existsSync(join(agent.dataDir, 'membership.json')));
  }

  agent(name: string): AgentPlace {
    const found = this.layout.agents.find((agent) => agent.name === name);
    if (found === undefined) throw new Error(`the cloud has no agent ${name}`);
    return found;
  }

  client(name: string): RestClient {
    return new RestClient(apiUrlOf(this.agent(name)), this.adminPassword);
  }

  /** Pid of a running agent; undefined when it does not run. */
  pidOf(name: string): number | undefined {
    const entry = this.#record.running.find((candidate) => candidate.name === name);
    return entry !== undefined && isRunning(entry) ? entry.pid : undefined;
  }

  /** Namespaces, bridges and addresses. Nothing to do without root. */
  async makeUnderlay(): Promise<void> {
    if (!this.options.real) return;
    const { underlayCidr, externalCidr, agents, tag } = this.layout;
    await makeUnderlay(
      { name: labName(tag), hosts: agents.length, cidr: underlayCidr, externalCidr, mtu: underlayMtu },
      AbortSignal.timeout(60_000),
    );
  }

  /** Founds the mesh with the first agent and lets the others join by ticket, or starts all of them on kept data. */
  async startAgents(): Promise<void> {
    const [first, ...others] = this.layout.agents;
    if (first === undefined) return;
    for (const agent of this.layout.agents) this.#configure(agent);
    if (this.hasData) {
      this.takeAuthority(first.name);
      await Promise.all(this.layout.agents.map((agent) => this.startAgent(agent.name)));
      this.#writeCredentials();
      return;
    }
    await this.shoal(first, ['init', '--mesh-name', 'dev'], { SHOAL_ADMIN_PASSWORD: this.adminPassword });
    this.takeAuthority(first.name);
    await this.startAgent(first.name);
    this.#writeCredentials();
    for (let at = 0; at < others.length; at += startsAtOnce) {
      // A ticket is single-use: one each.
      await Promise.all(
        others.slice(at, at + startsAtOnce).map(async (agent) => {
          const ticket = (await this.shoal(first, ['ticket', 'create'])).trim();
          await this.startAgent(agent.name, ticket);
        }),
      );
    }
  }

  /** Starts one agent and waits until it is healthy. */
  async startAgent(name: string, ticket?: string): Promise<void> {
    const agent = this.agent(name);
    if (this.pidOf(name) !== undefined) return;
    const log = openSync(agent.logPath, 'a');
    const logStart = readFileSync(agent.logPath).length;
    const argv = [process.execPath, shoalBin, 'agent', '--config', agent.configPath];
    const [program = '', ...args] =
      agent.namespace === undefined ? argv : ['nsenter', `--net=/run/netns/${agent.namespace}`, ...argv];
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log, log],
      // By the environment and not by a flag: a ticket in a process list is a ticket given away.
      env: { ...process.env, ...(ticket === undefined ? {} : { SHOAL_JOIN: ticket }) },
    });
    child.unref();
    const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    if (child.pid === undefined) throw new Error(`${name} could not be started`);
    // nsenter execs the agent, so the pid and its start time are the agent's own.
    const identity = identifySync(child.pid);
    // Gone already: the loop below says so.
    if (identity !== undefined) this.#setRunning(name, identity);
    const readyMsMax = this.options.readyMsMax ?? agentReadyMsMax;
    const deadline = Date.now() + readyMsMax;
    for (;;) {
      const gone = await Promise.race([exited, delay(50, undefined)]);
      if (gone !== undefined || Date.now() > deadline) {
        const why = gone !== undefined ? `ended with status ${gone}` : `does not answer after ${readyMsMax} ms`;
        throw new Error(`agent ${name} ${why}; the end of its log:\n${logTail(agent.logPath, logStart)}`);
      }
      if (await isHealthy(agent)) return;
    }
  }

  /**
   * Puts the certificate of the mesh's authority, as an agent has it, where the credentials name it, and lets this process
   * trust it. A removed host and `shoal rekey` make a new authority, which each agent takes up within seconds.
   */
  takeAuthority(name: string): void {
    const { dataDir } = this.agent(name);
    const membership = readMembership(dataDir);
    if (membership === undefined) throw new Error(`${dataDir} belongs to no mesh`);
    writeFileSync(this.layout.authorityPath, membership.authorityCertificatePem);
    trustAuthority(membership.authorityCertificatePem);
  }

  /** Waits until every agent sees every host and the mesh has a quorum. */
  async waitUntilFormed(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const seen = await Promise.all(this.layout.agents.map((agent) => this.#upHypervisors(agent)));
      if (seen.every((count) => count === this.layout.agents.length)) return;
      if (Date.now() > deadline) {
        throw new Error(
          `after ${timeoutMs} ms the agents see ${seen.join(', ')} of ${this.layout.agents.length} hosts`,
        );
      }
      await delay(100);
    }
  }

  /** Ends one agent: politely with SIGTERM, or as a crash does with SIGKILL. Its guests run on. */
  async killAgent(name: string, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const pid = this.pidOf(name);
    if (pid === undefined) return;
    process.kill(pid, signal);
    const deadline = Date.now() + agentStopMsMax;
    while (this.pidOf(name) !== undefined) {
      if (Date.now() > deadline) {
        if (signal === 'SIGKILL') throw new Error(`agent ${name} (${pid}) does not end`);
        return this.killAgent(name, 'SIGKILL');
      }
      await delay(20);
    }
    this.#setRunning(name, undefined);
  }

  /**
   * Ends everything: agents, guests, helpers, namespaces. With `keepData` the folder stays, and the next start finds the
   * same cloud; guests that ran are started again by their hosts then.
   */
  async stop(options: { readonly keepData: boolean }): Promise<void> {
    await Promise.all(this.layout.agents.map((agent) => this.killAgent(agent.name, 'SIGTERM')));
    if (this.options.real) await removeUnderlay(labName(this.layout.tag), AbortSignal.timeout(60_000));
    if (this.options.real) {
      for (const { dataDir } of this.layout.agents) {
        await new PlugFolders(runCommand, { runDir: join(dataDir, 'guests'), isConfined: true }).release();
      }
    }
    // Long paths have a short link to their sockets elsewhere; the guests are gone, so it can go, too.
    for (const agent of this.layout.agents) await new RunFiles(join(agent.dataDir, 'guests')).releaseLink();
    for (const agent of this.layout.agents) rmSync(localSocketPath(agent.dataDir), { force: true });
    if (!options.keepData) this.removeData();
  }

  /** Removes the folder. Nothing may run in it any more. */
  removeData(): void {
    rmSync(this.layout.folder, { recursive: true, force: true });
  }

  /** Runs a `shoal` command against an agent's own socket and returns what it printed. */
  async shoal(agent: AgentPlace, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { stdout } = await runCommand([process.execPath, shoalBin, ...args, '--config', agent.configPath], {
      env,
      timeoutMs: 60_000,
    });
    return stdout;
  }

  async #upHypervisors(agent: AgentPlace): Promise<number> {
    try {
      const body = await this.client(agent.name).json('/compute/v2.1/os-hypervisors');
      const list = body['hypervisors'] as { state: string }[];
      return list.filter((hypervisor) => hypervisor.state === 'up').length;
    } catch {
      // Not there yet: the caller waits, and says how many each agent saw when it gives up.
      return 0;
    }
  }

  #configure(agent: AgentPlace): void {
    mkdirSync(agent.folder, { recursive: true });
    const { real, storage } = this.options;
    const host = agent.address;
    const config = {
      dataDir: agent.dataDir,
      name: agent.name,
      failureDomain: agent.name,
      advertiseAddress: host,
      peer: { listen: `${host}:${agent.peerPort}` },
      gossip: { listen: `${host}:${agent.gossipPort}` },
      api: { listen: `${host}:${agent.apiPort}`, grpcListen: `${host}:${agent.grpcPort}` },
      compute: { driver: real ? 'qemu' : 'fake', ...this.#uids(agent) },
      storage,
      network: real
        ? {
            driver: 'vxlan',
            underlayMtu,
            externalInterface: 'ex0',
            // Its hosts are namespaces without a way to the machine's name servers.
            dnsForwarders: 'off',
            namespacePrefix: agent.namespace,
          }
        : { driver: 'fake' },
      ...(this.options.ceph === undefined ? {} : { ceph: this.options.ceph(agent) }),
      ...(this.options.standbys === undefined ? {} : { raft: { standbys: this.options.standbys } }),
      ...(this.options.backupStore === undefined ? {} : { backups: { store: this.options.backupStore } }),
    };
    writeFileSync(agent.configPath, `# Written by the development cloud at each start.\n${stringify(config)}`);
  }

  /** User numbers of its own for each agent of each cloud of the machine: clouds differ in their octet. */
  #uids(agent: AgentPlace): { uidFirst: number; uidCount: number } {
    const place = this.#record.octet * agentsMax + this.layout.agents.indexOf(agent);
    return { uidFirst: uidRangeDefault.first + place * uidCount, uidCount };
  }

  #writeCredentials(): void {
    const [first] = this.layout.agents;
    if (first !== undefined) writeCredentials(this.layout, apiUrlOf(first), this.#record);
  }

  #setRunning(name: string, entry: ProcessIdentity | undefined): void {
    const others = this.#record.running.filter((candidate) => candidate.name !== name);
    this.#record = { ...this.#record, running: entry === undefined ? others : [...others, { name, ...entry }] };
    writeCloudRecord(this.layout.folder, this.#record);
  }
}

function isRunning(entry: ProcessIdentity): boolean {
  return identifySync(entry.pid)?.startTicks === entry.startTicks;
}

/** Whether the agent's health check answers 200. */
export async function isHealthy(agent: AgentPlace): Promise<boolean> {
  try {
    const response = await fetch(`${apiUrlOf(agent)}/healthz`, { signal: AbortSignal.timeout(1000) });
    return response.status === 200;
  } catch {
    // Not listening yet, or not any more: not healthy is the whole answer.
    return false;
  }
}

function logTail(path: string, from: number): string {
  return readFileSync(path).subarray(from).toString('utf8').split('\n').slice(-20).join('\n');
}

/** A second octet of which no address of this machine is: 10.<octet>.0.0/16 is the cloud's. */
async function freeOctet(): Promise<number> {
  const { stdout } = await runCommand(['ip', '-json', 'address', 'show']);
  const taken = new Set<number>();
  for (const link of JSON.parse(stdout) as { addr_info: { local: string }[] }[]) {
    for (const { local } of link.addr_info) {
      const parts = local.split('.');
      if (parts[0] === '10') taken.add(Number(parts[1]));
    }
  }
  const start = 100 + (process.pid % 100);
  for (let step = 0; step < 150; step++) {
    const octet = 100 + ((start - 100 + step) % 150);
    if (!taken.has(octet)) return octet;
  }
  throw new Error('no free 10.x.0.0/16 network on this machine');
}
