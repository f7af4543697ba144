import { failpoint } from '../../../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../../../base/errors.ts';
import type { ServerId } from '../../../../../base/ids.ts';
import { liveMoveName } from '../../../../../services/kit/sealing.ts';
import { closeArriving, guestSpec } from '../../kit/arriving.ts';
import { unpluggedPort } from '../../kit/nics.ts';
import type { ServerStepDefinition } from '../../kit/step-definition.ts';

const failpointMade = failpoint('receive.made', 'a guest waits for its memory, and no record says where');
const failpointTold = failpoint('receive.told', 'the record says where a guest waits for its memory');
const failpointDiscardStopped = failpoint('discard.stopped', 'a guest that never ran here is gone, its disks are open');
const failpointDiscardNotTold = failpoint('discard.not-told', 'nothing is left of a guest that never ran here');

/** Makes the guest without its memory, with its disks open for nothing to be written to yet. */
export const receive: ServerStepDefinition<'receive'> = {
  mode: 'acts',
  words: 'taking the server from its host',
  wait: (_step, server, tools) => unpluggedPort(server, tools),
  async do(_step, server, tools) {
    const { compute, signal, openKey } = tools;
    const { hardware = '', sealedKey = new Uint8Array(), keyEpoch = 0, migrationId = '' } = server.move ?? {};
    if (openKey === undefined) throw new ShoalError('DRIVER_FAILED', 'this host opens no keys of moves');
    const secret = openKey(liveMoveName(migrationId), { sealed: sealedKey, keyEpoch });
    const key = { user: 'shoal', keyHex: Buffer.from(secret).toString('hex') };
    const spec = await guestSpec(server, 'waiting', tools);
    const receiver = await compute.receiveGuest(spec, { hardware, key }, signal);
    failpointMade();
    await tools.receivingReports.receiving(server, receiver);
    failpointTold();
  },
};

/** The guest that waited has died: its memory is not to be sent. */
export const refuseMemory: ServerStepDefinition<'refuse-memory'> = {
  mode: 'reports',
  words: 'recording that the server cannot come',
  async do(_step, server, tools) {
    await tools.receivingReports.receiveFailed(server, 'The guest that was to take the memory has ended on its host.');
  },
};

/** Ends what never ran here. */
export const discard: ServerStepDefinition<'discard'> = {
  mode: 'tears-down',
  words: 'discarding what waited for the server',
  async do(_step, server, tools) {
    const { compute, signal } = tools;
    const serverId = server.id as ServerId;
    const guest = await compute.find(serverId, signal);
    // A guest of a later generation is one that the records have brought here since.
    if (guest === undefined || guest.generation <= server.discardGeneration) {
      await compute.stopGuest(serverId, { graceMs: 0 }, signal);
      failpointDiscardStopped();
      await compute.removeGuest(serverId, signal);
    }
    await closeArriving(server, server.discardGeneration, tools);
    failpointDiscardNotTold();
    await tools.receivingReports.discarded(server);
  },
};
