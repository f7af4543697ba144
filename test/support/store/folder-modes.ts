/** Who may read what below a folder. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** `folder` and everything in it that users other than its owner may use in any way, as `path 0711`, sorted. Links are left out. */
export function openToOthers(folder: string): readonly string[] {
  const found: string[] = [];
  const note = (path: string): void => {
    const mode = statSync(path === '' ? folder : join(folder, path)).mode & 0o7777;
    if ((mode & 0o7077) !== 0) found.push(`${path === '' ? '.' : path} 0${mode.toString(8)}`);
  };
  note('');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    note(join(entry.parentPath, entry.name).slice(folder.length + 1));
  }
  return found.sort();
}
