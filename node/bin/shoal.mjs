#!/usr/bin/env node
// The command `shoal`. Checks the Node before anything that an old one cannot parse is loaded.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 14)) {
  console.error(`shoal needs Node 24.14.1 or later; this is ${process.versions.node}.`);
  console.error('In a checkout, `npx shoal` finds the right one; `npm ci` installs it.');
  process.exit(2);
}
// Beside the modules, so that nothing is left in /tmp. Where that cannot be written there is no cache, and no harm.
enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/shoal', import.meta.url)));
// The simulator stands above the agent's own command line and has one of its own.
if (process.argv[2] === 'sim') {
  process.argv.splice(2, 1);
  await import('../../sim/main.ts');
} else {
  await import('../cli/main.ts');
}
