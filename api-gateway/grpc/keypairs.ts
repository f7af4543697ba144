import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import type { shoal } from '../../proto/messages.ts';
import { parse } from '../rest/kit/validation.ts';
import { newKeypairBody } from '../rest/schemas/compute.ts';
import { attributesOf } from './kit/attributes.ts';
import type { Caller, Callers } from './kit/caller.ts';
import { pageOf } from './kit/page.ts';

type Served = Handlers<shoal.v1.ComputeService, Caller>;

/** Keypairs, as `/os-keypairs` has them. */
export function keypairHandlers(
  callers: Callers,
  { keypairs }: ComputeService,
): Pick<Served, 'listKeypairs' | 'getKeypair' | 'createKeypair' | 'deleteKeypair'> {
  return {
    listKeypairs: (request, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        const found = keypairs.list(context, reader, request.userId || context.userId);
        const { page, nextPageToken } = pageOf(found, request, ({ name }) => name);
        return { keypairs: [...page], nextPageToken, stale };
      }),
    getKeypair: ({ name, userId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { keypair: keypairs.show(context, reader, name, userId || context.userId), stale };
      }),
    createKeypair: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const attributes = attributesOf(request, { emptyIsUnset: ['userId', 'publicKey', 'type'] });
        const body = parse(newKeypairBody.properties.keypair, attributes, 'request');
        const { keypair, privateKey = '' } = await keypairs.create(context, {
          name: body.name,
          ...(body.public_key === undefined ? {} : { publicKey: body.public_key }),
          ...(body.type === undefined ? {} : { type: body.type }),
          ...(body.user_id === undefined ? {} : { userId: body.user_id }),
        });
        return { keypair, privateKey };
      }),
    deleteKeypair: ({ name, userId }, call) =>
      callers.serve(call, async ({ context }) => {
        await keypairs.delete(context, name, userId || context.userId);
        return {};
      }),
  };
}
