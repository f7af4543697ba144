/** Agents with fake drivers on loopback, alone in a mesh or a few of them: real processes, started by the command line. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trustAuthority } from '../../node/dev/trust.ts';
import { freePorts } from '../../node/raft/bench/machine.ts';

const ownCheckout = fileURLToPath(new URL('../../', import.meta.url));
const binOf = (checkout: string): string => join(checkout, 'node/bin/shoal.mjs');
export const adminPassword = 'only-for-this-test';
const startMsMax = 60_000;

/** What a command came to. */
export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `shoal` to its end, of this version or of another's checkout. */
export function shoal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  checkout = ownCheckout,
): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [binOf(checkout), ...args],
      // No configuration of the machine that the test runs on.
      { env: { ...process.env, SHOAL_CONFIG: '', SHOAL_ADMIN_PASSWORD: adminPassword, ...env }, timeout: 60_000 },
      (error, out, err) => resolve({ status: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

export interface LoneAgentOptions {
  /** Its disk has no room for any server: it is up when it can be asked. */
  readonly isTooSmall?: boolean;
  /** Beside those that it needs. */
  readonly settings?: Readonly<Record<string, string>>;
  /** YAML of settings that no flag can give. It lies in the agent's folder and is read at each start: `configure` replaces it. */
  readonly file?: string;
  /** Puts files into its folder before it starts; returns settings that name them. */
  readonly prepare?: (folder: string) => Readonly<Record<string, string>>;
  /** Its name; default alpha. */
  readonly name?: string;
  /** Its address, one of the loopback network; default 127.0.0.1. */
  readonly address?: string;
  /** A member of the mesh that it joins; default: it founds one. */
  readonly join?: LoneAgent;
  /** Where its folder lies; default the system's folder for temporary files. */
  readonly parent?: string;
  /** A checkout of the version that it is of; default this one. */
  readonly checkout?: string;
  /** Authority that this process is to trust instead of the mesh's own. */
  readonly trust?: string;
}

/** See above. */
export class LoneAgent {
  readonly folder: string;
  readonly dataDir: string;
  readonly apiPort: number;
  readonly grpcPort: number;
  readonly peerPort: number;
  readonly #ports: readonly number[];
  readonly #name: string;
  readonly #more: Readonly<Record<string, string>>;
  readonly #isTooSmall: boolean;
  readonly #checkout: string;
  #address: string;
  #configPath: string | undefined;
  #process: ChildProcess | undefined;
  #ended: Promise<unknown> | undefined;

  private constructor(
    folder: string,
    ports: readonly number[],
    options: LoneAgentOptions,
    settings: Readonly<Record<string, string>>,
  ) {
    const [peer = 0, , api = 0, grpc = 0] = ports;
    this.folder = folder;
    this.#ports = ports;
    this.#name = options.name ?? 'alpha';
    this.#address = options.address ?? '127.0.0.1';
    this.#more = settings;
    this.#isTooSmall = options.isTooSmall ?? false;
    this.#checkout = options.checkout ?? ownCheckout;
    this.dataDir = join(folder, this.#name);
    this.apiPort = api;
    this.grpcPort = grpc;
    this.peerPort = peer;
  }

  /** Flags that name its settings and folder, for every command. */
  get flags(): readonly string[] {
    const [peer = 0, gossip = 0, api = 0, grpc = 0] = this.#ports;
    const address = this.#address;
    const settings: Record<string, string> = {
      advertiseAddress: address,
      name: this.#name,
      'compute.driver': 'fake',
      'network.driver': 'fake',
      'peer.listen': `${address}:${peer}`,
      'gossip.listen': `${address}:${gossip}`,
      'api.listen': `${address}:${api}`,
      'api.grpcListen': `${address}:${grpc}`,
      ...this.#more,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const config = this.#configPath === undefined ? [] : ['--config', this.#configPath];
    return [...config, ...flags, '--data-dir', this.dataDir];
  }

  /** Gives it these settings of a file, for when it runs next. */
  configure(yaml: string): void {
    this.#configPath = join(this.folder, 'config.yaml');
    writeFileSync(this.#configPath, yaml);
  }

  /** Gives it another address, for when it runs next. */
  move(address: string): void {
    this.#address = address;
  }

  /** A join ticket of its mesh. */
  async ticket(): Promise<string> {
    const { status, out, err } = await shoal(['ticket', 'create', '--data-dir', this.dataDir], {}, this.#checkout);
    if (status !== 0) throw new Error(err);
    return out.trim();
  }

  /** What a command of it prints as JSON. */
  async json(...args: readonly string[]): Promise<unknown> {
    const { out, err } = await shoal([...args, '--json', '--data-dir', this.dataDir], {}, this.#checkout);
    if (out === '') throw new Error(err);
    return JSON.parse(out);
  }

  /** Founds a mesh and starts its agent. `stop` ends it and removes its folder. */
  static async start(options: LoneAgentOptions = {}): Promise<LoneAgent> {
    const folder = mkdtempSync(join(options.parent ?? tmpdir(), 'shoal-lone-'));
    const settings = { ...options.settings, ...options.prepare?.(folder) };
    const agent = new LoneAgent(folder, await freePorts(4), options, settings);
    if (options.file !== undefined) agent.configure(options.file);
    const member = options.join;
    const made =
      member === undefined
        ? await shoal(['init', '--json', ...agent.flags], {}, agent.#checkout)
        : await shoal(['join', ...agent.flags], { SHOAL_JOIN: await member.ticket() }, agent.#checkout);
    if (made.status !== 0) throw new Error(made.err);
    trustAuthority(options.trust ?? readFileSync(agent.authorityPath, 'utf8'));
    await agent.run();
    return agent;
  }

  /** The same host on another machine, with a copy of its data folder. Not started. */
  copiedTo(address: string, copyFolder: (from: string, to: string) => void): LoneAgent {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-lone-'));
    const copy = new LoneAgent(folder, this.#ports, { name: this.#name, address }, this.#more);
    copyFolder(this.dataDir, copy.dataDir);
    return copy;
  }

  get apiUrl(): string {
    return `https://${this.#address}:${this.apiPort}`;
  }

  /** Certificate of its mesh's authority. This process trusts it already. */
  get authorityPath(): string {
    return join(this.dataDir, 'ca.pem');
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  get log(): string {
    return readFileSync(join(this.folder, 'agent.log'), 'utf8');
  }

  /** Starts the agent, with `ticket` to join first, and waits until it serves and takes servers, or until `isUp`. */
  async run(ticket?: string, isUp: () => Promise<boolean> = () => this.#takesServers()): Promise<void> {
    const log = openSync(join(this.folder, 'agent.log'), 'a');
    const env = { ...process.env, SHOAL_CONFIG: '', ...(ticket === undefined ? {} : { SHOAL_JOIN: ticket }) };
    const child = spawn(process.execPath, [binOf(this.#checkout), 'agent', ...this.flags], {
      stdio: ['ignore', log, log],
      env,
    });
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once('exit', resolve));
    const endMs = performance.now() + startMsMax;
    for (;;) {
      if (await isUp()) return;
      if (child.exitCode !== null || performance.now() > endMs) {
        throw new Error(`the agent does not serve: ${this.log.slice(-3000)}`);
      }
    }
  }

  /** Up, and its own advert is in its view. */
  async #takesServers(): Promise<boolean> {
    const words = ['placement', 'what-if', '--flavor', '1', '--json', '--data-dir', this.dataDir];
    const asked = await shoal(words, {}, this.#checkout);
    return asked.status === 0 && (this.#isTooSmall || !asked.out.includes('"count":0'));
  }

  /** Ends the agent, politely or as a power cut does; its folder stays. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#process?.kill(signal);
    await this.#ended;
    this.#process = undefined;
  }

  async stop(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A token of the administrator. */
  async token(password: string = adminPassword): Promise<string> {
    const domain = { id: 'default' };
    const response = await fetch(`${this.apiUrl}/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        auth: {
          identity: { methods: ['password'], password: { user: { name: 'admin', domain, password } } },
          scope: { project: { name: 'admin', domain } },
        },
      }),
    });
    if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
    return response.headers.get('x-subject-token') ?? '';
  }
}
