/** The walk of POST /servers, as the README lists it: every file of it runs, there are few, and nothing else decides. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { LoneAgent } from './support/lone-agent.ts';
import { CalledFiles } from './support/walk.ts';

/** Files that a reader has to open, at most. */
const filesMax = 60;
const root = new URL('../', import.meta.url);

t.setTimeout(180_000);
t.test('the walk of POST /servers', async (t) => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const section = readme.slice(readme.indexOf('The walk, file by file'), readme.indexOf('## Words'));
  const listed = [...section.matchAll(/^\|[^|]*\| `([^`]+)` \| (.+) \|$/gm)].flatMap(([, room = '', files = '']) =>
    [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => `${room}${file}`),
  );
  const beneath = [...section.slice(section.indexOf('Beneath it')).matchAll(/`([^`]+\/)`/g)].map(
    ([, room = '']) => room,
  );
  t.ok(listed.length > 40 && listed.length <= filesMax, `${listed.length} files`);
  t.equal(new Set(listed).size, listed.length, 'each once');

  const before = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = '--inspect-port=0';
  // In a bundle there is one file.
  process.env.NO_BUNDLE = '1';
  const agent = await LoneAgent.start();
  delete process.env.NO_BUNDLE;
  if (before === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = before;
  t.teardown(() => agent.stop());
  const headers = { 'x-auth-token': await agent.token(), 'content-type': 'application/json' };
  const call = async (
    method: string,
    path: string,
    body?: string | Uint8Array<ArrayBuffer>,
    type?: string,
  ): Promise<unknown> => {
    const response = await fetch(`${agent.apiUrl}${path}`, {
      method,
      headers: type === undefined ? headers : { ...headers, 'content-type': type },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    t.ok(response.ok, `${method} ${path}: ${response.status} ${response.ok ? '' : text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const image = (await call(
    'POST',
    '/image/v2/images',
    JSON.stringify({ name: 'i', disk_format: 'raw', container_format: 'bare' }),
  )) as { id: string };
  await call('PUT', `/image/v2/images/${image.id}/file`, new Uint8Array(1024 * 1024), 'application/octet-stream');
  const { network } = (await call('POST', '/networking/v2.0/networks', JSON.stringify({ network: { name: 'n' } }))) as {
    network: { id: string };
  };
  const subnet = { network_id: network.id, ip_version: 4, cidr: '10.0.0.0/24' };
  await call('POST', '/networking/v2.0/subnets', JSON.stringify({ subnet }));

  const files = await CalledFiles.of(agent);
  t.teardown(() => files.close());
  await files.since(root.href);
  const draft = { name: 's', flavorRef: '1', imageRef: image.id, networks: [{ uuid: network.id }] };
  const { server } = (await call('POST', '/compute/v2.1/servers', JSON.stringify({ server: draft }))) as {
    server: { id: string };
  };
  for (let looks = 0; ; looks += 1) {
    const { server: shown } = (await call('GET', `/compute/v2.1/servers/${server.id}`)) as {
      server: { status: string };
    };
    if (shown.status === 'ACTIVE') break;
    if (looks > 300) throw new Error(`the server is ${shown.status}`);
    await delay(100);
  }
  const called = await files.since(root.href);
  t.same(
    listed.filter((file) => !called.has(file)),
    [],
    'each file of the walk runs',
  );
  // What runs beside it lies in a room of the walk, or in one that is said to be beneath.
  const rooms = new Set(listed.map((file) => file.split('/').slice(0, 2).join('/')));
  const elsewhere = [...called].filter(
    (file) => !rooms.has(file.split('/').slice(0, 2).join('/')) && !beneath.some((room) => file.startsWith(room)),
  );
  t.same(elsewhere, [], 'no room is missing');
});
