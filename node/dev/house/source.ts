/** The repository's own source files, for what checks the rules of the house: measures.ts and tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));

/** One file. */
export interface Source {
  /** Relative to the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
  /** What it imports: paths relative to the checkout for our own files, bare specifiers otherwise. */
  readonly imports: readonly string[];
  /** What it takes from our own files, or passes on from them. */
  readonly bindings: readonly Binding[];
}

/** Names that a file takes from another of ours. */
interface Binding {
  /** Relative to the checkout. */
  readonly from: string;
  /** `*`: all of them. */
  readonly names: readonly string[];
}

const folders = ['node', 'proto', 'placement', 'drivers', 'api-gateway', 'sim', 'test'];

/** Folders of what programs write. */
const generated: ReadonlySet<string> = new Set(['proto/gen', 'api-gateway/web/app/api/gen']);

/** Every TypeScript and plain JavaScript file that we write. */
export function sources(): readonly Source[] {
  const found: Source[] = [];
  for (const folder of folders) walk(join(repositoryRoot, folder), found);
  return found;
}

/** Paths of all files of ours but for generated ones, from the top of the checkout. */
export function paths(): readonly string[] {
  const below = [...folders, '.github'].flatMap((folder) =>
    readdirSync(join(repositoryRoot, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(repositoryRoot, join(entry.parentPath, entry.name))),
  );
  return [...below, 'README.md'];
}

/** What is written for people among `paths`: READMEs, .proto files and the simulator's scenarios; data of tests left out. */
export function documents(paths: readonly string[]): readonly { readonly path: string; readonly text: string }[] {
  return paths
    .filter((path) => /\.(?:md|proto|ya?ml)$/u.test(path) && !path.startsWith('test/data/'))
    .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }));
}

function walk(folder: string, found: Source[]): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!generated.has(relative(repositoryRoot, path))) walk(path, found);
    } else if (/\.(tsx?|mjs|js)$/.test(entry.name)) {
      found.push(read(path));
    }
  }
}

const statement =
  /(?:^|\n)\s*(?:import|export)\s([^'";]*?)from\s+'([^']+)'|(?:^|\n)import\s+'([^']+)'|\bimport\('([^']+)'\)/g;

function read(path: string): Source {
  const text = readFileSync(path, 'utf8');
  const imports: string[] = [];
  const bindings: Binding[] = [];
  for (const match of text.matchAll(statement)) {
    const specifier = match[2] ?? match[3] ?? match[4] ?? '';
    const isOurs = specifier.startsWith('.');
    const from = isOurs ? relative(repositoryRoot, join(path, '..', specifier)) : specifier;
    imports.push(from);
    if (isOurs) bindings.push({ from, names: namesOf(match[1]) });
  }
  return { path: relative(repositoryRoot, path), text, imports, bindings };
}

/** The names between `import` and `from`. @param clause undefined: an import for its effect, or one at run time. */
function namesOf(clause: string | undefined): readonly string[] {
  const braces = clause?.match(/\{([^}]*)\}/u)?.[1];
  if (clause === undefined || braces === undefined) return ['*'];
  return braces
    .split(',')
    .map(
      (name) =>
        name
          .trim()
          .replace(/^type /u, '')
          .split(' as ')[0] ?? '',
    )
    .filter((name) => name !== '');
}
