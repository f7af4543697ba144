import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { defaultDomainId, type IdentityDirectory } from '../../../node/services/identity/directory.ts';
import { projectTable } from '../../../node/state/tables/index.ts';
import { change } from '../kit/lists/collection.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { createProjectBody, tagParameter, tagsBody, updateProjectBody } from '../schemas/identity.ts';
import { extrasOf } from './extras.ts';
import { projectFilters } from './filters.ts';
import { addIdentityCollection, rootOf } from './lists.ts';
import { projectView } from './views.ts';

type ById = { Params: { id: string } };
type ByTag = { Params: { id: string; tag: string } };

/** `/v3/projects` and their tags. */
export function addProjectRoutes(app: FastifyInstance, gateway: Gateway, directory: IdentityDirectory): void {
  addIdentityCollection(app, gateway, {
    path: '/v3/projects',
    key: 'projects',
    one: 'project',
    table: projectTable,
    filters: projectFilters,
    view: (project, shown) => projectView(rootOf(shown), project),
    create: change(createProjectBody, async ({ project }, { context, request }) => {
      const domainId = project.domain_id ?? project.parent_id ?? gateway.principal(request).domainId;
      if (project.is_domain === true) {
        throw new ShoalError('NOT_IMPLEMENTED', 'Projects that act as domains are not supported; create a domain.');
      }
      if (project.parent_id != null && project.parent_id !== (domainId || defaultDomainId)) {
        throw new ShoalError('NOT_IMPLEMENTED', 'Projects below other projects are not supported.');
      }
      return directory.createProject(context, {
        name: project.name,
        domainId: domainId || defaultDomainId,
        description: project.description ?? '',
        enabled: project.enabled ?? true,
        tags: project.tags ?? [],
        extras: extrasOf(createProjectBody.properties.project, project),
      });
    }),
    update: change(updateProjectBody, async ({ project }, { context, request, id }) => {
      if (project.domain_id !== undefined) {
        const before = projectTable.must(await gateway.readState(request), id).record;
        if (before.domainId !== project.domain_id) {
          throw new ShoalError('INVALID_ARGUMENT', 'The domain of a project cannot be changed.');
        }
      }
      if (project.parent_id !== undefined) {
        const before = projectTable.must(await gateway.readState(request), id).record;
        if (project.parent_id !== before.domainId) {
          throw new ShoalError('FORBIDDEN', 'Update of `parent_id` is not allowed.');
        }
      }
      if (project.is_domain === true) throw new ShoalError('INVALID_ARGUMENT', 'A project cannot become a domain.');
      const { name, description, enabled, tags } = project;
      return directory.updateProject(context, id, {
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description: description ?? '' }),
        ...(enabled === undefined ? {} : { enabled }),
        ...(tags === undefined ? {} : { tags }),
        extras: extrasOf(updateProjectBody.properties.project, project, id),
      });
    }),
    delete: async ({ context, id }) => {
      await directory.deleteProject(context, id);
    },
  });

  app.get<ById>('/v3/projects/:id/tags', async (request) => {
    const { id } = request.params;
    return { tags: projectTable.must(await gateway.readState(request), id).record.tags };
  });

  app.put<ById>('/v3/projects/:id/tags', { config: { body: tagsBody } }, async (request) => {
    const { tags } = parse(tagsBody, request.body);
    const changed = await directory.updateProject(gateway.context(request), request.params.id, { tags });
    return { tags: changed.tags };
  });

  app.delete<ById>('/v3/projects/:id/tags', async (request, reply) => {
    await directory.updateProject(gateway.context(request), request.params.id, { tags: [] });
    return reply.code(204).send();
  });

  // HEAD comes with it.
  app.get<ByTag>('/v3/projects/:id/tags/:tag', async (request, reply) => {
    const { id, tag } = request.params;
    const { tags } = projectTable.must(await gateway.readState(request), id).record;
    if (!tags.includes(tag)) throw new ShoalError('NOT_FOUND', `Could not find project tag ${tag}.`);
    return reply.code(204).send();
  });

  app.put<ByTag>('/v3/projects/:id/tags/:tag', async (request, reply) => {
    const tag = parse(tagParameter, request.params.tag, 'tag');
    await directory.changeTags(gateway.context(request), request.params.id, (tags) => [...new Set([...tags, tag])]);
    return reply.code(201).send();
  });

  app.delete<ByTag>('/v3/projects/:id/tags/:tag', async (request, reply) => {
    const { id, tag } = request.params;
    await directory.changeTags(gateway.context(request), id, (tags) => {
      if (!tags.includes(tag)) throw new ShoalError('NOT_FOUND', `Could not find project tag ${tag}.`);
      return tags.filter((other) => other !== tag);
    });
    return reply.code(204).send();
  });
}
