/** The page's files and the browser's session, at the gateway: what is served to whom, and what is not. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { webModule } from '../../../api-gateway/web/server/module.ts';
import { startGateway, type TestGateway } from '../../support/gateway.ts';

const html = '<!doctype html><title>page</title>';
const script = 'console.log("a script that is long enough")';

async function start(t: Test, isBuilt = true): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-web-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  if (isBuilt) {
    mkdirSync(join(folder, 'assets'));
    writeFileSync(join(folder, 'index.html'), html);
    writeFileSync(join(folder, 'terminal.html'), '<!doctype html><title>terminal</title>');
    writeFileSync(join(folder, 'assets/page-ABC.js'), script);
    writeFileSync(join(folder, 'assets/page-ABC.js.br'), brotliCompressSync(script));
    writeFileSync(join(folder, 'assets/secret.key'), 'no type that is served');
  }
  const gateway = await startGateway({ modules: () => [webModule(folder)] });
  t.teardown(() => gateway.stop());
  return gateway;
}

const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };
const ownPage = { 'x-shoal-page': '1', 'sec-fetch-site': 'same-origin' };

void t.test('browsers get the page at the root, and clients the version document that they expect there', async (t) => {
  const gateway = await start(t);
  const get = (url: string, headers = {}) => gateway.call('GET', url, { token: null, headers });
  for (const url of ['/', '/?project=1']) {
    const answer = await get(url, browser);
    t.equal(answer.statusCode, 200, url);
    t.equal(answer.body, html, url);
    t.match(answer.headers['vary'], /Accept/, 'caches keep the two apart');
  }
  for (const headers of [
    {},
    { accept: '*/*' },
    { accept: 'application/json' },
    { accept: 'application/json, */*;q=0.5' },
  ]) {
    const answer = await get('/', headers);
    t.equal(answer.statusCode, 300, JSON.stringify(headers));
    t.equal(answer.json().versions.values[0].id, 'v3.14');
    t.match(answer.headers['vary'], /Accept/);
  }
  t.equal((await gateway.call('POST', '/', { token: null, headers: browser })).statusCode, 405, 'no page is posted to');
  t.equal((await get('/identity/', browser)).statusCode, 300, 'a service says its versions to everybody');
  t.equal((await get('/no-such-path', browser)).statusCode, 404, 'the page is not at every path');
});

void t.test('without a built page, the root is the version document for all', async (t) => {
  const gateway = await start(t, false);
  t.equal((await gateway.call('GET', '/', { token: null, headers: browser })).statusCode, 300);
  const answer = await gateway.call('GET', '/ui/servers', { token: null });
  t.equal(answer.statusCode, 404);
  t.match(answer.json().error.message, /npm run build:web/);
  t.equal(answer.headers['cache-control'], undefined, 'the refusal is not kept');
});

void t.test(
  'every address of the page is the one document, under a policy without inline scripts and frames',
  async (t) => {
    const gateway = await start(t);
    for (const url of ['/ui', '/ui/', '/ui/servers/1?filter=x', '/ui/a/b/c/d']) {
      const answer = await gateway.call('GET', url, { token: null });
      t.equal(answer.statusCode, 200, url);
      t.equal(answer.body, html, url);
      const policy = String(answer.headers['content-security-policy']);
      t.match(policy, /default-src 'none'; script-src 'self'; style-src 'self';/);
      t.match(policy, /frame-ancestors 'none'/);
      t.notMatch(policy, /unsafe|\*/);
      t.equal(answer.headers['x-content-type-options'], 'nosniff');
      t.equal(answer.headers['cache-control'], 'no-cache');
    }
    const terminal = await gateway.call('GET', '/ui/terminal', { token: null });
    const policy = String(terminal.headers['content-security-policy']);
    t.match(
      policy,
      /script-src 'self'; .*frame-ancestors 'self'/,
      'the page frames the terminal, and nobody else does',
    );
  },
);

