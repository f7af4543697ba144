/** What storage that several hosts reach must know of them, run against the fake and the real one alike. */
import type { Test } from 'tap';
import type { DiskSpec, StorageDriver } from '../../../drivers/types.ts';
import type { HostId } from '../../../node/base/ids.ts';

const thisHost = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
const otherHost = 'cccccccccccccccccccccccccccccccc' as HostId;

/** Runs the suite; nothing of what it makes stays. One host asks: who fences another is tested with two (rbd.test.ts). */
export async function storageWitnessCompliance(t: Test, driver: StorageDriver, newSpec: () => DiskSpec): Promise<void> {
  const { signal } = new AbortController();
  const { witness } = driver;
  if (witness === undefined) {
    t.equal(driver.capabilities.shared, false, 'only storage of one host has no witness');
    return;
  }

  await t.test('a sign of life is the last one that its host gave', async (t) => {
    t.equal(await witness.lastBeat(otherHost, signal), undefined, 'who never said anything');
    await witness.beat(thisHost, 'one', signal);
    await witness.beat(thisHost, 'two 2-3', signal);
    t.equal(await witness.lastBeat(thisHost, signal), 'two 2-3');
    t.equal(await witness.lastBeat(otherHost, signal), undefined, "and it is nobody else's");
  });

  await t.test('who is not fenced is not, and letting it in changes nothing', async (t) => {
    t.equal(await witness.isFenced(thisHost, signal), false);
    await witness.unfence(thisHost, signal);
    t.equal(await witness.isFenced(thisHost, signal), false);
  });

  await t.test('nobody is fenced for a disk that nobody holds, or that is not there', async (t) => {
    const spec = newSpec();
    await witness.fenceFormer({ volumeId: spec.volumeId, generation: 2 }, otherHost, signal);
    await driver.ensureDisk(spec, signal);
    await witness.fenceFormer({ volumeId: spec.volumeId, generation: 2 }, otherHost, signal);
    await witness.fenceFormer({ volumeId: spec.volumeId, generation: 2, shared: true }, otherHost, signal);
    await driver.openDisk({ ...spec, generation: 2 }, thisHost, signal);
    await witness.fenceFormer({ volumeId: spec.volumeId, generation: 2 }, otherHost, signal);
    t.equal(await witness.isFenced(thisHost, signal), false, 'nor is the holder of this very generation');
    await driver.closeDisk(spec.volumeId, thisHost, 2, signal);
    await driver.removeDisk(spec.volumeId, signal);
  });
}
