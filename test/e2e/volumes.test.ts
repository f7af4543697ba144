/**
 * Volumes on real QEMU, real Ceph and the hosts' own files, as their owners use them: one cloud of three agents, in the order of a
 * story whose chapters are in test/support/volumes/stories. What a guest wrote is compared inside of the guests.
 */
import t from 'tap';
import { agentsKilled } from '../support/volumes/stories/agents-killed.ts';
import { bootedFrom, keptAndGrown, wantedTwice } from '../support/volumes/stories/kept.ts';
import { sealedAndKept } from '../support/volumes/stories/keys.ts';
import { movesUnderWrites, swapped } from '../support/volumes/stories/moves.ts';
import { served } from '../support/volumes/stories/served.ts';
import { VolumeCloud, whyNoVolumeCloud } from '../support/volumes/volume-cloud.ts';

const why = whyNoVolumeCloud();

t.setTimeout(580_000);
if (why !== '') {
  t.test('volumes on real storage', { skip: why }, (t) => t.end());
} else {
  const cloud = await VolumeCloud.open({ agents: 3 });
  t.teardown(() => cloud.close());
  const near = await cloud.boot('near');
  const far = await cloud.boot('far', { different_host: [near.serverId] });
  t.not(far.host, near.host, 'the guests are on different hosts');
  const world = { cloud, near, far };

  for (const type of ['ceph', 'files'] as const) {
    await t.test(`${type}: what was written before a snapshot is there after a revert`, (t) =>
      keptAndGrown(t, world, type),
    );
  }
  await t.test('of two requests for one volume exactly one wins', (t) => wantedTwice(t, world));
  await t.test('a server boots from a volume, which outlives it', (t) => bootedFrom(t, world));
  await t.test('a guest has a volume of another host', (t) => served(t, world));
  await t.test('a guest writes while its volume moves to Ceph and back, and the agent is killed on the way', (t) =>
    movesUnderWrites(t, world),
  );
  await t.test('a server goes over to another, larger volume with what it wrote', (t) => swapped(t, world));
  await t.test('all agents killed while guests write to three volumes: not one write fails', (t) =>
    agentsKilled(t, world),
  );
  // The last: it ends with one host less.
  await t.test('encrypted volumes and backups outlive quorum and host', (t) => sealedAndKept(t, world));
}
