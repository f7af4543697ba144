/** `/v2/images/ID/members`: whom a shared image is shared with. */
import type { FastifyInstance } from 'fastify';
import { type ImageMembers, memberStatusName } from '../../../node/services/image/members.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { memberStatusBody, newMemberBody } from '../schemas/image.ts';
import { glanceTime } from './views.ts';

type ById = { Params: { id: string } };
type ByMember = { Params: { id: string; member: string } };

/**
 * Adds the members of an image. Its owner adds and removes them; a member sets its own status: pending, accepted or
 * rejected.
 */
export function addMemberRoutes(app: FastifyInstance, gateway: Gateway, members: ImageMembers): void {
  app.get<ById>('/v2/images/:id/members', async (request) => {
    const { id } = request.params;
    const listed = members.list(await gateway.readState(request), gateway.context(request), id);
    return { members: listed.map((member) => memberView(id, member)), schema: '/v2/schemas/members' };
  });
  app.post<ById>('/v2/images/:id/members', { config: { body: newMemberBody } }, async (request) => {
    const { id } = request.params;
    const { member } = parse(newMemberBody, request.body);
    return memberView(id, await members.add(gateway.context(request), id, member));
  });
  app.get<ByMember>('/v2/images/:id/members/:member', async (request) => {
    const { id, member } = request.params;
    return memberView(id, members.show(await gateway.readState(request), gateway.context(request), id, member));
  });
  app.put<ByMember>('/v2/images/:id/members/:member', { config: { body: memberStatusBody } }, async (request) => {
    const { id, member } = request.params;
    const { status } = parse(memberStatusBody, request.body);
    return memberView(id, await members.setStatus(gateway.context(request), id, member, status));
  });
  app.delete<ByMember>('/v2/images/:id/members/:member', async (request, reply) => {
    await members.remove(gateway.context(request), request.params.id, request.params.member);
    return reply.code(204).send();
  });
}

function memberView(imageId: string, member: shoal.v1.IImageMember): Readonly<Record<string, unknown>> {
  return {
    image_id: imageId,
    member_id: member.projectId,
    status: memberStatusName(member),
    created_at: glanceTime(member.createdMs ?? 0),
    updated_at: glanceTime(member.updatedMs ?? 0),
    schema: '/v2/schemas/member',
  };
}
