/** Ways in which one file of a LevelDB folder can be other than it was left. */
import { copyFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Kinds of files of a LevelDB folder. */
export const levelFiles = ['CURRENT', 'MANIFEST', '.log', '.ldb', 'LOG', 'LOCK'] as const;
export type LevelFile = (typeof levelFiles)[number];

export const damages = ['missing', 'empty', 'cut', 'yesterday', 'another', 'flipped'] as const;
export type Damage = (typeof damages)[number];

/** The newest file of a kind; undefined: there is none. */
export async function newestFile(folder: string, kind: LevelFile): Promise<string | undefined> {
  const names = (await readdir(folder)).sort();
  if (kind === 'CURRENT' || kind === 'LOG' || kind === 'LOCK') return names.find((name) => name === kind);
  return names.filter((name) => (kind === 'MANIFEST' ? name.startsWith(kind) : name.endsWith(kind))).at(-1);
}

/** Where whole files of other times and hosts are. */
export interface OtherFolders {
  /** The folder as it was before its last writes. */
  readonly yesterday: string;
  /** The folder of another host. */
  readonly another: string;
}

/** Damages the newest file of a kind; false: nothing came of it, such as a file of the same bytes. */
export async function damageFile(
  folder: string,
  kind: LevelFile,
  damage: Exclude<Damage, 'flipped'>,
  others: OtherFolders,
): Promise<boolean> {
  const name = await newestFile(folder, kind);
  if (name === undefined) return false;
  const path = join(folder, name);
  const before = await readFile(path);
  if (damage === 'missing') await rm(path);
  else if (damage === 'empty') await truncate(path, 0);
  else if (damage === 'cut') await truncate(path, Math.floor(before.length / 2));
  else {
    const source = await newestFile(others[damage], kind);
    if (source === undefined) return false;
    await copyFile(join(others[damage], source), path);
  }
  return damage === 'missing' || Buffer.compare(before, await readFile(path)) !== 0;
}

/** Inverts the bit that lies `share` (0 to 1) of the way through the newest file of a kind; returns where. Unit: bytes. */
export async function flipBit(folder: string, kind: LevelFile, share: number): Promise<number | undefined> {
  const name = await newestFile(folder, kind);
  if (name === undefined) return undefined;
  const path = join(folder, name);
  const bytes = await readFile(path);
  if (bytes.length === 0) return undefined;
  const bit = Math.min(Math.floor(share * bytes.length * 8), bytes.length * 8 - 1);
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  await writeFile(path, bytes);
  return at;
}
