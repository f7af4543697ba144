#!/usr/bin/env node
// The command `shoal`. Checks the Node before anything that an old one cannot parse is loaded.
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 14)) {
  console.error(`shoal needs Node 24.14.1 or later; this is ${process.versions.node}.`);
  console.error('In a checkout, `npx shoal` finds the right one; `npm ci` installs it.');
  process.exit(2);
}
const [command] = process.argv.slice(2);
// An agent makes little garbage at a time and runs for months. Left alone, V8 gives the young generation 32 MiB, which stay, and
// the C library a heap to each of ten threads, which keeps what each has freed: 4 MB. `gc` is asked once (agent-script.mjs).
const flags = ['--max-semi-space-size=2', '--expose-gc'];
const isFlagged = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) => text.includes('semi-space'));
if (command === 'agent' && !isFlagged) {
  // The same process with another image: supervisors, process ids and open files stay as they are.
  const args = [process.execPath, ...flags, ...process.execArgv, ...process.argv.slice(1)];
  process.execve(process.execPath, args, { MALLOC_ARENA_MAX: '1', ...process.env });
}
// It has been read. What the agent starts has heaps as it likes: qemu-img and rbd allocate from many threads.
if (command === 'agent' && process.env.MALLOC_ARENA_MAX === '1') delete process.env.MALLOC_ARENA_MAX;
// NO_BUNDLE=1 runs the sources themselves, for those who look at them as they run.
const isBundled = (process.env.NO_BUNDLE ?? '') === '';
const script = command === 'agent' && isBundled ? await (await import('./bundle.mjs')).agentScript() : undefined;
if (script !== undefined) {
  const { loadAgentScript } = await import('./agent-script.mjs');
  process.exitCode = await loadAgentScript(script).runAgentCommand(process.argv);
} else {
  // Beside the modules, so that nothing is left in /tmp. Where that cannot be written there is no cache, and no harm.
  enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/shoal', import.meta.url)));
  // Otherwise it is written when the process ends by itself, and many agents never do.
  process.once('shoalStarted', () => flushCompileCache());
  // The simulator stands above the agent's own command line and has one of its own.
  if (command === 'sim') {
    process.argv.splice(2, 1);
    await import('../../sim/main.ts');
  } else {
    const { bundleUrl } = await import('./bundle.mjs');
    const make = command === 'agent' || command === 'init' || command === 'join';
    const url = isBundled ? await bundleUrl({ make }) : undefined;
    await (url === undefined ? import('../cli/main.ts') : import(url));
  }
}
