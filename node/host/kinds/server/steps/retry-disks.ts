import { coverageMark } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const markGuestGoesOnWithServedDisk = coverageMark(
  'guest-goes-on-with-served-disk',
  'a guest that stood still for a volume of another host goes on',
);

/** Lets a guest go on that stands still for a disk of another host: fails, and is tried again, until that host serves it. */
export const retryDisks: ServerStepDefinition<'retry-disks'> = {
  mode: 'restores',
  words: 'waiting for the host that serves a volume',
  async do(_step, server, tools) {
    await tools.compute.resumeGuest(server.id as ServerId, tools.signal);
    markGuestGoesOnWithServedDisk();
  },
};
