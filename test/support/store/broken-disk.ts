/** Real faults of a real disk, for tests on LevelDB: a small file system that fills up, and files whose writes or syncs fail. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** A memory file system of a fixed size; `undefined` where this user may not mount one. */
export class SmallDisk {
  readonly folder: string;

  static mount(mebibytes: number): SmallDisk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'shoal-small-disk-'));
    try {
      mount(['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'shoal-test', folder]);
    } catch {
      rmSync(folder, { recursive: true, force: true });
      return undefined;
    }
    return new SmallDisk(folder);
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Gives it another size; what is on it stays. */
  resize(mebibytes: number): void {
    mount(['-o', `remount,size=${mebibytes}m`, this.folder]);
  }

  /** Ends it and removes the folder. Once. */
  unmount(): void {
    // Lazily: a store that a failed test left open must not keep it.
    execFileSync('umount', ['--lazy', this.folder], { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function mount(args: readonly string[]): void {
  execFileSync('mount', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/**
 * Puts a device in the place of the open write-ahead file of the LevelDB in `folder`. `/dev/null` takes every write, keeps
 * nothing and cannot be synced, which is what a disk with a failing write-back does; `/dev/full` has no room. No write may
 * be under way.
 */
export function replaceWriteAheadFile(folder: string, device: '/dev/null' | '/dev/full'): void {
  const found = readdirSync('/proc/self/fd')
    .map(Number)
    .find((fd) => isWriteAheadFile(fd, folder));
  if (found === undefined) throw new Error(`no write-ahead file is open in ${folder}`);
  closeSync(found);
  const others: number[] = [];
  // A new file gets the lowest number that is free.
  for (let fd = openSync(device, 'w'); fd !== found; fd = openSync(device, 'w')) {
    others.push(fd);
    if (others.length > 100) throw new Error(`file number ${found} was taken by somebody else`);
  }
  for (const fd of others) closeSync(fd);
}

function isWriteAheadFile(fd: number, folder: string): boolean {
  let path: string;
  try {
    path = readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return false; // The listing's own number, closed by now.
  }
  return dirname(path) === folder && /^\d+\.log$/.test(basename(path));
}
