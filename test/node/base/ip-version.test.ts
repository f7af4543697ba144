/** A reader of addresses that needs no Node says what Node says. */
import { isIP } from 'node:net';
import t from 'tap';
import { ipVersion } from '../../../node/base/ip-version.ts';
import { Prng } from '../../../node/base/prng.ts';

const samples = [
  '0.0.0.0',
  '255.255.255.255',
  '192.0.2.17',
  '::',
  '::1',
  '1::',
  '2001:db8::8:800:200c:417a',
  '1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:7::',
  '::2:3:4:5:6:7:8',
  '::ffff:192.0.2.1',
  '64:ff9b::192.0.2.33',
  '1:2:3:4:5:6:192.0.2.1',
  'ABCD:EF01:2345:6789:ABCD:EF01:2345:6789',
  '0000:0000:0000:0000:0000:ffff:255.255.255.255',
];
const wrong = [
  '',
  '1',
  '1.2.3',
  '1.2.3.4.',
  '01.2.3.4',
  '256.1.1.1',
  ':',
  ':::',
  '1::2::3',
  '1.2.3.4::',
  '12345::',
  '1.2.3.4\n',
];
const letters = '0123456789abcfF:.:.:.g ';

t.test('addresses and texts that are nearly addresses are told apart as by Node', (t) => {
  for (const text of samples) t.equal(ipVersion(text), isIP(text), text);
  for (const text of wrong) t.equal(ipVersion(text), 0, JSON.stringify(text));
  t.equal(ipVersion('fe80::1%eth0'), 0, 'a zone');
  const random = new Prng(7);
  const different: string[] = [];
  let addresses = 0;
  for (let round = 0; round < 60_000; round++) {
    const sample = samples[random.below(samples.length)] ?? '';
    const at = random.below(sample.length + 1);
    const cut = random.below(3);
    const put = Array.from({ length: random.below(3) }, () => letters[random.below(letters.length)]).join('');
    const text = sample.slice(0, at) + put + sample.slice(at + cut);
    if (isIP(text) !== 0) addresses += 1;
    if (ipVersion(text) !== isIP(text)) different.push(text);
  }
  t.same(different.slice(0, 5), []);
  t.ok(addresses > 10_000 && addresses < 50_000, `${addresses} of the texts are addresses`);
  t.end();
});
