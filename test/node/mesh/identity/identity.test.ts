import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import { createTlsKey, HostIdentity, loadOrCreateKeys } from '../../../../node/mesh/identity/identity.ts';
import { hostIdOfPeer, libp2pPrivateKey, peerIdOf } from '../../../../node/mesh/identity/libp2p-keys.ts';
import { MeshKey } from '../../../../node/mesh/identity/mesh-key.ts';
import { seal, unseal } from '../../../../node/mesh/identity/seal.ts';
import { hostIdOf, verifySignature } from '../../../../node/mesh/identity/signature.ts';

const folderOf = async (test: { teardown(run: () => Promise<void>): void }): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-mesh-'));
  test.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

t.test('a host keeps its identity and its TLS key across restarts', async (t) => {
  const folder = await folderOf(t);
  const first = await loadOrCreateKeys(folder);
  const again = await loadOrCreateKeys(folder);
  t.match(first.identity.hostId, /^[0-9a-f]{32}$/);
  t.equal(again.identity.hostId, first.identity.hostId);
  t.same(again.tlsKey.publicKeySpki, first.tlsKey.publicKeySpki);
  for (const name of ['host.key', 'tls.key']) {
    t.equal((await stat(join(folder, name))).mode & 0o777, 0o600, `${name} is for its owner only`);
  }
});

t.test('a key file that others may read is refused, and so is one that is no key', async (t) => {
  const folder = await folderOf(t);
  await loadOrCreateKeys(folder);
  await chmod(join(folder, 'host.key'), 0o640);
  await t.rejects(loadOrCreateKeys(folder), { code: 'CONFIG_INVALID', message: /others may read it \(mode 640\)/ });
  await chmod(join(folder, 'host.key'), 0o600);
  await writeFile(join(folder, 'host.key'), 'not a key');
  await t.rejects(loadOrCreateKeys(folder), { code: 'CONFIG_INVALID' });
  await writeFile(join(folder, 'host.key'), createTlsKey().privateKeyPem);
  await t.rejects(loadOrCreateKeys(folder), { code: 'CONFIG_INVALID', message: /not an Ed25519/ });
});

t.test('the same seed gives the same identity', async (t) => {
  const seed = new Uint8Array(32).fill(7);
  t.equal(HostIdentity.fromSeed(seed).hostId, HostIdentity.fromSeed(seed).hostId);
  t.same(HostIdentity.fromSeed(seed).revealSeed(), Buffer.from(seed));
});

t.test('a signature verifies for its purpose, content and key alone', async (t) => {
  const host = HostIdentity.create();
  const content = Buffer.from('capacity');
  const signature = host.sign('advert/v1', content);
  t.ok(verifySignature(host.publicKey, 'advert/v1', content, signature));
  t.notOk(verifySignature(host.publicKey, 'rumour/v1', content, signature), 'another purpose');
  t.notOk(verifySignature(host.publicKey, 'advert/v1', Buffer.from('capacitz'), signature), 'another content');
  t.notOk(verifySignature(HostIdentity.create().publicKey, 'advert/v1', content, signature), 'another key');
  t.notOk(verifySignature(host.publicKey.subarray(1), 'advert/v1', content, signature), 'a short key');
  t.notOk(verifySignature(host.publicKey, 'advert/v1', content, signature.subarray(1)), 'a short signature');
  t.notOk(verifySignature(new Uint8Array(32).fill(0xff), 'advert/v1', content, signature), 'no key at all');
});

t.test('the libp2p peer id and the host id are two names of one key', async (t) => {
  const host = HostIdentity.create();
  const peerId = peerIdOf(host.publicKey);
  t.same(libp2pPrivateKey(host).publicKey.raw, host.publicKey);
  t.equal(hostIdOfPeer(peerId), host.hostId);
  t.equal(hostIdOf(host.publicKey), host.hostId);
});

t.test('secrets do not print', async (t) => {
  const folder = await folderOf(t);
  const key = MeshKey.create();
  await key.save(folder);
  const hex = (await readFile(join(folder, 'mesh.key'))).toString('hex');
  const identity = HostIdentity.create();
  const seedHex = Buffer.from(identity.revealSeed()).toString('hex');
  for (const value of [key, key.derive('seal'), identity]) {
    const printed = `${value} ${JSON.stringify({ value })} ${inspect(value, { showHidden: true, depth: 9 })}`;
    t.notOk(printed.includes(hex) || printed.includes(seedHex));
    t.notMatch(printed, /PRIVATE/);
  }
  t.equal(`${key}`, '[redacted]');
  t.same((await MeshKey.load(folder))?.reveal(), key.reveal());
  t.equal(await MeshKey.load(join(folder, 'nowhere')), undefined);
});

t.test('a sealed value opens with its key and label, and with no other', async (t) => {
  const key = MeshKey.create();
  const sealed = seal(key, 'authority-key/m1', Buffer.from('secret'));
  t.equal(Buffer.from(unseal(key, 'authority-key/m1', sealed)).toString(), 'secret');
  t.not(
    Buffer.from(seal(key, 'authority-key/m1', Buffer.from('secret'))).toString('hex'),
    Buffer.from(sealed).toString('hex'),
  );
  t.throws(() => unseal(MeshKey.create(), 'authority-key/m1', sealed), { code: 'IDENTITY_MISMATCH' });
  t.throws(() => unseal(key, 'authority-key/m2', sealed), { code: 'IDENTITY_MISMATCH' });
  for (let at = 0; at < sealed.length; at++) {
    const bent = Uint8Array.from(sealed);
    bent[at] = (bent[at] ?? 0) ^ 1;
    t.throws(() => unseal(key, 'authority-key/m1', bent), { code: 'IDENTITY_MISMATCH' }, `byte ${at} changed`);
  }
  t.throws(() => unseal(key, 'authority-key/m1', sealed.subarray(0, 20)), { code: 'IDENTITY_MISMATCH' });
  t.not(
    Buffer.from(key.derive('seal').reveal()).toString('hex'),
    Buffer.from(key.derive('token-signing').reveal()).toString('hex'),
  );
});
