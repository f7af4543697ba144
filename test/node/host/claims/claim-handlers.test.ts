import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { ClaimBook } from '../../../../node/host/claims/claim-book.ts';
import {
  type ClaimHandlersDeps,
  claimHandlers,
  claimsPerBatchMax,
} from '../../../../node/host/claims/claim-handlers.ts';
import type { PeerCall } from '../../../../node/mesh/peers/peer-server.ts';
import { type HostStoreWrite, memoryHostStore } from '../../../../node/store/host/host-store.ts';
import { shoal } from '../../../../proto/messages.ts';

const hostId = 'a'.repeat(32) as HostId;
const call: PeerCall = {
  caller: 'b'.repeat(32) as HostId,
  signal: new AbortController().signal,
  remoteAddress: 'test',
  certificate: undefined,
  header: () => undefined,
};

/** A host of so many vCPUs, with what it wrote and how many adverts it signed. */
function host(vcpus: number, more: Partial<ClaimHandlersDeps> = {}) {
  const store = memoryHostStore();
  const writes: (readonly HostStoreWrite[])[] = [];
  let changes = 0;
  const pool = (total: number) => ({ total, reserved: 0, allocationRatio: 1 });
  const claims = new ClaimBook(
    {
      store: {
        ...store,
        async write(batch) {
          writes.push(batch);
          await store.write(batch);
        },
      },
      clock: systemClock,
      onChange: () => {
        changes += 1;
      },
      isApart: () => false,
    },
    { vcpus: pool(vcpus), memoryMib: pool(1 << 20), diskGib: pool(1000), pciPools: [], numaCells: [] },
  );
  let signed = 0;
  const handlers = claimHandlers({
    claims,
    freshAdvert: () => {
      signed += 1;
      return shoal.v1.SignedAdvert.create({ advert: new Uint8Array([signed]) });
    },
    nextAdvert: () => ({ epoch: 7, sequence: 3 }),
    isEnabled: () => true,
    hostId,
    ...more,
  });
  return { claims, handlers, writes, signed: () => signed, changes: () => changes };
}

function claim(serverId: string, more: Partial<shoal.v1.ClaimRequest> = {}): shoal.v1.ClaimRequest {
  return new shoal.v1.ClaimRequest({
    serverId,
    generation: 1,
    resources: { vcpus: 1, memoryMib: 1, diskGib: 1 },
    ttlMs: 30_000,
    ...more,
  });
}

void t.test('a batch is decided claim by claim; its refusals bring one fresh advert', async (t) => {
  const { handlers, claims, signed } = host(3);
  const request = { claims: ['a', 'b', 'c', 'd', 'e'].map((id) => claim(id)) };
  const { answers, adverts } = await handlers.claimBatch(new shoal.v1.ClaimBatchRequest(request), call);
  t.same(
    answers?.map((answer) => answer.admitted),
    [true, true, true, false, false],
  );
  t.match(answers?.[0], { countedEpoch: 7, countedSequence: 3 });
  t.match(answers?.[4]?.reason, /1 vCPUs are wanted, 0 are free/);
  t.equal(adverts?.length, 1);
  t.equal(signed(), 1);
  t.equal(claims.usage().vcpus.used, 3);
});

void t.test('an admission costs no signature where the asker is told which advert will count it', async (t) => {
  const quick = host(3);
  t.match(await quick.handlers.claim(claim('a'), call), { admitted: true, countedEpoch: 7, countedSequence: 3 });
  t.equal(quick.signed(), 0);
  const plain = claimHandlers({
    claims: quick.claims,
    freshAdvert: () => shoal.v1.SignedAdvert.create({ advert: new Uint8Array([9]) }),
    isEnabled: () => true,
  });
  t.match(await plain.claim(claim('b'), call), { admitted: true, advert: { advert: new Uint8Array([9]) } });
});

void t.test('a batch with a malformed claim, or with too many, leaves nothing admitted', async (t) => {
  const { handlers, claims } = host(8);
  const bad = { claims: [claim('a'), claim('b', { ttlMs: 1e9 })] };
  await t.rejects(handlers.claimBatch(new shoal.v1.ClaimBatchRequest(bad), call), { code: 'INVALID_ARGUMENT' });
  const many = { claims: Array.from({ length: claimsPerBatchMax + 1 }, (_, n) => claim(`s${n}`)) };
  await t.rejects(handlers.claimBatch(new shoal.v1.ClaimBatchRequest(many), call), { code: 'INVALID_ARGUMENT' });
  await t.rejects(handlers.claimBatch(new shoal.v1.ClaimBatchRequest(), call), { code: 'INVALID_ARGUMENT' });
  t.equal(claims.usage().servers, 0);
});

