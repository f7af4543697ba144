/**
 * What owners asked of guests of this host while there was no quorum (DESIGN section 7, "what survives what").
 *
 * An intent is durable here before it is acknowledged, is acted on as if it were in the record, and is committed as soon
 * as there is a quorum again. It names the generation it was meant for: should the server have moved meanwhile, which
 * needs a quorum, the intent is void.
 */
import { shoal } from '../../../proto/messages.ts';
import type { LocalIntent } from '../../services/kit/dependencies.ts';

const { PowerWanted } = shoal.v1;

/** The sum of intents for one server: later ones fold into it. */
export interface PendingIntent {
  readonly serverId: string;
  readonly generation: number;
  /** Absent: unchanged. */
  readonly powerWanted?: 'running' | 'stopped';
  /** Reboots beyond those in the record. */
  readonly reboots: number;
  readonly rebootHard: boolean;
}

/** Folds one more intent in. */
export function foldIntent(
  before: PendingIntent | undefined,
  server: { readonly id: string; readonly generation: number },
  intent: LocalIntent,
): PendingIntent {
  const base: PendingIntent =
    before !== undefined && before.generation === server.generation
      ? before
      : { serverId: server.id, generation: server.generation, reboots: 0, rebootHard: false };
  switch (intent.kind) {
    case 'start':
      return { ...base, powerWanted: 'running' };
    case 'stop':
      return { ...base, powerWanted: 'stopped' };
    case 'reboot':
      return { ...base, powerWanted: 'running', reboots: base.reboots + 1, rebootHard: intent.hard };
  }
}

/** The record as it will be once the intent is committed; the record itself when the intent is void. */
export function withIntent(record: shoal.v1.Server, intent: PendingIntent | undefined): shoal.v1.Server {
  if (intent === undefined || intent.generation !== record.generation || record.deleting) return record;
  const next = new shoal.v1.Server(record);
  if (intent.powerWanted === 'running') next.powerWanted = PowerWanted.POWER_WANTED_RUNNING;
  if (intent.powerWanted === 'stopped') next.powerWanted = PowerWanted.POWER_WANTED_STOPPED;
  if (intent.reboots > 0) {
    next.rebootsWanted = record.rebootsWanted + intent.reboots;
    next.rebootHard = intent.rebootHard;
  }
  return next;
}
