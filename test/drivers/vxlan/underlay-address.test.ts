import t from 'tap';
import { isUnderlayAddress, vxlanOverheadBytes } from '../../../drivers/vxlan/model/underlay-address.ts';

t.test('an underlay address is IPv4, or IPv6 as the kernel writes it', (t) => {
  for (const good of ['10.0.0.1', 'fd00::1', '2001:db8:0:1::2', 'fd00:98::a']) t.ok(isUnderlayAddress(good), good);
  for (const bad of [
    '',
    'host',
    'FD00::1',
    'fd00:0:0:0:0:0:0:1',
    'fe80::1%eth0',
    '::ffff:10.0.0.1',
    '[fd00::1]',
    '10.0.0.256',
  ]) {
    t.notOk(isUnderlayAddress(bad), bad);
  }
  t.end();
});

t.test('VXLAN adds 20 bytes more over IPv6', (t) => {
  t.equal(vxlanOverheadBytes('10.0.0.1'), 50);
  t.equal(vxlanOverheadBytes('fd00::1'), 70);
  t.end();
});
