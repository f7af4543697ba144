import { inspect } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { formatAddress, parseAddress } from '../../../../node/base/address.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import { JoinTicket, ticketPrefix } from '../../../../node/mesh/join/tickets.ts';

const content = {
  meshId: 'm-1',
  fingerprint: new Uint8Array(32).fill(1),
  addresses: ['10.0.0.1:7401', '[fd00::1]:7401', 'host.example:7401'],
  ticketId: 'tick-1',
  secret: new Uint8Array(32).fill(0xab),
};

t.test('a ticket comes out of its text as it went in', async (t) => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const address = fc
    .tuple(fc.ipV4(), fc.integer({ min: 1, max: 65535 }))
    .map(([host, port]) => formatAddress({ host, port }));
  fc.assert(
    fc.property(
      bytes,
      bytes,
      fc.array(address, { minLength: 1, maxLength: 5 }),
      fc.stringMatching(/^[a-z0-9-]{1,64}$/),
      (fingerprint, secret, addresses, ticketId) => {
        const ticket = JoinTicket.decode(
          new JoinTicket({ meshId: 'm-1', fingerprint, secret, addresses, ticketId }).encode(),
        );
        t.same([...ticket.fingerprint], [...fingerprint]);
        t.same([...ticket.secret.reveal()], [...secret]);
        t.same(ticket.addresses, addresses);
        t.equal(ticket.ticketId, ticketId);
      },
    ),
    { seed: 11, numRuns: 50 },
  );
});

t.test('any change to the text makes it invalid', async (t) => {
  const text = new JoinTicket(content).encode();
  t.ok(JoinTicket.decode(`  ${text}\n`), 'white space around it is forgiven');
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom(...alphabet, ' ', '=', '+', '/', '.'), (at, character) => {
      fc.pre(text[at] !== character);
      const bent = text.slice(0, at) + character + text.slice(at + 1);
      fc.pre(bent.trim() !== text);
      try {
        JoinTicket.decode(bent);
        return false;
      } catch (caught) {
        return ShoalError.is(caught, 'TICKET_INVALID');
      }
    }),
    { seed: 12, numRuns: 500 },
  );
  for (let length = 0; length < text.length; length++) {
    t.throws(() => JoinTicket.decode(text.slice(0, length)), { code: 'TICKET_INVALID' });
  }
});

t.test('malformed text is an invalid ticket and never another error', async (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.uint8Array().map((b) => ticketPrefix + Buffer.from(b).toString('base64url')),
      ),
      (text) => {
        try {
          JoinTicket.decode(text);
          return false;
        } catch (caught) {
          return ShoalError.is(caught, 'TICKET_INVALID');
        }
      },
    ),
    { seed: 13, numRuns: 300 },
  );
  for (const bad of [
    { ...content, addresses: [] },
    { ...content, addresses: Array.from({ length: 6 }, () => '10.0.0.1:1') },
    { ...content, addresses: ['no port'] },
    { ...content, meshId: 'Not A Mesh' },
    { ...content, secret: new Uint8Array(31) },
    { ...content, fingerprint: new Uint8Array(31) },
    { ...content, ticketId: '' },
  ]) {
    t.throws(() => new JoinTicket(bad), { code: 'TICKET_INVALID' });
  }
});

t.test('a ticket never shows its secret, and neither does the error about a bad one', async (t) => {
  const ticket = new JoinTicket(content);
  const text = ticket.encode();
  const secret = [Buffer.from(content.secret).toString('hex'), Buffer.from(content.secret).toString('base64url')];
  const printed = `${ticket} ${JSON.stringify(ticket)} ${inspect(ticket, { showHidden: true, depth: 9 })}`;
  t.notOk([...secret, text].some((part) => printed.includes(part)));
  t.match(printed, /\[redacted\]/);
  try {
    JoinTicket.decode(`${text}x`);
    t.fail('decoded');
  } catch (caught) {
    t.notOk(inspect(caught, { depth: 9 }).includes(text.slice(20, 60)));
  }
});

t.test('addresses are host and port, and nothing else', async (t) => {
  const good = ['10.0.0.1:1', '[::1]:65535', 'a:7401', 'host-1.example.org:80'];
  for (const text of good) t.equal(formatAddress(parseAddress(text)), text);
  const bad = [
    '',
    'a',
    'a:',
    ':1',
    'a:0',
    'a:65536',
    'a:1x',
    '::1:80',
    '[::g]:1',
    '[10.0.0.1]:1',
    'a b:1',
    '-a:1',
    'a-:1',
    'a:1\n',
    'http://a:1',
    'a/b:1',
    `${'a'.repeat(300)}:1`,
  ];
  for (const text of bad) t.throws(() => parseAddress(text), { code: 'INVALID_ARGUMENT' }, text);
});
