import type { Static } from 'typebox';
import Type from 'typebox';
import { type PolicyRule, projectMember, projectReader, rule } from '../../../../api-gateway/policies/rule.ts';
import { novaFaults } from '../../../../api-gateway/rest/kit/faults.ts';
import { addCollection, change } from '../../../../api-gateway/rest/kit/lists/collection.ts';
import { anyOf, once } from '../../../../api-gateway/rest/kit/lists/filter.ts';
import type { ListStyle } from '../../../../api-gateway/rest/kit/lists/list.ts';
import { orderBy } from '../../../../api-gateway/rest/kit/lists/order.ts';
import { cutPage, pathWith, placeOf } from '../../../../api-gateway/rest/kit/lists/page.ts';
import type { RestModule } from '../../../../api-gateway/rest/kit/module.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import { mayActOn, mayActOnAll } from '../../../../node/services/kit/permissions.ts';

// 1. The body. In rest/schemas/, which needs no Node.
const noteBody = Type.Object(
  {
    note: Type.Object(
      { title: Type.String({ minLength: 1, maxLength: 255 }), pinned: Type.Optional(Type.Boolean()) },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
type NoteFields = Static<typeof noteBody>['note'];

// 2. Who may. In api-gateway/policies/, under OpenStack's names where it has the operation; a gRPC method stands beside its route.
export const notePolicies: readonly PolicyRule[] = [
  rule('notes:get_all', projectReader, ['GET /v1/notes']),
  rule('notes:get', projectReader, ['GET /v1/notes/:id']),
  rule('notes:create', projectMember, ['POST /v1/notes']),
  rule('notes:update', projectMember, ['PUT /v1/notes/:id']),
  rule('notes:delete', projectMember, ['DELETE /v1/notes/:id']),
];

// 3. How lists of this API are paged and linked: once for all of its collections.
const noteLists: ListStyle = {
  reserved: new Set(['limit', 'marker', 'sort_key', 'sort_dir']),
  refuseUnknown([key = '']) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid query: notes have no filter ${key}.`);
  },
  page({ listing: { gateway, query }, items, idOf }) {
    const { pageItemsMax } = gateway.limits;
    const limit = Math.min(query.number('limit') ?? pageItemsMax, pageItemsMax);
    const marker = query.one('marker');
    const missing = (): Error => new ShoalError('INVALID_ARGUMENT', `There is no note ${marker} to go on from.`);
    const at = marker === undefined ? 0 : placeOf(items, idOf, marker, missing) + 1;
    return cutPage(items, { at, limit });
  },
  body({ listing: { gateway, request }, key, views, ids, page }) {
    const next = `${gateway.baseUrl(request)}${pathWith(request, { marker: ids.at(-1) })}`;
    return { [key]: views, ...(page.hasNext ? { next } : {}) };
  },
};

interface Note {
  readonly id: string;
  readonly projectId: string;
  readonly title: string;
  readonly pinned: boolean;
}

// 4. The service. In node/services/, on tables and transactions; here, on a map. It asks rules, never roles.
export class Notes {
  readonly #notes = new Map<string, Note>();

  list(context: RequestContext): readonly Note[] {
    const all = [...this.#notes.values()];
    return mayActOnAll(context) ? all : all.filter((note) => note.projectId === context.projectId);
  }

  find(context: RequestContext, id: string): Note {
    const note = this.#notes.get(id);
    if (note === undefined || !mayActOn(context, note)) throw new ShoalError('NOT_FOUND', `There is no note ${id}.`);
    return note;
  }

  async create({ projectId }: RequestContext, { title, pinned = false }: NoteFields): Promise<Note> {
    const note = { id: `note-${this.#notes.size + 1}`, projectId, title, pinned };
    this.#notes.set(note.id, note);
    return note;
  }

  async update(context: RequestContext, id: string, fields: NoteFields): Promise<Note> {
    const note = { ...this.find(context, id), ...fields };
    this.#notes.set(id, note);
    return note;
  }

  async delete(context: RequestContext, id: string): Promise<void> {
    this.#notes.delete(this.find(context, id).id);
  }
}

// 5. The collection, in the service's module. `new RestServer(deps, { modules: [noteModule(notes)] })` serves it.
export function noteModule(notes: Notes): RestModule {
  return {
    name: 'notes',
    prefixes: ['/notes'],
    faults: novaFaults,
    requestIdHeaders: ['x-openstack-request-id'],
    policies: notePolicies,
    register(app, gateway) {
      addCollection<Note>(app, gateway, noteLists, {
        path: '/v1/notes',
        key: 'notes',
        one: 'note',
        items: ({ context }) => notes.list(context),
        find: (_reader, id, context) => notes.find(context, id),
        filters: () => ({
          title: anyOf((title) => (note) => note.title === title),
          pinned: once((text) => (note) => String(note.pinned) === text),
        }),
        order: ({ query }) =>
          orderBy<Note>(query, { values: { title: ({ title }) => title, id: ({ id }) => id }, fallback: 'asc' }),
        idOf: (note) => note.id,
        view: ({ id, title, pinned }) => ({ id, title, pinned }),
        create: change(noteBody, ({ note }, { context }) => notes.create(context, note)),
        update: { ...change(noteBody, ({ note }, { context, id }) => notes.update(context, id, note)), method: 'PUT' },
        delete: ({ context, id }) => notes.delete(context, id),
      });
    },
  };
}
