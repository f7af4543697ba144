/**
 * The rights of the data folder: what is in it is the agent's alone. Folders 0700, files 0600, also those that an earlier
 * version made. Exceptions, each for one user that has to get to one thing:
 *
 *     DATA, network, network/dhcp        0711: dnsmasq, which is not root, passes on its way to its hosts files
 *     ca.pem                             0644: clients on this host trust the API by it; no secret
 *     network/dhcp/NETWORK               drivers/vxlan/services/dnsmasq.ts
 *     network/metadata and below         0710, and drivers/vxlan/services/metadata-files.ts: the metadata server's group
 *     guests, disks and what is in them  the drivers; 0711 only where guests have no mount namespace
 *     images/blobs/SHA256                0640 once a disk lies on it, for the group of all guests
 *
 * New files get their rights from the umask (0077, set by the command line) and from the code that makes them.
 */
import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../base/errors.ts';
import { errnoOf, isMissing } from '../base/system-error.ts';

/** What is done about one path: its rights; or nothing, and whether to look into it all the same. */
type Rule = { readonly mode: number } | 'enter' | 'leave';

const rules: readonly (readonly [RegExp, Rule])[] = [
  [/^(|network|network\/dhcp|guests\/plugs)$/, { mode: 0o711 }],
  [/^network\/metadata$/, { mode: 0o710 }],
  [/^ca\.pem$/, { mode: 0o644 }],
  [/^network\/(dhcp|metadata)\//, 'leave'],
  [/^(guests|guests\/guests|guests\/guests\/[^/]+|disks|disks\/(images|disks))$/, 'enter'],
  [/^guests\/guests\/[^/]+\/(qemu|ceph)$/, 'leave'],
  // Disks of guests that run, as they were given to them.
  [/^guests\/plugs\//, 'leave'],
  [/^disks\/images\/[^/]+\.(qcow2|raw)$/, 'leave'],
];

/** Deepest path in the folder that anything of Shoal's makes, with room. */
const depthMax = 8;

/** Puts the rights right. Returns how many there were to mend. A folder that is not there is nothing to do. */
export async function tightenDataFolder(dataDir: string): Promise<number> {
  return tighten(dataDir, '', 'folder', 0);
}

async function tighten(dataDir: string, path: string, kind: 'folder' | 'file', depth: number): Promise<number> {
  const rule = rules.find(([pattern]) => pattern.test(path))?.[1] ?? { mode: kind === 'folder' ? 0o700 : 0o600 };
  if (rule === 'leave' || depth > depthMax) return 0;
  let mended = 0;
  // The folder first: from then on nobody else makes anything in it.
  if (rule !== 'enter') mended += await setMode(join(dataDir, path), path, rule.mode);
  if (kind === 'file') return mended;
  for (const entry of await entriesOf(join(dataDir, path))) {
    const below = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.isDirectory()) mended += await tighten(dataDir, below, 'folder', depth + 1);
    else if (entry.isFile()) mended += await tighten(dataDir, below, 'file', depth + 1);
  }
  return mended;
}

async function setMode(fullPath: string, path: string, mode: number): Promise<number> {
  try {
    // No link is followed, and a pipe that somebody left is not waited for.
    const file = await open(fullPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = (await file.stat()).mode & 0o7777;
      if (found === mode || (found === 0o640 && /^images\/blobs\//.test(path))) return 0;
      await file.chmod(mode);
      return 1;
    } finally {
      await file.close();
    }
  } catch (caught) {
    if (isMissing(caught)) return 0;
    throw ShoalError.from(caught, 'STORE_FAILED', `setting the rights of ${fullPath}`);
  }
}

async function entriesOf(
  folder: string,
): Promise<readonly { readonly name: string; isDirectory(): boolean; isFile(): boolean }[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (caught) {
    if (isMissing(caught) || errnoOf(caught) === 'ENOTDIR') return [];
    throw ShoalError.from(caught, 'STORE_FAILED', `looking into ${folder}`);
  }
}
