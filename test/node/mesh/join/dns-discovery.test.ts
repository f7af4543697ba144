/** Members by DNS. The answers are those of a DNS server of this test's own, over UDP, through Node's own resolver. */
import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import t from 'tap';
import { membersByDns } from '../../../../node/mesh/join/dns-discovery.ts';

const types = { A: 1, AAAA: 28, SRV: 33 } as const;
type Zone = Readonly<Record<string, Partial<Record<keyof typeof types, readonly Buffer[]>>>>;

const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function srv(priority: number, weight: number, port: number, target: string): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(priority, 0);
  head.writeUInt16BE(weight, 2);
  head.writeUInt16BE(port, 4);
  return Buffer.concat([head, nameBytes(target)]);
}

/** Answers by the zone: NXDOMAIN for a name that it does not have, no data for a type. `silent`: answers nothing. */
async function resolverOf(
  test: { teardown(run: () => void): void },
  zone: Zone,
  isRefusing = false,
): Promise<InstanceType<typeof dns.Resolver>> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    while ((query[at] ?? 0) !== 0) {
      const length = query[at] ?? 0;
      labels.push(query.subarray(at + 1, at + 1 + length).toString());
      at += 1 + length;
    }
    const type = query.readUInt16BE(at + 1);
    const entry = Object.entries(zone).find(([name]) => name === labels.join('.'))?.[1];
    const kind = (['A', 'AAAA', 'SRV'] as const).find((known) => types[known] === type);
    const found = (kind === undefined ? undefined : entry?.[kind]) ?? [];
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(isRefusing ? 0x8185 : entry === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(found.length, 6);
    head.writeUInt16BE(0, 8);
    head.writeUInt16BE(0, 10);
    const answers = found.map((data) => {
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([head, query.subarray(12, at + 5), ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  test.teardown(() => socket.close());
  const resolver = new dns.Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return resolver;
}

t.test('SRV records name hosts and ports, the best first', async (t) => {
  const resolver = await resolverOf(t, {
    '_shoal-peer._tcp.mesh.example': {
      SRV: [srv(20, 1, 7401, 'spare.example'), srv(10, 1, 7411, 'b.example'), srv(10, 9, 7401, 'a.example')],
    },
    'mesh.example': { A: [Buffer.from([192, 0, 2, 1])] },
  });
  t.same(await membersByDns('mesh.example', resolver), ['a.example:7401', 'b.example:7411', 'spare.example:7401']);
});

t.test('without them the addresses of the name are asked, of both families', async (t) => {
  const resolver = await resolverOf(t, {
    'mesh.example': {
      A: [Buffer.from([192, 0, 2, 1]), Buffer.from([192, 0, 2, 2])],
      AAAA: [Buffer.from('20010db8000000000000000000000001', 'hex')],
    },
    'six.example': { AAAA: [Buffer.from('20010db8000000000000000000000002', 'hex')] },
  });
  t.same([...(await membersByDns('mesh.example', resolver))].sort(), [
    '192.0.2.1:7401',
    '192.0.2.2:7401',
    '[2001:db8::1]:7401',
  ]);
  t.same(await membersByDns('six.example', resolver), ['[2001:db8::2]:7401'], 'an underlay without IPv4');
});

t.test('a name that says nothing, and a server that refuses, are told apart', async (t) => {
  const empty = await resolverOf(t, {});
  await t.rejects(membersByDns('none.example', empty), { code: 'UNAVAILABLE', message: /knows neither/ });
  const refusing = await resolverOf(t, {}, true);
  await t.rejects(membersByDns('mesh.example', refusing), { code: 'UNAVAILABLE', message: /asking DNS/ });
});
