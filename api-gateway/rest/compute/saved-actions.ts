/** Actions that keep servers as images and make them of images again: what each takes, and answers. */
import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { forbidden } from '../../../node/services/compute/kit/refusals.ts';
import type { UnshelveDraft } from '../../../node/services/compute/server-shelve.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { isAllowed } from '../../../node/services/kit/permissions.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { linksOf, readFlag, rootOf, type View } from './kit/common.ts';
import { type AttributeVersions, checkAttributes, microversionOf } from './kit/microversion.ts';
import { lastPart } from './server-listing.ts';
import { updatedServerView, viewingWith } from './server-view.ts';

/** What an action is called with. */
interface Call {
  readonly request: FastifyRequest;
  readonly context: RequestContext;
  readonly id: string;
  /** What stands beside the action's name. */
  readonly argument: unknown;
}

/** 202 with more than nothing. */
export class Accepted {
  readonly body: object | undefined;
  readonly location: string | undefined;

  constructor(body: object | undefined, location?: string) {
    this.body = body;
    this.location = location;
  }
}

/** Returns a body for 200, another answer, or nothing for an empty 202. */
export type Action = (call: Call) => Promise<object | Accepted | undefined>;

const rebuildVersions: AttributeVersions = {
  description: { from: 19 },
  key_name: { from: 54 },
  personality: { to: 56 },
  user_data: { from: 57 },
  trusted_image_certificates: { from: 63 },
  hostname: { from: 90 },
};

/** By their names. */
export function savedActions(gateway: Gateway, compute: ComputeService): Readonly<Record<string, Action>> {
  const { images, rebuild, rescue, shelve } = compute;
  return {
    async createImage(call) {
      const { context, id, argument } = call;
      const { name, metadata } = parse(schemas.createImageBody, argument);
      const image = await images.create(context, id, { name, ...(metadata === undefined ? {} : { metadata }) });
      return imageAnswer(gateway, call, image.id);
    },
    async createBackup(call) {
      const { context, id, argument } = call;
      const { name, metadata, backup_type: backupType, rotation } = parse(schemas.createBackupBody, argument);
      const draft = { name, backupType, rotation: Number(rotation), ...(metadata === undefined ? {} : { metadata }) };
      const image = await images.createBackup(context, id, draft);
      // One of which nothing is kept is not told.
      return draft.rotation === 0 ? undefined : imageAnswer(gateway, call, image.id);
    },
    async rebuild({ request, context, id, argument }) {
      const body = parse(schemas.rebuildBody, argument);
      const microversion = microversionOf(request);
      checkAttributes('rebuild', body, rebuildVersions, microversion);
      const server = await rebuild.begin(context, id, rebuildDraftOf(body));
      const shown = updatedServerView(viewingWith(gateway, compute, request, await gateway.readState(request)), server);
      // Here Nova shows user data under a name of its own, and not under this one.
      const { 'OS-EXT-SRV-ATTR:user_data': _, ...rest } = shown;
      const view: View = {
        ...rest,
        ...(microversion >= 54 ? { key_name: server.keyName === '' ? null : server.keyName } : {}),
        ...(microversion >= 57
          ? { user_data: server.userData.length === 0 ? null : Buffer.from(server.userData).toString('base64') }
          : {}),
        adminPass: passwordOf(body.adminPass),
      };
      const [self] = linksOf(rootOf(gateway, request), `servers/${id}`) as readonly { readonly href: string }[];
      return new Accepted({ server: view }, self?.href);
    },
    async rescue({ request, context, id, argument }) {
      const body = parse(schemas.rescueBody, argument);
      const imageRef = body?.rescue_image_ref;
      await rescue.begin(context, id, {
        ...(imageRef === undefined ? {} : { imageId: lastPart(imageRef) }),
        mayHaveRootVolume: microversionOf(request) >= 87,
      });
      return { adminPass: passwordOf(body?.adminPass) };
    },
    async unrescue({ context, id }) {
      await rescue.end(context, id);
      return undefined;
    },
    async shelve({ context, id }) {
      await shelve.begin(context, id);
      return undefined;
    },
    async shelveOffload({ context, id }) {
      await shelve.offload(context, id);
      return undefined;
    },
    async unshelve({ request, context, id, argument }) {
      await shelve.end(context, id, unshelveDraftOf(context, argument, microversionOf(request)));
      return undefined;
    },
  };
}

/** Before 2.77 Nova looks at nothing that stands here; a host is said from 2.91 on, and there a zone that is null is any. */
function unshelveDraftOf(context: RequestContext, argument: unknown, microversion: number): UnshelveDraft {
  if (microversion < 77) return {};
  if (microversion < 91) {
    const asked = parse(schemas.unshelveBody, argument);
    return asked === null ? {} : { zone: asked.availability_zone };
  }
  const asked = parse(schemas.unshelveToHostBody, argument);
  const hostToUnshelve = 'os_compute_api:os-shelve:unshelve_to_host';
  if (asked?.host !== undefined && !isAllowed(context, hostToUnshelve)) throw forbidden(hostToUnshelve);
  return {
    ...(typeof asked?.availability_zone === 'string' ? { zone: asked.availability_zone } : {}),
    ...(asked?.host === undefined ? {} : { hostName: asked.host }),
  };
}

type RebuildBody = ReturnType<typeof parse<typeof schemas.rebuildBody>>;

function rebuildDraftOf(body: RebuildBody) {
  if (readFlag(String(body.preserve_ephemeral ?? 'false')) === true) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      'The current driver does not support preserving ephemeral partitions: leave preserve_ephemeral out.',
    );
  }
  if ((body.trusted_image_certificates?.length ?? 0) > 0) {
    throw new ShoalError('NOT_IMPLEMENTED', 'This version of Shoal does not have trusted image certificates.');
  }
  return {
    imageId: lastPart(body.imageRef),
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(body.metadata === undefined ? {} : { metadata: body.metadata }),
    ...(body.description === undefined ? {} : { description: body.description ?? '' }),
    ...(body.key_name === undefined ? {} : { keyName: body.key_name ?? '' }),
    ...(body.user_data === undefined ? {} : { userData: body.user_data ?? '' }),
    ...(body.hostname === undefined ? {} : { hostname: body.hostname }),
    ...(body.accessIPv4 === undefined ? {} : { accessIpv4: body.accessIPv4 }),
    ...(body.accessIPv6 === undefined ? {} : { accessIpv6: body.accessIPv6 }),
    ...(body['OS-DCF:diskConfig'] === undefined ? {} : { diskConfigAuto: body['OS-DCF:diskConfig'] === 'AUTO' }),
    ...(body.personality === undefined ? {} : { injectedFiles: body.personality }),
  };
}

/** Clients insist on the key. Nothing here can set a password in a guest that boots; keys and user data do that. */
function passwordOf(asked: string | undefined): string {
  return asked ?? randomBytes(9).toString('base64url');
}

/** From 2.45 on its id in the body; before, the image in a header. */
function imageAnswer(gateway: Gateway, { request }: Call, imageId: string): Accepted {
  if (microversionOf(request) >= 45) return new Accepted({ image_id: imageId });
  return new Accepted(undefined, `${rootOf(gateway, request)}/images/${imageId}`);
}
