/**
 * A real Ceph of one node, for development and tests: a monitor, a manager and an OSD on a sparse file, from Debian's
 * packages, in one folder, without systemd. Up in about ten seconds. It keeps one copy of everything and trades safety
 * for speed: nothing that anybody wants to keep belongs on it.
 *
 *     DIR/ceph.conf, DIR/keyring      the administrator's
 *     DIR/client.NAME.conf, .keyring  one pair for each client
 *     DIR/run/*.pid, DIR/log/*        daemons
 *     DIR/mon, DIR/mgr, DIR/osd       their data; started again on the same folder, the cluster goes on
 */
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../node/base/errors.ts';
import { isMissing } from '../../node/base/system-error.ts';
import { gibBytes, mibBytes } from '../../node/base/units.ts';
import { runCommand } from '../command.ts';
import { argumentsOf, identify, signalProcess, waitGone } from '../process.ts';
import { CephClient, type CephIdentity } from './client.ts';

/** Debian packages that it needs. */
export const devClusterPackages = ['ceph-mon', 'ceph-mgr', 'ceph-osd', 'ceph-common', 'qemu-block-extra'] as const;

interface DevClusterOptions {
  /** Folder of the cluster's own; made when it is not there. */
  readonly dir: string;
  /** Address on which the daemons listen; it must be this machine's. Default 127.0.0.1. */
  readonly address?: string;
  /** Size of the OSD's sparse file, bytes. Default 4 GiB. */
  readonly osdBytes?: number;
  /** Told what is being done. */
  readonly progress?: (what: string) => void;
}

/** A client of the cluster, for one host. */
interface DevClientOptions {
  readonly name: string;
  /** User that must be able to read the key besides root: the one that QEMU runs as. */
  readonly ownerUid?: number;
  /** What it may use beside the pools that every host uses. */
  readonly furtherPools?: readonly string[];
}

/** Pools that hosts use. */
const devPools = { images: 'images', volumes: 'volumes' } as const;

/** A daemon that was told to go and writes its last. */
const stopTimeoutMs = 15_000;
const startTimeoutMs = 60_000;
const startPollMs = 100;

/**
 * A handle on the cluster of one folder. It holds no process: another run of the program takes the daemons over by pid
 * file.
 */
export class DevCluster {
  readonly dir: string;
  readonly admin: CephIdentity;
  readonly #client: CephClient;

  private constructor(dir: string) {
    this.dir = dir;
    this.admin = { confPath: join(dir, 'ceph.conf'), user: 'admin' };
    this.#client = new CephClient(this.admin);
  }

  /** Starts the cluster of this folder, making it first unless it is there. Running already: success. */
  static async start(options: DevClusterOptions, signal: AbortSignal): Promise<DevCluster> {
    const cluster = new DevCluster(options.dir);
    const progress = options.progress ?? (() => {});
    if (!(await exists(join(options.dir, 'made')))) {
      await rm(options.dir, { recursive: true, force: true });
      progress('making a Ceph cluster');
      await makeCluster(options, signal);
    }
    try {
      for (const daemon of ['mon', 'mgr', 'osd'] as const) {
        progress(`starting Ceph's ${daemon}`);
        await cluster.#startDaemon(daemon, signal);
      }
      await cluster.#untilUp(signal);
      await cluster.#makePools(signal);
      return cluster;
    } catch (caught) {
      await stopDevCluster(options.dir);
      throw caught;
    }
  }

