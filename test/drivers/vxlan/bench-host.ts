/** Labs for the tests that need root and real namespaces: unique to the run, gone at the end. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { type CommandRunner, runCommand } from '../../../drivers/command.ts';
import { VxlanDriver } from '../../../drivers/vxlan/driver.ts';
import type { VxlanOptions } from '../../../drivers/vxlan/index.ts';
import { makeUnderlay, removeUnderlay, type Underlay } from '../../../drivers/vxlan/lab.ts';
import { externalMac, metadataHostMac, routerMac, serviceMac, transitMac } from '../../../drivers/vxlan/model/names.ts';
import { systemClock } from '../../../node/base/clock.ts';
import type { RouterId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';

/** No step of a test takes longer. */
const stepTimeoutMs = 60_000;
let labs = 0;
/** The router of every lab. */
export const labRouterId = 'router-one' as RouterId;

/** Why real networks cannot be made here; false when they can. */
export async function whyNoNetwork(): Promise<string | false> {
  if (process.getuid?.() !== 0) return 'needs root';
  for (const program of ['ip', 'bridge', 'nft', 'dnsmasq', 'conntrack', 'arping', 'sysctl', 'setpriv', 'busybox']) {
    const found = await runCommand(['sh', '-c', `command -v ${program}`], { okStatus: [0, 1, 127] });
    if (found.status !== 0) return `${program} is not installed`;
  }
  return false;
}

/** Hosts in namespaces, and how to open a driver on each. */
export interface Lab extends Underlay {
  readonly name: string;
  readonly stateDir: string;
  /** A driver for a host (0 is the first): each call is what an agent has after a restart. */
  readonly open: (
    host: number,
    run?: CommandRunner,
    options?: Partial<Pick<VxlanOptions, 'dnsForwarders' | 'vtepIp'>>,
  ) => VxlanDriver;
  /** Runs a command in a namespace, whatever its exit status. */
  readonly run: (
    namespace: string,
    argv: readonly string[],
    timeoutMs?: number,
  ) => Promise<{ ok: boolean; out: string }>;
}

/** Builds a lab whose world is a namespace too, so that nothing of it shows on the machine. */
export async function makeLab(t: Test, hosts: number): Promise<Lab> {
  labs += 1;
  const name = `t${process.pid.toString(36)}${labs}`;
  const stateDir = await mkdtemp(join(tmpdir(), `shoal-${name}-`));
  t.teardown(async () => {
    await removeUnderlay(name, AbortSignal.timeout(stepTimeoutMs));
    await rm(stateDir, { recursive: true, force: true });
  });
  const underlay = await makeUnderlay(
    { name, hosts, cidr: '10.98.0.0/24', externalCidr: '10.97.0.0/24', outside: 'namespace' },
    AbortSignal.timeout(stepTimeoutMs),
  );
  return {
    ...underlay,
    name,
    stateDir,
    open: (index, run = runCommand, options = {}) => {
      const host = underlay.hosts[index];
      if (host === undefined) throw new Error(`there is no host ${index}`);
      return new VxlanDriver(
        { runCommand: run, logger: silentLogger, clock: systemClock },
        {
          namespacePrefix: host.namespace,
          hostNamespace: host.namespace,
          vtepIp: host.vtepIp,
          externalInterface: host.externalInterface,
          stateDir: join(stateDir, String(index)),
          ...options,
        },
      );
    },
    run: async (namespace, argv, timeoutMs = 10_000) => {
      const result = await runCommand(['ip', 'netns', 'exec', namespace, ...argv], {
        timeoutMs,
        okStatus: Array.from({ length: 256 }, (_, status) => status),
      });
      return { ok: result.status === 0, out: result.stdout + result.stderr };
    },
  };
}

/**
 * Everything that a driver could have changed on a host, as text. Counters, ages and handles are left out, and so is what
 * the kernel draws again each time that an interface is made: numbers, and MACs that nobody asked for.
 */
export async function pictureOf(lab: Lab, index: number): Promise<string> {
  const host = lab.hosts[index]?.namespace ?? '';
  const namespaces = (await runCommand(['ip', 'netns', 'list'])).stdout
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name === host || name.startsWith(`${host}-`))
    .sort();
  const vtepIp = lab.hosts[index]?.vtepIp ?? '';
  const wanted = new Set([serviceMac, metadataHostMac, routerMac(labRouterId), externalMac(labRouterId, vtepIp)]);
  for (const each of lab.hosts.keys()) wanted.add(transitMac(labRouterId, each + 1));
  const looks = [
    'nft list ruleset',
    'ip -o link show',
    'ip -4 -o addr show',
    'ip -4 route show table all',
    'ip -4 rule show',
    'ip -4 neigh show nud permanent',
    'ip -6 -o addr show scope global',
    'ip -6 neigh show nud permanent',
    'ip -6 route show table all proto boot',
    'bridge fdb show',
    'bridge -d link show',
  ];
  const pictures = namespaces.map(async (name) => {
    const outs = await Promise.all(looks.map((look) => lab.run(name, look.split(' '))));
    return [`== ${name}`, ...outs.map(({ out }) => stable(out, wanted)), ...(await processesIn(name))].join('\n');
  });
  return (await Promise.all(pictures)).join('\n');
}

/** The same text for the same state. */
function stable(out: string, wanted: ReadonlySet<string>): string {
  const lines = out
    // What the kernel counts by itself comes and goes.
    .replace(/(flags dynamic[^}]*?)\s*\belements = \{[^}]*\}/g, '$1')
    .replace(/packets \d+ bytes \d+/g, 'packets N bytes N')
    .replace(/^\d+: /gm, '')
    .replace(/@if\d+|@\w+(?=:)| link-netns \S+| link-netnsid \d+/g, '')
    .replace(/ state \w+| linkdown|,?NO-CARRIER,?|,LOWER_UP/g, '')
    .replace(/\b[0-9a-f]{2}(:[0-9a-f]{2}){5}\b/g, (mac) =>
      wanted.has(mac) || /^(fa:16:3e|00|ff)/.test(mac) ? mac : 'MAC',
    )
    .split('\n')
    // Multicast, failed and learned entries come and go by themselves.
    .filter((line) => !/(^| )(33:33|01:00)|FAILED|offload| master br-(ex|md) *$/.test(line));
  // nftables text has an order; lists of entries come in the order of interfaces.
  return (out.startsWith('table ') ? lines : lines.sort()).join('\n');
}

/** Pids and names of what lives in a namespace; announcements of addresses come and go. */
async function processesIn(namespace: string): Promise<string[]> {
  const lines: string[] = [];
  for (const pid of (await runCommand(['ip', 'netns', 'pids', namespace])).stdout.split('\n').filter(Boolean)) {
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'gone')).trim();
    if (name !== 'arping' && name !== 'gone') lines.push(`${pid} ${name}`);
  }
  return lines.sort();
}
