/** A NIC as QEMU has it, at the start and later: a back end on the tap, and the device that the guest sees. Pure. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { PortId } from '../../../node/base/ids.ts';
import { type NicModel, nicModels } from '../../types/hardware.ts';
import type { NicSpec } from '../../types.ts';

type Options = Readonly<Record<string, unknown>>;

const idPattern = /^nic-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;
const portPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const queuesMax = 16;
const mtuMin = 68;
const mtuMax = 65_535;

/** QEMU's id of the device. */
export function nicIdOf(portId: string): string {
  return `nic-${portId}`;
}

/** QEMU's id of the back end. */
export function netdevIdOf(portId: string): string {
  return `${nicIdOf(portId)}-tap`;
}

/** The port whose NIC a device is; undefined: it is no NIC. */
export function portOfNicId(id: string): PortId | undefined {
  return idPattern.exec(id)?.[1] as PortId | undefined;
}

/** Cards that fit a port of PCI Express, and so can come and go on a q35. */
export function isExpressNic({ model = 'virtio' }: NicSpec): boolean {
  const express: readonly NicModel[] = ['virtio', 'e1000e', 'vmxnet3'];
  return express.includes(model);
}

/** The back end: the tap, opened by name, as which nothing but this guest's user can. */
export function nicNetdev(nic: NicSpec): Options {
  const queues = queuesOf(nic);
  const many = queues > 1 ? { queues } : {};
  return { type: 'tap', id: netdevIdOf(nic.portId), ifname: nic.tapName, script: 'no', downscript: 'no', ...many };
}

/** The device. No option ROM: guests boot from disks. */
export function nicDevice(nic: NicSpec): Options {
  const { portId, mac, mtu, model = 'virtio' } = nic;
  const isVirtio = model === 'virtio';
  const queues = queuesOf(nic);
  return {
    driver: isVirtio ? 'virtio-net-pci' : model,
    id: nicIdOf(portId),
    netdev: netdevIdOf(portId),
    mac,
    ...(isVirtio ? { host_mtu: mtu } : {}),
    romfile: '',
    // One interrupt for each queue of a pair, one for changes and one for control.
    ...(queues > 1 ? { mq: true, vectors: 2 * queues + 2 } : {}),
  };
}

/** Pairs of queues: only virtio has several. */
function queuesOf({ model = 'virtio', queues = 1 }: NicSpec): number {
  return model === 'virtio' ? queues : 1;
}

/** Refuses what QEMU could misread. `INVALID_ARGUMENT` names the field. @param whose for people: "guest ID". */
export function checkNic(nic: NicSpec, whose: string): void {
  const refuse = (what: string): never => {
    throw new ShoalError('INVALID_ARGUMENT', `${whose}: ${what}`);
  };
  checkPortId(nic.portId, whose);
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(nic.mac)) refuse(`MAC '${nic.mac}'`);
  if (!/^[A-Za-z0-9_.-]{1,15}$/.test(nic.tapName)) refuse(`tap name '${nic.tapName}'`);
  const { mtu, model = 'virtio', queues = 1 } = nic;
  if (!nicModels.includes(model)) refuse(`NIC model '${String(model).slice(0, 64)}'`);
  if (!(Number.isSafeInteger(queues) && queues >= 1 && queues <= queuesMax)) refuse(`${queues} queues`);
  if (!(Number.isSafeInteger(mtu) && mtu >= mtuMin && mtu <= mtuMax)) refuse(`MTU ${mtu}`);
}

/** As `checkNic`, of the id alone. */
export function checkPortId(portId: string, whose: string): void {
  if (portPattern.test(portId)) return;
  throw new ShoalError('INVALID_ARGUMENT', `${whose}: port id '${portId}' is not a lower-case UUID`);
}
