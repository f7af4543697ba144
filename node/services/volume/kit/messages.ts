/** What owners are told of what went wrong: Cinder's messages, each kept for 30 days. */
import { shoal } from '../../../../proto/messages.ts';
import { beginningOf } from '../../../base/text.ts';
import { volumeMessageTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { type Change, transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from './dependencies.ts';
import { listOf, see } from './find.ts';

/** How long a message is kept: Cinder's `message_ttl`. Unit: ms. */
const keptMs = 30 * 86_400_000;
/** Longest message, characters. */
const messageCharactersMax = 2_000;

/** What was being done: number and words, as Cinder's `message_field.Action`. */
const actions = {
  schedule: ['001', 'schedule allocate volume'],
  attach: ['002', 'attach volume'],
  upload: ['003', 'copy volume to image'],
  detach: ['004', 'update attachment'],
  fromImage: ['005', 'copy image to volume'],
  unmanage: ['006', 'unmanage volume'],
  extend: ['007', 'extend volume'],
  create: ['008', 'create volume from backend storage'],
  snapshotCreate: ['009', 'create snapshot'],
  snapshotDelete: ['010', 'delete snapshot'],
  backupCreate: ['013', 'create backup'],
  backupDelete: ['014', 'delete backup'],
  backupRestore: ['015', 'restore backup'],
  reimage: ['016', 'reimage volume'],
  // Those that Cinder has no number for.
  delete: ['101', 'delete volume'],
  revert: ['102', 'revert volume to snapshot'],
  migrate: ['103', 'migrate volume'],
  retype: ['104', 'retype volume'],
  backupVerify: ['105', 'verify backup'],
} as const;

/** What was being done. */
export type MessageAction = keyof typeof actions;

/** What a message is about. */
interface MessageDraft {
  readonly projectId: string;
  readonly resourceType: 'VOLUME' | 'VOLUME_SNAPSHOT' | 'VOLUME_BACKUP' | 'VOLUME_GROUP';
  readonly resourceId: string;
  readonly action: MessageAction;
  /** Cinder's number of the reason; "001" is any, "003" no host. */
  readonly detail?: '001' | '003';
  readonly requestId?: string;
  readonly text: string;
}

/** Adds a message to a change. @param id a fresh UUID. */
export function addMessage(
  change: Change,
  draft: MessageDraft,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): void {
  const [number, words] = actions[draft.action];
  volumeMessageTable.insert(
    change,
    new shoal.v1.VolumeMessage({
      id,
      projectId: draft.projectId,
      resourceType: draft.resourceType,
      resourceId: draft.resourceId,
      eventId: `VOLUME_${draft.resourceType}_${number}_${draft.detail ?? '001'}`,
      requestId: draft.requestId ?? '',
      messageLevel: 'ERROR',
      userMessage: beginningOf(`${words}:${draft.text}`, messageCharactersMax),
      createdMs: nowMs,
      expiresMs: nowMs + keptMs,
    }),
  );
}

/** The project's messages. */
export class VolumeMessages {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /** Newest first. */
  list(context: RequestContext, reader: StateReader): readonly shoal.v1.VolumeMessage[] {
    return listOf(volumeMessageTable, { context, reader, allProjects: false });
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.VolumeMessage {
    return see(volumeMessageTable, 'message', { context, reader, id }).record;
  }

  /** Throws `NOT_FOUND`. */
  async remove(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) =>
      volumeMessageTable.remove(change, see(volumeMessageTable, 'message', { context, reader, id })),
    );
  }
}
