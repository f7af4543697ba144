import type { Handlers } from '../../../node/rpc/server.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { shoal } from '../../../proto/messages.ts';
import type { Caller, Callers } from '../kit/caller.ts';

type TypeMethods =
  | 'listVolumeTypes'
  | 'createVolumeType'
  | 'updateVolumeType'
  | 'removeVolumeTypeExtraSpec'
  | 'deleteVolumeType'
  | 'setVolumeTypeAccess'
  | 'setVolumeTypeEncryption'
  | 'removeVolumeTypeEncryption'
  | 'setVolumeTypeQos';

/** The part of `shoal.v1.VolumeService` that is about types. */
export function typeHandlers(
  callers: Callers,
  { types }: Pick<VolumeService, 'types'>,
): Pick<Handlers<shoal.v1.VolumeService, Caller>, TypeMethods> {
  return {
    listVolumeTypes: (_request, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader } = await read();
        const defaultId = types.default(context, reader).id;
        return { types: types.list(context, reader).map((type) => typeView(type, type.id === defaultId)) };
      }),
    createVolumeType: ({ name, description, isPrivate, extraSpecs }, call) =>
      callers.serve(call, async ({ context }) => ({
        type: typeView(await types.create(context, { name, description, isPublic: !isPrivate, extraSpecs }), false),
      })),
    updateVolumeType: (request, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { type, name, description, isPublic, setExtraSpecs } = request;
        if (Object.keys(setExtraSpecs).length > 0) await types.setExtraSpecs(context, type, setExtraSpecs);
        const updated = await types.update(context, type, {
          ...(name === null ? {} : { name }),
          ...(description === null ? {} : { description }),
          ...(isPublic === null ? {} : { isPublic }),
        });
        const { reader } = await read();
        return { type: typeView(updated, updated.id === types.default(context, reader).id) };
      }),
    removeVolumeTypeExtraSpec: ({ type, key }, call) =>
      callers.serve(call, async ({ context }) => {
        await types.removeExtraSpec(context, type, key);
        return {};
      }),
    deleteVolumeType: ({ type }, call) =>
      callers.serve(call, async ({ context }) => {
        await types.remove(context, type);
        return {};
      }),
    setVolumeTypeAccess: ({ type, projectId, allowed }, call) =>
      callers.serve(call, async ({ context }) => {
        await types.setAccess(context, type, projectId, allowed);
        return {};
      }),
    setVolumeTypeEncryption: (request, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { type, provider, cipher, keyBits } = request;
        const { reader } = await read();
        const draft = { provider, ...(cipher === '' ? {} : { cipher }), ...(keyBits === 0 ? {} : { keyBits }) };
        const mustBeNew = types.show(context, reader, type).encryption === null;
        await types.setEncryption(context, type, draft, { mustBeNew });
        return {};
      }),
    removeVolumeTypeEncryption: ({ type }, call) =>
      callers.serve(call, async ({ context }) => {
        await types.removeEncryption(context, type);
        return {};
      }),
    setVolumeTypeQos: ({ type, qosSpecsId }, call) =>
      callers.serve(call, async ({ context }) => {
        await types.setQos(context, type, qosSpecsId);
        return {};
      }),
  };
}

function typeView(type: shoal.v1.VolumeType, isDefault: boolean): shoal.v1.VolumeTypeView {
  const { id, name, description, isPublic, extraSpecs, encryption } = type;
  const encrypted = (encryption?.provider ?? '') !== '';
  return new shoal.v1.VolumeTypeView({ id, name, description, isPublic, extraSpecs, encrypted, isDefault });
}
