/** How the query of a list is read: where it begins, numbers, texts that errors quote, and the links between pages. */
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { targetOf } from '../../../api-gateway/rest/kit/request-target.ts';
import { type Cloud, startCloud } from './cloud.ts';

const get = async (cloud: Cloud, path: string, minor = 1) => {
  const answer = await cloud.gateway.call('GET', path, { headers: { 'openstack-api-version': `compute 2.${minor}` } });
  const isJson = answer.headers['content-type']?.toString().startsWith('application/json') === true;
  return { status: answer.statusCode, text: answer.body, body: isJson ? answer.json() : undefined };
};

async function makeNetworks(cloud: Cloud, names: readonly string[]): Promise<void> {
  const body = { networks: names.map((name) => ({ name })) };
  const made = await cloud.gateway.call('POST', '/networking/v2.0/networks', { body });
  if (made.statusCode !== 201) throw new Error(made.body);
}

void t.test('a target is parted at its first ? or #, as the router parts it', async (t) => {
  const parts = (url: string): readonly string[] => Object.values(targetOf(url));
  t.strictSame(parts('/a'), ['/a', '']);
  t.strictSame(parts('/a?b=c'), ['/a', 'b=c']);
  t.strictSame(parts('/a?b=c?&d=e#f'), ['/a', 'b=c?&d=e#f']);
  t.strictSame(parts('/a#b=c?d'), ['/a', 'b=c?d']);
});

void t.test('nothing in the gateway parts a target in another way', async (t) => {
  const root = new URL('../../../api-gateway/', import.meta.url);
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  t.ok(files.length > 100);
  const others = files.filter((name) => /(split|indexOf)\('\?'/.test(readFileSync(new URL(name, root), 'utf8')));
  t.strictSame(others, []);
});

void t.test('a ? in a value neither shortens it nor hides the filters that follow', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  await makeNetworks(cloud, ['a', 'a?b']);
  const names = async (query: string) =>
    (await get(cloud, `/networking/v2.0/networks${query}`)).body.networks.map(({ name }: { name: string }) => name);
  t.strictSame(await names('?name=a?b'), ['a?b']);
  t.strictSame(await names('?name=a?b&status=DOWN'), []);
  const { body } = await get(cloud, '/compute/v2.1/flavors?limit=1&minRam=0');
  t.equal(body.flavors.length, 1);
});

void t.test('a link goes on with every filter, those after a second ? too', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  await makeNetworks(cloud, ['x?', 'x?', 'x']);
  const { body } = await get(cloud, '/networking/v2.0/networks?limit=1&name=x?&status=ACTIVE');
  const next = new URL(body.networks_links[0].href);
  t.strictSame([next.searchParams.get('name'), next.searchParams.get('status')], ['x?', 'ACTIVE']);
  for (const name of ['t1', 't2']) {
    await cloud.world.compute.flavors.create(cloud.world.admin, { id: name, name, vcpus: 1, memoryMib: 1, diskGib: 1 });
  }
  const flavors = (await get(cloud, '/compute/v2.1/flavors?limit=1&unknown=?&sort_key=name')).body;
  t.equal(new URL(flavors.flavors_links[0].href).searchParams.get('sort_key'), 'name');
  const users = (await get(cloud, '/identity/v3/projects?limit=1&name__contains=&domain_id=default')).body;
  t.equal(users.projects.length, 1);
});

