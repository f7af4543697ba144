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

/** Makes the root logger. Lines are written at once: an agent that is killed has said what it did. */
export function createLogger(level: string, facts: object): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid, ...facts },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`]), censor: '(kept out)' },
      serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
