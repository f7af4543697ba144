/** A mesh of real agents: founded by the first, joined by the others with a ticket each, asked by its API like any client. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { callOptions, withLocalAgent } from '../../../../node/cli/kit/local-client.ts';
import { trustAuthority } from '../../../../node/dev/trust.ts';
import { shoal } from '../../../../proto/messages.ts';
import { AgentProcess } from './agent-process.ts';
import { type LinkCounts, StarNetwork } from './star-network.ts';

/** Agents that are started side by side, as the development cloud does. */
const startsAtOnce = 4;
/** Longest that one start may take: many agents share the cores. Unit: milliseconds. */
const readyMsMax = 120_000;
/** A joiner that was refused gets another ticket so often. */
const joinTriesMax = 5;

/** An answer of the API. */
interface Answer {
  /** 0: there was none. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly ms: number;
}

/** How a mesh came to be. */
interface Formed {
  readonly startMs: readonly number[];
  /** From the first joiner's start until every agent saw every host up. */
  readonly joinMs: number;
  readonly ticketsRefused: number;
}

/** See above. */
export class RealMesh {
  readonly agents: readonly AgentProcess[];
  readonly #network: StarNetwork | undefined;
  readonly #password = randomBytes(12).toString('base64url');
  #token = '';

  /**
   * @param folder its data go below it.
   * @param checkout where the agents' program is: of this version, or of an earlier one to be compared.
   * @param isRoot whether hosts can have namespaces; without, they share the machine's loopback, and bytes are not counted.
   */
  constructor(folder: string, count: number, checkout: string, isRoot: boolean) {
    const octet = 100 + (process.pid % 100);
    this.#network = isRoot ? new StarNetwork(`smb${(process.pid % 46_656).toString(36)}`, count, octet) : undefined;
    const program = [join(checkout, 'node_modules/.bin/node'), join(checkout, 'node/bin/shoal.mjs')];
    this.agents = Array.from({ length: count }, (_, at) => {
      const number = at + 1;
      const address =
        this.#network?.addressOf(number) ?? `127.${octet}.${Math.floor(number / 250)}.${(number % 250) + 1}`;
      return new AgentProcess({
        name: `h${number}`,
        folder: join(folder, `h${number}`),
        address,
        namespace: this.#network?.namespaceOf(number),
        metricsReader: this.#network?.benchAddress ?? '127.0.0.0/8',
        program,
      });
    });
  }

