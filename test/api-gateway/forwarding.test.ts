import fc from 'fast-check';
import t from 'tap';
import { isHostAndPort, TrustedProxies } from '../../api-gateway/kit/forwarding.ts';
import { startGateway } from '../support/gateway.ts';

function originOf(trusted: string, peer: string, headers: Readonly<Record<string, string>>) {
  return new TrustedProxies(trusted).originOf(peer, (name) => headers[name]);
}

t.test('nobody but a trusted proxy is believed', (t) => {
  const headers = {
    'x-forwarded-for': '203.0.113.9',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'cloud.example',
    forwarded: 'for=203.0.113.9;proto=https;host=cloud.example',
  };
  const direct = { address: '192.0.2.1', scheme: undefined, host: undefined };
  t.same(originOf('', '192.0.2.1', headers), direct);
  t.same(originOf('192.0.2.2, 10.0.0.0/8, ::ffff:0:0/96', '192.0.2.1', headers), direct);
  const told = { address: '203.0.113.9', scheme: 'https', host: 'cloud.example' };
  t.same(originOf('192.0.2.1', '192.0.2.1', headers), told);
  t.same(originOf('192.0.2.0/24', '::ffff:192.0.2.1', headers), told, 'IPv4 in IPv6');
  t.same(originOf('2001:db8::/32', '2001:db8::1', headers), told);
  t.end();
});

t.test('of a chain counts what the outermost trusted proxy saw, whatever the client wrote before it', (t) => {
  const trusted = '10.0.0.0/8';
  const of = (headers: Readonly<Record<string, string>>) => originOf(trusted, '10.0.0.1', headers);
  t.equal(of({ 'x-forwarded-for': '1.1.1.1, 203.0.113.9, 10.0.0.2' }).address, '203.0.113.9');
  t.equal(of({ 'x-forwarded-for': '10.9.9.9' }).address, '10.9.9.9', 'all trusted');
  t.match(of({ 'x-forwarded-for': '203.0.113.9, 10.0.0.2', 'x-forwarded-proto': 'https, http' }), { scheme: 'https' });
  t.match(of({ 'x-forwarded-for': '6.6.6.6, 203.0.113.9', 'x-forwarded-proto': 'http, https' }), { scheme: 'https' });
  t.match(of({ 'x-forwarded-proto': 'HTTPS' }), { address: '10.0.0.1', scheme: 'https' });
  t.match(of({ forwarded: 'for="[2001:db8::9]:4711";proto=https;host="c.example:8443"' }), {
    address: '2001:db8::9',
    scheme: 'https',
    host: 'c.example:8443',
  });
  t.match(of({ forwarded: 'for=1.1.1.1;proto=http, For=203.0.113.9; Proto=https' }), {
    address: '203.0.113.9',
    scheme: 'https',
  });
  t.match(of({ forwarded: 'for=unknown;proto=https' }), { address: '10.0.0.1', scheme: 'https' });
  for (const host of ['a b', 'x/y', 'user@h', '<script>', 'h:123456', '']) {
    t.equal(of({ 'x-forwarded-host': host }).host, undefined, `host ${host}`);
  }
  for (const node of ['127.1', '0x7f.1', 'rubbish', '300.1.1.1', '"']) {
    t.equal(of({ 'x-forwarded-for': node }).address, '10.0.0.1', `for ${node}`);
  }
  t.end();
});

t.test('whatever the headers hold, the origin is an address, a known scheme and a host', (t) => {
  const piece = fc.oneof(
    fc.constantFrom(
      'for=',
      'proto=',
      'host=',
      ';',
      ',',
      '"',
      '[',
      ']',
      '10.0.0.1',
      '2001:db8::1',
      'https',
      'h.example',
    ),
    fc.string({ maxLength: 8 }),
  );
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, text, text, text, (forwarded, addresses, scheme, host) => {
      const origin = originOf('10.0.0.0/8', '10.0.0.1', {
        forwarded,
        'x-forwarded-for': addresses,
        'x-forwarded-proto': scheme,
        'x-forwarded-host': host,
      });
      return (
        /^[0-9a-f.:]+(?:%.*)?$/.test(origin.address) &&
        [undefined, 'http', 'https'].includes(origin.scheme) &&
        (origin.host === undefined || isHostAndPort(origin.host))
      );
    }),
    { numRuns: 3000 },
  );
  t.end();
});

t.test(
  'B8: links, catalog, version documents, next and Location follow the proxy, and publicUrl before it',
  async (t) => {
    const behind = {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'cloud.example:8443',
      'x-forwarded-for': '203.0.113.9',
    };
    const trusted = await startGateway({ trustedProxies: new TrustedProxies('127.0.0.1') });
    const stranger = await startGateway({});
    const fixed = await startGateway({ publicUrl: 'https://fixed.example/shoal/' });
    for (const gateway of [trusted, stranger, fixed]) t.teardown(() => gateway.stop());
    for (const [gateway, base] of [
      [trusted, 'https://cloud.example:8443'],
      [stranger, 'http://cloud.test:8774'],
      [fixed, 'https://fixed.example/shoal'],
    ] as const) {
      const get = (url: string) => gateway.call('GET', url, { headers: behind });
      const made = await gateway.call('POST', '/image/v2/images', {
        body: { name: 'x', disk_format: 'raw', container_format: 'bare' },
        headers: behind,
      });
      t.ok(String(made.headers['location']).startsWith(`${base}/image/v2/images/`), `Location ${base}`);
      const texts = [
        (await get('/identity/')).body,
        (await get('/identity/v3')).body,
        (await get('/identity/v3/auth/catalog')).body,
        (await get('/identity/v3/users')).body,
        (await get('/identity/v3/projects')).body,
        (await get('/image/')).body,
        (await gateway.call('GET', '/identity/v3/users', { token: null, headers: behind })).headers['www-authenticate'],
      ];
      for (const text of texts) {
        const urls = String(text).match(/https?:\/\/[^"'\s]+/g) ?? [];
        t.ok(urls.length > 0);
        t.same(
          urls.filter((url) => !url.startsWith(base)),
          [],
        );
      }
    }
  },
);
