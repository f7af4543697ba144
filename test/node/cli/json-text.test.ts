import { readdir, readFile } from 'node:fs/promises';
import t from 'tap';
import { jsonText } from '../../../node/cli/kit/json-text.ts';
import { shoal } from '../../../proto/messages.ts';

void t.test('bytes are base64, in messages as in plain objects', (t) => {
  const publicKey = Buffer.from([0xfb, 0xff, 0x00]);
  const answer = new shoal.v1.ListHostsResponse({
    hosts: [new shoal.v1.HostView({ host: new shoal.v1.Host({ name: 'h1', publicKey }) })],
    stale: false,
  });
  const { hosts, stale } = shoal.v1.ListHostsResponse.decode(shoal.v1.ListHostsResponse.encode(answer).finish());
  const shown = JSON.parse(jsonText({ hosts, stale }));
  t.equal(shown.hosts[0].host.publicKey, '+/8A');
  t.equal(shown.hosts[0].host.name, 'h1');
  t.equal(jsonText({ a: [new Uint8Array([1]), undefined, null, true], b: undefined }), '{"a":["AQ==",null,null,true]}');
  t.end();
});

void t.test('every command prints its JSON so', async (t) => {
  const folder = new URL('../../../node/cli/', import.meta.url);
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.ts')) continue;
    const text = await readFile(new URL(name, folder), 'utf8');
    t.notMatch(text, /console\.log\([^;]*JSON\.stringify\((?!content\b)/, name);
  }
});
