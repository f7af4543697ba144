import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { isPortClosed } from '../../../node/mesh/port-probe.ts';

await t.test('a port is closed when its host says so', async (t) => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  const address = `127.0.0.1:${bound.port}`;
  t.equal(await isPortClosed(address), false, 'somebody listens');
  server.close();
  await once(server, 'close');
  t.equal(await isPortClosed(address), true, 'nobody does any more');
  t.equal(await isPortClosed('host.invalid:1'), false, 'nothing can be told');
  t.throws(() => isPortClosed('no address'), { code: 'INVALID_ARGUMENT' });
});