void t.test('a limit and an offset are decimal digits, and a page has a bound', async (t) => {
  const cloud = await startCloud({ limits: { pageItemsMax: 2 } });
  t.teardown(() => cloud.stop());
  for (const name of ['g1', 'g2', 'g3']) {
    const server_group = { name, policies: ['affinity'] };
    await cloud.gateway.call('POST', '/compute/v2.1/os-server-groups', { body: { server_group } });
    const security_group = { name, description: '' };
    await cloud.gateway.call('POST', '/compute/v2.1/os-security-groups', { body: { security_group } });
  }
  for (const [path, key] of [
    ['os-server-groups', 'server_groups'],
    ['os-security-groups', 'security_groups'],
  ] as const) {
    const countOf = async (query: string) => (await get(cloud, `/compute/v2.1/${path}?${query}`)).body[key].length;
    t.equal(await countOf('limit=1'), 1, `${path}: a limit below the bound`);
    t.equal(await countOf('limit=1000'), 2, `${path}: a limit above it`);
    t.equal(await countOf(`limit=${'9'.repeat(400)}`), 2);
    t.equal(await countOf('limit=0'), 2, `${path}: Nova takes 0 for no limit where pages go by offset`);
    t.equal(await countOf('offset=0'), 2);
    t.equal(await countOf(`offset=${'9'.repeat(400)}`), 0);
  }
  for (const text of ['0x10', '', '1e1', '-1', '+1', '1.0', '%201', 'one']) {
    for (const path of [
      `/compute/v2.1/os-server-groups?limit=${text}`,
      `/compute/v2.1/os-server-groups?offset=${text}`,
      `/compute/v2.1/os-security-groups?limit=${text}`,
      `/compute/v2.1/os-security-groups?offset=${text}`,
      `/compute/v2.1/servers?limit=${text}`,
      `/compute/v2.1/flavors?limit=${text}`,
      `/compute/v2.1/images?limit=${text}`,
      `/networking/v2.0/networks?limit=${text}`,
    ]) {
      t.equal((await get(cloud, path)).status, 400, path);
    }
  }
  t.strictSame((await get(cloud, '/compute/v2.1/flavors?limit=0')).body, { flavors: [] }, 'by marker, 0 is 0');
});

void t.test('an error quotes no more than the beginning of a value', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  await makeNetworks(cloud, ['n']);
  const long = 'z'.repeat(4000);
  for (const [path, minor, status] of [
    ['/compute/v2.1/servers?limit=', 1, 400],
    ['/compute/v2.1/servers?marker=', 1, 400],
    ['/compute/v2.1/servers?all_tenants=', 1, 400],
    ['/compute/v2.1/servers?changes-since=', 1, 400],
    ['/compute/v2.1/servers?changes-before=', 66, 400],
    ['/compute/v2.1/flavors?marker=', 1, 400],
    ['/compute/v2.1/images?limit=', 1, 400],
    ['/compute/v2.1/images?marker=', 1, 400],
    ['/compute/v2.1/os-server-groups?limit=', 1, 400],
    ['/compute/v2.1/os-hypervisors?hypervisor_hostname_pattern=', 53, 404],
    ['/networking/v2.0/networks?limit=', 1, 400],
    ['/networking/v2.0/networks?marker=', 1, 400],
    ['/networking/v2.0/networks?shared=', 1, 400],
    ['/networking/v2.0/networks?sort_dir=', 1, 400],
    ['/image/v2/images?limit=', 1, 400],
    ['/image/v2/images?marker=', 1, 400],
    ['/identity/v3/projects?limit=', 1, 400],
  ] as const) {
    const answer = await get(cloud, `${path}${long}`, minor);
    t.equal(answer.status, status, path);
    t.ok(answer.text.length < 400, `${path}: ${answer.text.length} characters`);
  }
});

void t.test('Neutron pages go on both ways, and no further than there is something', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  await makeNetworks(cloud, ['n1', 'n2', 'n3', 'n4', 'n5']);
  interface Link {
    readonly rel: string;
    readonly href: string;
  }
  const page = async (path: string) => {
    const { body } = await get(cloud, path);
    const links = new Map<string, string>(
      (body.networks_links ?? []).map(({ rel, href }: Link) => [rel, href.replace(/^https?:\/\/[^/]+/, '')]),
    );
    return { names: body.networks.map(({ name }: { name: string }) => name).join(' '), links };
  };
  const walk = async (first: string, rel: string): Promise<string[]> => {
    const seen: string[] = [];
    for (let path: string | undefined = first; path !== undefined && seen.length < 9; ) {
      const { names, links } = await page(path);
      seen.push(names);
      path = links.get(rel);
    }
    return seen;
  };
  const base = '/networking/v2.0/networks?sort_key=name&limit=2';
  t.strictSame(await walk(base, 'next'), ['n1 n2', 'n3 n4', 'n5']);
  t.strictSame(await walk(`${base}&page_reverse=True`, 'previous'), ['n4 n5', 'n2 n3', 'n1']);
  t.strictSame([...(await page(base)).links.keys()], ['next'], 'nothing is before the first');
  const last = await page(`${base}&page_reverse=True`);
  t.strictSame([...last.links.keys()], ['previous'], 'nothing follows the last');
  const middle = await page(last.links.get('previous') ?? '');
  t.strictSame([...middle.links.keys()].sort(), ['next', 'previous']);
  t.equal((await page(middle.links.get('next') ?? '')).names, 'n4 n5', 'and back');
  t.strictSame([...(await page('/networking/v2.0/networks')).links], [], 'all on one page');
});
