/** Bodies of the identity API. Unknown keys pass and are kept (`extras.ts`). */
import Type from 'typebox';

export const id = Type.String({ minLength: 1, maxLength: 64 });
export const name = Type.String({ minLength: 1, maxLength: 255, pattern: '\\S' });
const description = Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()]);
export const password = Type.String({ maxLength: 4096 });
const domainReference = Type.Object({ id: Type.Optional(id), name: Type.Optional(name) });
const namedReference = Type.Object({
  id: Type.Optional(id),
  name: Type.Optional(name),
  domain: Type.Optional(domainReference),
});

export const authBody = Type.Object({
  auth: Type.Object({
    identity: Type.Object({
      methods: Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 8 }),
      password: Type.Optional(
        Type.Object({
          user: Type.Object({
            id: Type.Optional(id),
            name: Type.Optional(name),
            domain: Type.Optional(domainReference),
            password,
          }),
        }),
      ),
      token: Type.Optional(Type.Object({ id: Type.String({ minLength: 1, maxLength: 4096 }) })),
    }),
    scope: Type.Optional(
      Type.Union([
        Type.Literal('unscoped'),
        Type.Object({
          project: Type.Optional(namedReference),
          domain: Type.Optional(domainReference),
          system: Type.Optional(Type.Object({ all: Type.Literal(true) })),
          unscoped: Type.Optional(Type.Object({})),
        }),
      ]),
    ),
  }),
});

const domainFields = { description: Type.Optional(description), enabled: Type.Optional(Type.Boolean()) };
export const createDomainBody = Type.Object({
  domain: Type.Object({ name: Type.String({ minLength: 1, maxLength: 64, pattern: '\\S' }), ...domainFields }),
});
export const updateDomainBody = Type.Object({
  domain: Type.Object({
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '\\S' })),
    ...domainFields,
  }),
});

const tag = Type.String({ minLength: 1, maxLength: 255, pattern: '^[^,/]+$' });
const tags = Type.Array(tag, { maxItems: 80, uniqueItems: true });
const projectFields = {
  description: Type.Optional(description),
  enabled: Type.Optional(Type.Boolean()),
  tags: Type.Optional(tags),
  is_domain: Type.Optional(Type.Boolean()),
  parent_id: Type.Optional(Type.Union([id, Type.Null()])),
};
export const createProjectBody = Type.Object({
  project: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 64, pattern: '\\S' }),
    domain_id: Type.Optional(Type.Union([id, Type.Null()])),
    ...projectFields,
  }),
});
export const updateProjectBody = Type.Object({
  project: Type.Object({
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '\\S' })),
    domain_id: Type.Optional(id),
    ...projectFields,
  }),
});
export const tagsBody = Type.Object({ tags });
export const tagParameter = tag;

const userFields = {
  default_project_id: Type.Optional(Type.Union([id, Type.Null()])),
  description: Type.Optional(description),
  email: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
  enabled: Type.Optional(Type.Boolean()),
  password: Type.Optional(Type.Union([password, Type.Null()])),
};
export const createUserBody = Type.Object({
  user: Type.Object({ name, domain_id: Type.Optional(Type.Union([id, Type.Null()])), ...userFields }),
});
export const updateUserBody = Type.Object({
  user: Type.Object({ name: Type.Optional(name), domain_id: Type.Optional(id), ...userFields }),
});
export const changePasswordBody = Type.Object({ user: Type.Object({ password, original_password: password }) });

export const createRoleBody = Type.Object({
  role: Type.Object({
    name,
    description: Type.Optional(description),
    domain_id: Type.Optional(Type.Union([id, Type.Null()])),
  }),
});
export const updateRoleBody = Type.Object({
  role: Type.Object({ name: Type.Optional(name), description: Type.Optional(description) }),
});

/** Query of every list: text by name. */
export const listQuery = Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String())]));
