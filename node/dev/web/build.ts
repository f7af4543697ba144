/**
 * Builds the web page (`api-gateway/web/app`) into `.web/`: modules and styles with a hash of their content in their names, the
 * two documents that name them, and each of them compressed beside itself. esbuild does it, which the agents' own build has
 * already: Vite would add a development server that is not needed beside a gateway that starts in a second.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build, type Metafile } from 'esbuild';

const appFolder = fileURLToPath(new URL('../../../api-gateway/web/app', import.meta.url));
/** Where agents of this checkout find the page. Absolute path. */
export const builtWebFolder = fileURLToPath(new URL('../../../.web', import.meta.url));
/** Most that a browser loads before the log-in stands there: document, styles and modules, compressed. */
export const firstLoadBytesMax = 80 * 1024;
/** Files of fewer bytes are not compressed: the header that says so costs as much. */
const compressFromBytes = 256;

interface BuiltSize {
  readonly name: string;
  readonly bytes: number;
  readonly compressedBytes: number;
}

interface BuiltWeb {
  readonly files: readonly BuiltSize[];
  readonly firstLoadBytes: number;
}

/** Builds the page where none is built. Returns whether it did. */
export async function ensureWeb(): Promise<boolean> {
  if (existsSync(join(builtWebFolder, 'index.html'))) return false;
  await buildWeb();
  return true;
}

/** Builds all of it again. An agent that runs serves what it has read, and the new files once it is started again. */
export async function buildWeb(folder = builtWebFolder): Promise<BuiltWeb> {
  const making = `${folder}.new-${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  try {
    const built = await bundle(making);
    const sizes = new Map(compressAll(making).map((size) => [size.name, size]));
    const firstLoad = ['index.html', ...built.firstLoad].map((name) => sizes.get(name)?.compressedBytes ?? 0);
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
    return { files: [...sizes.values()], firstLoadBytes: firstLoad.reduce((sum, bytes) => sum + bytes, 0) };
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** Returns the files that the page loads before anything is clicked. */
async function bundle(folder: string): Promise<{ readonly firstLoad: readonly string[] }> {
  const { metafile } = await build({
    entryPoints: {
      page: join(appFolder, 'main.tsx'),
      terminal: join(appFolder, 'terminal/main.ts'),
    },
    outdir: join(folder, 'assets'),
    absWorkingDir: appFolder,
    tsconfig: join(appFolder, 'tsconfig.json'),
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    metafile: true,
    legalComments: 'external',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    logLevel: 'warning',
  });
  const page = entryOf(metafile, 'main.tsx');
  const terminal = entryOf(metafile, 'terminal/main.ts');
  writeFileSync(join(folder, 'index.html'), pageDocument(page));
  writeFileSync(join(folder, 'terminal.html'), terminalDocument(terminal));
  return { firstLoad: [page.script, ...page.styles, ...page.preloads].map((name) => `assets/${name}`) };
}

/** Names of an entry's files, without their folder. */
interface Entry {
  readonly script: string;
  readonly styles: readonly string[];
  /** Modules that the script imports at once: named in the document, so that they are not asked for one after another. */
  readonly preloads: readonly string[];
}

function entryOf({ outputs }: Metafile, source: string): Entry {
  const found = Object.entries(outputs).find(([, output]) => output.entryPoint === source);
  if (found === undefined) throw new Error(`esbuild has built nothing from ${source}`);
  const [path, { cssBundle }] = found;
  const preloads = new Set<string>();
  const follow = (name: string): void => {
    for (const { path: next, kind } of outputs[name]?.imports ?? []) {
      if (kind !== 'import-statement' || preloads.has(next)) continue;
      preloads.add(next);
      follow(next);
    }
  };
  follow(path);
  return {
    script: basename(path),
    styles: cssBundle === undefined ? [] : [basename(cssBundle)],
    preloads: [...preloads].map((name) => basename(name)),
  };
}

function pageDocument(entry: Entry): string {
  return documentOf(
    entry,
    'Shoal',
    '<div id="app"></div><noscript>This page needs JavaScript. The API and the command line do not.</noscript>',
  );
}

function terminalDocument(entry: Entry): string {
  return documentOf(entry, 'Serial console', '<main id="terminal"></main><p id="status" role="status"></p>');
}

function documentOf({ script, styles, preloads }: Entry, title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:,">
${styles.map((name) => `<link rel="stylesheet" href="/ui/assets/${name}">`).join('\n')}
${preloads.map((name) => `<link rel="modulepreload" href="/ui/assets/${name}">`).join('\n')}
<script type="module" src="/ui/assets/${script}"></script>
</head>
<body>${body}</body>
</html>
`;
}

/** Writes each file's compressed form beside it. */
function compressAll(folder: string): readonly BuiltSize[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:js|css|html)$/u.test(name),
  );
  return names.sort().map((name) => {
    const path = join(folder, name);
    const bytes = readFileSync(path);
    if (bytes.length < compressFromBytes) return { name, bytes: bytes.length, compressedBytes: bytes.length };
    const compressed = brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    });
    writeFileSync(`${path}.br`, compressed);
    return { name, bytes: bytes.length, compressedBytes: compressed.length };
  });
}
