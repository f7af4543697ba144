// The agent as one script, with the code that V8 has compiled of it beside it. Node's own cache of compiled code does the same
// for modules, but keeps its copy of all of it in memory, 4 MB, for as long as the agent runs.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import v8 from 'node:v8';
import vm from 'node:vm';
import { crc32 } from 'node:zlib';

/** What stands before the code: its CRC-32, which V8 does not look at. Eight bytes, since V8 copies what is not aligned. */
const headBytes = 8;

/**
 * Loads the script and returns what it exports. Once the agent says that it has started, compiled code that was missing is
 * written, and what starting has left in memory is given back.
 *
 * @param {string} path of the script, a function of `require`, `module` and `exports` in plain ASCII (bundle.mjs).
 */
export function loadAgentScript(path) {
  // The tag names V8's version and flags.
  const codePath = `${path}.${v8.cachedDataVersionTag()}.code`;
  const cachedData = readCode(codePath);
  // As Latin-1 the text is one byte a character and lies outside of V8's heap.
  let script = new vm.Script(readFileSync(path, 'latin1'), {
    filename: path,
    cachedData,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const isKnown = cachedData !== undefined && script.cachedDataRejected === false;
  process.once('shoalStarted', () => {
    if (!isKnown) writeCode(codePath, script.createCachedData());
    script = undefined;
    giveMemoryBack();
  });
  const module = { exports: {} };
  script.runInThisContext()(createRequire(path), module, module.exports);
  return module.exports;
}

/**
 * A whole collection, once, for a tenth of a second: what is left of starting is a fifth of the heap, and an agent at rest makes
 * so little garbage that V8 would come to it after hours.
 */
function giveMemoryBack() {
  setTimeout(() => globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' }), 2_000).unref();
}

function readCode(path) {
  let file;
  try {
    file = readFileSync(path);
  } catch {
    // The first start since the script was made, or a folder that cannot be read: V8 compiles it.
    return undefined;
  }
  if (file.length <= headBytes) return undefined;
  const code = file.subarray(headBytes);
  return file.readUInt32LE() === crc32(code) ? code : undefined;
}

function writeCode(path, code) {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(crc32(code));
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, Buffer.concat([head, code]));
    renameSync(draft, path);
  } catch {
    // Where it cannot be written the next start compiles again, and no harm.
  }
}
