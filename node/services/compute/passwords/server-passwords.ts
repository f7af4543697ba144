/** What guests have told as their administrators' passwords: encrypted with their owners' keys, as Nova's os-server-password has it. */
import { shoal } from '../../../../proto/messages.ts';
import { serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import { transact } from '../../kit/transact.ts';
import { mustTake, seeServer } from '../kit/server-record.ts';

/** See above. */
export class ServerPasswords {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** Base64; empty: its guest has told none. Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): string {
    return seeServer(context, reader, id).record.encryptedPassword;
  }

  /** Forgets it: the guest may tell another one. Throws `NOT_FOUND`. */
  async clear(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = seeServer(context, reader, id);
      mustTake(context, row.record, 'update');
      if (row.record.encryptedPassword === '') return;
      const next = { ...row.record, encryptedPassword: '', updatedMs: this.#deps.clock.nowMs() };
      serverTable.update(change, row, new shoal.v1.Server(next));
    });
  }
}
