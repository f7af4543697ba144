/**
 * A control group for each guest, and for each disk that is served, with bounds on its memory and its threads: a QEMU gone
 * wild is ended by the kernel before it takes the host's memory or process table.
 *
 *     MOUNT/shoal-TAG/ID    TAG is made of the run folder: agents of one machine do not meet
 *
 * Control groups of version 2 (one tree) and of version 1 (a tree for each controller) both serve. What cannot be had
 * here is left out and said (`reason`): in a container the trees are often read-only. A guest stays in its group when the
 * agent ends; one that was adopted stays where it is.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf, isMissing } from '../../../node/base/system-error.ts';

/** How often the group of a guest that has ended is tried to be removed, and from one try to the next. Unit of the second: ms. */
const removeTries = 40;
const lookAgainMs = 25;

/** What a guest may take. */
interface GuestLimits {
  readonly memoryBytes: number;
  readonly threads: number;
}

/** Something that bounds memory or threads here, and where. */
interface Tree {
  readonly folder: string;
  readonly file: string;
  readonly of: keyof GuestLimits;
}

const controllers = [
  { name: 'memory', v1File: 'memory.limit_in_bytes', v2File: 'memory.max', of: 'memoryBytes' },
  { name: 'pids', v1File: 'pids.max', v2File: 'pids.max', of: 'threads' },
] as const;

/** Name of the group of all guests of a run folder. */
export function cgroupOfAgent(runDir: string): string {
  return `shoal-${createHash('sha256').update(runDir).digest('hex').slice(0, 12)}`;
}

/** See above. */
export class GuestCgroups {
  readonly #trees: readonly Tree[];
  /** For people: what is bounded, and what is not and why. */
  readonly reason: string;

  private constructor(trees: readonly Tree[], reason: string) {
    this.#trees = trees;
    this.reason = reason;
  }

  /** None at all: for an agent that is not root. */
  static none(reason: string): GuestCgroups {
    return new GuestCgroups([], reason);
  }

  /** Finds the trees of this machine and makes this agent's own group in each. Never fails: see `reason`. */
  static async open(runDir: string): Promise<GuestCgroups> {
    const tag = cgroupOfAgent(runDir);
    const mounts = cgroupMounts(await readFile('/proc/self/mountinfo', 'utf8'));
    const trees: Tree[] = [];
    const said: string[] = [];
    for (const { name, v1File, v2File, of } of controllers) {
      const v2 = mounts.find((mount) => mount.version === 2);
      const v1 = mounts.find((mount) => mount.version === 1 && mount.controllers.includes(name));
      try {
        if (v1 !== undefined) {
          trees.push({ folder: await ownGroup(v1.path, tag), file: v1File, of });
          said.push(`${name} bounded (version 1)`);
        } else if (v2 !== undefined && (await enable(v2.path, name))) {
          const folder = await ownGroup(v2.path, tag);
          await enable(folder, name);
          trees.push({ folder, file: v2File, of });
          said.push(`${name} bounded`);
        } else said.push(`${name} not bounded: no control group has it here`);
      } catch (caught) {
        said.push(`${name} not bounded: ${caught instanceof Error ? caught.message : String(caught)}`);
      }
    }
    return new GuestCgroups(trees, said.join('; '));
  }

  /** Makes the guest's groups with these limits and returns their folders, for the guest to enter before it runs. */
  async make(id: string, limits: GuestLimits): Promise<readonly string[]> {
    for (const { folder, file, of } of this.#trees) {
      await mkdir(join(folder, id), { recursive: true });
      await writeFile(join(folder, id, file), String(limits[of]));
    }
    return this.#folders.map((folder) => join(folder, id));
  }

  /** Lets the guest have so many threads more than it may have now. */
  async addThreads(id: string, more: number): Promise<void> {
    for (const { folder, file, of } of this.#trees) {
      if (of !== 'threads') continue;
      const path = join(folder, id, file);
      const now = Number((await readFile(path, 'utf8')).trim());
      if (Number.isSafeInteger(now)) await writeFile(path, String(now + more));
    }
  }

  /** Removes the guest's groups. They must be empty: its process is gone. */
  async remove(id: string): Promise<void> {
    for (const folder of this.#folders) await removeGroup(join(folder, id), removeTries);
  }

  /** Removes the groups of guests that are not `known`. One that is in use stays. */
  async sweep(known: readonly string[]): Promise<void> {
    for (const folder of this.#folders) {
      for (const group of await groupsIn(folder)) {
        if (known.includes(group)) continue;
        await removeGroup(join(folder, group));
      }
    }
  }

  /** Removes the agent's own groups, unless guests are in them. */
  async close(): Promise<void> {
    await this.sweep([]);
    for (const folder of this.#folders) await removeGroup(folder);
  }

  get #folders(): readonly string[] {
    return [...new Set(this.#trees.map((tree) => tree.folder))];
  }
}

interface CgroupMount {
  readonly version: 1 | 2;
  readonly path: string;
  readonly controllers: readonly string[];
}

/** The control group trees in a mountinfo (proc(5)), as far as they show from their root on. */
function cgroupMounts(mountinfo: string): readonly CgroupMount[] {
  return mountinfo.split('\n').flatMap((line): CgroupMount[] => {
    const [before = '', after = ''] = line.split(' - ');
    const path = before.split(' ')[4];
    const [type, , options = ''] = after.split(' ');
    if (path === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return [];
    const isV2 = type === 'cgroup2';
    return [
      { version: isV2 ? 2 : 1, path: path.replaceAll('\\040', ' '), controllers: isV2 ? [] : options.split(',') },
    ];
  });
}

async function ownGroup(mount: string, tag: string): Promise<string> {
  const folder = join(mount, tag);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Lets the groups below `folder` have a controller (version 2). False when `folder` itself does not have it. */
async function enable(folder: string, controller: string): Promise<boolean> {
  const has = (await readFile(join(folder, 'cgroup.controllers'), 'utf8')).trim().split(' ');
  if (!has.includes(controller)) return false;
  const given = (await readFile(join(folder, 'cgroup.subtree_control'), 'utf8')).trim().split(' ');
  if (!given.includes(controller)) await writeFile(join(folder, 'cgroup.subtree_control'), `+${controller}`);
  return true;
}

/** Names of the groups below `folder`; none when another agent with the same run folder has removed it as it stopped. */
async function groupsIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (caught) {
    if (isMissing(caught)) return [];
    throw caught;
  }
}

/** @param tries the kernel lets a process go from its group a moment after it has ended. */
async function removeGroup(folder: string, tries = 1): Promise<void> {
  for (let left = tries; left > 0; left -= 1) {
    try {
      return await rmdir(folder);
    } catch (caught) {
      if (isMissing(caught)) return;
      // In use, or not empty: a process in it lives, and the next sweep looks again.
      if (!['EBUSY', 'ENOTEMPTY'].includes(errnoOf(caught) ?? '')) throw caught;
    }
    if (left > 1) await delay(lookAgainMs);
  }
}
