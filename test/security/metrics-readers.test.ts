/** G12: an agent's figures tell of all tenants, so they are told to its own host and to the readers that are set. */
import { request } from 'node:http';
import { Registry } from 'prom-client';
import t from 'tap';
import { TrustedProxies } from '../../api-gateway/kit/forwarding.ts';
import { operationsModule } from '../../api-gateway/rest/kit/operations.ts';
import { parseNetworks } from '../../node/config/networks.ts';
import { MemoryStateClient } from '../../node/state/client/memory-state-client.ts';
import { startGateway } from '../support/gateway.ts';

/** Every address of 127.0.0.0/8 is this machine's; the gateway listens at 127.0.0.1. */
const host = '127.0.0.1';

const cases: readonly {
  readonly title: string;
  readonly from: string;
  readonly readers?: string;
  readonly proxies?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
}[] = [
  { title: 'the host itself', from: host, status: 200 },
  { title: 'another address', from: '127.0.0.5', status: 403 },
  { title: 'a reader', from: '127.0.0.5', readers: '10.0.0.0/8,127.0.0.5', status: 200 },
  {
    title: 'another address that says it is the host',
    from: '127.0.0.5',
    headers: { 'x-forwarded-for': host },
    status: 403,
  },
  {
    title: 'somebody behind a proxy on the host that is not trusted',
    from: host,
    headers: { 'x-forwarded-for': '203.0.113.9' },
    status: 403,
  },
  {
    title: 'somebody behind a reader that is a proxy, and not trusted',
    from: '127.0.0.5',
    readers: '127.0.0.5',
    headers: { forwarded: 'for=203.0.113.9' },
    status: 403,
  },
  {
    title: 'somebody behind a trusted proxy on the host',
    from: host,
    proxies: host,
    headers: { 'x-forwarded-for': '203.0.113.9' },
    status: 403,
  },
  {
    title: 'somebody whom a trusted proxy hides',
    from: host,
    proxies: host,
    headers: { forwarded: 'for=unknown' },
    status: 403,
  },
  {
    title: 'somebody behind a trusted proxy who says that they are the host',
    from: '127.0.0.6',
    proxies: '127.0.0.6',
    headers: { 'x-forwarded-for': `${host}, 203.0.113.9` },
    status: 403,
  },
  {
    title: 'a reader behind a trusted proxy',
    from: '127.0.0.6',
    readers: '203.0.113.9',
    proxies: '127.0.0.6',
    headers: { 'x-forwarded-for': '203.0.113.9' },
    status: 200,
  },
];

for (const { title, from, readers = '', proxies = '', headers = {}, status } of cases) {
  void t.test(`G12: ${title} is answered ${status}`, async (t) => {
    const state = new MemoryStateClient();
    const gateway = await startGateway({
      state,
      listen: true,
      trustedProxies: new TrustedProxies(proxies),
      modules: () => [
        operationsModule({
          registry: new Registry(),
          metricsReaders: parseNetworks(readers),
          status: () => state.status(),
          warnings: () => ({}),
          troubles: () => ({}),
          degraded: () => ({}),
          nameOf: String,
          version: '0.1.0',
        }),
      ],
    });
    t.teardown(() => gateway.stop());
    const [address] = gateway.server.addresses;
    if (address === undefined) throw new Error('the gateway does not listen');
    const ask = (path: string): Promise<{ readonly status: number | undefined; readonly text: string }> =>
      new Promise((resolve, reject) => {
        const { port } = address;
        request({ host, port, path, localAddress: from, headers, agent: false }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (part: string) => {
            text += part;
          });
          response.on('end', () => resolve({ status: response.statusCode, text }));
        })
          .on('error', reject)
          .end();
      });
    const answer = await ask('/metrics');
    t.equal(answer.status, status);
    if (status === 403) t.match(answer.text, /api\.metricsReaders/, 'it says what to set');
    t.equal((await ask('/healthz')).status, 200, 'balancers ask from anywhere');
  });
}
