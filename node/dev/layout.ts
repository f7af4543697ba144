/** Where the development cloud keeps what: one folder, everything below it. */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../drivers/process.ts';

/** One agent of the cloud. */
export interface AgentPlace {
  readonly name: string;
  readonly folder: string;
  readonly dataDir: string;
  readonly configPath: string;
  readonly logPath: string;
  /** Underlay address, or 127.0.0.1 without root. */
  readonly address: string;
  /** Network namespace; undefined without root. */
  readonly namespace?: string;
  readonly apiPort: number;
  readonly grpcPort: number;
  readonly peerPort: number;
  readonly gossipPort: number;
}

/** The whole. */
export interface CloudLayout {
  readonly folder: string;
  /** Short, and its own for each folder: part of every interface's and namespace's name. */
  readonly tag: string;
  readonly imageFolder: string;
  readonly cephFolder: string;
  readonly recordPath: string;
  readonly openrcPath: string;
  readonly openrcDemoPath: string;
  readonly cloudsYamlPath: string;
  /** Certificate of the mesh's authority: what clients trust. */
  readonly authorityPath: string;
  /** Private half of the key pair `demo`, which logs in to the demo guests. */
  readonly demoKeyPath: string;
  readonly underlayCidr: string;
  readonly externalCidr: string;
  readonly externalGateway: string;
  readonly agents: readonly AgentPlace[];
}

/** What is kept in `cloud.json` between runs. */
export interface CloudRecord {
  readonly version: 1;
  readonly adminPassword: string;
  /** Of the ordinary user `demo`. */
  readonly demoPassword: string;
  readonly storage: 'local' | 'rbd';
  readonly real: boolean;
  readonly agents: number;
  /** Second octets of the underlay and external networks. */
  readonly octet: number;
  /** Pids of the agents of the current run, with their start times: a pid alone may be another process by now. */
  readonly running: readonly ({ readonly name: string } & ProcessIdentity)[];
}

/** Derives the layout. `octet` picks the networks 10.<octet>.0.0/24 (underlay) and 10.<octet>.1.0/24 (external). */
export function cloudLayout(
  folder: string,
  options: { readonly agents: number; readonly real: boolean; readonly octet: number },
): CloudLayout {
  const tag = createHash('sha256').update(folder).digest('hex').slice(0, 4);
  const agents: AgentPlace[] = [];
  for (let n = 1; n <= options.agents; n++) {
    const name = `h${n}`;
    const place = join(folder, name);
    // Without namespaces the agents share one loopback and need ports of their own.
    const shift = options.real ? 0 : (n - 1) * 10;
    agents.push({
      name,
      folder: place,
      dataDir: join(place, 'data'),
      configPath: join(place, 'config.yaml'),
      logPath: join(place, 'agent.log'),
      address: options.real ? `10.${options.octet}.0.${n}` : '127.0.0.1',
      ...(options.real ? { namespace: `${labName(tag)}-h${n}` } : {}),
      apiPort: options.real ? 5000 : 15_000 + shift,
      grpcPort: 7400 + (options.real ? 0 : 10_000 + shift),
      peerPort: 7401 + (options.real ? 0 : 10_000 + shift),
      gossipPort: 7402 + (options.real ? 0 : 10_000 + shift),
    });
  }
  return {
    folder,
    tag,
    imageFolder: join(folder, 'image'),
    cephFolder: join(folder, 'ceph'),
    recordPath: join(folder, 'cloud.json'),
    openrcPath: join(folder, 'openrc'),
    openrcDemoPath: join(folder, 'openrc-demo'),
    cloudsYamlPath: join(folder, 'clouds.yaml'),
    authorityPath: join(folder, 'ca.pem'),
    demoKeyPath: join(folder, 'demo-key.pem'),
    underlayCidr: `10.${options.octet}.0.0/24`,
    externalCidr: `10.${options.octet}.1.0/24`,
    externalGateway: `10.${options.octet}.1.1`,
    agents,
  };
}

/** Name of the cloud's make-believe data centre (drivers/vxlan/lab.ts). */
export function labName(tag: string): string {
  return `shoal${tag}`;
}

/** Reads `cloud.json`; undefined when there is none. Throws when it does not parse. */
export function readCloudRecord(folder: string): CloudRecord | undefined {
  const path = join(folder, 'cloud.json');
  if (!existsSync(path)) return undefined;
  const record = JSON.parse(readFileSync(path, 'utf8')) as CloudRecord;
  // Clouds of earlier versions have no ordinary user yet; `npm start` makes it.
  return { ...record, demoPassword: record.demoPassword ?? randomBytes(12).toString('base64url') };
}

/** Writes `cloud.json`, readable by its owner alone: it holds the administrator's password. */
export function writeCloudRecord(folder: string, record: CloudRecord): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'cloud.json');
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  chmodSync(path, 0o600);
}

/** Somebody whose credentials are written down. */
interface Account {
  readonly user: string;
  readonly project: string;
  readonly password: string;
}

/**
 * Writes `openrc` (the administrator), `openrc-demo` (an ordinary user) and `clouds.yaml` (both) for the agent that answers
 * at `apiUrl`. All name the authority's certificate as `cacert`.
 */
export function writeCredentials(layout: CloudLayout, apiUrl: string, record: CloudRecord): void {
  const admin: Account = { user: 'admin', project: 'admin', password: record.adminPassword };
  const demo: Account = { user: 'demo', project: 'demo', password: record.demoPassword };
  const cloud = (name: string, url: string, account: Account): string =>
    [
      `  ${name}:`,
      '    auth:',
      `      auth_url: ${url}/identity/v3`,
      `      username: ${account.user}`,
      `      password: '${account.password}'`,
      `      project_name: ${account.project}`,
      '      user_domain_name: Default',
      '      project_domain_name: Default',
      '    region_name: RegionOne',
      '    identity_api_version: 3',
      `    cacert: '${layout.authorityPath}'`,
    ].join('\n');
  const clouds = [
    '# openstack --os-cloud shoal ..., shoal-demo for an ordinary user, shoal-h2 to ask the second agent',
    'clouds:',
    cloud('shoal', apiUrl, admin),
    cloud('shoal-demo', apiUrl, demo),
    ...layout.agents.map((agent) => cloud(`shoal-${agent.name}`, apiUrlOf(agent), admin)),
    '',
  ].join('\n');
  for (const [path, text] of [
    [layout.openrcPath, openrc(layout, apiUrl, admin)],
    [layout.openrcDemoPath, openrc(layout, apiUrl, demo)],
    [layout.cloudsYamlPath, clouds],
  ] as const) {
    writeFileSync(path, text, { mode: 0o600 });
    chmodSync(path, 0o600);
  }
}

function openrc(layout: CloudLayout, apiUrl: string, { user, project, password }: Account): string {
  return [
    '# source this file, then use `openstack`',
    ...Object.entries({
      OS_AUTH_URL: `${apiUrl}/identity/v3`,
      OS_USERNAME: user,
      OS_PASSWORD: password,
      OS_PROJECT_NAME: project,
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OS_REGION_NAME: 'RegionOne',
      OS_IDENTITY_API_VERSION: '3',
      OS_CACERT: layout.authorityPath,
    }).map(([name, value]) => `export ${name}='${value}'`),
    '',
  ].join('\n');
}

/** Base URL of an agent's REST API. */
export function apiUrlOf(agent: AgentPlace): string {
  return `https://${agent.address}:${agent.apiPort}`;
}
