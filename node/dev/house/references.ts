/** Files that comments and READMEs name, and whether they are there. */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { repositoryRoot } from './source.ts';

/** What is named and not ours: examples of names to be chosen, documents of other projects. */
const foreign: ReadonlySet<string> = new Set([
  'filters/my-filter.ts',
  'weighers/my-weigher.ts',
  'test/x.test.ts',
  'doc/log_format.md',
  'doc/table_format.md',
  'descriptor.proto',
  'shoal/v1.proto',
]);

const fileName = /(?<![\w./*-])((?:\.\.\/)*[\w.-]+(?:\/[\w.-]+)*\.(?:ts|mjs|md|proto|sh))(?![\w-])/gu;

/**
 * Names that lead nowhere, as `file: name`. A name may be seen from the file's folder, from the top, or be the end of a path.
 *
 * @param paths all files of the repository, from its top.
 */
export function brokenReferences(paths: readonly string[]): readonly string[] {
  const ends = new Set(paths.flatMap((path) => path.split('/').map((_, at, parts) => parts.slice(at).join('/'))));
  const broken: string[] = [];
  for (const path of paths) {
    if (!/\.(?:ts|mjs|md)$/u.test(path) || /^proto\/gen\/|^test\/data\/|\/results\//u.test(path)) continue;
    for (const [, name = ''] of wordsOf(path).matchAll(fileName)) {
      const seen = posix.join(posix.dirname(path), name);
      if (!ends.has(seen) && !ends.has(name) && !foreign.has(name)) broken.push(`${path}: ${name}`);
    }
  }
  return broken;
}

/** What is said for people: a README whole, of code the comments. */
function wordsOf(path: string): string {
  const text = readFileSync(join(repositoryRoot, path), 'utf8');
  const lines = text.split('\n');
  // An example's imports are as seen from where the example would lie.
  const isSaid = path.endsWith('.md')
    ? (line: string): boolean => !line.startsWith('import ')
    : (line: string): boolean => /^\s*(?:\/?\*|\/\/)/u.test(line);
  return lines.filter(isSaid).join('\n');
}
