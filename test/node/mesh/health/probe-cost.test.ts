/** What one probe costs on the wire: the figure that the simulator reckons with (sim/mesh/detection-world.ts). */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { probeWireBytes } from '../../../../sim/mesh/detection-world.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../peer-fixtures.ts';

/** TCP and IP headers of a segment with time stamps; each message fits into one. */
const headerBytes = 52;

t.test('probes of one peer share a connection, and each takes no more than the simulator says', async (t) => {
  const authority = testAuthority();
  const [asked, asking] = [hostOf(authority), hostOf(authority)];
  const address = await serve(t, asked, {
    handlers: { probe: async () => ({ reached: true, nextInMs: 8_000, updates: [] }) },
  });
  const bytes = { there: 0, back: 0 };
  let connections = 0;
  const proxy = createServer((near) => {
    connections++;
    const far = connect(Number(address.split(':').at(-1)), '127.0.0.1');
    near.on('data', (data) => {
      bytes.there += data.length;
      far.write(data);
    });
    far.on('data', (data) => {
      bytes.back += data.length;
      near.write(data);
    });
    for (const socket of [near, far]) socket.on('error', () => near.destroy()).on('close', () => far.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const port = (proxy.address() as AddressInfo).port;
  const { hostId } = asked;
  const clients = clientsOf(t, asking, new Map([[hostId, `127.0.0.1:${port}`]]));
  const probe = (): Promise<unknown> =>
    clients.to(hostId).calls.probe({ digest: 0x12345678, dead: [] }, { timeoutMs: 5_000 });
  await probe();
  await probe(); // Headers are in HTTP/2's table from here on.
  const count = 50;
  const before = { ...bytes };
  for (let n = 0; n < count; n++) await probe();
  const there = (bytes.there - before.there) / count + headerBytes;
  const back = (bytes.back - before.back) / count + headerBytes;
  t.comment(`${there} bytes there, ${back} back`);
  t.equal(connections, 1);
  t.ok(there <= probeWireBytes && back <= probeWireBytes, `${there} and ${back} bytes, of ${probeWireBytes}`);
  t.ok(back > probeWireBytes - 20, 'and the simulator says no more than is true');
});
