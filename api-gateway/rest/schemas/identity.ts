/** Bodies of the identity API. Unknown keys pass and are kept (`extras.ts`). */
import Type from 'typebox';

/** An id as Keystone keeps it: up to 64 characters, of any form (Keystone's own are 32 hexadecimal digits). */
export const id = Type.String({ minLength: 1, maxLength: 64 });

/** A name that is not blank. Projects and domains have at most 64 characters, as in Keystone; their bodies say so. */
export const name = Type.String({ minLength: 1, maxLength: 255, pattern: '\\S' });
const description = Type.Union([Type.String({ maxLength: 65_535 }), Type.Null()]);

/** 4,096 characters, Keystone's `max_password_length`: what is hashed must have a bound. */
export const password = Type.String({ maxLength: 4096 });
const domainReference = Type.Object({ id: Type.Optional(id), name: Type.Optional(name) });
const namedReference = Type.Object({
  id: Type.Optional(id),
  name: Type.Optional(name),
  domain: Type.Optional(domainReference),
});

/** `POST /v3/auth/tokens`. Which method is asked for, and whether its part is there, is checked by the handler. */
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

/** `POST /v3/domains`. */
export const createDomainBody = Type.Object({
  domain: Type.Object({ name: Type.String({ minLength: 1, maxLength: 64, pattern: '\\S' }), ...domainFields }),
});

/** `PATCH /v3/domains/:id`: what is left out stays. */
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

/**
 * `POST /v3/projects`, and `CreateProject` by gRPC. Without `domain_id` the project is in the domain of the caller's
 * token, else in `default`.
 */
export const createProjectBody = Type.Object({
  project: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 64, pattern: '\\S' }),
    domain_id: Type.Optional(Type.Union([id, Type.Null()])),
    ...projectFields,
  }),
});

/**
 * `PATCH /v3/projects/:id`, and `UpdateProject` by gRPC: what is left out stays. The handler refuses another domain or
 * parent.
 */
export const updateProjectBody = Type.Object({
  project: Type.Object({
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: '\\S' })),
    domain_id: Type.Optional(id),
    ...projectFields,
  }),
});

/** `PUT /v3/projects/:id/tags`: at most 80, as in Keystone. They replace those that are there. */
export const tagsBody = Type.Object({ tags });

/** A tag in a path, already percent-decoded: up to 255 characters, no comma and no slash. */
export const tagParameter = tag;

const userFields = {
  default_project_id: Type.Optional(Type.Union([id, Type.Null()])),
  description: Type.Optional(description),
  email: Type.Optional(Type.Union([Type.String({ maxLength: 255 }), Type.Null()])),
  enabled: Type.Optional(Type.Boolean()),
  password: Type.Optional(Type.Union([password, Type.Null()])),
};

/** `POST /v3/users`. A user without a password, or with null, cannot log in by one. */
export const createUserBody = Type.Object({
  user: Type.Object({ name, domain_id: Type.Optional(Type.Union([id, Type.Null()])), ...userFields }),
});

/** `PATCH /v3/users/:id`: what is left out stays. A password is set without the old one; null leaves the user none. */
export const updateUserBody = Type.Object({
  user: Type.Object({ name: Type.Optional(name), domain_id: Type.Optional(id), ...userFields }),
});

/** `POST /v3/users/:id/password`: it needs no token, the old password says who asks, as in Keystone. */
export const changePasswordBody = Type.Object({ user: Type.Object({ password, original_password: password }) });

/** `POST /v3/roles`. A `domain_id` other than null answers 501. */
export const createRoleBody = Type.Object({
  role: Type.Object({
    name,
    description: Type.Optional(description),
    domain_id: Type.Optional(Type.Union([id, Type.Null()])),
  }),
});

/** `PATCH /v3/roles/:id`: what is left out stays. */
export const updateRoleBody = Type.Object({
  role: Type.Object({ name: Type.Optional(name), description: Type.Optional(description) }),
});
