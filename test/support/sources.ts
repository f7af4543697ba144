/** The repository's own source files, for the tests that check the rules of the house. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

/** One file. */
export interface Source {
  /** Relative to the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
  /** What it imports: paths relative to the checkout for our own files, bare specifiers otherwise. */
  readonly imports: readonly string[];
}

const folders = ['node', 'proto', 'placement', 'drivers', 'api-gateway', 'sim', 'test'];

/** Every TypeScript and plain JavaScript file that we write. */
export function sources(): readonly Source[] {
  const found: Source[] = [];
  for (const folder of folders) walk(join(repositoryRoot, folder), found);
  return found;
}

function walk(folder: string, found: Source[]): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (relative(repositoryRoot, path) !== 'proto/gen') walk(path, found);
    } else if (/\.(ts|mjs|js)$/.test(entry.name)) {
      found.push(read(path));
    }
  }
}

function read(path: string): Source {
  const text = readFileSync(path, 'utf8');
  const imports: string[] = [];
  for (const match of text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'|\bimport\('([^']+)'\)/g,
  )) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    imports.push(specifier.startsWith('.') ? relative(repositoryRoot, join(path, '..', specifier)) : specifier);
  }
  return { path: relative(repositoryRoot, path), text, imports };
}
