import t from 'tap';
import { systemClock } from '../../../node/base/clock.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { announceHandler } from '../../../node/cluster/announce.ts';
import { HostDirectory } from '../../../node/cluster/host-directory.ts';
import { knownHost } from '../../../node/cluster/membership.ts';
import { HostIdentity } from '../../../node/mesh/identity/identity.ts';
import type { PeerCall } from '../../../node/mesh/peers/peer-server.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../node/state/table.ts';
import { hostTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';

function hostOf(name: string, raftId: number, address: string): shoal.v1.Host {
  const { hostId, publicKey } = HostIdentity.create();
  return new shoal.v1.Host({
    id: hostId,
    publicKey,
    raftId,
    name,
    peerAddress: `${address}:7401`,
    gossipAddress: `/ip4/${address}/tcp/7402`,
    apiUrl: `https://${address}:5000`,
    vtepIp: address,
    transitIndex: raftId,
  });
}

async function world() {
  const [own, other] = [hostOf('a', 1, '192.0.2.1'), hostOf('b', 2, '192.0.2.2')];
  const state = new MemoryStateClient();
  const builder = new TransactionBuilder();
  for (const host of [own, other]) hostTable.insert(builder, host);
  await state.commit(builder.build(), {});
  const directory = new HostDirectory({
    version: 1,
    meshId: 'm-1',
    hostId: own.id,
    raftId: 1,
    transitIndex: 1,
    certificatePem: '',
    authorityCertificatePem: '',
    hosts: [own, other].map(knownHost),
  });
  directory.renew(state.local);
  let learned = 0;
  const handler = announceHandler(
    { state, clock: systemClock, logger: silentLogger, newId: () => 'id' },
    directory,
    () => {
      learned += 1;
    },
  );
  const announce = (host: shoal.v1.IHost, caller: string = other.id) => {
    const call: PeerCall = {
      caller: caller as HostId,
      signal: new AbortController().signal,
      remoteAddress: '192.0.2.2:1',
      certificate: undefined,
      header: () => undefined,
    };
    return handler(new shoal.v1.AnnounceRequest({ host: new shoal.v1.Host(host) }), call);
  };
  const moved = {
    ...other,
    peerAddress: '192.0.2.9:7401',
    gossipAddress: '/ip4/192.0.2.9/tcp/7402',
    vtepIp: '192.0.2.9',
  };
  return { state, directory, own, other, moved, announce, learned: () => learned };
}

t.test('a host is reached where it says, and its record follows; its numbers stay', async (t) => {
  const { state, directory, other, moved, announce, learned } = await world();
  t.same(await announce({ ...moved, raftId: 99, transitIndex: 99, disabled: true }), { recorded: true });
  t.equal(learned(), 1);
  t.match(hostTable.must(state.local, other.id).record, {
    vtepIp: '192.0.2.9',
    raftId: 2,
    transitIndex: 2,
    disabled: false,
  });
  directory.renew(state.local);
  t.equal(directory.addressOf(other.id as HostId), '192.0.2.9:7401');
  t.same(await announce(moved), { recorded: true });
  t.equal(learned(), 1, 'said twice, learned once');
});

t.test('without a quorum it is reached there all the same, until its record says something new', async (t) => {
  const { state, directory, other, moved, announce } = await world();
  state.available = false;
  t.same(await announce(moved), { recorded: false });
  directory.renew(state.local);
  t.equal(directory.addressOf(other.id as HostId), '192.0.2.9:7401');
  state.available = true;
  const row = hostTable.must(state.local, other.id);
  const builder = new TransactionBuilder();
  hostTable.update(builder, row, new shoal.v1.Host({ ...row.record, peerAddress: '192.0.2.77:7401' }));
  await state.commit(builder.build(), {});
  directory.renew(state.local);
  t.equal(directory.addressOf(other.id as HostId), '192.0.2.77:7401');
});

t.test('no host announces for another, and malformed announcements are refused', async (t) => {
  const { directory, own, other, moved, announce, learned } = await world();
  await t.rejects(announce(moved, own.id), { code: 'IDENTITY_MISMATCH' });
  await t.rejects(announce({ ...moved, publicKey: own.publicKey }), { code: 'INVALID_ARGUMENT' });
  await t.rejects(announce({ ...moved, peerAddress: 'no address' }), { code: 'INVALID_ARGUMENT' });
  await t.rejects(announce({ ...moved, vtepIp: 'no address' }), { code: 'INVALID_ARGUMENT' });
  t.equal(learned(), 0);
  t.equal(directory.addressOf(other.id as HostId), '192.0.2.2:7401');
});
