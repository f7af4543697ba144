/** F14: the data folder is the agent's alone, also one that an earlier version made with the usual umask. */
import { chmodSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { DevCloud } from '../../../node/dev/cloud.ts';
import { openToOthers } from '../../support/store/folder-modes.ts';

t.setTimeout(180_000);

await t.test('F14: a running agent has nothing open to others but what they pass through', async (t) => {
  const folder = join(await mkdtemp(join(tmpdir(), 'shoal-modes-')), 'cloud');
  // The usual umask of the user who starts it; the agent's own is what counts.
  const before = process.umask(0o022);
  const cloud = await DevCloud.open({ folder, agents: 1, real: process.getuid?.() === 0, storage: 'local' });
  t.teardown(async () => {
    process.umask(before);
    await cloud.stop({ keepData: false });
    await rm(join(folder, '..'), { recursive: true, force: true });
  });
  await cloud.makeUnderlay();
  await cloud.startAgents();
  const [agent] = cloud.layout.agents;
  if (agent === undefined) throw new Error('there is an agent');
  const ofReal = cloud.options.real ? ['guests/plugs 0711', 'network 0711', 'network/metadata 0710'] : [];
  const passable = ['. 0711', 'ca.pem 0644', ...ofReal];
  const image = await cloud.client(agent.name).json('/image/v2/images', {
    method: 'POST',
    body: { name: 'i', disk_format: 'raw', container_format: 'bare' },
  });
  t.ok(image['id']);
  t.ok(readdirSync(agent.dataDir).includes('log'));
  t.same(openToOthers(agent.dataDir), passable);

  // As an earlier version left it.
  await cloud.killAgent(agent.name, 'SIGTERM');
  for (const entry of readdirSync(agent.dataDir, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  }
  t.ok(openToOthers(agent.dataDir).length > 5);
  await cloud.startAgents();
  t.same(openToOthers(agent.dataDir), passable, 'tightened at start');
});
