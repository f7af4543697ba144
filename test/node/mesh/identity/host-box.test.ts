import t from 'tap';
import { openForHost, sealToHost } from '../../../../node/mesh/identity/host-box.ts';
import { HostIdentity } from '../../../../node/mesh/identity/identity.ts';

void t.test('what is sealed to a host opens with its key and no other', (t) => {
  const secret = Buffer.from('the mesh key of epoch 2');
  for (let i = 0; i < 50; i++) {
    const host = HostIdentity.fromSeed(new Uint8Array(32).fill(i));
    const sealed = sealToHost(host.publicKey, 'mesh-key/m/2', secret);
    t.strictSame(Buffer.from(openForHost(host, 'mesh-key/m/2', sealed)), secret, `host ${i}`);
  }
  const host = HostIdentity.create();
  const sealed = sealToHost(host.publicKey, 'mesh-key/m/2', secret);
  t.notSame(sealToHost(host.publicKey, 'mesh-key/m/2', secret), sealed, 'each sealing is another');
  t.throws(() => openForHost(HostIdentity.create(), 'mesh-key/m/2', sealed), { code: 'IDENTITY_MISMATCH' });
  t.throws(() => openForHost(host, 'mesh-key/m/3', sealed), { code: 'IDENTITY_MISMATCH' });
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 0x40;
    t.throws(() => openForHost(host, 'mesh-key/m/2', changed), { code: 'IDENTITY_MISMATCH' }, `byte ${at}`);
  }
  t.throws(() => openForHost(host, 'mesh-key/m/2', sealed.subarray(0, 20)), { code: 'IDENTITY_MISMATCH' });
  t.end();
});

void t.test('what is no key of a host is refused', (t) => {
  const secret = new Uint8Array(32);
  t.throws(() => sealToHost(new Uint8Array(31), 'x', secret), { code: 'IDENTITY_MISMATCH' });
  t.throws(() => sealToHost(new Uint8Array(32).fill(255), 'x', secret), { code: 'IDENTITY_MISMATCH' });
  const one = new Uint8Array(32);
  one[0] = 1;
  t.throws(() => sealToHost(one, 'x', secret), { code: 'IDENTITY_MISMATCH' });
  t.end();
});
