#!/usr/bin/env node
// The command `shoal`. Checks the Node before anything that an old one cannot parse is loaded.
import { enableCompileCache } from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 24 || (major === 24 && minor < 14)) {
  console.error(`shoal needs Node 24.14.1 or later; this is ${process.versions.node}.`);
  console.error('In a checkout, `npx shoal` finds the right one; `npm ci` installs it.');
  process.exit(2);
}
enableCompileCache();
await import('../cli/main.ts');
