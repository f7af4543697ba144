/** The screen and the serial line of a guest, as QEMU serves them on Unix sockets in the guest's folder. */
import { connect, type Socket } from 'node:net';
import { ShoalError } from '../../../node/base/errors.ts';

/** QEMU listens for as long as it lives: the kernel connects at once. */
const connectTimeoutMs = 2_000;

/** Connects. `CONFLICT` when nobody listens there now. */
export async function connectConsole(path: string, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: false });
  const bound = AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]);
  try {
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => reject(new ShoalError('CANCELLED', 'connecting to a console was given up'));
      if (bound.aborted) giveUp();
      bound.addEventListener('abort', giveUp, { once: true });
      socket.once('connect', () => {
        bound.removeEventListener('abort', giveUp);
        resolve();
      });
      socket.once('error', reject);
    });
  } catch (caught) {
    socket.destroy();
    if (signal.aborted) throw ShoalError.from(caught, 'CANCELLED');
    throw new ShoalError('CONFLICT', "the guest's console takes no connections now", { cause: caught });
  }
  // A connection that breaks ends; who reads it hears of that.
  socket.on('error', () => socket.destroy());
  return socket;
}
