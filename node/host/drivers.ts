/** Makes the drivers that the configuration names. */
import { isIP } from 'node:net';
import { join } from 'node:path';
import { RbdStorageDriver } from '../../drivers/ceph/driver.ts';
import { runCommand } from '../../drivers/command.ts';
import { FakeComputeDriver, FakeComputeHost } from '../../drivers/fake/compute.ts';
import { FakeNetworkDriver } from '../../drivers/fake/network.ts';
import { FakeStorage, FakeStorageDriver } from '../../drivers/fake/storage.ts';
import { LocalStorageDriver } from '../../drivers/local/driver.ts';
import { localPool } from '../../drivers/local/pool-name.ts';
import { DiskExports } from '../../drivers/nbd/exports/disk-exports.ts';
import { QemuDriver, qemuProgram } from '../../drivers/qemu/driver.ts';
import { readQemuDevices } from '../../drivers/qemu/features.ts';
import { guestCpuOf } from '../../drivers/qemu/hardware/cpu-and-memory.ts';
import type { ComputeDriver, NetworkDriver, StorageDriver } from '../../drivers/types.ts';
import { imagesGid, metadataServerUid, type UidRange } from '../../drivers/uid-range.ts';
import { type DnsForwarders, VxlanDriver } from '../../drivers/vxlan/index.ts';
import type { Clock } from '../base/clock.ts';
import type { HostId } from '../base/ids.ts';
import type { Health } from '../base/telemetry/health.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { exportPorts } from '../config/export-ports.ts';
import { vtepIpOf } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { type PoolSetting, poolSettings } from '../config/pools.ts';
import { type Hypervisor, noHypervisor } from './machine/hypervisor.ts';
import { PatientStorage } from './patient-storage.ts';

/** The drivers of one host, started. */
export interface HostDrivers {
  readonly compute: ComputeDriver;
  /** By the names that records use: "local", "rbd", and what the operator named. */
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly network: NetworkDriver;
  readonly hypervisor: Hypervisor;
  /** For people: how real this host is. */
  readonly description: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts them: storage, compute, network, in this order. What was started is stopped again when a later one fails. */
export async function startDrivers(
  deps: { readonly clock: Clock; readonly logger: Logger; readonly health: Health },
  config: Config,
  hostId: HostId,
  signal: AbortSignal,
): Promise<HostDrivers> {
  const { clock, logger } = deps;
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    const uids: UidRange = { first: config.compute.uidFirst, count: config.compute.uidCount };
    const qemu =
      config.compute.driver === 'fake'
        ? undefined
        : new QemuDriver(
            { log: logger.child({ part: 'qemu' }) },
            {
              runDir: join(config.dataDir, 'guests'),
              uids,
              reachablePaths: localFolders(config),
              moveAddress: vtepIpOf(config),
            },
          );
    const passable = qemu !== undefined && !(await qemu.prepare()).isWhole;
    const fakeStorages: FakeStorage[] = [];
    const storage = new Map<string, StorageDriver>();
    // One for all pools: ports and user numbers are the host's.
    // A name is no place where something can listen: such a host serves nothing.
    const isPlace = qemu !== undefined && isIP(vtepIpOf(config)) !== 0;
    const exports = isPlace
      ? new DiskExports(
          { log: logger.child({ part: 'exports' }) },
          {
            runDir: join(config.dataDir, 'exports'),
            address: vtepIpOf(config),
            ports: exportPorts(config),
            uids,
            reachablePaths: localFolders(config),
          },
        )
      : undefined;
    for (const pool of poolSettings(config)) {
      const driver =
        qemu === undefined && pool.driver === 'local'
          ? new FakeStorageDriver(added(fakeStorages, new FakeStorage({ shared: false })))
          : storageDriver(pool, { logger, config, hostId, passable, exports });
      const patient = new PatientStorage(deps, driver, pool.name !== localPool, pool.name);
      storage.set(pool.name, patient);
      started.push(patient);
      await patient.start(signal);
    }

    const description: Record<string, string> = {};
    let compute: ComputeDriver;
    let hypervisor = noHypervisor;
    if (qemu === undefined) {
      compute = new FakeComputeDriver(new FakeComputeHost(clock, fakeStorages));
      await compute.start(signal);
      description['compute'] = 'fake';
    } else {
      await qemu.start(signal);
      compute = qemu;
      const { accelerator, acceleratorReason, qemuVersion, machine, firmware } = qemu.facts;
      const { privileges, confinement, limits } = qemu.facts;
      hypervisor = {
        version: versionNumber(qemuVersion),
        machine,
        guestCpu: guestCpuOf(accelerator),
        devices: await readQemuDevices(runCommand, qemuProgram, signal),
        firmware: { uefi: firmware.uefi !== undefined, secureBoot: firmware.secure !== undefined },
      };
      description['compute'] = `QEMU ${qemuVersion}, ${accelerator} (${acceleratorReason})`;
      description['privileges'] = `${privileges.mode}: ${privileges.reason}`;
      description['confinement'] = confinement.isWhole ? 'a mount namespace each' : `none: ${confinement.reason}`;
      description['limits'] = limits;
    }
    started.push(compute);

    const network: NetworkDriver =
      config.network.driver === 'fake'
        ? new FakeNetworkDriver()
        : new VxlanDriver(
            { runCommand, logger: logger.child({ part: 'vxlan' }), clock },
            {
              namespacePrefix: config.network.namespacePrefix,
              vtepIp: vtepIpOf(config),
              dnsForwarders: dnsForwardersOf(config.network.dnsForwarders),
              stateDir: join(config.dataDir, 'network'),
              ...(process.getuid?.() === 0 ? { metadataUid: metadataServerUid(uids) } : {}),
              ...(config.network.externalInterface === ''
                ? {}
                : { externalInterface: config.network.externalInterface }),
            },
          );
    await network.start(signal);
    started.push(network);
    description['network'] = config.network.driver;
    description['storage'] = [...storage.keys()].join(', ');
    return { compute, storage, network, hypervisor, description, stop };
  } catch (caught) {
    await stop();
    throw caught;
  }
}

