/** What QEMU would misread of a guest's hardware, and what does not go together. */
import type { GuestSpec } from '../../types.ts';
import { familyOf } from './machine-type.ts';

const serialPortsMax = 4;
const videoMemoryMibMax = 256;
/** A mebibyte at once, once an hour: bounds against nonsense. */
const rngBytesMax = 1024 * 1024;
const rngPeriodMsMax = 3_600_000;
const sataPlaces = 6;
const idePlaces = 4;

/** What is wrong, for people; undefined: nothing. */
export function hardwareFault(spec: GuestSpec): string | undefined {
  return faults.map((fault) => fault(spec)).find((text) => text !== undefined);
}

const inRange = (value: number | undefined, least: number, most: number): boolean =>
  value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most);

const faults: readonly ((spec: GuestSpec) => string | undefined)[] = [
  ({ hardware }) => {
    const machine = hardware?.machine;
    return machine !== undefined && familyOf(machine) === undefined ? `machine '${machine.slice(0, 64)}'` : undefined;
  },
  ({ hardware = {} }) => {
    const { serialPorts, video, rng } = hardware;
    if (!inRange(serialPorts, 1, serialPortsMax)) return `${serialPorts} serial ports, not 1 to ${serialPortsMax}`;
    const memory = video?.memoryMib;
    const isPower = memory === undefined || (memory & (memory - 1)) === 0;
    if (!inRange(memory, 1, videoMemoryMibMax) || !isPower) return `${memory} MiB of video memory`;
    if (rng === undefined || rng === 'none') return undefined;
    const isFine = inRange(rng.bytes, 1, rngBytesMax) && inRange(rng.periodMs, 1, rngPeriodMsMax);
    return isFine ? undefined : `${rng.bytes} random bytes in ${rng.periodMs} ms`;
  },
  ({ hardware, vcpus }) => {
    const { topology } = hardware ?? {};
    if (topology === undefined) return undefined;
    const { sockets, cores, threads } = topology;
    const areWhole = [sockets, cores, threads].every((number) => inRange(number, 1, vcpus));
    if (areWhole && sockets * cores * threads === vcpus) return undefined;
    return `${sockets} sockets of ${cores} cores of ${threads} threads are not ${vcpus} vCPUs`;
  },
  numaFault,
  ({ hardware, vcpus }) => {
    const pinned = hardware?.pinnedCpus;
    if (pinned === undefined) return undefined;
    if (pinned.length !== vcpus) return `${pinned.length} CPUs for ${vcpus} vCPUs`;
    return pinned.every((cpu) => inRange(cpu, 0, 4095)) ? undefined : 'a host CPU whose number is out of range';
  },
  ({ hardware }) =>
    hardware?.secureBoot === true && hardware.firmware !== 'uefi' ? 'secure boot without UEFI' : undefined,
  ({ disks }) => {
    const of = (bus: string): number => disks.filter((disk) => disk.bus === bus).length;
    if (of('sata') > sataPlaces) return `more than ${sataPlaces} SATA disks`;
    return of('ide') > idePlaces ? `more than ${idePlaces} IDE disks` : undefined;
  },
];

function numaFault({ hardware, vcpus, memoryMib }: GuestSpec): string | undefined {
  const cells = hardware?.numa;
  if (cells === undefined) return undefined;
  const cpus = cells.flatMap((cell) => cell.cpus).sort((a, b) => a - b);
  const areAll = cpus.length === vcpus && cpus.every((cpu, at) => cpu === at);
  if (cells.length === 0 || !areAll) return 'NUMA nodes that do not have each vCPU once';
  if (!cells.every((cell) => inRange(cell.memoryMib, 1, memoryMib) && inRange(cell.hostNode, 0, 127))) {
    return 'a NUMA node without memory';
  }
  const total = cells.reduce((sum, cell) => sum + cell.memoryMib, 0);
  return total === memoryMib ? undefined : `NUMA nodes with ${total} MiB of ${memoryMib}`;
}
