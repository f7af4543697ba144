/**
 * One agent from start to signal: joins if asked to, runs, stops in order. An agent whose state is not what the others hold
 * (`STATE_DIVERGED`) is stopped and started again in the same process: it then begins without that state, and gets
 * theirs. So is one for which a copy of its host has spoken (cluster/self-check.ts). So is one whose disk has become full, or has room again: it runs without consensus in between
 * (store/disk-room.ts).
 */

import type { EventEmitter } from 'node:events';
import { AssertionError } from '../base/assert.ts';
import { systemClock } from '../base/clock.ts';
import { isDiskFull } from '../base/disk-full.ts';
import { ShoalError } from '../base/errors.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { agentVersion } from '../base/version.ts';
import { becomeMember } from '../cluster/become-member.ts';
import { readMembership } from '../cluster/membership.ts';
import { epochOutrun } from '../cluster/self-check.ts';
import type { Config } from '../config/options.ts';
import { DiskRoom } from '../store/disk-room.ts';
import { Agent } from './agent.ts';
import { tightenDataFolder } from './data-folder.ts';
import { createLogger } from './log.ts';

/** How long stopping may take before the process ends regardless: a supervisor would kill it then. */
const stopMsMax = 10_000;

/** How often it is looked how much room the disk has, ms. */
const lookMs = 1_000;

/** The longest period that Node's timers have, ms: there is nothing to be done then. */
const holdMs = 2 ** 31 - 1;

/** Why an agent ends: `diverged`, `outrun`, `full` and `roomy` are followed by another start. */
type Ending = 'stopped' | 'broken' | 'diverged' | 'outrun' | 'full' | 'roomy';

/** Runs until SIGINT or SIGTERM ("stopped") or until a broken invariant ends it ("broken"). */
export async function runAgent(config: Config, ticket: string | undefined): Promise<'stopped' | 'broken'> {
  // Timers of the clock hold no process. While an agent starts and nobody answers it may have nothing but one to wait for:
  // Node would end it then, with status 13.
  const hold = setInterval(() => {}, holdMs);
  try {
    return await runUntilEnded(config, ticket);
  } finally {
    clearInterval(hold);
  }
}

async function runUntilEnded(config: Config, ticket: string | undefined): Promise<'stopped' | 'broken'> {
  const logger = createLogger(config.logLevel, { host: config.name });
  const abort = new AbortController();
  let ended = Promise.withResolvers<Ending>();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      logger.info({ signal: name }, 'stopping');
      abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
      ended.resolve('stopped');
    });
  }
  const broken = (error: unknown): void => {
    logger.error({ err: error, invariant: error instanceof AssertionError }, 'the agent failed');
    ended.resolve('broken');
  };
  const cannotGoOn = (error: unknown): void => {
    if (ShoalError.is(error, 'STATE_DIVERGED')) {
      logger.error({ err: error }, 'the agent restarts');
      ended.resolve('diverged');
    } else if (ShoalError.is(error, 'IDENTITY_MISMATCH') && error.facts['reason'] === epochOutrun) {
      logger.error({ err: error }, 'the agent restarts');
      ended.resolve('outrun');
    } else if (isDiskFull(error)) {
      logger.error({ err: error }, 'the disk is full; the agent restarts without consensus');
      ended.resolve('full');
    } else broken(error);
  };
  process.on('uncaughtException', broken);
  process.on('unhandledRejection', broken);

  logger.info({ version: agentVersion, dataDir: config.dataDir }, 'shoal agent');
  const deps = { clock: systemClock, logger };
  const mended = await tightenDataFolder(config.dataDir);
  if (mended > 0) logger.warn({ dataDir: config.dataDir, mended }, 'files of the data folder were open to others');
  let membership = readMembership(config.dataDir);
  if (membership === undefined) {
    if (ticket === undefined) {
      throw new ShoalError(
        'CONFIG_INVALID',
        `${config.dataDir} belongs to no mesh yet. Make one with: shoal init   or join one with: shoal agent --join TICKET`,
      );
    }
    membership = await becomeMember(deps, config, ticket, abort.signal);
    logger.info({ meshId: membership.meshId, raftId: membership.raftId }, 'joined');
  }
  const room = new DiskRoom(config.dataDir);
  let idle = await room.adjust();
  let agent = new Agent({ ...deps, onFatal: cannotGoOn, idle }, config, membership);
  process.on('SIGHUP', () => {
    logger.info({ signal: 'SIGHUP' }, 'checking for new certificates');
    agent.reload().catch((caught: unknown) => logger.warn({ err: caught }, 'checking the certificates failed'));
  });
  for (;;) {
    try {
      await agent.start(abort.signal);
    } catch (caught) {
      await agent.stop();
      if (abort.signal.aborted) return 'stopped';
      if (!isDiskFull(caught) || idle !== undefined) throw caught;
      logger.error({ err: caught }, 'the disk is full; the agent starts without consensus');
      await room.release();
      idle = room.full();
      agent = new Agent({ ...deps, onFatal: cannotGoOn, idle }, config, membership);
      continue;
    }
    tellStarted();
    const watch = watchRoom(room, { isIdle: idle !== undefined, logger, changed: (how) => ended.resolve(how) });
    const how = await ended.promise;
    watch.close();
    // Guests, networks and helpers run on: stopping lets go of them and of nothing else.
    const giveUp = setTimeout(() => {
      logger.error({}, `stopping took longer than ${stopMsMax} ms`);
      process.exit(how === 'stopped' ? 1 : 70);
    }, stopMsMax);
    await agent.stop();
    clearTimeout(giveUp);
    logger.info({ how }, 'stopped');
    if (how === 'stopped' || how === 'broken') return how;
    if (abort.signal.aborted) return 'stopped';
    ended = Promise.withResolvers();
    // An agent that ran out of room has the reserve's to start with, and does not write before there is more.
    if (how === 'full') await room.release();
    idle = how === 'full' ? room.full() : await room.adjust();
    logger.info({ how, hasConsensus: idle === undefined }, 'restarting');
    agent = new Agent({ ...deps, onFatal: cannotGoOn, idle }, config, membership);
  }
}

/** To what started this process (node/bin/agent-script.mjs): it keeps what has been compiled, and gives memory back. */
function tellStarted(): void {
  (process as EventEmitter).emit('shoalStarted');
}

/** Looks now and then whether the disk has become full, or, while the agent runs without consensus, has room again. */
function watchRoom(
  room: DiskRoom,
  options: { readonly isIdle: boolean; readonly logger: Logger; readonly changed: (how: Ending) => void },
): { close(): void } {
  const { isIdle, logger, changed } = options;
  const look = async (): Promise<void> => {
    if (isIdle ? await room.hasRoomAgain() : (await room.lookForEnd()) !== undefined)
      changed(isIdle ? 'roomy' : 'full');
  };
  const timer = setInterval(() => {
    look().catch((caught: unknown) => logger.debug({ err: caught }, 'the free space of the disk could not be read'));
  }, lookMs);
  return { close: () => clearInterval(timer) };
}