void t.test('a claim for another host, or for a disabled one, is refused', async (t) => {
  const { handlers } = host(8);
  t.match(await handlers.claim(claim('a', { hostId: 'c'.repeat(32) }), call), {
    admitted: false,
    reason: 'another host was asked for',
  });
  t.match(await handlers.claim(claim('a', { hostId }), call), { admitted: true });
  const closed = host(8, { isEnabled: () => false });
  t.match(await closed.handlers.claim(claim('a'), call), { admitted: false, reason: 'the host is disabled' });
});

void t.test('an overloaded host refuses early, before anything is written', async (t) => {
  const { handlers, writes, claims } = host(1 << 10);
  const outcomes = await Promise.all(Array.from({ length: 400 }, (_, n) => handlers.claim(claim(`s${n}`), call)));
  const refused = outcomes.filter((outcome) => outcome.admitted !== true);
  t.equal(refused.length, 400 - 256);
  t.ok(refused.every((outcome) => /overloaded/.test(outcome.reason ?? '')));
  t.equal(writes.flat().length, 256);
  t.equal(claims.usage().servers, 256);
});

function recordOf(id: string): shoal.v1.Server {
  return new shoal.v1.Server({
    id,
    hostId,
    generation: 1,
    storage: 'local',
    flavor: { vcpus: 1, memoryMib: 1, diskGib: 1 },
  });
}

/** Every record can be read. */
const readable = (): boolean => false;

void t.test('the claim of a server whose record cannot be read is kept: it may be here', async (t) => {
  const { handlers, claims } = host(1);
  await handlers.claim(claim('broken'), call);
  await claims.follow([recordOf('broken')], hostId, 7, () => true, readable);
  await claims.follow(
    [],
    hostId,
    8,
    () => true,
    (id) => id === 'broken',
  );
  t.equal(claims.usage().servers, 1);
  t.equal((await handlers.claim(claim('another'), call)).admitted, false, 'its room is not given to anybody else');
  await claims.follow([], hostId, 9, () => false, readable);
  t.equal(claims.usage().servers, 0, 'until the record has gone');
});

void t.test('a server that is recorded after its claim has ended is told of when its room is taken', async (t) => {
  const { handlers, claims } = host(1);
  await handlers.claim(claim('late', { ttlMs: 1 }), call);
  await new Promise((resolve) => setTimeout(resolve, 5));
  t.match(await handlers.claim(claim('quick'), call), { admitted: true });
  const lapsed = await claims.follow([recordOf('quick'), recordOf('late')], hostId, 7, () => false, readable);
  t.match([...lapsed], [['late', /1 vCPUs are wanted, 0 are free/]]);
  t.equal(claims.usage().vcpus.used, 1);
  t.same(
    [...(await claims.follow([recordOf('late')], hostId, 8, () => false, readable))],
    [],
    'once there is room it is taken in',
  );
  t.equal(claims.usage().servers, 1);
  await claims.follow([recordOf('late'), recordOf('quick')], hostId, 9, () => true, readable);
  t.equal(claims.usage().vcpus.used, 2, 'a guest that is here is a fact');
});

void t.test('the mesh is to hear what moves room, and a bind moves none', async (t) => {
  const { claims, handlers, writes, changes } = host(4);
  const isHere = (): boolean => true;
  t.equal((await handlers.claim(claim('a'), call)).admitted, true);
  t.equal(changes(), 1);
  await claims.follow([recordOf('a')], hostId, 10, isHere, readable);
  t.equal(writes.length, 2, 'the bind is written');
  t.equal(changes(), 1);
  await claims.follow([recordOf('a'), recordOf('b')], hostId, 11, isHere, readable);
  t.equal(changes(), 2, 'one that was not known takes room');
  await claims.follow([recordOf('b')], hostId, 12, isHere, readable);
  t.equal(changes(), 3, 'one that has gone gives room');
  t.equal(claims.usage().vcpus.used, 1);
});

void t.test('a second member of a group that keeps apart is refused, and room is as before', async (t) => {
  const { handlers, claims } = host(9);
  const apart = { groupId: 'g-1', groupMembersMax: 1 };
  t.match(await handlers.claim(claim('a', apart), call), { admitted: true });
  t.match(await handlers.claim(claim('b', apart), call), {
    admitted: false,
    reason: '1 members of server group g-1 are here already',
  });
  t.match(await handlers.claim(claim('a', apart), call), { admitted: true }, 'the member itself may ask again');
  t.match(await handlers.claim(claim('c', { groupId: 'g-2', groupMembersMax: 1 }), call), { admitted: true });
  t.match(await handlers.claim(claim('d', { ...apart, groupMembersMax: 2 }), call), { admitted: true });
  // An asker that sends no number means one.
  t.match(await handlers.claim(claim('e', { groupId: 'g-1' }), call), { admitted: false });
  t.equal(claims.usage().vcpus.used, 3);
});
