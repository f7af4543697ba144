/** Limits of single users hold beside their project's, also for two requests at once, and only while they are set. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { userUsage } from '../../../../node/services/compute/kit/user-quotas.ts';
import { makeComputeWorld } from '../compute-world.ts';

const draft = { name: 'web', flavorId: '1', imageId: 'image-1', networks: 'none' } as const;

async function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (caught) => (caught instanceof ShoalError ? `${caught.code} ${caught.message}` : String(caught)),
  );
}

t.test('a user has no more than the own limit says', async (t) => {
  const world = await makeComputeWorld();
  const { compute, alice, admin, state } = world;
  const user = { projectId: alice.projectId, userId: alice.userId };
  const mate = { ...alice, userId: 'a-mate' };
  await compute.userQuotas.set(admin, user, { instances: 2, server_groups: 1, key_pairs: 1 }, { force: false });

  const made = await Promise.all([1, 2, 3].map(() => refusal(compute.servers.create(alice, draft))));
  t.equal(made.filter((text) => text === 'none').length, 2, 'of three at once two are made');
  t.match(
    made.find((text) => text !== 'none'),
    /QUOTA_EXCEEDED .*instances: Requested 1, but already used 2 of 2/,
  );
  t.match(userUsage(state.local, user), { instances: 2, server_groups: 0 });
  t.equal(await refusal(compute.servers.create(mate, draft)), 'none', 'others of the project are not held by it');

  const group = { name: 'g', policy: 'affinity' } as const;
  await compute.serverGroups.create(alice, group);
  t.match(await refusal(compute.serverGroups.create(alice, group)), /QUOTA_EXCEEDED/);
  await compute.keypairs.create(alice, { name: 'one' });
  t.match(await refusal(compute.keypairs.create(alice, { name: 'two' })), /QUOTA_EXCEEDED/);

  const set = (limits: object, force = false) => refusal(compute.userQuotas.set(admin, user, limits, { force }));
  t.match(await set({ instances: 1 }), /must be greater than or equal to already used and reserved 2/);
  t.equal(await set({ instances: 1 }, true), 'none');
  t.match(await set({ instances: 1_000 }), /must be less than or equal to 10/);
  t.match(await set({ instances: -1 }), /must be less than or equal to 10/);
  t.match(await set({ network: 1 }), /not of network/);
  await compute.userQuotas.reset(admin, user);
  t.equal(await refusal(compute.servers.create(alice, draft)), 'none');
});
