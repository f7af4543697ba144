/** Makes the drivers that the configuration names. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RbdStorageDriver } from '../drivers/ceph/driver.ts';
import { runCommand } from '../drivers/command.ts';
import { FakeComputeDriver, FakeComputeHost } from '../drivers/fake/compute.ts';
import { FakeNetworkDriver } from '../drivers/fake/network.ts';
import { FakeStorage, FakeStorageDriver } from '../drivers/fake/storage.ts';
import { LocalStorageDriver } from '../drivers/local/driver.ts';
import { QemuDriver } from '../drivers/qemu/driver.ts';
import type { ComputeDriver, NetworkDriver, StorageDriver } from '../drivers/types.ts';
import { VxlanDriver } from '../drivers/vxlan/driver.ts';
import type { Clock } from './base/clock.ts';
import type { Logger } from './base/logger.ts';
import { advertisedAddress } from './config/load.ts';
import type { Config } from './config/options.ts';

/** The drivers of one host, started. */
export interface HostDrivers {
  readonly compute: ComputeDriver;
  /** By the names that records use: "local", "rbd". */
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly network: NetworkDriver;
  /** Nova's number: major * 1,000,000 + minor * 1,000 + micro; 0 when there is no hypervisor. */
  readonly hypervisorVersion: number;
  /** For people: how real this host is. */
  readonly description: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts them: storage, compute, network, in this order. What was started is stopped again when a later one fails. */
export async function startDrivers(
  deps: { readonly clock: Clock; readonly logger: Logger },
  config: Config,
  signal: AbortSignal,
): Promise<HostDrivers> {
  const { clock, logger } = deps;
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    for (const part of started.splice(0).reverse()) await part.stop();
  };
  try {
    const storage = new Map<string, StorageDriver>();
    if (config.compute.driver === 'fake') {
      storage.set('local', new FakeStorageDriver(new FakeStorage({ shared: false })));
    } else {
      storage.set(
        'local',
        new LocalStorageDriver({ log: logger.child({ part: 'local' }) }, { root: join(config.dataDir, 'disks') }),
      );
    }
    if (config.ceph.confPath !== '') {
      const { confPath, user, imagePool, diskPool } = config.ceph;
      storage.set(
        'rbd',
        new RbdStorageDriver(
          { log: logger.child({ part: 'ceph' }) },
          { identity: { confPath, user }, imagesPool: imagePool, volumesPool: diskPool },
        ),
      );
    }
    for (const driver of storage.values()) {
      await driver.start(signal);
      started.push(driver);
    }

    const description: Record<string, string> = {};
    let compute: ComputeDriver;
    let hypervisorVersion = 0;
    let tapOwnerUid = 0;
    if (config.compute.driver === 'fake') {
      compute = new FakeComputeDriver(new FakeComputeHost(clock));
      await compute.start(signal);
      description['compute'] = 'fake';
    } else {
      const qemu = new QemuDriver(
        { log: logger.child({ part: 'qemu' }) },
        {
          runDir: join(config.dataDir, 'guests'),
          user: config.compute.user,
          reachablePaths: [
            join(config.dataDir, 'disks'),
            ...(config.ceph.confPath === '' ? [] : [config.ceph.confPath, ...keyringOf(config.ceph.confPath)]),
          ],
        },
      );
      await qemu.start(signal);
      compute = qemu;
      const { accelerator, acceleratorReason, qemuVersion, privileges } = qemu.facts;
      hypervisorVersion = versionNumber(qemuVersion);
      tapOwnerUid = privileges.uid;
      description['compute'] = `QEMU ${qemuVersion}, ${accelerator} (${acceleratorReason})`;
      description['privileges'] = `${privileges.mode}: ${privileges.reason}`;
    }
    started.push(compute);

    const network: NetworkDriver =
      config.network.driver === 'fake'
        ? new FakeNetworkDriver()
        : new VxlanDriver(
            { runCommand, logger: logger.child({ part: 'vxlan' }), clock },
            {
              namespacePrefix: config.network.namespacePrefix,
              vtepIp: config.network.vtepIp || advertisedAddress(config),
              stateDir: join(config.dataDir, 'network'),
              tapOwnerUid,
              ...(config.network.externalInterface === ''
                ? {}
                : { externalInterface: config.network.externalInterface }),
            },
          );
    await network.start(signal);
    started.push(network);
    description['network'] = config.network.driver;
    description['storage'] = [...storage.keys()].join(', ');
    return { compute, storage, network, hypervisorVersion, description, stop };
  } catch (caught) {
    await stop();
    throw caught;
  }
}

/** The keyring that a ceph.conf names: QEMU must be able to read it, and is better told at start than at a guest's. */
function keyringOf(confPath: string): string[] {
  const found = /^\s*keyring\s*=\s*(\S+)\s*$/m.exec(readFileSync(confPath, 'utf8'));
  return found?.[1] === undefined ? [] : [found[1]];
}

function versionNumber(version: string): number {
  const [major = 0, minor = 0, micro = 0] = version.split('.').map((part) => Number.parseInt(part, 10) || 0);
  return major * 1_000_000 + minor * 1_000 + micro;
}