  /** Founds it and lets all join; throws, with the end of a log, when one cannot. */
  async form(): Promise<Formed> {
    this.#network?.make();
    const [first, ...others] = this.agents;
    if (first === undefined) throw new Error('a mesh has an agent');
    const [program = '', ...args] = first.command(['init', '--mesh-name', 'bench']);
    await promisify(execFile)(program, args, { env: { ...process.env, SHOAL_ADMIN_PASSWORD: this.#password } });
    const { authorityCertificatePem } = JSON.parse(readFileSync(join(first.dataDir, 'membership.json'), 'utf8')) as {
      authorityCertificatePem: string;
    };
    trustAuthority(authorityCertificatePem);
    const startMs = [await this.#started(first, undefined)];
    await this.#login();
    const beganMs = performance.now();
    let ticketsRefused = 0;
    for (let at = 0; at < others.length; at += startsAtOnce) {
      const batch = others.slice(at, at + startsAtOnce);
      await Promise.all(
        batch.map(async (agent) => {
          const { ms, refused } = await this.#join(first, agent);
          startMs.push(ms);
          ticketsRefused += refused;
        }),
      );
    }
    await this.untilAllSeeAll(this.agents, 120_000 + 2_000 * this.agents.length);
    return { startMs, joinMs: performance.now() - beganMs, ticketsRefused };
  }

  /** Waits until each of `agents` sees so many hosts up. */
  async untilAllSeeAll(agents: readonly AgentProcess[], msMax: number): Promise<void> {
    const untilMs = performance.now() + msMax;
    let waiting = [...agents];
    while (waiting.length > 0) {
      const still: AgentProcess[] = [];
      for (const agent of waiting) if ((await this.upHosts(agent)) < this.agents.length) still.push(agent);
      waiting = still;
      if (waiting.length === 0) return;
      if (performance.now() > untilMs) {
        const names = waiting.map((agent) => agent.name).join(', ');
        throw new Error(`${names} do not see all ${this.agents.length} hosts after ${msMax} ms`);
      }
      await delay(100);
    }
  }

  /** How many hosts `agent` takes to be up. */
  async upHosts(agent: AgentProcess): Promise<number> {
    const { body } = await this.call(agent, 'GET', '/compute/v2.1/os-hypervisors');
    const list = body['hypervisors'];
    return Array.isArray(list) ? list.filter((host: { readonly state?: string }) => host.state === 'up').length : 0;
  }

  /** One request; an answer of any status, or none, is what it resolves with. */
  async call(agent: AgentProcess, method: string, path: string, body?: unknown, msMax = 30_000): Promise<Answer> {
    const startedMs = performance.now();
    try {
      const response = await fetch(`${agent.apiUrl}${path}`, {
        method,
        headers: {
          'x-auth-token': this.#token,
          'x-openstack-nova-api-version': '2.53',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(msMax),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json') === true;
      return {
        status: response.status,
        body: isJson && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {},
        ms: performance.now() - startedMs,
      };
    } catch {
      // Refused, cut or too late: a call that has no status.
      return { status: 0, body: {}, ms: performance.now() - startedMs };
    }
  }

  /** As `call`, for what the bench itself cannot go on without. */
  async must(agent: AgentProcess, method: string, path: string, body?: unknown): Promise<Answer['body']> {
    const answer = await this.call(agent, method, path, body);
    if (answer.status < 200 || answer.status > 299) {
      throw new Error(`${method} ${path} at ${agent.name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return answer.body;
  }

  /** The figures that an agent exports, by name and labels as they are written. */
  async metrics(agent: AgentProcess): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(`${agent.apiUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
    if (response.status !== 200) throw new Error(`the metrics of ${agent.name}: ${response.status}`);
    const found = new Map<string, number>();
    for (const line of (await response.text()).split('\n')) {
      const at = line.lastIndexOf(' ');
      if (!line.startsWith('#') && at > 0) found.set(line.slice(0, at), Number(line.slice(at + 1)));
    }
    return found;
  }

  /** The agent that leads, by its own figures; undefined while none says so. */
  async leader(): Promise<AgentProcess | undefined> {
    for (const agent of this.agents) {
      if (agent.isRunning && (await this.metrics(agent)).get('shoal_raft_is_leader') === 1) return agent;
    }
    return undefined;
  }

  /** What each agent has sent and received since its cable was laid; undefined without namespaces. */
  links(): ReadonlyMap<AgentProcess, LinkCounts> | undefined {
    const counted = this.#network?.counts();
    if (counted === undefined) return undefined;
    const found = new Map<AgentProcess, LinkCounts>();
    for (const [at, agent] of this.agents.entries()) {
      const counts = counted.get(at + 1);
      if (counts !== undefined) found.set(agent, counts);
    }
    return found;
  }

  /** Uploads an image that the fake drivers take, and lifts the quotas; resolves with the image's id. */
  async makeImage(): Promise<string> {
    const [first] = this.agents;
    if (first === undefined) throw new Error('a mesh has an agent');
    const properties = { name: 'bench', disk_format: 'raw', container_format: 'bare', min_disk: 0 };
    const { id } = await this.must(first, 'POST', '/image/v2/images', properties);
    const upload = await fetch(`${first.apiUrl}/image/v2/images/${String(id)}/file`, {
      method: 'PUT',
      headers: { 'x-auth-token': this.#token, 'content-type': 'application/octet-stream' },
      body: bootableBytes(),
      signal: AbortSignal.timeout(30_000),
    });
    if (upload.status !== 204) throw new Error(`the image was not taken: ${upload.status} ${await upload.text()}`);
    const projects = await this.must(first, 'GET', '/identity/v3/projects?name=admin');
    const [project] = projects['projects'] as { id: string }[];
    await this.must(first, 'PUT', `/compute/v2.1/os-quota-sets/${project?.id ?? ''}`, {
      quota_set: { instances: -1, cores: -1, ram: -1 },
    });
    return String(id);
  }

  /** Starts an agent that has been a member before; throws when it does not come. */
  async restart(agent: AgentProcess): Promise<number> {
    return this.#started(agent, undefined);
  }

  /** Ends all agents and takes the network away. */
  async stop(): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent.end('SIGKILL')));
    this.#network?.remove();
  }

  async #join(through: AgentProcess, agent: AgentProcess): Promise<{ ms: number; refused: number }> {
    const startedMs = performance.now();
    for (let refused = 0; refused < joinTriesMax; refused += 1) {
      const { ticket } = await withLocalAgent(through.dataDir, (client) =>
        client.calls(shoal.v1.ClusterService).createTicket({ ttlSeconds: 3600 }, callOptions),
      );
      const ms = await agent.start(ticket, readyMsMax);
      if (ms !== undefined) return { ms: refused === 0 ? ms : performance.now() - startedMs, refused };
    }
    throw new Error(`${agent.name} could not join ${joinTriesMax} times; the end of its log:\n${agent.logTail()}`);
  }

  async #started(agent: AgentProcess, ticket: string | undefined): Promise<number> {
    const ms = await agent.start(ticket, readyMsMax);
    if (ms === undefined) throw new Error(`${agent.name} did not start; the end of its log:\n${agent.logTail()}`);
    return ms;
  }

  /** One token for all agents: they all believe what one has signed. */
  async #login(): Promise<void> {
    const [first] = this.agents;
    const domain = { name: 'Default' };
    const response = await fetch(`${first?.apiUrl ?? ''}/identity/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        auth: {
          identity: { methods: ['password'], password: { user: { name: 'admin', domain, password: this.#password } } },
          scope: { project: { name: 'admin', domain } },
        },
      }),
      signal: AbortSignal.timeout(10_000),
    });
    this.#token = response.headers.get('x-subject-token') ?? '';
    if (this.#token === '') throw new Error(`no token: ${response.status} ${await response.text()}`);
  }
}

/** A raw disk that is not all zeros: a boot sector's mark at its end, and nothing else. */
function bootableBytes(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(65_536);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}
