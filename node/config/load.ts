/** Defaults, file, environment, flags, in this order; validated whole; every mistake reported at once; then frozen. */
import { readFileSync } from 'node:fs';
import { Value } from 'typebox/value';
import { parse as parseYaml } from 'yaml';
import { mistakesIn } from '../../api-gateway/policies/overrides.ts';
import { isUnderlayAddress, vxlanOverheadBytes } from '../../drivers/vxlan/model/underlay-address.ts';
import { parseListenAddress } from '../base/address.ts';
import { ShoalError } from '../base/errors.ts';
import { ipVersion } from '../base/ip-version.ts';
import { defaultRouteAddress } from './default-route.ts';
import { exportMistakes } from './export-ports.ts';
import { listOf } from './list-of.ts';
import { parseNetworks } from './networks.ts';
import { type Config, configDefaults, configSchema } from './options.ts';
import { passthroughMistakes } from './pci-passthrough.ts';
import { placementMistakes } from './placement.ts';
import { poolMistakes, storageMistakes } from './pools.ts';
import { resourceMistakes } from './resources.ts';

/** Where settings come from. Settings are named by their path: `peer.listen`. */
interface ConfigSources {
  /** A YAML file. */
  readonly filePath?: string;
  /** The process's environment: `SHOAL_PEER_LISTEN` sets `peer.listen`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** From flags: path to text. */
  readonly settings?: Readonly<Record<string, string>>;
  /** This machine's own address, where nothing names one. Default: that of the default route. */
  readonly ownAddress?: () => string | undefined;
}

/** Largest configuration file, bytes. */
const fileBytesMax = 256 * 1024;
/** Variables with our prefix that are not settings. */
const environmentOther = new Set(['SHOAL_CONFIG', 'SHOAL_JOIN', 'SHOAL_ADMIN_PASSWORD']);

/** A setting's path with its default: a leaf of the configuration. */
interface Setting {
  readonly path: string;
  readonly environmentName: string;
  readonly defaultValue: string | number;
}

/** Every setting there is, in the order of the schema. */
export function settings(): readonly Setting[] {
  const found: Setting[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    } else {
      found.push({
        path: path.join('.'),
        environmentName: `SHOAL_${path.map((part) => part.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()).join('_')}`,
        defaultValue: value as string | number,
      });
    }
  };
  walk(configDefaults(), []);
  return found;
}

/** Loads the configuration. Throws `CONFIG_INVALID` whose message lists every mistake. */
export function loadConfig(sources: ConfigSources): Config {
  const mistakes: string[] = [];
  const config: Record<string, unknown> = structuredClone(configDefaults());
  if (sources.filePath !== undefined) mergeFile(config, sources.filePath, mistakes);
  const known = settings();
  const byEnvironment = new Map(known.map((setting) => [setting.environmentName, setting]));
  for (const [name, text] of Object.entries(sources.environment ?? {})) {
    if (!name.startsWith('SHOAL_') || environmentOther.has(name) || text === undefined) continue;
    const setting = byEnvironment.get(name);
    if (setting === undefined) mistakes.push(`environment ${name}: no such setting`);
    else assign(config, setting, text, `environment ${name}`, mistakes);
  }
  const byPath = new Map(known.map((setting) => [setting.path, setting]));
  for (const [path, text] of Object.entries(sources.settings ?? {})) {
    const setting = byPath.get(path);
    if (setting === undefined) mistakes.push(`flag ${path}: no such setting`);
    else assign(config, setting, text, `flag ${path}`, mistakes);
  }
  mistakes.push(...schemaMistakes(config), ...storageMistakes(config));
  if (mistakes.length === 0) fillAddress(config as Mutable<Config>, sources.ownAddress ?? defaultRouteAddress);
  if (mistakes.length === 0) mistakes.push(...relationMistakes(config as Config));
  if (mistakes.length > 0) {
    throw new ShoalError('CONFIG_INVALID', `the configuration has mistakes:\n  ${mistakes.join('\n  ')}`, {
      facts: { mistakes },
    });
  }
  return deepFreeze(config as Config);
}

function mergeFile(config: Record<string, unknown>, filePath: string, mistakes: string[]): void {
  let parsed: unknown;
  try {
    const text = readFileSync(filePath, 'utf8');
    if (text.length > fileBytesMax) throw new Error(`larger than ${fileBytesMax} bytes`);
    parsed = parseYaml(text, { maxAliasCount: 10 });
  } catch (caught) {
    mistakes.push(`file ${filePath}: ${caught instanceof Error ? caught.message : String(caught)}`);
    return;
  }
  if (parsed === null || parsed === undefined) return;
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    mistakes.push(`file ${filePath}: not a map of settings`);
    return;
  }
  merge(config, parsed as Record<string, unknown>);
}

function merge(into: Record<string, unknown>, from: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(from)) {
    const existing = Object.hasOwn(into, key) ? into[key] : undefined;
    if (isMap(existing) && isMap(value)) merge(existing, value);
    else Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function assign(
  config: Record<string, unknown>,
  setting: Setting,
  text: string,
  source: string,
  mistakes: string[],
): void {
  let value: string | number = text;
  if (typeof setting.defaultValue === 'number') {
    value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) {
      mistakes.push(`${source}: ${JSON.stringify(text)} is not a number`);
      return;
    }
  }
  const path = setting.path.split('.');
  let at = config;
  for (const part of path.slice(0, -1)) {
    const next = at[part];
    // The file put something else there; the schema will say so.
    if (!isMap(next)) return;
    at = next;
  }
  at[path[path.length - 1] as string] = value;
}

