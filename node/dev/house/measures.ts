/**
 * The measures of the house: what makes it easy or hard to find one's way. Each has a bound that `npm run check` holds; a
 * bound is only ever made tighter.
 */
import { posix } from 'node:path';
import { exportsOf, importedNames } from './exports.ts';
import { circles, fileGraph, floors, roomGraph } from './graph.ts';
import { brokenReferences } from './references.ts';
import { documents, type Source } from './source.ts';
import { type OldWordUse, oldWordsIn } from './words.ts';

/** Most source files in one folder. */
const filesMax = 20;
/** Folders that are collections of one kind, where one more file is one more of the kind. */
const collections: readonly string[] = ['placement/filters', 'test/security'];
/** Longest file, lines. */
const linesMax = 1100;
/** Files above which a reader is told, lines. */
const longLines = 500;
/** Least share of documented exports outside the simulator, benches and tests. */
const documentedMin = 0.95;

interface Measures {
  readonly files: number;
  readonly rooms: number;
  readonly arrows: number;
  readonly floors: number;
  readonly fileCircles: readonly (readonly string[])[];
  readonly roomCircles: readonly (readonly string[])[];
  readonly bigFolders: readonly { readonly folder: string; readonly files: number }[];
  readonly longFiles: readonly { readonly path: string; readonly lines: number }[];
  readonly exports: number;
  readonly documentedExports: number;
  /** `path name` of exports that no file imports. */
  readonly unusedExports: readonly string[];
  /** `file: name` of files that are named in comments and READMEs and are not there. */
  readonly brokenReferences: readonly string[];
  /** Old words, in code, READMEs, .proto files and scenarios. */
  readonly oldWords: readonly OldWordUse[];
}

/**
 * Measures the sources of the whole repository. `sim/` and benches do not count towards documented exports, tests not
 * at all.
 * @param paths all files of the repository.
 */
export function measure(sources: readonly Source[], paths: readonly string[]): Measures {
  const product = sources.filter(({ path }) => !path.startsWith('test/'));
  const files = fileGraph(product);
  const rooms = roomGraph(files);
  const folders = new Map<string, number>();
  for (const { path } of sources) {
    const folder = posix.dirname(path);
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  const written = sources.filter(({ path }) => /\.tsx?$/u.test(path));
  const exported = written.filter(({ path }) => !path.startsWith('test/')).flatMap(exportsOf);
  const imported = importedNames(sources);
  const isJudged = (path: string): boolean => !path.startsWith('sim/') && !path.includes('/bench/');
  const judged = exported.filter(({ path }) => isJudged(path));
  return {
    files: product.length,
    rooms: rooms.size,
    arrows: [...rooms.values()].reduce((sum, to) => sum + to.size, 0),
    floors: floors(rooms),
    fileCircles: circles(files),
    roomCircles: circles(rooms),
    bigFolders: [...folders]
      .filter(([folder, count]) => count > filesMax && !collections.includes(folder))
      .map(([folder, count]) => ({ folder, files: count })),
    longFiles: written
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > longLines)
      .sort((a, b) => b.lines - a.lines),
    exports: judged.length,
    documentedExports: judged.filter(({ isDocumented }) => isDocumented).length,
    unusedExports: exported
      .filter(({ path, name }) => !imported.has(`${path} ${name}`) && !imported.has(`${path} *`))
      .map(({ path, name }) => `${path} ${name}`),
    brokenReferences: brokenReferences(paths),
    oldWords: oldWordsIn([...written, ...documents(paths)].filter(({ path }) => !path.includes('/dev/house/'))),
  };
}

/** What is out of bounds, each in words; empty: nothing. */
export function offences(measures: Measures): readonly string[] {
  const { bigFolders, documentedExports, exports: all, fileCircles, longFiles, roomCircles, unusedExports } = measures;
  const found: string[] = [];
  for (const { folder, files } of bigFolders) found.push(`${folder} holds ${files} files, more than ${filesMax}`);
  for (const circle of fileCircles) found.push(`files import one another: ${circle.join(', ')}`);
  for (const circle of roomCircles) found.push(`folders import one another: ${circle.join(', ')}`);
  for (const { path, lines } of longFiles) {
    if (lines > linesMax) found.push(`${path} has ${lines} lines, more than ${linesMax}`);
  }
  for (const reference of measures.brokenReferences) found.push(`there is no such file: ${reference}`);
  for (const name of unusedExports) found.push(`nobody imports ${name}`);
  if (documentedExports < documentedMin * all) {
    found.push(`${documentedExports} of ${all} exports are documented, less than ${documentedMin * 100} %`);
  }
  for (const { path, times, instead } of measures.oldWords) {
    found.push(`${path} uses an old word ${times} times where the field says: ${instead}`);
  }
  return found;
}
