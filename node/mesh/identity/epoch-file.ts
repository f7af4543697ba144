import { join } from 'node:path';
import { ShoalError } from '../../base/errors.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

/** Its file in the agent's data folder. */
const epochFileName = 'advert-epoch';

/**
 * The epoch of this start of the agent: the wall clock in ms, and in any case more than any before it. Written down before
 * it is used: without that, a host whose clock was once ahead would never be heard again until the clock gets there.
 */
export async function nextEpoch(folder: string, nowMs: number): Promise<number> {
  const epoch = Math.max(Math.floor(nowMs), (await readEpoch(folder)) + 1);
  await writeSecretFile(join(folder, epochFileName), String(epoch));
  return epoch;
}

/** Sees to it that the next start has a higher epoch than this one, which another run with this host's key has used. */
export async function atLeastEpoch(folder: string, epoch: number): Promise<void> {
  if ((await readEpoch(folder)) < epoch) await writeSecretFile(join(folder, epochFileName), String(epoch));
}

async function readEpoch(folder: string): Promise<number> {
  const path = join(folder, epochFileName);
  const found = await readSecretFile(path);
  const last = found === undefined ? 0 : Number(found.toString('latin1'));
  if (!Number.isSafeInteger(last) || last < 0) throw new ShoalError('LOG_CORRUPT', `${path} does not hold a number.`);
  return last;
}
