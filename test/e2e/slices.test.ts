/** Four agents of which three vote: the fourth holds a slice of the state. It answers the whole API, and keeps its host alone. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { DevCloud } from '../../node/dev/cloud.ts';
import { JoinTicket } from '../../node/mesh/join/tickets.ts';
import { shoal } from '../support/lone-agent.ts';

t.setTimeout(300_000);

/** Longest that something may take on a busy machine. Unit: milliseconds. */
const patienceMs = 60_000;

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await delay(200);
  }
}

await t.test('a host that holds a slice answers for the whole cloud, and keeps its own without anybody', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-slices-'));
  const options = { folder, agents: 4, real: false, storage: 'local', readyMsMax: patienceMs, standbys: 0 } as const;
  const cloud = await DevCloud.open(options);
  t.teardown(async () => {
    await cloud.stop({ keepData: true });
    rmSync(folder, { recursive: true, force: true });
  });
  await cloud.startAgents();
  await cloud.waitUntilFormed(patienceMs);
  const names = cloud.layout.agents.map(({ name }) => name);
  const logOf = (name: string): string => readFileSync(cloud.agent(name).logPath, 'utf8');
  const holdsSlice = (name: string): boolean => {
    const said = [...logOf(name).matchAll(/holds a (replica|slice) of the state now|the slice was read from disk/g)];
    return said.length > 0 && !/replica/.test(said.at(-1)?.[0] ?? '');
  };
  await until(() => names.filter(holdsSlice).length === 1, 'three vote, and one holds a slice');
  const sliced = names.find(holdsSlice) ?? '';
  const others = names.filter((name) => name !== sliced);
  const api = cloud.client(sliced);

  const made = await api.json('/networking/v2.0/networks', { method: 'POST', body: { network: { name: 'n' } } });
  t.match(made, { network: { name: 'n' } }, 'it makes a network');
  const listed = await cloud.client(others[0] ?? '').json('/networking/v2.0/networks');
  t.match(JSON.stringify(listed), '"name":"n"', 'which all others have');
  const { hypervisors } = (await api.json('/compute/v2.1/os-hypervisors')) as { hypervisors: readonly unknown[] };
  t.equal(hypervisors.length, 4, 'it tells of all hosts');

  // Its own door is that of a replica, and newcomers are heard by one.
  const { dataDir, address, peerPort } = cloud.agent(sliced);
  const atDoor = async (...words: readonly string[]): Promise<string> => {
    const { status, out, err } = await shoal([...words, '--data-dir', dataDir]);
    if (status !== 0) throw new Error(`${words.join(' ')}: ${err}`);
    return out.trim();
  };
  const ticket = JoinTicket.decode(await atDoor('ticket', 'create'));
  t.match(JSON.parse(await atDoor('job', 'list', '--json')), {}, 'it lists what no slice holds');
  t.match(JSON.parse(await atDoor('status', '--json')), { hostId: /^[0-9a-f]{32}$/, hasQuorum: true, troubles: [] });
  const metrics = await (await fetch(`${api.baseUrl}/metrics`)).text();
  t.match(metrics, /^shoal_slice_rows [1-9]/m);
  t.match(metrics, /^shoal_slice_subscriptions_total\{result="whole"\} [1-9]/m);
  // With a fifth host it would be a voter; so this one is turned away, by a replica, which alone knows tickets.
  const { meshId, fingerprint, ticketId } = ticket;
  const wrong = new JoinTicket({
    ...{ meshId, fingerprint, ticketId, secret: new Uint8Array(32).fill(7) },
    addresses: [`${address}:${peerPort}`],
  });
  const settings = ['name=newcomer', 'advertiseAddress=127.0.0.1', 'compute.driver=fake', 'network.driver=fake'];
  const flags = settings.flatMap((setting) => ['--set', setting]);
  const joined = await shoal(['join', ...flags, '--data-dir', join(folder, 'newcomer')], {
    SHOAL_JOIN: wrong.encode(),
  });
  t.not(joined.status, 0);
  t.match(joined.err, /never issued by this mesh/);

  // Whom it followed goes: it follows another.
  await cloud.killAgent(others[0] ?? '', 'SIGKILL');
  await until(async () => (await api.raw('/networking/v2.0/networks')).status === 200, 'it answers through another');
  await cloud.startAgent(others[0] ?? '');
  await cloud.waitUntilFormed(patienceMs);

  // Nobody else is there: it starts from its own disk.
  for (const name of others) await cloud.killAgent(name, 'SIGKILL');
  await cloud.killAgent(sliced, 'SIGKILL');
  await cloud.startAgent(sliced);
  await until(async () => {
    const answer = await fetch(`${api.baseUrl}/healthz`).catch(() => undefined);
    return answer !== undefined;
  }, 'it starts alone');
  t.match(logOf(sliced), /the slice was read from disk/);
  const token = await api.token();
  t.ok(token, 'who had a token has it still');
  let answer = await api.raw('/networking/v2.0/networks');
  await until(async () => {
    answer = await api.raw('/networking/v2.0/networks');
    return answer.status === 200;
  }, 'it answers from its slice');
  t.equal(answer.headers.get('x-shoal-partial'), 'true', 'and says that this is not all');
});
