/** How much memory a machine has, by /proc/meminfo. */
import { kibBytes, mibBytes } from '../../base/units.ts';

interface MemoryInfo {
  /** 0: the kernel does not tell. */
  readonly totalMib: number;
  /** What programs can be given without swapping, by the kernel's own estimate. */
  readonly availableMib: number;
}

/** Reads the text of /proc/meminfo. What is not there is 0; no text is too odd for it. */
export function parseMemoryInfo(text: string): MemoryInfo {
  return { totalMib: mibOf(text, 'MemTotal'), availableMib: mibOf(text, 'MemAvailable') };
}

function mibOf(text: string, name: string): number {
  const kib = Number(new RegExp(`^${name}:\\s+(\\d{1,15}) kB$`, 'm').exec(text)?.[1] ?? 0);
  return Math.floor((kib * kibBytes) / mibBytes);
}
