/** Default types of single projects: what their volumes are when a request names no type. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import { defaultTypeBody } from '../../schemas/volume.ts';
import { viewingOf } from '../kit/common.ts';
import { requireMicroversion } from '../kit/microversion.ts';

type ByProject = { Params: { project: string } };

/** The first microversion with default types. */
const from = 62;

/** Adds `/default-types`. */
export function addDefaultTypes(app: FastifyInstance, gateway: Gateway, { types }: VolumeService): void {
  const path = '/v3/default-types/:project';
  app.get('/v3/default-types', async (request) => {
    requireMicroversion(request, { from });
    const { reader } = await viewingOf(gateway, request);
    const all = types.projectDefaults(reader);
    return { default_types: all.map(({ id, typeId }) => ({ project_id: id, volume_type_id: typeId })) };
  });
  app.get<ByProject>(path, async (request) => {
    requireMicroversion(request, { from });
    const { reader } = await viewingOf(gateway, request);
    const { project } = request.params;
    const found = types.projectDefaults(reader).find(({ id }) => id === project);
    if (found === undefined) {
      throw new ShoalError('NOT_FOUND', `Default type for project ${project.slice(0, 64)} not found.`);
    }
    return { default_type: { project_id: project, volume_type_id: found.typeId } };
  });
  app.put<ByProject>(path, { config: { body: defaultTypeBody } }, async (request) => {
    requireMicroversion(request, { from });
    const { volume_type: wanted } = parse(defaultTypeBody, request.body).default_type;
    const { project } = request.params;
    const type = await types.setDefault(gateway.context(request), wanted, project);
    return { default_type: { project_id: project, volume_type_id: type.id } };
  });
  app.delete<ByProject>(path, async (request, reply) => {
    requireMicroversion(request, { from });
    await types.unsetDefault(gateway.context(request), request.params.project);
    return reply.code(204).send();
  });
}
