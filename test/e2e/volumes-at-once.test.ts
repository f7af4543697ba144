/** Three agents with the fake drivers, and more volumes asked of them at once than the quota allows. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { mibBytes } from '../../node/base/units.ts';
import { DevCloud } from '../../node/dev/cloud.ts';
import { VolumeClient } from '../../node/dev/volume-client.ts';

/** Asked for at once, and allowed. */
const asked = 120;
const allowed = 100;
const hosts = 3;

t.setTimeout(240_000);

interface Answer {
  readonly status: number;
  readonly text: string;
}

await t.test(`of ${asked} volumes asked for at once at ${hosts} hosts the quota of ${allowed} is made`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-at-once-'));
  const cloud = await DevCloud.open({ folder, agents: hosts, real: false, storage: 'local', readyMsMax: 120_000 });
  t.teardown(async () => {
    await cloud.stop({ keepData: true });
    rmSync(folder, { recursive: true, force: true });
  });
  await cloud.startAgents();
  await cloud.waitUntilFormed(120_000);
  const names = cloud.layout.agents.map(({ name }) => name);
  const clients = names.map((name) => cloud.client(name));
  const [client] = clients;
  if (client === undefined) throw new Error('there is no agent');
  for (const one of clients) await one.token();
  const volumes = new VolumeClient(client);
  const imagePath = join(folder, 'image.raw');
  writeFileSync(imagePath, Buffer.alloc(mibBytes, 'shoal'));
  const imageId = await client.uploadImage('small', imagePath, { disk_format: 'raw' });
  const token = await client.json('/identity/v3/auth/tokens', { headers: { 'x-subject-token': await client.token() } });
  const projectId = (token['token'] as { project: { id: string } }).project.id;
  const quotas = `/volume/v3/os-quota-sets/${projectId}`;
  await client.json(quotas, { method: 'PUT', body: { quota_set: { volumes: allowed, gigabytes: 2 * allowed } } });
  const usage = async (): Promise<Readonly<Record<string, number>>> => {
    const set = (await client.json(`${quotas}?usage=true`))['quota_set'] as Record<string, { in_use: number }>;
    return { volumes: set['volumes']?.in_use ?? -1, gigabytes: set['gigabytes']?.in_use ?? -1 };
  };

  const make = (at: number): Promise<Answer> => {
    const volume = { name: `v${at}`, size: 1, imageRef: imageId };
    // Half of them at one agent: where they go is not a matter of who was asked.
    const chosen = at < asked / 2 ? client : (clients[at % clients.length] ?? client);
    return chosen.raw('/volume/v3/volumes', { method: 'POST', body: { volume }, timeoutMs: 120_000 });
  };
  const begunMs = performance.now();
  const answers = await Promise.all(Array.from({ length: asked }, (_, at) => make(at)));
  t.comment(`answered after ${Math.round(performance.now() - begunMs)} ms`);
  t.same(
    answers.filter(({ status }) => status !== 202 && status !== 413),
    [],
    'each is accepted or over the quota, and nothing else: no 503',
  );
  const accepted = answers.filter(({ status }) => status === 202);
  t.equal(accepted.length, allowed, 'just as many as the quota allows');
  for (const { text } of answers.filter(({ status }) => status === 413)) t.match(text, /overLimit/);

  const ids = accepted.map(({ text }) => (JSON.parse(text) as { volume: { id: string } }).volume.id);
  t.equal(new Set(ids).size, allowed);
  const byHost = new Map<string, number>();
  for (const id of ids) {
    await volumes.waitFor(id, 'available');
    const host = String((await volumes.show(id))['os-vol-host-attr:host']);
    byHost.set(host, (byHost.get(host) ?? 0) + 1);
  }
  t.comment(`available after ${Math.round(performance.now() - begunMs)} ms: ${JSON.stringify([...byHost])}`);
  t.equal(byHost.size, hosts, 'they lie on all hosts');
  t.ok(Math.min(...byHost.values()) >= allowed / 10, 'and none is left out');
  t.same(await usage(), { volumes: allowed, gigabytes: allowed }, 'what is counted is what is there');

  for (let at = 0; at < ids.length; at += 20) {
    await Promise.all(ids.slice(at, at + 20).map((id) => volumes.remove(id)));
  }
  t.same(await usage(), { volumes: 0, gigabytes: 0 }, 'and nothing is counted when nothing is there');
});
