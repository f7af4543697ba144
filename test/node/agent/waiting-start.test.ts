/** An agent that starts while nobody answers may have nothing to wait for but a timer: it goes on all the same. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { shoal } from '../../support/lone-agent.ts';

t.test('a start that waits for a timer of the clock alone does not end the process', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-waiting-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const settings = { dataDir: folder, name: 'alpha', advertiseAddress: '127.0.0.1', 'compute.driver': 'fake' };
  const flags = Object.entries(settings).flatMap(([path, value]) => ['--set', `${path}=${value}`]);
  t.match(await shoal(['init', '--mesh-name', 'test', ...flags]), { status: 0 });
  const urlOf = (path: string): string => JSON.stringify(new URL(`../../../node/${path}`, import.meta.url).href);
  // The agent's own way to run, with a start that does as one does whose peers are all away.
  const script = `
    const { sleep, systemClock } = await import(${urlOf('base/clock.ts')});
    const { Agent } = await import(${urlOf('agent/agent.ts')});
    const { runAgent } = await import(${urlOf('agent/run-agent.ts')});
    const { loadConfig } = await import(${urlOf('config/load.ts')});
    Agent.prototype.start = async () => {
      await sleep(systemClock, 300);
      process.kill(process.pid, 'SIGTERM');
    };
    console.log('ended as', await runAgent(loadConfig({ settings: ${JSON.stringify(settings)} }), undefined));
  `;
  const { code, out } = await new Promise<{ readonly code: unknown; readonly out: string }>((resolve) => {
    execFile(process.execPath, ['--input-type=module', '-e', script], { timeout: 60_000 }, (error, stdout) =>
      resolve({ code: error?.code ?? 0, out: stdout }),
    );
  });
  t.equal(code, 0, 'and not 13, as Node has it for what it waits for in vain');
  t.match(out, /ended as stopped/);
});
