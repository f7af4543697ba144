import { connect } from 'node:net';
import { parseAddress } from './address.ts';

/** Longest that the answer may take, ms: a host that is gone does not answer at all. */
const answerMsMax = 500;

/**
 * Whether the host at `address` (`host:port`) says that nobody listens there: its process has ended while the host lives.
 * False when somebody does, and when nothing can be told. Never throws.
 */
export function isPortClosed(address: string): Promise<boolean> {
  const { host, port } = parseAddress(address);
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: answerMsMax });
    const end = (isClosed: boolean): void => {
      socket.destroy();
      resolve(isClosed);
    };
    socket.on('connect', () => end(false));
    socket.on('timeout', () => end(false));
    socket.on('error', (error) => end('code' in error && error.code === 'ECONNREFUSED'));
  });
}