  /** Makes a client unless it is there, and says how to be it. */
  async createClient(options: DevClientOptions, signal: AbortSignal): Promise<CephIdentity> {
    const { name } = options;
    if (!/^[a-z0-9-]{1,40}$/.test(name)) throw new ShoalError('INVALID_ARGUMENT', `'${name}' is not a client name`);
    const pools = [...Object.values(devPools), ...(options.furtherPools ?? [])];
    const osd = pools.map((pool) => `profile rbd pool=${pool}`).join(', ');
    const argv = ['ceph', '--conf', this.admin.confPath, 'auth', 'get-or-create', `client.${name}`];
    // The profile allows to fence a client; letting one in again is asked for beside it.
    const mon = 'profile rbd, allow command "osd blocklist" with blocklistop=rm';
    const keyring = await runCommand([...argv, 'mon', mon, 'osd', osd, 'mgr', 'profile rbd'], { signal });
    const keyringPath = join(this.dir, `client.${name}.keyring`);
    await writeFile(keyringPath, keyring.stdout, { mode: 0o600 });
    if (options.ownerUid !== undefined) {
      // By group, and still root's: QEMU may run as root without the capability to read what others own.
      const group = await runCommand(['id', '-g', String(options.ownerUid)], { signal });
      await chown(keyringPath, 0, Number(group.stdout));
      await chmod(keyringPath, 0o640);
    }
    const monHost = /^mon_host *= *(.*)$/m.exec(await readFile(this.admin.confPath, 'utf8'))?.[1] ?? '';
    const lines = ['[global]', `mon_host = ${monHost}`, `keyring = ${keyringPath}`, 'log_file =', 'admin_socket ='];
    lines.push('rbd_default_clone_format = 2');
    const confPath = join(this.dir, `client.${name}.conf`);
    await writeFile(confPath, `${lines.join('\n')}\n`, { mode: 0o644 });
    return { confPath, user: name };
  }

  /** Ends the daemons. Data stays. */
  async stop(): Promise<void> {
    await stopDevCluster(this.dir);
  }

  async #startDaemon(daemon: 'mon' | 'mgr' | 'osd', signal: AbortSignal): Promise<void> {
    if ((await daemonPid(this.dir, daemon)) !== undefined) return;
    const id = daemonIds[daemon];
    // It goes to the background by itself, once it has come up.
    await runCommand([`ceph-${daemon}`, '--conf', this.admin.confPath, '-i', id], {
      signal,
      timeoutMs: startTimeoutMs,
    });
  }

  async #untilUp(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + startTimeoutMs;
    for (;;) {
      const stat = await this.#client.cephJson(['osd', 'stat'], { signal });
      if (typeof stat === 'object' && stat !== null && 'num_up_osds' in stat && stat.num_up_osds === 1) return;
      if (performance.now() > deadline) throw new ShoalError('DEADLINE_EXCEEDED', "Ceph's OSD did not come up");
      await delay(startPollMs);
    }
  }

  async #makePools(signal: AbortSignal): Promise<void> {
    const made = await this.#client.cephJson(['osd', 'pool', 'ls'], { signal });
    for (const pool of Object.values(devPools)) {
      if (!Array.isArray(made) || !made.includes(pool)) await this.makePool(pool, signal);
    }
  }

  /** Makes a pool of disks or images. There already: success. */
  async makePool(pool: string, signal: AbortSignal): Promise<void> {
    await this.#client.ceph(['osd', 'pool', 'create', pool, '8', '8'], { signal });
    await this.#client.rbd(['pool', 'init', pool], { signal, isLong: true });
  }
}

const daemonIds = { mon: 'a', mgr: 'x', osd: '0' } as const;

/** Ends the daemons of the cluster in `dir`, if any run. */
export async function stopDevCluster(dir: string): Promise<void> {
  for (const daemon of ['osd', 'mgr', 'mon'] as const) {
    const pid = await daemonPid(dir, daemon);
    const process = pid === undefined ? undefined : await identify(pid);
    if (process === undefined) continue;
    await signalProcess(process, 'SIGTERM');
    if (await waitGone(process, stopTimeoutMs)) continue;
    await signalProcess(process, 'SIGKILL');
    await waitGone(process, stopTimeoutMs);
  }
}

/** The daemon's pid, when the process with that number is this cluster's. */
async function daemonPid(dir: string, daemon: 'mon' | 'mgr' | 'osd'): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, 'run', `${daemon}.${daemonIds[daemon]}.pid`), 'utf8');
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking for Ceph's ${daemon}`);
  }
  const pid = Number(text.trim());
  const argv = Number.isSafeInteger(pid) && pid > 0 ? await argumentsOf(pid) : undefined;
  return argv?.includes(join(dir, 'ceph.conf')) === true ? pid : undefined;
}

