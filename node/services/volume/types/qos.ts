/** QoS specs: limits of the volumes of the types that are bound to them. */

import { checkLimits } from '../../../../drivers/disk-limits.ts';
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { qosSpecsTable, volumeTypeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { endPointing } from '../../kit/pointed-at.ts';
import { transact } from '../../kit/transact.ts';
import { editWhileRoom, transactInPieces, unfinished } from '../../kit/transact-in-pieces.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { limitsOfSpecs } from '../kit/disk-limits.ts';
import { conflict, invalidInput, notFound } from '../kit/refusals.ts';
import { checkMetadata, checkNeededName } from '../kit/texts.ts';

type QosSpecs = shoal.v1.QosSpecs;

const consumers: readonly string[] = ['front-end', 'back-end', 'both'];

/** Cinder's QoS specs. */
export class VolumeQos {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /** By name. */
  list(reader: StateReader): readonly QosSpecs[] {
    return qosSpecsTable
      .list(reader)
      .map(({ record }) => record)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Throws `NOT_FOUND`. */
  show(reader: StateReader, id: string): QosSpecs {
    return rowOf(reader, id).record;
  }

  /** The types that are bound to it. */
  associations(reader: StateReader, id: string): readonly shoal.v1.VolumeType[] {
    rowOf(reader, id);
    return volumeTypeTable.by(reader, 'qos', indexKey(id)).map(({ record }) => record);
  }

  /** Throws `CONFLICT` for a name that is taken. @param draft.consumer default: "back-end". */
  async create(
    context: RequestContext,
    draft: { readonly name: string; readonly consumer?: string; readonly specs?: Readonly<Record<string, string>> },
  ): Promise<QosSpecs> {
    const name = checkNeededName('name', draft.name);
    const nowMs = this.#deps.clock.nowMs();
    const qos = new shoal.v1.QosSpecs({
      id: this.#deps.newId(),
      name,
      consumer: checkConsumer(draft.consumer ?? 'back-end'),
      specs: checkSpecs(draft.specs ?? {}),
      createdMs: nowMs,
      updatedMs: nowMs,
    });
    return transact(this.#deps, context, ({ reader, change }) => {
      if (qosSpecsTable.isTaken(reader, 'name', indexKey(name))) throw conflict(`QoS Specs ${name} already exists.`);
      qosSpecsTable.insert(change, qos);
      return qos;
    });
  }

  /** Adds to its specs. */
  update(
    context: RequestContext,
    id: string,
    patch: { readonly consumer?: string; readonly specs?: Readonly<Record<string, string>> },
  ): Promise<QosSpecs> {
    const consumer = patch.consumer === undefined ? undefined : checkConsumer(patch.consumer);
    return this.#edit(context, id, (qos) => ({
      ...qos,
      consumer: consumer ?? qos.consumer,
      specs: checkSpecs({ ...qos.specs, ...patch.specs }),
    }));
  }

  /** Throws `NOT_FOUND` for a key that it has not. */
  async removeKeys(context: RequestContext, id: string, keys: readonly string[]): Promise<void> {
    await this.#edit(context, id, (qos) => {
      const unknown = keys.find((key) => !Object.hasOwn(qos.specs, key));
      if (unknown !== undefined) {
        throw new ShoalError('NOT_FOUND', `QoS spec ${id} has no spec with key ${unknown.slice(0, 255)}.`);
      }
      return { ...qos, specs: Object.fromEntries(Object.entries(qos.specs).filter(([name]) => !keys.includes(name))) };
    });
  }

  /** Throws `INVALID_ARGUMENT` while types are bound to it. @param force they are unbound first. */
  async remove(context: RequestContext, id: string, force = false): Promise<void> {
    if (force) await this.disassociateAll(context, id);
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = rowOf(reader, id);
      if (volumeTypeTable.count(reader, 'qos', indexKey(id)) > 0) {
        throw new ShoalError('INVALID_ARGUMENT', `QoS Specs ${id} is still associated with entities.`);
      }
      endPointing(change, reader, qosSpecsTable.key(id));
      qosSpecsTable.remove(change, row);
    });
  }

  /** No type is bound to it any more. */
  async disassociateAll(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, (attempt) => {
      rowOf(attempt.reader, id);
      const nowMs = this.#deps.clock.nowMs();
      const isDone = editWhileRoom(attempt, volumeTypeTable.by(attempt.reader, 'qos', indexKey(id)), (row) =>
        volumeTypeTable.update(
          attempt.change,
          row,
          new shoal.v1.VolumeType({ ...row.record, qosSpecsId: '', updatedMs: nowMs }),
        ),
      );
      return isDone ? undefined : unfinished;
    });
  }

  #edit(
    context: RequestContext,
    id: string,
    edit: (qos: QosSpecs) => shoal.v1.QosSpecs.$Properties,
  ): Promise<QosSpecs> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = rowOf(reader, id);
      const next = new shoal.v1.QosSpecs({ ...edit(row.record), updatedMs: this.#deps.clock.nowMs() });
      qosSpecsTable.update(change, row, next);
      return next;
    });
  }
}

/** Limits that exclude each other would keep the guests of such volumes from being started. */
function checkSpecs(specs: Readonly<Record<string, string>>): Record<string, string> {
  const checked = checkMetadata('qos_specs', specs);
  checkLimits(limitsOfSpecs(checked, 1) ?? {});
  return checked;
}

function rowOf(reader: StateReader, id: string): Row<QosSpecs> {
  const row = qosSpecsTable.get(reader, id);
  if (row === undefined) throw notFound('qos', id);
  return row;
}

function checkConsumer(consumer: string): string {
  if (consumers.includes(consumer)) return consumer;
  throw invalidInput(`Valid consumer of QoS specs are: ${consumers.join(', ')}`);
}
