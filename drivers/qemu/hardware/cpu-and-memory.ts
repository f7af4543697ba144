/** A guest's processors and memory in QEMU's words. Pure. */

import type { GuestHardware, GuestNumaCell } from '../../types/hardware.ts';
import type { GuestSpec } from '../../types.ts';

type Accelerated = 'kvm' | 'tcg';

/** The processor that guests see, by QEMU's name for it. */
export function guestCpuOf(accelerator: Accelerated): string {
  return accelerator === 'kvm' ? 'host' : 'qemu64';
}

/** `-cpu`. */
export function cpuWords({ hardware }: GuestSpec, accelerator: Accelerated): readonly string[] {
  const pmu = hardware?.pmu === undefined ? '' : `,pmu=${onOff(hardware.pmu)}`;
  return ['-cpu', `${guestCpuOf(accelerator)}${pmu}${hardware?.hidesHypervisor === true ? ',kvm=off' : ''}`];
}

/** `-smp`, `-m`, and what the memory is made of where the guest has nodes or large pages. */
export function memoryWords({ vcpus, memoryMib, hardware = {} }: GuestSpec): readonly string[] {
  const words = ['-smp', `cpus=${vcpus}${topologyWords(hardware)}`, '-m', `size=${memoryMib}M`];
  hardware.numa?.forEach((cell, number) => {
    words.push('-object', memoryObject(`ram${number}`, cell.memoryMib, hardware, cell));
    const cpus = cell.cpus.map((cpu) => `,cpus=${cpu}`).join('');
    words.push('-numa', `node,nodeid=${number}${cpus},memdev=ram${number}`);
  });
  if (memoryIsOneObject(hardware)) words.push('-object', memoryObject('ram0', memoryMib, hardware));
  return words;
}

/** Whether all of the memory is one object, which the machine is told of. */
export function memoryIsOneObject(hardware: GuestHardware): boolean {
  return hardware.numa === undefined && (hardware.pageKib ?? 4) > 4;
}

function topologyWords({ topology }: GuestHardware): string {
  if (topology === undefined) return '';
  return `,sockets=${topology.sockets},cores=${topology.cores},threads=${topology.threads}`;
}

/** Large pages are taken at the start: a guest that finds none when it writes would die of it. */
function memoryObject(id: string, memoryMib: number, { pageKib = 4 }: GuestHardware, cell?: GuestNumaCell): string {
  const isLarge = pageKib > 4;
  const kind = isLarge ? 'memory-backend-memfd' : 'memory-backend-ram';
  const pages = isLarge ? `,hugetlb=on,hugetlbsize=${pageKib / 1024}M,prealloc=on` : '';
  const from = cell?.hostNode === undefined ? '' : `,host-nodes=${cell.hostNode},policy=bind`;
  return `${kind},id=${id},size=${memoryMib}M${pages}${from}`;
}

function onOff(value: boolean): 'on' | 'off' {
  return value ? 'on' : 'off';
}
