/** Figures of a guest: what QEMU's monitor tells, and what the kernel counts for its process and its taps. */
import { readFile } from 'node:fs/promises';
import { isRecord } from '../../node/base/json-value.ts';
import { mibBytes } from '../../node/base/units.ts';
import type { GuestDiagnostics } from '../types.ts';
import { devicesByDisk } from './disks/guest-disks.ts';
import type { QemuGuest } from './guest/guest.ts';

/** USER_HZ, the unit of the times in /proc: the same on every architecture that guests run on. */
const ticksPerS = 100;
const nsPerTick = 1e9 / ticksPerS;

/** Asks for all of it. Throws what the monitor throws. */
export async function guestDiagnostics(guest: QemuGuest, signal: AbortSignal): Promise<GuestDiagnostics> {
  const { pid, startTicks } = guest.identity;
  const { detail } = await guest.state(signal);
  const [memory, balloon, uptime] = await Promise.all([
    guest.execute('query-memory-size-summary', undefined, signal),
    guest.execute('query-balloon', undefined, signal),
    readFile('/proc/uptime', 'utf8'),
  ]);
  return {
    state: detail,
    uptimeS: Math.max(0, Math.floor(Number(uptime.split(' ')[0]) - startTicks / ticksPerS)),
    memoryMib: Math.round(numberIn(memory, 'base-memory') / mibBytes),
    memoryUsedMib: Math.round(numberIn(balloon, 'actual') / mibBytes),
    cpus: await cpusOf(guest, pid, signal),
    disks: await disksOf(guest, signal),
    nics: await nicsOf(guest, pid, signal),
  };
}

async function cpusOf(guest: QemuGuest, pid: number, signal: AbortSignal): Promise<GuestDiagnostics['cpus']> {
  const listed = await guest.execute('query-cpus-fast', undefined, signal);
  const cpus = Array.isArray(listed) ? listed.filter(isRecord) : [];
  return Promise.all(
    cpus.map(async (cpu) => {
      const stat = await readFile(`/proc/${pid}/task/${numberIn(cpu, 'thread-id')}/stat`, 'utf8');
      return { id: numberIn(cpu, 'cpu-index'), timeNs: ticksOfStat(stat) * nsPerTick };
    }),
  );
}

/** User and system time of a thread by its `stat` (proc(5)): fields 14 and 15, behind a name that may hold anything. */
function ticksOfStat(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function disksOf(guest: QemuGuest, signal: AbortSignal): Promise<GuestDiagnostics['disks']> {
  const listed = await guest.execute('query-blockstats', undefined, signal);
  const byDevice = new Map<string, Readonly<Record<string, unknown>>>();
  for (const one of Array.isArray(listed) ? listed : []) {
    if (!isRecord(one) || !isRecord(one['stats'])) continue;
    const device = /^\/machine\/peripheral\/([^/]+)/.exec(String(one['qdev']))?.[1];
    if (device !== undefined) byDevice.set(device, one['stats']);
  }
  return [...(await devicesByDisk(guest, signal))].map(([volumeId, device]) => {
    const stats = byDevice.get(device);
    return {
      volumeId,
      readBytes: numberIn(stats, 'rd_bytes'),
      readRequests: numberIn(stats, 'rd_operations'),
      writeBytes: numberIn(stats, 'wr_bytes'),
      writeRequests: numberIn(stats, 'wr_operations'),
      errors: numberIn(stats, 'failed_rd_operations') + numberIn(stats, 'failed_wr_operations'),
    };
  });
}

async function nicsOf(guest: QemuGuest, pid: number, signal: AbortSignal): Promise<GuestDiagnostics['nics']> {
  const told = await guest.execute('human-monitor-command', { 'command-line': 'info network' }, signal);
  // Of QEMU's own network namespace, where its taps are.
  const counters = countersByInterface(await readFile(`/proc/${pid}/net/dev`, 'utf8'));
  return nicsOfInfo(String(told)).map(({ mac, tapName }) => {
    // What the host receives from a tap, the guest has sent.
    const [sentBytes = 0, sentPackets = 0, sentErrors = 0, sentDrops = 0, , , , , ...received] =
      counters.get(tapName) ?? [];
    const [receivedBytes = 0, receivedPackets = 0, receivedErrors = 0, receivedDrops = 0] = received;
    return {
      ...{ mac, receivedBytes, receivedPackets, receivedErrors, receivedDrops },
      ...{ sentBytes, sentPackets, sentErrors, sentDrops },
    };
  });
}

/** NICs by QEMU's `info network`: a line of the device, then one of its tap. */
function nicsOfInfo(text: string): readonly { readonly mac: string; readonly tapName: string }[] {
  const nics: { mac: string; tapName: string }[] = [];
  let mac: string | undefined;
  for (const line of text.split('\n')) {
    mac = /macaddr=([0-9a-f:]{17})/.exec(line)?.[1] ?? mac;
    const tapName = /type=tap,ifname=([^,\s]+)/.exec(line)?.[1];
    if (mac === undefined || tapName === undefined) continue;
    nics.push({ mac, tapName });
    mac = undefined;
  }
  return nics;
}

/** Counters by interface from `/proc/PID/net/dev`: eight of what was received, eight of what was sent. */
function countersByInterface(text: string): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  for (const line of text.split('\n')) {
    const [, name, counts] = /^\s*([^\s:]+):\s*(.+)$/.exec(line) ?? [];
    if (name !== undefined && counts !== undefined) found.set(name, counts.trim().split(/\s+/).map(Number));
  }
  return found;
}

function numberIn(value: unknown, name: string): number {
  const found = isRecord(value) ? value[name] : undefined;
  return typeof found === 'number' ? found : 0;
}
