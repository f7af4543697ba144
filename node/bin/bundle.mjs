// The program as one bundle: 2,750 modules, each with its own bookkeeping in Node and V8, take three times the processor to
// load and 45 MB more than the same code in a few files. Nothing is checked or changed here that would make the bundle
// another program: types are stripped as Node does it, and names stay, so that stacks can be read.
//
// A bundle belongs to the sources that it was made of: any of them newer, larger, gone or added is another bundle.
// Without esbuild, or where node_modules cannot be written, the sources themselves are run.
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cache = join(root, 'node_modules/.cache/shoal-bundles');
/** What the program is made of, besides packages, whose lock stands for them. */
const sources = ['api-gateway', 'drivers', 'node', 'placement', 'proto', 'package-lock.json'];
/** Each version has two; a command that runs may load a part of an older one later. */
const bundlesKept = 8;

/**
 * URL of the bundle's module that runs the command line; undefined where there is none, and the sources are to be run.
 *
 * @param {{ readonly make: boolean }} options whether to make it when it is missing, which takes a second or more.
 * @returns {Promise<string | undefined>}
 */
export async function bundleUrl({ make }) {
  const entry = join(cache, sourcesKey(), 'shoal.mjs');
  const isThere = existsSync(entry) || (make && (await makeBundle(entry, commandsAsModules)));
  return isThere ? pathToFileURL(entry).href : undefined;
}

/**
 * Path of the agent's script (agent-script.mjs), which is made when it is missing; undefined where it cannot be.
 *
 * @returns {Promise<string | undefined>}
 */
export async function agentScript() {
  const entry = join(cache, `${sourcesKey()}-agent`, 'agent.cjs');
  return existsSync(entry) || (await makeBundle(entry, agentAsScript)) ? entry : undefined;
}

/** Says which sources these are, without reading them. */
function sourcesKey() {
  const hash = createHash('sha256').update(process.version);
  for (const name of sources) addTo(hash, join(root, name));
  return hash.digest('hex').slice(0, 32);
}

function addTo(hash, path) {
  const { size, mtimeNs } = statSync(path, { bigint: true });
  const entries = lstatSync(path).isDirectory() ? readdirSync(path).sort() : undefined;
  // A folder's own time changes with what is made in it that is no source.
  hash.update(entries === undefined ? `${path} ${size} ${mtimeNs}\n` : `${path}/\n`);
  for (const entry of entries ?? []) {
    if (entry !== 'bench' && entry !== 'results') addTo(hash, join(path, entry));
  }
}

/** Makes it; false: it cannot be made here. Several that start at once each make one, and the first stays. */
async function makeBundle(entry, own) {
  const folder = join(entry, '..');
  const draft = `${folder}.${process.pid}.tmp`;
  let esbuild;
  try {
    esbuild = await import('esbuild');
  } catch (error) {
    console.error(`shoal: esbuild cannot be loaded, so the sources are run as they are: ${error.message}`);
    return false;
  }
  try {
    const { outputFiles } = await esbuild.build({ ...common, ...own, outdir: draft });
    mkdirSync(draft, { recursive: true });
    for (const { path, text } of outputFiles) writeFileSync(path, inAscii(text));
    try {
      renameSync(draft, folder);
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    }
    forgetOld();
    return true;
  } catch (error) {
    // A checkout that belongs to somebody else is run as it is.
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) {
      console.error(`shoal: no bundle could be made, so the sources are run as they are: ${error.message}`);
    }
    return false;
  } finally {
    rmSync(draft, { recursive: true, force: true });
    await esbuild.stop();
  }
}

const common = {
  absWorkingDir: root,
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node24',
  legalComments: 'none',
  minifySyntax: true,
  // V8 keeps the text for as long as the agent runs, and spaces are a third of it. Names stay, and lines stay short.
  minifyWhitespace: true,
  lineLimit: 160,
  logLevel: 'silent',
  // Finds its native half beside itself.
  external: ['classic-level'],
  plugins: [
    { name: 'place', setup: keepPlaces },
    { name: 'unused', setup: leaveOutUnused },
  ],
};

/** Parts that commands load when they need them are files of their own, so that a command starts with little. */
const commandsAsModules = {
  entryPoints: { shoal: 'node/cli/main.ts' },
  outExtension: { '.js': '.mjs' },
  splitting: true,
  format: 'esm',
  // What packages in CommonJS ask for when they run: Node's own modules.
  banner: {
    js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
  },
};

/** An agent loads everything: one text, which agent-script.mjs calls. */
const agentAsScript = {
  entryPoints: { agent: 'node/cli/agent-main.ts' },
  outExtension: { '.js': '.cjs' },
  format: 'cjs',
  banner: { js: '(function (require, module, exports) {' },
  footer: { js: '})' },
};

/**
 * V8 keeps a text of plain ASCII in one byte a character, any other in two. In strings esbuild has escaped all else; what is
 * left stands in regular expressions and comments, where the escape means the same.
 */
function inAscii(text) {
  return text.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Our modules find files beside themselves, and go on to find them there. */
function keepPlaces(build) {
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    const text = readFileSync(path, 'utf8');
    if (!text.includes('import.meta.url')) return undefined;
    return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' };
  });
}

/** What packages load when they are told nothing, and we tell them (api-gateway/server.ts): its text would stay in memory. */
function leaveOutUnused(build) {
  build.onResolve({ filter: /^@fastify\/(?:ajv-compiler|fast-json-stringify-compiler)$/ }, ({ path }) => ({
    path,
    namespace: 'unused',
  }));
  build.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
    contents: `throw new Error(${JSON.stringify(`${path} is not in the bundle: nothing of Shoal uses it`)});`,
    loader: 'js',
  }));
}

function forgetOld() {
  const bundles = readdirSync(cache)
    .map((name) => ({ path: join(cache, name), madeMs: statSync(join(cache, name)).mtimeMs }))
    .sort((a, b) => b.madeMs - a.madeMs);
  for (const { path } of bundles.slice(bundlesKept)) rmSync(path, { recursive: true, force: true });
}