function schemaMistakes(config: unknown): string[] {
  const mistakes = new Map<string, string>();
  for (const error of Value.Errors(configSchema, config)) {
    if (error.keyword === 'additionalProperties') continue; // Told once more, with its name, as 'boolean'.
    const path = error.instancePath.slice(1).replaceAll('/', '.');
    if (error.keyword === 'boolean') mistakes.set(path, `${path}: no such setting`);
    else if (error.keyword === 'const') {
      const allowed = JSON.stringify((error.params as { allowedValue?: unknown }).allowedValue);
      const before = mistakes.get(path);
      mistakes.set(path, before === undefined ? `${path}: must be ${allowed}` : `${before} or ${allowed}`);
    } else if (error.keyword !== 'anyOf') mistakes.set(path, `${path}: ${error.message}`);
  }
  return [...mistakes.values()];
}

/** Relations between settings that no single one shows. */
function relationMistakes(config: Config): string[] {
  const mistakes: string[] = [...mistakesIn(config.policy)];
  if (config.raft.electionTicks <= config.raft.heartbeatTicks * 2) {
    mistakes.push('raft.electionTicks: must be more than twice raft.heartbeatTicks');
  }
  if (config.storage === 'rbd' && config.ceph.confPath === '') {
    mistakes.push('ceph.confPath: needed when storage is "rbd"');
  }
  for (const [path, text] of [
    ['peer.listen', config.peer.listen],
    ['gossip.listen', config.gossip.listen],
    ['api.listen', config.api.listen],
    ['api.grpcListen', config.api.grpcListen],
  ] as const) {
    if (Number(text.slice(text.lastIndexOf(':') + 1)) > 65_535) mistakes.push(`${path}: the port is over 65535`);
  }
  mistakes.push(...poolMistakes(config), ...exportMistakes(config));
  mistakes.push(...placementMistakes(config));
  mistakes.push(...resourceMistakes(config), ...passthroughMistakes(config));
  mistakes.push(...apiMistakes(config), ...virtualAddressMistakes(config));
  const advertised = advertisedAddress(config);
  if (isWildcard(advertised)) {
    mistakes.push(
      'advertiseAddress: needed, since peer.listen names no single address and this machine has no default route',
    );
  }
  const vtepIp = vtepIpOf(config);
  if (config.network.driver === 'vxlan' && !isWildcard(advertised) && !isUnderlayAddress(vtepIp)) {
    mistakes.push(
      `network.vtepIp: ${JSON.stringify(vtepIp)} is neither an IPv4 address nor an IPv6 address in its shortest form, such as fd00::1`,
    );
  }
  return mistakes;
}

/** An address of the API that moves. */
function virtualAddressMistakes({ api }: Config): string[] {
  if (api.virtualAddress === '') return [];
  const [address = '', length = ''] = api.virtualAddress.split('/');
  const version = ipVersion(address);
  const mistakes: string[] = [];
  if (version === 0 || Number(length) < 1 || Number(length) > (version === 4 ? 32 : 128)) {
    mistakes.push('api.virtualAddress: is no address with a prefix length, such as 192.0.2.10/24');
  }
  if (api.virtualInterface === '') mistakes.push('api.virtualInterface: needed when api.virtualAddress is given');
  if (!isWildcard(parseListenAddress(api.listen).host)) {
    mistakes.push('api.listen: must be of all addresses (0.0.0.0 or [::]) when api.virtualAddress is given');
  }
  return mistakes;
}

/** TLS, certificates, proxies. */
function apiMistakes({ api }: Config): string[] {
  const mistakes: string[] = [];
  if (api.tls === 'off') {
    for (const [path, text] of [
      ['api.listen', api.listen],
      ['api.grpcListen', api.grpcListen],
    ] as const) {
      if (isLoopback(text.slice(0, text.lastIndexOf(':')))) continue;
      mistakes.push(`${path}: api.tls is "off", so it must be a loopback address (or say api.tls "insecure")`);
    }
  }
  if ((api.certificatePath === '') !== (api.privateKeyPath === '')) {
    mistakes.push('api.certificatePath and api.privateKeyPath: either both or none');
  }
  for (const name of listOf(api.names)) {
    if (ipVersion(name) === 0 && !/^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name)) {
      mistakes.push(`api.names: "${name}" is neither a DNS name nor an address`);
    }
  }
  for (const name of ['trustedProxies', 'metricsReaders'] as const) {
    try {
      parseNetworks(api[name]);
    } catch (caught) {
      mistakes.push(`api.${name}: ${ShoalError.from(caught, 'CONFIG_INVALID').message}`);
    }
  }
  return mistakes;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Nothing said under which address others reach this host: it is that of the default route, if there is one. */
function fillAddress(config: Mutable<Config>, ownAddress: () => string | undefined): void {
  if (!isWildcard(advertisedAddress(config))) return;
  config.advertiseAddress = ownAddress() ?? '';
}

/** The address under which others reach this host. */
export function advertisedAddress(config: Config): string {
  if (config.advertiseAddress !== '') return config.advertiseAddress;
  return config.peer.listen.slice(0, config.peer.listen.lastIndexOf(':'));
}

/** Whether a host part stands for every address of the machine. */
export function isWildcard(address: string): boolean {
  return address === '' || address === '0.0.0.0' || address === '::' || address === '[::]';
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}

/** This host's address on the underlay: where VXLAN of the others is sent. */
export function vtepIpOf(config: Config): string {
  return config.network.vtepIp || advertisedAddress(config);
}

/** MTU of tenant networks, bytes: what the links between hosts carry without what VXLAN adds. */
export function tenantMtuBytes(config: Config): number {
  return config.network.underlayMtu - vxlanOverheadBytes(vtepIpOf(config));
}
