/** A pid names a process only together with its start time: pids are used again. */
import { readFileSync } from 'node:fs';

/** Field 22 of /proc/PID/stat, clock ticks since boot; undefined when there is no such process, or only its corpse. */
export function processStartTime(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (caught) {
    if (caught instanceof Error && 'code' in caught && (caught.code === 'ENOENT' || caught.code === 'ESRCH'))
      return undefined;
    throw caught;
  }
  // The second field is the program's name in brackets and may itself hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** Whether `pid` is still the process that started at `startTime`. */
export function isSameProcess(pid: number, startTime: string): boolean {
  return startTime !== '' && processStartTime(pid) === startTime;
}
