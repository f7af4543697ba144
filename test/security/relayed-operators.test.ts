/** Who is taken for the operator of another agent, when calls are relayed. */
import t from 'tap';
import type { HostId } from '../../node/base/ids.ts';
import { HostIdentity } from '../../node/mesh/identity/identity.ts';
import { MeshKey } from '../../node/mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../../node/mesh/identity/mesh-key-ring.ts';
import { MeshOperatorProofs, operatorProofKey } from '../../node/mesh/relay/operator-proof.ts';
import { StateMachine } from '../../node/state/state-machine.ts';
import { shoal } from '../../proto/messages.ts';
import { answersHere, apiOf, startRelay } from '../node/mesh/relay/rig.ts';
import { as, startGrpcGateway } from '../support/grpc-gateway.ts';

const path = '/shoal.v1.ClusterService/Rekey';

function proofsOf(identity: HostIdentity, key: MeshKey): MeshOperatorProofs {
  const { reader } = new StateMachine().view();
  return new MeshOperatorProofs(new MeshKeyRing(identity, key), () => reader, identity.hostId);
}

t.test('a proof is good for its member and its method, and made with the key of the mesh', async (t) => {
  const key = MeshKey.create();
  const [one, other] = [HostIdentity.create(), HostIdentity.create()];
  const proof = proofsOf(one, key).prove(path);
  const replica = proofsOf(other, key);
  t.equal(replica.holds(proof, one.hostId, path), true);
  t.equal(replica.holds(proof, other.hostId, path), false, 'of another member');
  t.equal(replica.holds(proof, one.hostId, '/shoal.v1.ClusterService/RemoveHost'), false, 'of another method');
  const stranger = proofsOf(one, MeshKey.create());
  t.equal(replica.holds(stranger.prove(path), one.hostId, path), false, 'a certificate without the key does not do');
  for (const wrong of [
    '',
    '0',
    '0.',
    `1${proof}`,
    `${proof}A`,
    `${proof.slice(0, -1)}`,
    '0.\u0000',
    `${'9'.repeat(99)}.${'A'.repeat(43)}`,
  ]) {
    t.equal(replica.holds(wrong, one.hostId, path), false, JSON.stringify(wrong.slice(0, 20)));
  }
});

t.test('a client cannot come by what only agents say', async (t) => {
  const replica = await startGrpcGateway({}, answersHere);
  const relay = await startRelay(t, [apiOf({ grpc: (...call) => replica.gateway.relayed(...call) })]);
  const front = await startGrpcGateway({}, relay.relay);
  t.teardown(async () => {
    await front.stop();
    await replica.stop();
  });
  // A proof that would hold, shown by who has come by it.
  const stolen = { [operatorProofKey]: relay.relay.operators.prove('/shoal.v1.ClusterService/ListHosts') };
  const asAlice = { timeoutMs: 5_000, headers: { ...as('alice').headers, ...stolen } };
  const asNobody = { timeoutMs: 5_000, headers: stolen };
  for (const [what, gateway] of Object.entries({ replica, front })) {
    const cluster = gateway.client.calls(shoal.v1.ClusterService);
    await t.rejects(
      cluster.listHosts({}, asAlice),
      { code: 'FORBIDDEN' },
      `${what}: it counts for nothing beside a token`,
    );
    await t.rejects(cluster.listHosts({}, asNobody), { code: 'UNAUTHENTICATED' }, `${what}: nor without one`);
  }
});

t.test('a member without the key of the mesh has its operator turned away', async (t) => {
  const replica = await startGrpcGateway({}, answersHere);
  t.teardown(() => replica.stop());
  const ask = (proof: string) =>
    replica.gateway.relayed(
      { path: '/shoal.v1.ClusterService/ListHosts', metadata: [[operatorProofKey, proof]] },
      { clientAddress: '127.0.0.1', baseUrl: '', member: '1'.repeat(32) as HostId },
      (async function* () {})(),
      new AbortController().signal,
    );
  t.throws(() => ask('guessed'), { code: 'UNAUTHENTICATED' });
  t.throws(() => ask(''), { code: 'UNAUTHENTICATED' });
});
