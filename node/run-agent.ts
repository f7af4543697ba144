/**
 * One agent from start to signal: joins if asked to, runs, stops in order. An agent whose state is not what the others hold
 * (`STATE_DIVERGED`) is stopped and started anew in the same process: it then begins without that state, and gets theirs.
 */
import { Agent } from './agent.ts';
import { AssertionError } from './base/assert.ts';
import { systemClock } from './base/clock.ts';
import { ShoalError } from './base/errors.ts';
import { becomeMember } from './become-member.ts';
import type { Config } from './config/options.ts';
import { tightenDataFolder } from './data-folder.ts';
import { createLogger } from './log.ts';
import { readMembership } from './membership.ts';
import { agentVersion } from './version.ts';

/** How long stopping may take before the process ends regardless: a supervisor would kill it then. */
const stopMsMax = 10_000;

/** Runs until SIGINT or SIGTERM ("stopped") or until a broken invariant ends it ("broken"). */
export async function runAgent(config: Config, ticket: string | undefined): Promise<'stopped' | 'broken'> {
  const logger = createLogger(config.logLevel, { host: config.name });
  const abort = new AbortController();
  let ended = Promise.withResolvers<'stopped' | 'broken' | 'diverged'>();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => {
      logger.info({ signal: name }, 'stopping');
      abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
      ended.resolve('stopped');
    });
  }
  const broken = (error: unknown): void => {
    logger.error({ err: error, invariant: error instanceof AssertionError }, 'the agent cannot go on');
    ended.resolve('broken');
  };
  const cannotGoOn = (error: unknown): void => {
    if (ShoalError.is(error, 'STATE_DIVERGED')) {
      logger.error({ err: error }, 'the agent starts anew');
      ended.resolve('diverged');
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
  let agent = new Agent({ ...deps, onFatal: cannotGoOn }, config, membership);
  process.on('SIGHUP', () => {
    logger.info({ signal: 'SIGHUP' }, 'looking for other certificates');
    agent
      .reload()
      .catch((caught: unknown) => logger.warn({ err: caught }, 'the certificates could not be looked after'));
  });
  for (;;) {
    try {
      await agent.start(abort.signal);
    } catch (caught) {
      await agent.stop();
      if (abort.signal.aborted) return 'stopped';
      throw caught;
    }
    const how = await ended.promise;
    // Guests, networks and helpers run on: stopping lets go of them and of nothing else.
    const giveUp = setTimeout(() => {
      logger.error({}, `stopping took longer than ${stopMsMax} ms`);
      process.exit(how === 'stopped' ? 1 : 70);
    }, stopMsMax);
    await agent.stop();
    clearTimeout(giveUp);
    logger.info({ how }, 'stopped');
    if (how !== 'diverged') return how;
    if (abort.signal.aborted) return 'stopped';
    ended = Promise.withResolvers();
    agent = new Agent({ ...deps, onFatal: cannotGoOn }, config, membership);
  }
}
