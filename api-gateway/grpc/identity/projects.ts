import type { Handlers } from '../../../node/rpc/server.ts';
import { defaultDomainId, type IdentityDirectory } from '../../../node/services/identity/directory.ts';
import { projectTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { parse } from '../../rest/kit/validation.ts';
import { createProjectBody, updateProjectBody } from '../../rest/schemas/identity.ts';
import { attributesOf } from '../kit/attributes.ts';
import type { Caller, Callers } from '../kit/caller.ts';
import { isOr, pageById } from '../kit/page.ts';

type Served = Handlers<shoal.v1.IdentityService, Caller>;

/** Projects, as `/v3/projects` has them. */
export function projectHandlers(
  callers: Callers,
  directory: IdentityDirectory,
): Pick<Served, 'listProjects' | 'getProject' | 'createProject' | 'updateProject' | 'deleteProject'> {
  return {
    listProjects: (request, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        const found = projectTable
          .list(reader)
          .map((row) => row.record)
          .filter(({ name, domainId }) => isOr(request.name, name) && isOr(request.domainId, domainId));
        const { page, nextPageToken } = pageById(found, request);
        return { projects: page.map(projectView), nextPageToken, stale, revision: reader.revision };
      }),
    getProject: ({ projectId }, call) =>
      callers.serve(call, async ({ read }) => {
        const { reader, stale } = await read();
        return { project: projectView(projectTable.must(reader, projectId).record), stale };
      }),
    createProject: (request, call) =>
      callers.serve(call, async ({ context, credentials }) => {
        const attributes = attributesOf(request, { emptyIsNone: ['domainId'] });
        const { name, domain_id, description, enabled, tags } = parse(
          createProjectBody.properties.project,
          attributes,
          'request',
        );
        const project = await directory.createProject(context, {
          name,
          domainId: domain_id ?? (credentials.domainId || defaultDomainId),
          description: description ?? '',
          enabled: enabled ?? true,
          tags: tags ?? [],
        });
        return { project: projectView(project) };
      }),
    updateProject: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const { projectId } = request;
        const attributes = attributesOf(request, { omitted: ['projectId'] });
        const { name, description, enabled, tags } = parse(updateProjectBody.properties.project, attributes, 'request');
        const project = await directory.updateProject(context, projectId, {
          ...(name === undefined ? {} : { name }),
          ...(description == null ? {} : { description }),
          ...(enabled === undefined ? {} : { enabled }),
          ...(tags === undefined ? {} : { tags }),
        });
        return { project: projectView(project) };
      }),
    deleteProject: ({ projectId }, call) =>
      callers.serve(call, async ({ context }) => {
        await directory.deleteProject(context, projectId);
        return {};
      }),
  };
}

/** A project as answers carry it. The attributes that only REST callers can set (`extras`) are left out. */
export function projectView(project: shoal.v1.Project): shoal.v1.ProjectView {
  const { id, name, domainId, description, enabled, tags } = project;
  return new shoal.v1.ProjectView({ id, name, domainId, description, enabled, tags });
}
