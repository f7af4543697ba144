/** What a cloud has on this machine, as a list of words: for "nothing half-made is left behind". */
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { runCommand } from '../../drivers/command.ts';
import { errnoOf, isMissing } from '../../node/base/system-error.ts';
import type { DevCloud } from '../../node/dev/cloud.ts';

/** QEMU processes, namespaces, links, disks and images of a cloud, sorted. */
export async function hostObjects(cloud: DevCloud): Promise<readonly string[]> {
  const found: string[] = [];
  const { stdout: namespaces } = await runCommand(['ip', 'netns', 'list']);
  const ours = namespaces
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) =>
      cloud.layout.agents.some((agent) => agent.namespace !== undefined && name.startsWith(agent.namespace)),
    );
  found.push(...ours.map((name) => `namespace ${name}`));
  for (const name of ours) {
    // A namespace may go between being listed and being looked into: then it is not there.
    const links = await runCommand(['ip', '-n', name, '-json', 'link', 'show'], { okStatus: [0, 1, 255] });
    const pids = await runCommand(['ip', 'netns', 'pids', name], { okStatus: [0, 1, 255] });
    if (links.status !== 0 || pids.status !== 0) continue;
    found.push(...(JSON.parse(links.stdout) as { ifname: string }[]).map((link) => `link ${name}/${link.ifname}`));
    found.push(
      ...pids.stdout
        .split('\n')
        .flatMap((pid) => lastingProgram(pid))
        .map((program) => `process ${name}/${program}`),
    );
  }
  for (const agent of cloud.layout.agents) {
    for (const folder of ['disks/disks', 'disks/images', 'images/blobs', 'images/incoming', 'guests/guests']) {
      const path = join(agent.dataDir, folder);
      if (!existsSync(path)) continue;
      found.push(...readdirSync(path).map((name) => `file ${agent.name}/${folder}/${name}`));
    }
  }
  return found.sort();
}

/** The program of a process that is meant to last; nothing for the short commands by which agents look at the kernel. */
function lastingProgram(pid: string): string[] {
  try {
    const program = pid === '' ? '' : basename(readlinkSync(`/proc/${pid}/exe`));
    return /^(qemu-system-|dnsmasq$|node$)/.test(program) ? [program] : [];
  } catch (caught) {
    // It ended by itself in between.
    if (isMissing(caught) || errnoOf(caught) === 'ESRCH') return [];
    throw caught;
  }
}
