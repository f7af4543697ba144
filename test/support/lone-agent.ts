/** An agent of its own, alone in its mesh, with fake drivers on free loopback ports: a real process, started by the command line. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trustAuthority } from '../../node/dev/trust.ts';
import { freePorts } from '../../node/raft/bench/machine.ts';

const bin = fileURLToPath(new URL('../../node/bin/shoal.mjs', import.meta.url));
export const adminPassword = 'only-for-this-test';
const startMsMax = 60_000;

/** What a command came to. */
export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `shoal` to its end. */
export function shoal(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      // No configuration of the machine that the test runs on.
      { env: { ...process.env, SHOAL_CONFIG: '', SHOAL_ADMIN_PASSWORD: adminPassword, ...env }, timeout: 60_000 },
      (error, out, err) => resolve({ status: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

export interface LoneAgentOptions {
  /** Beside those that it needs. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Puts files into its folder before it starts; returns settings that name them. */
  readonly prepare?: (folder: string) => Readonly<Record<string, string>>;
  /** Authority that this process is to trust instead of the mesh's own. */
  readonly trust?: string;
}

/** See above. */
export class LoneAgent {
  readonly folder: string;
  readonly dataDir: string;
  /** Flags that name its settings and folder, for every command. */
  readonly flags: readonly string[];
  readonly apiPort: number;
  readonly grpcPort: number;
  readonly peerPort: number;
  #process: ChildProcess | undefined;
  #ended: Promise<unknown> | undefined;

  private constructor(folder: string, ports: readonly number[], settings: Readonly<Record<string, string>>) {
    const [peer = 0, gossip = 0, api = 0, grpc = 0] = ports;
    this.folder = folder;
    this.dataDir = join(folder, 'alpha');
    this.apiPort = api;
    this.grpcPort = grpc;
    this.peerPort = peer;
    const all: Record<string, string> = {
      advertiseAddress: '127.0.0.1',
      name: 'alpha',
      'compute.driver': 'fake',
      'network.driver': 'fake',
      'peer.listen': `127.0.0.1:${peer}`,
      'gossip.listen': `127.0.0.1:${gossip}`,
      'api.listen': `127.0.0.1:${api}`,
      'api.grpcListen': `127.0.0.1:${grpc}`,
      ...settings,
    };
    this.flags = [
      ...Object.entries(all).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
      '--data-dir',
      this.dataDir,
    ];
  }

  /** Founds a mesh and starts its agent. `stop` ends it and removes its folder. */
  static async start(options: LoneAgentOptions = {}): Promise<LoneAgent> {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-lone-'));
    const settings = { ...options.settings, ...options.prepare?.(folder) };
    const agent = new LoneAgent(folder, await freePorts(4), settings);
    const founded = await shoal(['init', '--json', ...agent.flags]);
    if (founded.status !== 0) throw new Error(founded.err);
    trustAuthority(options.trust ?? readFileSync(agent.authorityPath, 'utf8'));
    await agent.run();
    return agent;
  }

  get apiUrl(): string {
    return `https://127.0.0.1:${this.apiPort}`;
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

  /** Starts the agent and waits until it serves. */
  async run(): Promise<void> {
    const log = openSync(join(this.folder, 'agent.log'), 'a');
    const env = { ...process.env, SHOAL_CONFIG: '' };
    const child = spawn(process.execPath, [bin, 'agent', ...this.flags], { stdio: ['ignore', log, log], env });
    this.#process = child;
    this.#ended = new Promise((resolve) => child.once('exit', resolve));
    const endMs = performance.now() + startMsMax;
    for (;;) {
      // Up, and its own advert is in its view.
      const asked = await shoal(['placement', 'what-if', '--flavor', '1', '--json', '--data-dir', this.dataDir]);
      if (asked.status === 0 && !asked.out.includes('"count":0')) return;
      if (child.exitCode !== null || performance.now() > endMs) {
        throw new Error(`the agent does not serve: ${asked.err}\n${this.log.slice(-3000)}`);
      }
    }
  }

  /** Ends the agent; its folder stays. */
  async end(): Promise<void> {
    this.#process?.kill('SIGTERM');
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
