import type { Handlers } from '../../../node/rpc/server.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';
import type { Caller, Callers } from '../kit/caller.ts';

type QosMethods = 'listQosSpecs' | 'createQosSpecs' | 'updateQosSpecs' | 'removeQosSpecsKeys' | 'deleteQosSpecs';

/** The part of `shoal.v1.VolumeService` that is about QoS specs. */
export function qosSpecsHandlers(
  callers: Callers,
  { qos }: Pick<VolumeService, 'qos'>,
): Pick<Handlers<shoal.v1.VolumeService, Caller>, QosMethods> {
  const viewOf = (reader: StateReader, specs: shoal.v1.QosSpecs): shoal.v1.QosSpecsView =>
    new shoal.v1.QosSpecsView({
      id: specs.id,
      name: specs.name,
      consumer: specs.consumer,
      specs: specs.specs,
      typeIds: qos.associations(reader, specs.id).map((type) => type.id),
    });
  return {
    listQosSpecs: (_request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { qosSpecs: qos.list(reader).map((specs) => viewOf(reader, specs)), stale };
      }),
    createQosSpecs: ({ name, consumer, specs }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const made = await qos.create(context, { name, specs, ...(consumer === '' ? {} : { consumer }) });
        return { qosSpecs: viewOf((await read()).reader, made) };
      }),
    updateQosSpecs: ({ qosSpecsId, consumer, setSpecs }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const patch = { specs: setSpecs, ...(consumer === '' ? {} : { consumer }) };
        const updated = await qos.update(context, qosSpecsId, patch);
        return { qosSpecs: viewOf((await read()).reader, updated) };
      }),
    removeQosSpecsKeys: ({ qosSpecsId, keys }, call) =>
      callers.serve(call, async ({ context }) => {
        await qos.removeKeys(context, qosSpecsId, keys);
        return {};
      }),
    deleteQosSpecs: ({ qosSpecsId, force }, call) =>
      callers.serve(call, async ({ context }) => {
        await qos.remove(context, qosSpecsId, force);
        return {};
      }),
  };
}