async function makeCluster(options: DevClusterOptions, signal: AbortSignal): Promise<void> {
  const { dir } = options;
  const address = options.address ?? '127.0.0.1';
  for (const folder of ['run', 'log', 'mon', 'mgr', 'osd']) await mkdir(join(dir, folder), { recursive: true });
  const fsid = randomUUID();
  const port = await freePort(address);
  const confPath = join(dir, 'ceph.conf');
  const keyring = join(dir, 'keyring');
  const conf = {
    fsid,
    mon_host: `v2:${address}:${port}`,
    public_addr: address,
    cluster_addr: address,
    ms_bind_msgr1: false,
    keyring,
    run_dir: join(dir, 'run'),
    pid_file: join(dir, 'run', '$name.pid'),
    log_file: join(dir, 'log', '$name.log'),
    admin_socket: '',
    // One copy on one disk of one host.
    osd_pool_default_size: 1,
    osd_pool_default_min_size: 1,
    osd_crush_chooseleaf_type: 0,
    mon_allow_pool_size_one: true,
    mon_warn_on_pool_no_redundancy: false,
    mon_data_avail_warn: 2,
    mon_data_avail_crit: 1,
    auth_allow_insecure_global_id_reclaim: false,
    // A monitor alone need not wait for others to agree: snapshots and blocklists take 60 ms instead of a second.
    paxos_propose_interval: 0.05,
    paxos_min_wait: 0.01,
    mon_data: join(dir, 'mon'),
    mgr_data: join(dir, 'mgr'),
    osd_data: join(dir, 'osd'),
    osd_objectstore: 'bluestore',
    bluestore_block_create: true,
    bluestore_block_size: options.osdBytes ?? 4 * gibBytes,
    // A small cache: this shares a laptop with its guests.
    bluestore_cache_autotune: false,
    bluestore_cache_size: 64 * mibBytes,
    osd_memory_target: 896 * mibBytes,
    osd_op_num_shards: 2,
    osd_scrub_begin_hour: 0,
    osd_max_pg_log_entries: 500,
    osd_min_pg_log_entries: 250,
    rbd_default_clone_format: 2,
  };
  const lines = Object.entries(conf).map(([key, value]) => `${key} = ${value}`);
  await writeFile(confPath, `[global]\n${lines.join('\n')}\n`);

  // Every key goes into the monitor's first database, so that none has to be asked for later.
  const keys: [string, string[]][] = [
    ['mon.', ['mon', 'allow *']],
    ['client.admin', ['mon', 'allow *', 'osd', 'allow *', 'mgr', 'allow *']],
    ['mgr.x', ['mon', 'allow profile mgr', 'osd', 'allow *']],
    ['osd.0', ['mon', 'allow profile osd', 'mgr', 'allow profile osd', 'osd', 'allow *']],
  ];
  await runCommand(['ceph-authtool', '--create-keyring', keyring], { signal });
  for (const [name, caps] of keys) {
    const args: string[] = [];
    for (let at = 0; at < caps.length; at += 2) args.push('--cap', caps[at] ?? '', caps[at + 1] ?? '');
    await runCommand(['ceph-authtool', keyring, '--gen-key', '-n', name, ...args], { signal });
  }
  await chmod(keyring, 0o600);
  const monmap = join(dir, 'monmap');
  await runCommand(['monmaptool', '--create', '--fsid', fsid, '--addv', 'a', `[v2:${address}:${port}]`, monmap], {
    signal,
  });
  await runCommand(['ceph-mon', '--conf', confPath, '-i', 'a', '--mkfs', '--monmap', monmap, '--keyring', keyring], {
    signal,
  });
  await runCommand(['ceph-mon', '--conf', confPath, '-i', 'a'], { signal });
  const osdUuid = randomUUID();
  await runCommand(['ceph', '--conf', confPath, '--connect-timeout', '20', 'osd', 'new', osdUuid], { signal });
  const mkfs = ['ceph-osd', '--conf', confPath, '-i', '0', '--mkfs', '--osd-uuid', osdUuid];
  await runCommand(mkfs, { signal, timeoutMs: startTimeoutMs });
  await writeFile(join(dir, 'made'), 'whole\n');
}

/** A port that nobody has now, for the monitor. The other daemons find theirs. */
async function freePort(address: string): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', (error) => reject(ShoalError.from(error, 'DRIVER_FAILED', `listening on ${address}`)));
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => {
        if (bound !== null && typeof bound === 'object') resolve(bound.port);
        else reject(new ShoalError('DRIVER_FAILED', `no port on ${address}`));
      });
    });
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await readFile(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}
