/** Transfers: a volume is offered to any project whose member has the key of the offer, and becomes its own. */
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { volumeSnapshotTable, volumeTable, volumeTransferTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { amountsOfSnapshot, amountsOfVolume, charge, refund, sumOf } from '../kit/charges.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { listOf, ownVolume, see } from '../kit/find.ts';
import { invalid, invalidVolume, notFound } from '../kit/refusals.ts';
import { checkText } from '../kit/texts.ts';
import { writeSnapshot } from '../records/snapshot-record.ts';
import { canUseType, typeById } from '../records/type-record.ts';
import { checkBytesAtRest, writeVolume } from '../records/volume-record.ts';

type Transfer = shoal.v1.VolumeTransfer;

/** Bytes of a drawn key, of a salt, and of what is kept of a key. */
const keyBytes = 16;
const saltBytes = 16;
const hashBytes = 32;
/** Longest key that is looked at, characters. */
const keyCharactersMax = 255;

/** What a caller asks for. */
interface TransferDraft {
  readonly volumeId: string;
  readonly name?: string;
  /** Its snapshots stay the project's. */
  readonly withoutSnapshots?: boolean;
}

/** Cinder's transfers. One of another project is `NOT_FOUND` but for administrators. */
export class VolumeTransfers {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /** Newest first. */
  list(context: RequestContext, reader: StateReader, options: { readonly allProjects: boolean }): readonly Transfer[] {
    return listOf(volumeTransferTable, { context, reader, ...options });
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): Transfer {
    return see(volumeTransferTable, 'transfer', { context, reader, id }).record;
  }

  /** Offers a volume. The key is told here once; only a hash of it is kept. */
  async create(
    context: RequestContext,
    draft: TransferDraft,
  ): Promise<{ readonly transfer: Transfer; readonly authKey: string }> {
    const authKey = randomBytes(keyBytes).toString('hex');
    const salt = randomBytes(saltBytes);
    const nowMs = this.#deps.clock.nowMs();
    const name = checkText('name', draft.name ?? '');
    const id = this.#deps.newId();
    const transfer = await transact(this.#deps, context, ({ reader, change }) => {
      const row = ownVolume(context, reader, draft.volumeId);
      const { record: volume } = row;
      if (volume.status !== 'available') throw invalidVolume('status must be available');
      checkBytesAtRest(volume);
      if (volume.encryption !== null) throw invalidVolume('transferring encrypted volume is not supported');
      if (volume.groupId !== '') throw invalidVolume('it belongs to a group');
      const made = new shoal.v1.VolumeTransfer({
        id,
        name,
        volumeId: volume.id,
        projectId: volume.projectId,
        salt,
        keyHash: hashOf(authKey, salt),
        createdMs: nowMs,
        withoutSnapshots: draft.withoutSnapshots ?? false,
      });
      writeVolume(change, row, { status: 'awaiting-transfer' }, nowMs);
      volumeTransferTable.insert(change, made);
      return made;
    });
    return { transfer, authKey };
  }

  /** Takes an offer: the volume, and its snapshots unless it was offered without, are this project's, in its quota. */
  async accept(context: RequestContext, id: string, authKey: string): Promise<Transfer> {
    if (context.projectId === '')
      throw new ShoalError('FORBIDDEN', 'A volume belongs to a project; the token names none.');
    const offer = volumeTransferTable.get(await this.#deps.state.fresh(context.signal), id);
    // Whose it is does not matter: the key is the right to it.
    if (offer === undefined) throw notFound('transfer', id);
    mustOpen(offer.record, authKey);
    return transact(this.#deps, context, (attempt) => {
      const row = volumeTransferTable.get(attempt.reader, id);
      if (row === undefined || !Buffer.from(row.record.keyHash).equals(Buffer.from(offer.record.keyHash))) {
        throw notFound('transfer', id);
      }
      this.#move(context, attempt, row);
      return row.record;
    });
  }

  /** Takes an offer back. */
  async remove(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = see(volumeTransferTable, 'transfer', { context, reader, id });
      volumeTransferTable.remove(change, row);
      const volume = volumeTable.get(reader, row.record.volumeId);
      if (volume?.record.status !== 'awaiting-transfer') return;
      writeVolume(change, volume, { status: 'available' }, this.#deps.clock.nowMs());
    });
  }

  #move(context: RequestContext, { reader, change }: Attempt, row: Row<Transfer>): void {
    const nowMs = this.#deps.clock.nowMs();
    const { projectId, userId } = context;
    const volume = volumeTable.get(reader, row.record.volumeId);
    if (volume?.record.status !== 'awaiting-transfer') {
      throw invalidVolume(
        `Transfer ${row.record.id}: Volume id ${row.record.volumeId} expected in state awaiting-transfer`,
      );
    }
    const type = typeById(reader, volume.record.typeId);
    if (type !== undefined && !canUseType(context, type)) {
      throw invalidVolume('the accepting project may not use its volume type');
    }
    const snapshots = volumeSnapshotTable.by(reader, 'volume', indexKey(volume.record.id));
    const going = row.record.withoutSnapshots ? [] : snapshots;
    const amounts = sumOf([
      amountsOfVolume(volume.record),
      ...going.map(({ record }) => amountsOfSnapshot(record.sizeGib, record.typeId)),
    ]);
    refund(change, volume.record.projectId, amounts);
    charge(change, reader, projectId, amounts);
    writeVolume(change, volume, { projectId, userId, status: 'available' }, nowMs);
    for (const snapshot of going) {
      if (!change.hasRoom)
        throw invalidVolume('it has more snapshots than one transfer can move: delete some, or offer it without');
      writeSnapshot(change, snapshot, { projectId, userId }, nowMs);
    }
    volumeTransferTable.remove(change, row);
  }
}

function mustOpen({ id, salt, keyHash }: Transfer, authKey: string): void {
  const isRight = authKey.length <= keyCharactersMax && timingSafeEqual(hashOf(authKey, salt), keyHash);
  if (!isRight) throw invalid('auth key', `Attempt to transfer ${id} with invalid auth key.`);
}

function hashOf(authKey: string, salt: Uint8Array): Uint8Array {
  return scryptSync(authKey, salt, hashBytes, { N: 1_024 });
}
