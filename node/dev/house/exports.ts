/** What files export, whether it is documented, and who imports it. Read from the text: the house has one layout. */
import type { Source } from './source.ts';

interface Export {
  readonly path: string;
  readonly name: string;
  /** A docstring stands right before it. */
  readonly isDocumented: boolean;
}

const declaration =
  /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|interface|type) ([A-Za-z_$][\w$]*)/gmu;

/** Declarations that a file exports; what it only passes on is somebody else's. */
export function exportsOf({ path, text }: Source): readonly Export[] {
  return [...text.matchAll(declaration)].map((match) => ({
    path,
    name: match[1] ?? '',
    isDocumented: text.slice(0, match.index).trimEnd().endsWith('*/'),
  }));
}

/** `path name` of everything that some file imports or passes on; `path *` where all of it is. */
export function importedNames(sources: readonly Source[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { bindings } of sources) {
    for (const { from, names: taken } of bindings) for (const name of taken) names.add(`${from} ${name}`);
  }
  return names;
}
