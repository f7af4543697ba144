/**
 * Checks of the REST API run again, with every request asked of an agent that holds no replica: over HTTP, through peer RPC,
 * to the one that answers. A request that was not relayed fails them (`SHOAL_TEST_RELAY`, test/support/gateway.ts).
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

/** Statuses, bodies, headers, lists and refusals of each service; a subset, for the time of all of them is minutes. */
const suites = ['identity/auth', 'image/images', 'compute/compute-api', 'network/network-api'] as const;
/** Longest that one of them may take on a loaded machine, ms. */
const suiteMsMax = 110_000;

for (const suite of suites) {
  t.test(`${suite} through a relay`, { timeout: suiteMsMax }, async (t) => {
    const path = fileURLToPath(new URL(`../rest/${suite}.test.ts`, import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, path], {
      env: { ...process.env, SHOAL_TEST_RELAY: '1', TAP_TIMEOUT: String(suiteMsMax / 1000), TAP_CHILD_ID: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    const failed = text.split('\n').filter((line) => /^\s*not ok/.test(line));
    t.same(failed.slice(0, 20), []);
    t.equal(code, 0);
    const passed = text.split('\n').filter((line) => /^\s*ok /.test(line)).length;
    t.ok(passed > 10, `${passed} checks passed`);
  });
}
