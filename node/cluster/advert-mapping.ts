/** Between the advert as it travels (protobuf) and as placement reads it. */
import type { HostAdvert, ResourcePool } from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';
import type { HostId } from '../base/ids.ts';

/** The advert as placement reads it. Values out of range are caught by placement's own check (`adverseIn`). */
export function placementAdvert(advert: shoal.v1.Advert): HostAdvert {
  const pool = (total: number, reserved: number, allocationRatio: number, used: number): ResourcePool => ({
    total,
    reserved,
    allocationRatio,
    used,
  });
  const disk = pool(advert.diskGib, advert.diskGibReserved, advert.diskRatio, advert.diskGibUsed);
  return {
    hostId: advert.hostId as HostId,
    hostName: advert.hostName,
    cell: advert.cell,
    epoch: advert.epoch,
    sequence: advert.sequence,
    address: advert.hostIp,
    zone: advert.zone,
    failureDomain: advert.failureDomain,
    aggregates: advert.aggregates.map(({ name, metadata }) => ({ name, metadata })),
    vcpus: pool(advert.vcpus, advert.vcpusReserved, advert.vcpusRatio, advert.vcpusUsed),
    memoryMib: pool(advert.memoryMib, advert.memoryMibReserved, advert.memoryRatio, advert.memoryMibUsed),
    diskGib: disk,
    traits: advert.traits,
    state: { enabled: advert.enabled, up: true, disabledReason: advert.disabledReason },
    numInstances: advert.servers,
    ioOps: advert.ioOps,
    buildFailures: advert.buildFailures,
    metrics: { ...advert.metrics, 'cpu.percent': advert.cpuPercent, 'load.1m': advert.load_1m },
    pciPools: [],
    numaCells: [],
    physicalNetworks: advert.physicalNetworks,
    storagePools: advert.storagePools.map((name) => ({
      name,
      shared: name !== 'local',
      freeGib: Math.max(0, Math.floor((disk.total - disk.reserved) * disk.allocationRatio) - disk.used),
    })),
    featureLevel: advert.featureLevel,
    hypervisor: {
      type: advert.hypervisorType,
      version: advert.hypervisorVersion,
      cpuArch: advert.architecture,
      supported: [{ arch: advert.architecture, hypervisorType: advert.hypervisorType, vmMode: 'hvm' }],
    },
    capabilities: {},
  };
}
