import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { sha256Hex, signedHeaders } from '../../../drivers/backup/s3-signature.ts';
import { S3BackupStore } from '../../../drivers/backup/s3-store.ts';

const { signal } = new AbortController();
const nowMs = Date.UTC(2013, 4, 24);
const example = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};

t.test('requests are signed as the examples of the S3 documentation', async (t) => {
  const empty = sha256Hex('');
  for (const [method, path, headers, body, signature] of [
    [
      'GET',
      '/test.txt',
      { range: 'bytes=0-9' },
      empty,
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'PUT',
      '/test%24file.text',
      { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      sha256Hex('Welcome to Amazon S3.'),
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    ['GET', '/?lifecycle', {}, empty, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    ['GET', '/?max-keys=2&prefix=J', {}, empty, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ] as const) {
    const url = new URL(path, 'https://examplebucket.s3.amazonaws.com');
    const signed = signedHeaders({ method, url, headers: { ...headers }, bodySha256: body, nowMs }, example);
    t.match(signed['authorization'], `Signature=${signature}`, `${method} ${path}`);
  }
});

/** A bucket in memory that checks each signature by signing for itself, and lists two keys a page. */
async function bucket(t: Test): Promise<{ readonly url: string; readonly objects: Map<string, Buffer>; fail: number }> {
  const objects = new Map<string, Buffer>();
  const made = { url: '', objects, fail: 0 };
  const server = createServer((request, response) => {
    void answer(request, response, made).catch((caught: unknown) => response.destroy(caught as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  made.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return made;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  bucket: { readonly url: string; readonly objects: Map<string, Buffer>; fail: number },
): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  const url = new URL(request.url ?? '', bucket.url);
  const iso = String(request.headers['x-amz-date']).replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5');
  const at = Date.parse(iso);
  const own = signedHeaders(
    { method: request.method ?? '', url, headers: {}, bodySha256: sha256Hex(body), nowMs: at },
    example,
  );
  const say = (status: number, text: string | Buffer = ''): void => void response.writeHead(status).end(text);
  if (own['authorization'] !== request.headers.authorization) {
    return say(403, '<Error><Code>SignatureDoesNotMatch</Code></Error>');
  }
  if (bucket.fail > 0) {
    bucket.fail -= 1;
    return say(503, '<Error><Code>SlowDown</Code></Error>');
  }
  if (url.searchParams.has('list-type')) {
    const keys = [...bucket.objects.keys()]
      .filter((key) => key.startsWith(url.searchParams.get('prefix') ?? ''))
      .sort();
    const from = Number(url.searchParams.get('continuation-token') ?? '0');
    const more = keys.length > from + 2 ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : '';
    const page = keys.slice(from, from + 2).map((key) => `<Contents><Key>${key}</Key></Contents>`);
    return say(200, `<ListBucketResult>${page.join('')}${more}</ListBucketResult>`);
  }
  const key = url.pathname.replace('/bucket/', '');
  const object = bucket.objects.get(key);
  switch (request.method) {
    case 'PUT':
      bucket.objects.set(key, body);
      return say(200);
    case 'DELETE':
      bucket.objects.delete(key);
      return say(204);
    default:
      return object === undefined ? say(404, '<Error><Code>NoSuchKey</Code></Error>') : say(200, object);
  }
}

function storeAt(endpoint: string, secretAccessKey = example.secretAccessKey): S3BackupStore {
  const options = { ...example, secretAccessKey, endpoint, bucket: 'bucket', prefix: 'shoal/' };
  return new S3BackupStore({ fetch, nowMs: () => Date.now() }, options);
}

t.test('objects are kept, listed over pages, and removed', async (t) => {
  const { url, objects } = await bucket(t);
  const store = storeAt(url);
  const bytes = randomBytes(100_000);
  t.equal(await store.has('b1/manifest', signal), false);
  await t.rejects(store.get('b1/manifest', 10, signal), { code: 'NOT_FOUND' });
  for (const name of ['manifest', 'aa', 'bb', 'cc', 'dd']) await store.put(`b1/${name}`, bytes, signal);
  await store.put('b2/manifest', bytes, signal);
  t.same(await store.get('b1/aa', 100_000, signal), bytes);
  await t.rejects(store.get('b1/aa', 99_999, signal), { code: 'TOO_LARGE' });
  const listed: string[] = [];
  for await (const key of store.list('b1/', signal)) listed.push(key);
  t.same(listed.sort(), ['b1/aa', 'b1/bb', 'b1/cc', 'b1/dd', 'b1/manifest']);
  for (const key of listed) await store.remove(key, signal);
  await store.remove('b1/aa', signal);
  t.same([...objects.keys()], ['shoal/b2/manifest'], 'what was not named stays');
  for (const key of ['../x', '/x', 'b1//x', 'b1/..', 'B', '', 'a/b/c/d/e']) {
    await t.rejects(store.put(key, bytes, signal), { code: 'INVALID_ARGUMENT' }, key);
  }
});

t.test('what a store says when it refuses, is busy or away, has a name', async (t) => {
  const made = await bucket(t);
  await t.rejects(storeAt(made.url, 'wrong').has('b1/a', signal), { code: 'DRIVER_FAILED' });
  made.fail = 1;
  await t.rejects(storeAt(made.url).has('b1/a', signal), { code: 'UNAVAILABLE' });
  await t.rejects(storeAt('http://127.0.0.1:1').has('b1/a', signal), { code: 'UNAVAILABLE' });
});
