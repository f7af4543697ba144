import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { readVendorData } from '../../../node/agent/vendor-data.ts';

void t.test('vendor data is a JSON object, or the agent does not start', async (t) => {
  const path = join(t.testdir(), 'vendor.json');
  t.equal(await readVendorData(''), '{}');
  await t.rejects(readVendorData(path), { code: 'CONFIG_INVALID', message: /cannot be read: ENOENT/ });
  await writeFile(path, '{ "cloud-init": "#cloud-config\\n",\n "ö": [1] }');
  t.equal(await readVendorData(path), '{"cloud-init":"#cloud-config\\n","ö":[1]}');
  for (const [content, why] of [
    ['{', /no JSON/],
    [Buffer.from([0x22, 0xe9, 0x22]), /no JSON in UTF-8/],
    ['[]', /no JSON object/],
    ['"text"', /no JSON object/],
    ['null', /no JSON object/],
    [`{"a":"${'x'.repeat(256 * 1024)}"}`, /larger than 262144 bytes/],
  ] as const) {
    await writeFile(path, content);
    await t.rejects(readVendorData(path), { code: 'CONFIG_INVALID', message: why });
  }
});