function localFolders(config: Config): readonly string[] {
  return poolSettings(config).flatMap((pool) => (pool.driver === 'local' ? [pool.path] : []));
}

function added<T>(list: T[], item: T): T {
  list.push(item);
  return item;
}

/** Of one pool, not started. */
function storageDriver(
  pool: PoolSetting,
  host: {
    readonly logger: Logger;
    readonly config: Config;
    readonly hostId: HostId;
    /** Whether guests' users must get through the folders to their disks. */
    readonly passable: boolean;
    readonly exports: DiskExports | undefined;
  },
): StorageDriver {
  const { logger, config, hostId, passable, exports } = host;
  const { name } = pool;
  if (pool.driver === 'rbd') {
    const { confPath, user, imagePool, cephPool } = pool;
    return new RbdStorageDriver(
      { log: logger.child({ part: 'ceph', pool: name }) },
      { identity: { confPath, user }, imagesPool: imagePool, volumesPool: cephPool },
    );
  }
  const uids: UidRange = { first: config.compute.uidFirst, count: config.compute.uidCount };
  return new LocalStorageDriver(
    { log: logger.child({ part: 'local', pool: name }), ...(exports === undefined ? {} : { exports }) },
    {
      root: pool.path,
      passable,
      ...(process.getuid?.() === 0 ? { imagesGid: imagesGid(uids) } : {}),
      ...(name === localPool ? {} : { owner: { pool: name, hostId, notesDir: join(config.dataDir, 'pools') } }),
    },
  );
}

function versionNumber(version: string): number {
  const [major = 0, minor = 0, micro = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major * 1_000_000 + minor * 1_000 + micro;
}

/** Reads the setting: `host`, `off`, or addresses with commas between them. */
function dnsForwardersOf(setting: string): DnsForwarders {
  if (setting === 'host') return setting;
  return setting === 'off' ? [] : setting.split(',');
}
