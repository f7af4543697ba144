/** `npm run check`: types, layout, lint, generated code. What CI checks besides the tests. All are run, then all told. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const checks: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['node_modules/ts7/bin/tsc', '-p', '.']],
  ['types of the web page', ['node_modules/ts7/bin/tsc', '-p', 'api-gateway/web/app']],
  ['layout and lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--diagnostic-level=warn', '.']],
  ['lint with types', ['node_modules/eslint/bin/eslint.js', '-c', '.eslint.config.mjs', '--max-warnings=0', '.']],
  ['generated code', ['proto/generate.mjs', '--check']],
  ['measures', ['node/dev/house/main.ts']],
];

const failed: string[] = [];
for (const [name, args] of checks) {
  const startedMs = Date.now();
  const result = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  const ok = result.status === 0;
  if (!ok) failed.push(name);
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - startedMs) / 1000).toFixed(1)} s)`);
}
if (failed.length > 0) {
  console.error(`check failed: ${failed.join(', ')}. Layout is mended by: npm run format`);
  process.exitCode = 1;
}
