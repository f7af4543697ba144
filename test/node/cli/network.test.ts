/** `shoal network trace` against an agent of its own with fake drivers. */
import t from 'tap';
import { LoneAgent, type Ran, shoal } from '../../support/lone-agent.ts';

t.test('a packet is traced, and what cannot be is refused with a reason', async (t) => {
  const agent = await LoneAgent.start();
  t.teardown(() => agent.stop());
  const headers = { 'content-type': 'application/json', 'x-auth-token': await agent.token() };
  const ask = async (path: string, init: RequestInit): Promise<Readonly<Record<string, { readonly id: string }>>> => {
    const response = await fetch(`${agent.apiUrl}${path}`, { headers, ...init });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text === '' ? {} : JSON.parse(text);
  };
  const post = (path: string, body: object) => ask(path, { method: 'POST', body: JSON.stringify(body) });
  const trace = (...args: readonly string[]): Promise<Ran> =>
    shoal(['network', 'trace', ...args, '--data-dir', agent.dataDir]);

  const nobody = await trace('nobody', '10.5.0.1');
  t.not(nobody.status, 0);
  t.match(nobody.err, /There is neither an address nor a server nobody/);
  t.match((await trace('nobody', '10.5.0.1', '--port', 'x')).err, /--port x: expected a whole number/);

  const { network } = await post('/networking/v2.0/networks', { network: { name: 'inner' } });
  const cidr = '10.5.0.0/24';
  await post('/networking/v2.0/subnets', { subnet: { network_id: network?.id, ip_version: 4, cidr } });
  const image = await post('/image/v2/images', { name: 'tiny', disk_format: 'raw', container_format: 'bare' });
  const imageId = String(image['id']);
  await ask(`/image/v2/images/${imageId}/file`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(1024),
  });
  for (const name of ['one', 'two']) {
    const server = { name, imageRef: imageId, flavorRef: '1', networks: [{ uuid: network?.id }] };
    await post('/compute/v2.1/servers', { server });
  }
  const traced = async (...args: readonly string[]): Promise<Ran> => {
    for (let time = 0; time < 150; time += 1) {
      const ran = await trace(...args);
      if (!/not ACTIVE|is on no host/.test(ran.out)) return ran;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error('the servers did not run within 30 s');
  };
  const reached = await traced('one', 'two');
  t.equal(reached.status, 0, reached.err);
  t.match(reached.out, /alpha *│ switch *│ passes/);
  t.match(reached.out, /\ndelivered\n$/);
  const stopped = await traced('one', '8.8.8.8', '--protocol', 'tcp', '--port', '443', '--json');
  t.equal(stopped.status, 1, 'a packet that stops is no success');
  t.match(JSON.parse(stopped.out), {
    end: 'stopped',
    steps: [{ hostName: 'alpha', table: 'port', passes: true }, {}, {}, { table: 'switch', passes: false }],
    stale: false,
  });
});
