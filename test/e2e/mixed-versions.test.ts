/**
 * Agents of before there were slices, all of which hold the whole state, and agents of this version in one mesh: each joins by
 * a ticket of the other, servers are made at each, all have the same records, and each is restarted. The earlier version is
 * checked out beside.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { repositoryRoot } from '../../node/dev/house/source.ts';
import { RestClient } from '../../node/dev/rest-client.ts';
import { adminPassword, LoneAgent } from '../support/lone-agent.ts';

/** The last version whose agents all hold the whole state. */
const earlier = 'eac14d9';
/** Longest that something may take on a busy machine. Unit: milliseconds. */
const patienceMs = 60_000;

t.setTimeout(570_000);

function whyNot(): string {
  try {
    execFileSync('git', ['-C', repositoryRoot, 'cat-file', '-e', `${earlier}^{commit}`], { stdio: 'ignore' });
    return '';
  } catch {
    return `the history is not here, or lacks ${earlier}`;
  }
}

interface Status {
  readonly hasQuorum: boolean;
  readonly voters: readonly { readonly learner?: boolean }[];
}

interface Listed {
  readonly servers: readonly { readonly id: string; readonly name: string; readonly status: string }[];
}

const clients = new Map<LoneAgent, RestClient>();

function clientOf(agent: LoneAgent): RestClient {
  const known = clients.get(agent) ?? new RestClient(agent.apiUrl, adminPassword);
  clients.set(agent, known);
  return known;
}

async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`not within ${patienceMs} ms: ${what}`);
    await delay(300);
  }
}

/** Names of the servers that run, as an agent tells them. */
async function running(agent: LoneAgent): Promise<readonly string[]> {
  const body = await clientOf(agent).json('/compute/v2.1/servers/detail?all_tenants=1');
  const servers = body['servers'] as Listed['servers'];
  return servers
    .filter(({ status }) => status === 'ACTIVE')
    .map(({ name }) => name)
    .sort();
}

async function makeImage(agent: LoneAgent): Promise<string> {
  const client = clientOf(agent);
  const body = { name: 'small', container_format: 'bare', disk_format: 'raw' };
  const { id } = (await client.json('/image/v2/images', { method: 'POST', body })) as { readonly id: string };
  const sent = await fetch(`${agent.apiUrl}/image/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'x-auth-token': await client.token() },
    body: new Uint8Array(4096),
  });
  if (!sent.ok) throw new Error(`the image was not taken: ${sent.status} ${await sent.text()}`);
  return id;
}

const why = whyNot();
if (why !== '') {
  t.test('a mesh of two versions', { skip: why }, (t) => t.end());
} else {
  await t.test('agents of the earlier version and of this one are one mesh', async (t) => {
    const checkout = mkdtempSync(join(tmpdir(), 'shoal-earlier-'));
    execFileSync('git', ['-C', repositoryRoot, 'worktree', 'add', '--quiet', '--detach', '--force', checkout, earlier]);
    const agents: LoneAgent[] = [];
    t.teardown(async () => {
      for (const agent of agents.reverse()) await agent.stop();
      execFileSync('git', ['-C', repositoryRoot, 'worktree', 'remove', '--force', checkout]);
    });
    symlinkSync(join(repositoryRoot, 'node_modules'), join(checkout, 'node_modules'));
    const start = async (name: string, isEarlier: boolean, member?: LoneAgent): Promise<LoneAgent> => {
      const agent = await LoneAgent.start({
        name,
        // Where one of this version leads, who does not vote and can hold a slice does so; an earlier one makes all learners.
        ...(isEarlier ? { checkout } : { settings: { 'raft.standbys': '0' } }),
        ...(member === undefined ? {} : { join: member }),
      });
      agents.push(agent);
      return agent;
    };
    // Each by a ticket of the other version; five in all, so that three or five vote.
    const old1 = await start('old-1', true);
    const new1 = await start('new-1', false, old1);
    const old2 = await start('old-2', true, new1);
    const new2 = await start('new-2', false, old2);
    const hostsOf = async (agent: LoneAgent) =>
      ((await agent.json('hosts')) as { readonly hosts: readonly unknown[] }).hosts;
    t.equal((await hostsOf(old1)).length, 4, 'an earlier agent knows all hosts');
    t.equal((await hostsOf(new2)).length, 4, 'and so does one of this version');
    await until(async () => {
      const { hasQuorum, voters } = (await new1.json('status')) as Status;
      return hasQuorum && voters.filter(({ learner }) => learner !== true).length === 3;
    }, 'three vote');

    const imageRef = await makeImage(old1);
    const names: string[] = [];
    const makeAt = async (agent: LoneAgent, name: string): Promise<void> => {
      const server = { name, flavorRef: '1', imageRef, networks: 'none' };
      await clientOf(agent).json('/compute/v2.1/servers', {
        method: 'POST',
        body: { server },
        headers: { 'openstack-api-version': 'compute 2.79' },
      });
      names.push(name);
    };
    const allRun = async (agent: LoneAgent): Promise<boolean> => {
      const found = await running(agent);
      return found.length === names.length;
    };
    const everywhere = async (what: string): Promise<void> => {
      for (const agent of agents) await until(() => allRun(agent).catch(() => false), what);
      for (const agent of agents) t.same(await running(agent), [...names].sort(), what);
    };
    for (const [at, agent] of agents.entries()) await makeAt(agent, `first-${at}`);
    await everywhere('servers that were made at each run, and each agent tells of all');

    for (const [at, agent] of agents.entries()) {
      await agent.end(at % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      await agent.run();
      await until(async () => ((await agent.json('status')) as Status).hasQuorum, 'it is back');
      await makeAt(agent, `after-${at}`);
    }
    await everywhere('and so after each was restarted');
  });
}
