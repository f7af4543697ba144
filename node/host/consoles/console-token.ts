/**
 * What lets one session in at a console: which host honours it, and the secret of the grant there. Any agent finds the way
 * by it, also one that holds a slice of the records only. A host's id is a fingerprint of its public key, and opens nothing.
 */
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { ConsoleKind } from '../../services/kit/dependencies.ts';

const pattern = /^([0-9a-f]{32})([0-9a-f]{32})$/;

/** Both as one word of 64 hex digits. */
export function consoleToken(hostId: HostId, secret: string): string {
  return `${hostId}${secret}`;
}

/** Throws `NOT_FOUND` for anything else. */
export function parseConsoleToken(token: string): { readonly hostId: HostId; readonly secret: string } {
  const [, hostId, secret] = pattern.exec(token) ?? [];
  if (hostId === undefined || secret === undefined) {
    throw new ShoalError('NOT_FOUND', 'The console token is none of this cloud. Ask for another one.');
  }
  return { hostId: hostId as HostId, secret };
}

/** Whether hosts know such a console. */
export function isConsoleKind(kind: string): kind is ConsoleKind {
  return kind === 'vnc' || kind === 'serial';
}
