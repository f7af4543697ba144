/** `/os-keypairs`. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import type { shoal } from '../../../proto/messages.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { plainTimeText, type View, viewingOf } from './kit/common.ts';
import { addNovaList } from './kit/lists.ts';
import { checkAttributes, type Microversion, microversionOf } from './kit/microversion.ts';

type ByName = { Params: { name: string } };

/**
 * Adds the keypairs of the caller, and from 2.10 on of the user in `user_id`. A private key that is made here is
 * answered once and not kept.
 */
export function addKeypairs(app: FastifyInstance, gateway: Gateway, { keypairs }: ComputeService): void {
  addNovaList(app, gateway, {
    path: '/v2.1/os-keypairs',
    key: 'keypairs',
    paging: 'marker',
    pagedFrom: 35,
    items: ({ context, reader, request }) => keypairs.list(context, reader, userOf(request, context)),
    idOf: (key) => key.name,
    view: (key, { request }) => ({ keypair: briefView(key, microversionOf(request)) }),
  });

  app.get<ByName>('/v2.1/os-keypairs/:name', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const microversion = microversionOf(request);
    const userId = userOf(request, context);
    const key = keypairs.show(context, reader, request.params.name, userId);
    return {
      keypair: {
        ...briefView(key, microversion),
        user_id: key.userId,
        // Nova counts its rows; the fingerprint's first bytes serve as a number that stays.
        id: Number.parseInt(key.fingerprint.replaceAll(':', '').slice(0, 7), 16),
        created_at: plainTimeText(key.createdMs),
        updated_at: null,
        deleted: false,
        deleted_at: null,
      },
    };
  });

  app.post('/v2.1/os-keypairs', { config: { body: schemas.newKeypairBody } }, async (request, reply) => {
    const context = gateway.context(request);
    const body = parse(schemas.newKeypairBody, request.body).keypair;
    checkAttributes('keypair', body, { type: { from: 2 }, user_id: { from: 10 } }, microversionOf(request));
    checkMicroversion(body, microversionOf(request));
    const { keypair, privateKey } = await keypairs.create(context, {
      name: body.name,
      ...(body.public_key === undefined ? {} : { publicKey: body.public_key }),
      ...(body.type === undefined ? {} : { type: body.type }),
      ...(body.user_id === undefined ? {} : { userId: body.user_id }),
    });
    const microversion = microversionOf(request);
    return reply.code(microversion >= 2 ? 201 : 200).send({
      keypair: {
        ...briefView(keypair, microversion),
        user_id: keypair.userId,
        ...(privateKey === undefined ? {} : { private_key: privateKey }),
      },
    });
  });

  app.delete<ByName>('/v2.1/os-keypairs/:name', async (request, reply) => {
    const context = gateway.context(request);
    const microversion = microversionOf(request);
    const userId = userOf(request, context);
    await keypairs.delete(context, request.params.name, userId);
    return reply.code(microversion >= 2 ? 204 : 202).send();
  });
}

/** From 2.92 on a key is made by who owns it, and names may hold `@` and `.`. */
function checkMicroversion(
  { name, public_key: publicKey }: { readonly name: string; readonly public_key?: string },
  microversion: Microversion,
): void {
  if (microversion >= 92 && publicKey === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', 'Invalid body: keypair must have required properties public_key.');
  }
  if (microversion < 92 && /[@.]/.test(name)) {
    throw new ShoalError('INVALID_ARGUMENT', 'Invalid body: the name of a keypair may hold @ and . from 2.92 on.');
  }
}

function briefView(key: shoal.v1.Keypair, microversion: Microversion): View {
  return {
    name: key.name,
    public_key: key.publicKey,
    fingerprint: key.fingerprint,
    ...(microversion >= 2 ? { type: key.type } : {}),
  };
}

/** Whose keys are asked about: from 2.10 on `user_id`, else the caller's. */
function userOf(request: FastifyRequest, context: RequestContext): string {
  return (microversionOf(request) >= 10 ? Query.of(request).one('user_id') : undefined) ?? context.userId;
}
