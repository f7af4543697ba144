/** Whether the host that serves a disk answers, asked before QEMU is: that would stand still until the kernel gives up. */
import { connect } from 'node:net';
import { ShoalError } from '../../../node/base/errors.ts';
import type { DiskSource } from '../../types.ts';

/** A host of the mesh answers in a millisecond; a lost packet is sent again after a second. */
const answerTimeoutMs = 3_000;

/** Throws `UNAVAILABLE` unless something listens where the disk is served. Of other disks: nothing is asked. */
export async function mustAnswer(volumeId: string, source: DiskSource, signal: AbortSignal): Promise<void> {
  if (source.kind !== 'nbd') return;
  const { host, port } = source;
  const socket = connect({ host, port });
  const bound = AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]);
  try {
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => reject(new Error(`no answer in ${answerTimeoutMs} ms`));
      bound.addEventListener('abort', giveUp, { once: true });
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
  } catch (caught) {
    if (signal.aborted) throw new ShoalError('CANCELLED', 'opening a served disk was cancelled', { cause: caught });
    const why = caught instanceof Error ? caught.message : String(caught);
    throw new ShoalError('UNAVAILABLE', `the host at ${host} does not serve disk ${volumeId} now: ${why}`, {
      cause: caught,
    });
  } finally {
    socket.destroy();
  }
}