void t.test('files are kept for ever by their names, compressed where the browser can', async (t) => {
  const gateway = await start(t);
  const get = (headers: Readonly<Record<string, string>>) =>
    gateway.call('GET', '/ui/assets/page-ABC.js', { token: null, headers });
  const plain = await get({});
  t.equal(plain.body, script);
  t.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
  t.equal(plain.headers['content-encoding'], undefined);
  const compressed = await get({ 'accept-encoding': 'gzip, deflate, br' });
  t.equal(compressed.headers['content-encoding'], 'br');
  t.equal(brotliDecompressSync(compressed.rawPayload).toString(), script);
  t.equal((await get({ 'accept-encoding': 'gzip, br;q=0' })).body, script, 'q=0 means not that');
  const again = await get({ 'if-none-match': String(plain.headers['etag']) });
  t.equal(again.statusCode, 304);
  t.equal(again.body, '');
  for (const name of ['secret.key', 'page-ABC.js.br', '..%2findex.html', '%2e%2e%2f%2e%2e%2fpackage.json', 'none.js']) {
    t.equal((await gateway.call('GET', `/ui/assets/${name}`, { token: null })).statusCode, 404, name);
  }
});

void t.test('the session comes back to the page, and to nobody else', async (t) => {
  const gateway = await start(t);
  const call = (method: string, headers: Readonly<Record<string, string>>, body?: unknown) =>
    gateway.call(method, '/ui/session', { token: null, headers, ...(body === undefined ? {} : { body }) });
  const put = await call('PUT', ownPage, { token: gateway.token });
  t.equal(put.statusCode, 204);
  const cookie = String(put.headers['set-cookie']);
  t.match(cookie, /^shoal-session=[^;]+; Path=\/ui\/session; HttpOnly; SameSite=Strict$/);
  const held = cookie.split(';')[0] ?? '';
  const back = await call('GET', { ...ownPage, cookie: `other=1; ${held}` });
  t.same(back.json(), { token: gateway.token });
  t.equal(back.headers['cache-control'], 'no-store');
  t.equal((await call('GET', ownPage)).statusCode, 204, 'without a cookie there is none');
  for (const headers of [
    { cookie: held },
    { cookie: held, 'sec-fetch-site': 'same-origin' },
    { ...ownPage, cookie: held, 'sec-fetch-site': 'cross-site' },
    { ...ownPage, cookie: held, 'sec-fetch-site': 'same-site' },
    { ...ownPage, cookie: held, 'sec-fetch-site': 'none' },
  ]) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await call(method, headers, method === 'PUT' ? { token: gateway.token } : undefined);
      t.equal(answer.statusCode, 403, `${method} ${JSON.stringify(headers)}`);
      t.equal(answer.headers['set-cookie'], undefined);
    }
  }
  const ended = await call('DELETE', ownPage);
  t.match(ended.headers['set-cookie'], /^shoal-session=; .*Max-Age=0/);
  for (const token of ['', 'a; Domain=evil.example', 'a\r\nset-cookie: b=c', 'x'.repeat(5000)]) {
    t.equal((await call('PUT', ownPage, { token })).statusCode, 400, JSON.stringify(token.slice(0, 30)));
  }
});

void t.test('the API reads no cookie, and tells no other origin that it may ask', async (t) => {
  const gateway = await start(t);
  const cookie = `shoal-session=${gateway.token}`;
  const list = await gateway.call('GET', '/identity/v3/projects', { token: null, headers: { cookie } });
  t.equal(list.statusCode, 401);
  for (const url of ['/identity/v3/projects', '/ui/session']) {
    const answer = await gateway.call('OPTIONS', url, {
      token: null,
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'x-shoal-page',
      },
    });
    t.equal(answer.headers['access-control-allow-origin'], undefined, url);
    t.ok(answer.statusCode >= 400, url);
  }
});
