/** What servers leave behind on their hosts when they are gone: files, interfaces, cgroups, processes, mounts. */
import { setTimeout as delay } from 'node:timers/promises';
import { differences, type Leftovers, leftoversOf } from '../../volumes/leftovers.ts';
import type { VolumeCloud } from '../../volumes/volume-cloud.ts';
import type { ServerVerbs } from '../server-verbs.ts';

/** What is left a moment after the last server has gone goes within this time, or stays. Unit: ms. */
const quietMsMax = 30_000;
/** Content of images goes in rounds of its own, and what was deleted within a round, after two days. */
const goesLater = /images\/blobs\//;

/**
 * Has each host carry a guest once, so that it has fetched the image and made the network, and counts.
 * @returns counts again, and tells what is there that was not there before, once nothing changes any more. What has gone, as a
 * network that no host needs any more, is no fault.
 */
export async function nothingLeft(cloud: VolumeCloud, verbs: ServerVerbs): Promise<() => Promise<readonly string[]>> {
  const first = await cloud.boot('first-of-all');
  const second = await cloud.boot('second-of-all', { different_host: [first.serverId] });
  await Promise.all([first, second].map(({ serverId }) => verbs.remove(serverId)));
  const count = (): Promise<Leftovers> => leftoversOf(cloud.cloud, cloud.ceph, []);
  const before = await count();
  return async () => {
    const untilMs = Date.now() + quietMsMax;
    for (;;) {
      const left = differences(before, await count()).filter(
        (line) => line.endsWith(' was left') && !goesLater.test(line),
      );
      if (left.length === 0 || Date.now() > untilMs) return left;
      await delay(1_000);
    }
  };
}
