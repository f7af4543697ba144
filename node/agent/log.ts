/** The agent's log: structured lines of JSON on standard error by pino, with secrets kept out by name. */
import pino from 'pino';
import type { Logger } from '../base/telemetry/logger.ts';

/** Names whose values never reach a log, wherever they lie. */
const secretNames = [
  'password',
  'adminPassword',
  'secret',
  'ticket',
  'token',
  'meshKey',
  'privateKeyPem',
  'x-auth-token',
];

/** Lines that could not be written are kept up to this, oldest first, and written when they can be. Unit: bytes. */
const keptBytesMax = 1024 * 1024;

/**
 * Makes the root logger. Lines are written at once: an agent that is killed has said what it did. One that cannot be written,
 * since the disk of the log is full or its reader has gone, does not end the agent: it goes with the next that can be.
 */
export function createLogger(level: string, facts: object): Logger {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: keptBytesMax });
  // There is nowhere to say it; the line stays with the destination.
  destination.on('error', () => {});
  return pino(
    {
      level,
      base: { pid: process.pid, ...facts },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '(kept out)' },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
