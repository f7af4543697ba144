/** Every step of a server. One more: a file here, a line below, a variant of `ServerStep` and the question in its plan. */
import type { shoal } from '../../../../../proto/messages.ts';
import type { Steps } from '../../../engine/step.ts';
import type { ServerStep } from '../../../plan/server-plan.ts';
import type { ServerTools } from '../kit/tools.ts';
import { clean } from './clean.ts';
import { destroy } from './destroy.ts';
import { endFenced } from './fenced/end-fenced.ts';
import { limit } from './limit.ts';
import { arrive } from './live/arrive.ts';
import { discard, receive, refuseMemory } from './live/receive.ts';
import { plugNic } from './nics/plug-nic.ts';
import { replugNic } from './nics/replug-nic.ts';
import { unplugNic } from './nics/unplug-nic.ts';
import { offload } from './offload.ts';
import { pause } from './pause.ts';
import { plug } from './plug.ts';
import { reboot } from './reboot.ts';
import { rebuild } from './rebuild.ts';
import { recordShutdown } from './record-shutdown.ts';
import { release } from './release.ts';
import { replug } from './replug.ts';
import { report } from './report.ts';
import { rescue, unrescue } from './rescue.ts';
import { resume } from './resume.ts';
import { retryDisks } from './retry-disks.ts';
import { start } from './start.ts';
import { stop } from './stop.ts';
import { suspend } from './suspend.ts';
import { unplug } from './unplug.ts';

/** By the name that the plan gives them. */
export const serverSteps: Steps<ServerStep, shoal.v1.Server, ServerTools> = {
  start,
  stop,
  'record-shutdown': recordShutdown,
  reboot,
  pause,
  resume,
  'retry-disks': retryDisks,
  suspend,
  plug,
  replug,
  unplug,
  limit,
  'plug-nic': plugNic,
  'replug-nic': replugNic,
  'unplug-nic': unplugNic,
  rebuild,
  rescue,
  unrescue,
  offload,
  report,
  destroy,
  release,
  receive,
  'refuse-memory': refuseMemory,
  discard,
  arrive,
  clean,
  'end-fenced': endFenced,
};
