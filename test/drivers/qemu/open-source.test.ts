import { randomUUID } from 'node:crypto';
import t from 'tap';
import { nodeName, volumeOfNode } from '../../../drivers/qemu/disks/disk-nodes.ts';
import { isOpenFrom, placeOfSource } from '../../../drivers/qemu/disks/open-source.ts';
import type { DiskSource } from '../../../drivers/types.ts';

const volumeId = 'ffffffff-ffff-4fff-8fff-ffffffffffff';
const file: DiskSource = { kind: 'file', path: '/pool/one', format: 'qcow2' };
const rbd: DiskSource = { kind: 'rbd', pool: 'volumes', image: 'v1', user: 'shoal', confPath: '/ceph.conf' };
const key = { user: 'guest', keyHex: '0'.repeat(64) };
const nbd: DiskSource = { kind: 'nbd', host: '127.0.0.1', port: 10809, exportName: 'v1', key };

t.test('a node names its disk', (t) => {
  for (const id of [volumeId, '00000000-0000-4000-8000-000000000000', randomUUID()]) {
    for (const set of ['d', 'e'] as const) t.equal(volumeOfNode(nodeName(id, 'fmt', set)), id);
  }
  for (const name of ['', '#block123', 'f', `d${'z'.repeat(25)}-fmt`, `d${'0'.repeat(24)}-fmt`]) {
    t.equal(volumeOfNode(name), undefined, name);
  }
  t.end();
});

t.test('what QEMU says of a node is compared with a source, and with no other', (t) => {
  const said: readonly (readonly [string, DiskSource])[] = [
    ['/pool/one', file],
    [`/run/plugs/server/${placeOfSource(volumeId, file)}`, file],
    ['json:{"driver":"rbd","pool":"volumes","image":"v1","conf":"/elsewhere"}', rbd],
    ['nbd://127.0.0.1:10809/v1', nbd],
    ['json:{"driver":"nbd","server.host":"127.0.0.1","server.port":"10809","export":"v1"}', nbd],
    ['json:{"driver":"nbd","server":{"host":"127.0.0.1","port":"10809"},"export":"v1"}', nbd],
  ];
  for (const [text, source] of said) {
    for (const other of [file, rbd, nbd]) t.equal(isOpenFrom(text, volumeId, other), other === source, text);
  }
  const others = [
    '/pool/two',
    `/run/plugs/server/${volumeId}`,
    'json:{"driver":"rbd","pool":"volumes","image":"v2"}',
    'json:{',
  ];
  for (const text of [...others, undefined]) {
    for (const source of [file, rbd, nbd]) t.notOk(isOpenFrom(text, volumeId, source));
  }
  t.not(placeOfSource(volumeId, file), placeOfSource(volumeId, { ...file, path: '/pool/two' }));
  t.end();
});
