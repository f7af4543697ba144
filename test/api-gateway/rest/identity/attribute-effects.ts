/** Every attribute of the identity API's bodies: sent, shown, and what it does. */
import { randomUUID } from 'node:crypto';
import { adminPassword } from '../../../support/gateway.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../effects/effects.ts';

/** Where the bodies go. */
export const identityRoutes = {
  authBody: ['POST /v3/auth/tokens'],
  changePasswordBody: ['POST /v3/users/:id/password'],
  createDomainBody: ['POST /v3/domains'],
  updateDomainBody: ['PATCH /v3/domains/:id'],
  createProjectBody: ['POST /v3/projects'],
  updateProjectBody: ['PATCH /v3/projects/:id'],
  createRoleBody: ['POST /v3/roles'],
  updateRoleBody: ['PATCH /v3/roles/:id'],
  createUserBody: ['POST /v3/users'],
  updateUserBody: ['PATCH /v3/users/:id'],
  tagsBody: ['PUT /v3/projects/:id/tags'],
} as const;

const send = (cloud: EffectCloud, method: string, path: string, body: unknown, status: number): Promise<Answer> =>
  cloud.ask(method, `/identity/v3/${path}`, { body, status });

type Kind = 'domain' | 'project' | 'role' | 'user';
const make = async (cloud: EffectCloud, kind: Kind, fields: object = {}, status = 201): Promise<Answer> =>
  (await send(cloud, 'POST', `${kind}s`, { [kind]: { name: randomUUID(), ...fields } }, status))[kind];
const change = async (cloud: EffectCloud, kind: Kind, id: string, fields: object, status = 200): Promise<Answer> =>
  (await send(cloud, 'PATCH', `${kind}s/${id}`, { [kind]: fields }, status))[kind];
const show = async (cloud: EffectCloud, kind: Kind, id: string): Promise<Answer> =>
  (await cloud.ask('GET', `/identity/v3/${kind}s/${id}`))[kind];

const ask = (cloud: EffectCloud, identity: object, scope?: unknown): Promise<{ status: number; token: Answer }> =>
  cloud.gateway
    .call('POST', '/identity/v3/auth/tokens', {
      token: null,
      body: { auth: { identity, ...(scope === undefined ? {} : { scope }) } },
    })
    .then((answer) => ({ status: answer.statusCode, token: answer.json().token }));
const logIn = (cloud: EffectCloud, user: object, scope?: unknown) =>
  ask(cloud, { methods: ['password'], password: { user } }, scope);

/** What is shown of each value; each of `refused` gets 400. */
interface Values {
  readonly values: readonly unknown[];
  readonly refused?: readonly unknown[];
  /** As which a value is shown; default: itself. */
  readonly shownAs?: (value: unknown) => unknown;
}

/** Of a new one and of one that is changed. */
function ofKind(kind: Kind, name: string, { values, refused = [], shownAs = (value) => value }: Values): Effects {
  const body = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}Body: ${kind}.${name}`;
  return {
    [`create${body}`]: async (t, cloud) => {
      for (const value of values) {
        const { id } = await make(cloud, kind, { [name]: value });
        t.strictSame((await show(cloud, kind, id))[name], shownAs(value), `${name} ${JSON.stringify(value)}`);
      }
      for (const value of refused) await make(cloud, kind, { [name]: value }, 400);
    },
    [`update${body}`]: async (t, cloud) => {
      const { id } = await make(cloud, kind);
      for (const value of values) {
        await change(cloud, kind, id, { [name]: value });
        t.strictSame((await show(cloud, kind, id))[name], shownAs(value), `${name} ${JSON.stringify(value)}`);
      }
      for (const value of refused) await change(cloud, kind, id, { [name]: value }, 400);
    },
  };
}

/** Attributes that Keystone does not know either are kept, so many of them. */
function extras(kind: Kind): Effects {
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`extra-${n}`, n]));
  const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}Body: ${kind}`;
  return {
    [`create${name}`]: async (t, cloud) => {
      for (const colour of ['red', ['blue']]) {
        const { id } = await make(cloud, kind, { colour });
        t.strictSame((await show(cloud, kind, id)).colour, colour);
      }
      await make(cloud, kind, many, 400);
    },
    [`update${name}`]: async (t, cloud) => {
      const { id } = await make(cloud, kind);
      for (const colour of ['red', ['blue']]) {
        await change(cloud, kind, id, { colour });
        t.strictSame((await show(cloud, kind, id)).colour, colour);
      }
      await change(cloud, kind, id, many, 400);
    },
  };
}

const names = (charactersMax: number): Values => ({
  values: [`one-${randomUUID()}`, `zwei \u{1F40B} ${randomUUID()}`],
  refused: ['', ' ', 5, 'x'.repeat(charactersMax + 1)],
});
/** Each test has names of its own. */
const named = (kind: Kind, charactersMax: number): Effects => ({
  [Object.keys(ofKind(kind, 'name', { values: [] }))[0] ?? '']: ofNew(kind, charactersMax),
  [Object.keys(ofKind(kind, 'name', { values: [] }))[1] ?? '']: ofChanged(kind, charactersMax),
});
const ofNew =
  (kind: Kind, charactersMax: number): Effect =>
  async (t, cloud) => {
    const [effect] = Object.values(ofKind(kind, 'name', names(charactersMax)));
    await effect?.(t, cloud);
  };
const ofChanged =
  (kind: Kind, charactersMax: number): Effect =>
  async (t, cloud) => {
    const [, effect] = Object.values(ofKind(kind, 'name', names(charactersMax)));
    await effect?.(t, cloud);
  };

const long = 'x'.repeat(65_536);
const texts: Values = { values: ['one', 'two'], refused: [long, 5] };
const flags: Values = { values: [true, false], refused: ['true', 1] };

/** Logs in somebody who belongs to it, before and after it is disabled. */
const disabling =
  (shown: Effect, prepare: (cloud: EffectCloud, enabled: boolean) => Promise<number>): Effect =>
  async (t, cloud) => {
    await shown(t, cloud);
    t.equal(await prepare(cloud, true), 201);
    t.equal(await prepare(cloud, false), 401, 'nobody logs in any more');
  };

/** A user of a new domain logs in to a project of it. */
async function member(cloud: EffectCloud, attributes: { domain?: object; project?: object; user?: object }) {
  const password = 'a long password';
  const domain = await make(cloud, 'domain', attributes.domain);
  const project = await make(cloud, 'project', { domain_id: domain.id, ...attributes.project });
  const user = await make(cloud, 'user', { domain_id: domain.id, password, ...attributes.user });
  const [role] = (await cloud.ask('GET', '/identity/v3/roles?name=member')).roles;
  for (const scope of [`projects/${project.id}`, `domains/${domain.id}`, 'system']) {
    await cloud.ask('PUT', `/identity/v3/${scope}/users/${user.id}/roles/${role.id}`, { status: 204 });
  }
  return { domain, project, user, password };
}
const status = async (cloud: EffectCloud, { user, project, password }: Awaited<ReturnType<typeof member>>) =>
  (await logIn(cloud, { id: user.id, password }, { project: { id: project.id } })).status;

function enabled(kind: 'domain' | 'project' | 'user'): Effects {
  const [createKey = '', updateKey = ''] = Object.keys(ofKind(kind, 'enabled', flags));
  const [createShown, updateShown] = Object.values(ofKind(kind, 'enabled', flags));
  if (createShown === undefined || updateShown === undefined) throw new Error('There are two.');
  return {
    [createKey]: createShown,
    [updateKey]: disabling(updateShown, async (cloud, isEnabled) => {
      const everything = await member(cloud, {});
      await change(cloud, kind, everything[kind].id, { enabled: isEnabled });
      return status(cloud, everything);
    }),
  };
}

const projects: Effects = {
  ...named('project', 64),
  ...ofKind('project', 'description', texts),
  ...enabled('project'),
  ...ofKind('project', 'tags', { values: [['a', 'b c'], []], refused: [['a,b'], ['a/b'], ['a', 'a'], [5]] }),
  'createProjectBody: project.domain_id': async (t, cloud) => {
    for (const domain_id of ['default', (await make(cloud, 'domain')).id]) {
      t.equal((await show(cloud, 'project', (await make(cloud, 'project', { domain_id })).id)).domain_id, domain_id);
    }
    await make(cloud, 'project', { domain_id: 'none' }, 404);
  },
  'updateProjectBody: project.domain_id': keepsDomain('project'),
  'createProjectBody: project.is_domain': async (_t, cloud) => {
    await make(cloud, 'project', { is_domain: true }, 501);
  },
  'updateProjectBody: project.is_domain': async (_t, cloud) => {
    await change(cloud, 'project', (await make(cloud, 'project')).id, { is_domain: true }, 400);
  },
  'createProjectBody: project.parent_id': async (t, cloud) => {
    for (const parent_id of ['default', null]) {
      t.equal((await make(cloud, 'project', { parent_id })).parent_id, 'default');
    }
    const { id } = await make(cloud, 'project');
    await make(cloud, 'project', { parent_id: id, domain_id: 'default' }, 501);
  },
  'updateProjectBody: project.parent_id': async (t, cloud) => {
    const { id } = await make(cloud, 'project');
    await change(cloud, 'project', id, { description: 'without' });
    t.equal((await change(cloud, 'project', id, { parent_id: 'default' })).parent_id, 'default');
    const other = await make(cloud, 'project');
    await change(cloud, 'project', id, { parent_id: other.id }, 403);
    await change(cloud, 'project', id, { parent_id: null }, 403);
  },
  'tagsBody: tags': async (t, cloud) => {
    const { id } = await make(cloud, 'project', { tags: ['before'] });
    for (const tags of [['a', 'b'], ['c']]) {
      await send(cloud, 'PUT', `projects/${id}/tags`, { tags }, 200);
      t.strictSame((await show(cloud, 'project', id)).tags, tags);
    }
    await send(cloud, 'PUT', `projects/${id}/tags`, { tags: ['a/b'] }, 400);
  },
  ...extras('project'),
};

function keepsDomain(kind: 'project' | 'user'): Effect {
  return async (t, cloud) => {
    const { id } = await make(cloud, kind);
    await change(cloud, kind, id, { description: 'without' });
    t.equal((await change(cloud, kind, id, { domain_id: 'default' })).domain_id, 'default');
    const other = await make(cloud, 'domain');
    await change(cloud, kind, id, { domain_id: other.id }, 400);
    t.equal((await show(cloud, kind, id)).domain_id, 'default');
  };
}

const absent = (value: unknown): unknown => (value === null ? undefined : value);
const users: Effects = {
  ...named('user', 255),
  ...ofKind('user', 'description', texts),
  ...ofKind('user', 'email', {
    values: ['a@b.test', 'c@d.test', null],
    shownAs: absent,
    refused: ['x'.repeat(256), 5],
  }),
  ...enabled('user'),
  'createUserBody: user.domain_id': async (t, cloud) => {
    for (const domain_id of ['default', (await make(cloud, 'domain')).id]) {
      t.equal((await show(cloud, 'user', (await make(cloud, 'user', { domain_id })).id)).domain_id, domain_id);
    }
    await make(cloud, 'user', { domain_id: 'none' }, 404);
  },
  'updateUserBody: user.domain_id': keepsDomain('user'),
  'createUserBody: user.default_project_id': async (t, cloud) => {
    for (const default_project_id of ['one', 'two']) {
      const { id } = await make(cloud, 'user', { default_project_id });
      t.equal((await show(cloud, 'user', id)).default_project_id, default_project_id);
    }
  },
  'updateUserBody: user.default_project_id': async (t, cloud) => {
    const { user, project, password } = await member(cloud, {});
    t.notOk((await logIn(cloud, { id: user.id, password })).token.project, 'without one a token has no scope');
    await change(cloud, 'user', user.id, { default_project_id: project.id });
    t.equal((await show(cloud, 'user', user.id)).default_project_id, project.id);
    t.equal((await logIn(cloud, { id: user.id, password })).token.project.id, project.id, 'tokens are scoped to it');
    await change(cloud, 'user', user.id, { default_project_id: null });
    t.notOk((await logIn(cloud, { id: user.id, password })).token.project);
  },
  'createUserBody: user.password': async (t, cloud) => {
    for (const password of ['a long password', 'another password']) {
      const { id } = await make(cloud, 'user', { password });
      t.equal((await logIn(cloud, { id, password })).status, 201);
      t.equal((await logIn(cloud, { id, password: `${password}!` })).status, 401);
    }
    await make(cloud, 'user', { password: 'x'.repeat(4097) }, 400);
  },
  'updateUserBody: user.password': async (t, cloud) => {
    const { id } = await make(cloud, 'user', { password: 'before that' });
    for (const password of ['a long password', 'another password']) {
      await change(cloud, 'user', id, { password });
      t.equal((await logIn(cloud, { id, password })).status, 201);
      t.equal((await logIn(cloud, { id, password: 'before that' })).status, 401);
    }
    await change(cloud, 'user', id, { password: 'x'.repeat(4097) }, 400);
    await change(cloud, 'user', id, { password: null });
    for (const password of ['another password', '']) t.equal((await logIn(cloud, { id, password })).status, 401);
  },
  'changePasswordBody: user.password': async (t, cloud) => {
    const { id } = await make(cloud, 'user', { password: 'password 0' });
    for (const n of [1, 2]) {
      const user = { original_password: `password ${n - 1}`, password: `password ${n}` };
      await send(cloud, 'POST', `users/${id}/password`, { user }, 204);
      t.equal((await logIn(cloud, { id, password: `password ${n}` })).status, 201);
      t.equal((await logIn(cloud, { id, password: `password ${n - 1}` })).status, 401);
    }
  },
  'changePasswordBody: user.original_password': async (t, cloud) => {
    for (const original_password of ['first password', 'second password']) {
      const { id } = await make(cloud, 'user', { password: original_password });
      const wrong = { original_password: 'guessed', password: 'a new password' };
      await send(cloud, 'POST', `users/${id}/password`, { user: wrong }, 401);
      t.equal((await logIn(cloud, { id, password: 'a new password' })).status, 401);
      await send(cloud, 'POST', `users/${id}/password`, { user: { ...wrong, original_password } }, 204);
    }
  },
  ...extras('user'),
};

const others: Effects = {
  ...named('domain', 64),
  ...ofKind('domain', 'description', texts),
  ...enabled('domain'),
  ...extras('domain'),
  ...named('role', 255),
  ...ofKind('role', 'description', { ...texts, values: ['one', 'two', null] }),
  'createRoleBody: role.domain_id': async (t, cloud) => {
    t.equal((await make(cloud, 'role', { domain_id: null })).domain_id, null);
    await make(cloud, 'role', { domain_id: 'default' }, 501);
  },
  ...extras('role'),
};

const byPassword = (methods: readonly string[], user: object) => ({ methods, password: { user } });
/** With what is right a token comes, with what is wrong 401. */
const user =
  (right: (who: Answer) => readonly object[], wrong: (who: Answer) => readonly object[]): Effect =>
  async (t, cloud) => {
    const who = await member(cloud, {});
    for (const said of right(who))
      t.equal((await logIn(cloud, said)).token?.user.id, who.user.id, JSON.stringify(said));
    for (const said of wrong(who)) t.equal((await logIn(cloud, said)).status, 401, JSON.stringify(said));
  };
/** A token is scoped as was asked, and one to what is not there is refused. */
const scope =
  (right: (who: Answer) => readonly [object, object][], wrong: readonly unknown[]): Effect =>
  async (t, cloud) => {
    const who = await member(cloud, {});
    const said = { id: who.user.id, password: who.password };
    for (const [asked, shown] of right(who)) {
      t.match((await logIn(cloud, said, asked)).token, shown, JSON.stringify(asked));
    }
    t.notOk((await logIn(cloud, said)).token.roles, 'without a scope there are no roles');
    for (const asked of wrong) t.ok((await logIn(cloud, said, asked)).status >= 400, JSON.stringify(asked));
  };

const authentication: Effects = {
  'authBody: auth.identity.methods': async (t, cloud) => {
    const admin = { id: cloud.gateway.adminUserId, password: adminPassword };
    t.strictSame((await ask(cloud, byPassword(['password'], admin))).token.methods, ['password']);
    t.strictSame((await ask(cloud, { methods: ['token'], token: { id: cloud.gateway.token } })).status, 201);
    t.equal((await ask(cloud, byPassword(['telepathy'], admin))).status, 401);
    t.equal((await ask(cloud, byPassword(['x'.repeat(65)], admin))).status, 400);
    t.equal((await ask(cloud, byPassword(['password', 'token'], admin))).status, 400, 'both are asked for');
  },
  'authBody: auth.identity.password.user.id': user(
    ({ user: { id }, password }) => [{ id, password }],
    ({ password }) => [{ id: 'none', password }],
  ),
  'authBody: auth.identity.password.user.name': user(
    ({ user: { name }, domain, password }) => [{ name, domain: { id: domain.id }, password }],
    ({ domain, password }) => [{ name: 'none', domain: { id: domain.id }, password }],
  ),
  'authBody: auth.identity.password.user.domain.id': user(
    ({ user: { name }, domain, password }) => [{ name, domain: { id: domain.id }, password }],
    ({ user: { name }, password }) => [{ name, domain: { id: 'default' }, password }],
  ),
  'authBody: auth.identity.password.user.domain.name': user(
    ({ user: { name }, domain, password }) => [{ name, domain: { name: domain.name }, password }],
    ({ user: { name }, password }) => [{ name, domain: { name: 'Default' }, password }],
  ),
  'authBody: auth.identity.password.user.password': async (t, cloud) => {
    await user(
      ({ user: { id }, password }) => [{ id, password }],
      ({ user: { id }, password }) => [{ id, password: `${password} ` }],
    )(t, cloud);
    const { id } = await make(cloud, 'user');
    t.equal((await logIn(cloud, { id, password: 'x'.repeat(4097) })).status, 400);
  },
  'authBody: auth.identity.token.id': async (t, cloud) => {
    for (const [id, userId] of [
      [cloud.gateway.token, cloud.gateway.adminUserId],
      [cloud.memberToken, undefined],
    ] as const) {
      const { token } = await ask(cloud, { methods: ['token'], token: { id } });
      if (userId === undefined) t.not(token.user.id, cloud.gateway.adminUserId);
      else t.equal(token.user.id, userId);
    }
    t.equal((await ask(cloud, { methods: ['token'], token: { id: 'none' } })).status, 404, 'as in Keystone');
    t.equal((await ask(cloud, { methods: ['token'], token: { id: 'x'.repeat(4097) } })).status, 400);
  },
  'authBody: auth.scope.project.id': scope(
    ({ project: { id } }) => [[{ project: { id } }, { project: { id } }]],
    [{ project: { id: 'none' } }],
  ),
  'authBody: auth.scope.project.name': scope(
    ({ project: { id, name }, domain }) => [[{ project: { name, domain: { id: domain.id } } }, { project: { id } }]],
    [{ project: { name: 'none', domain: { id: 'default' } } }],
  ),
  'authBody: auth.scope.project.domain.id': scope(
    ({ project: { id, name }, domain }) => [[{ project: { name, domain: { id: domain.id } } }, { project: { id } }]],
    [{ project: { name: 'admin', domain: { id: 'none' } } }],
  ),
  'authBody: auth.scope.project.domain.name': scope(
    ({ project: { id, name }, domain }) => [
      [{ project: { name, domain: { name: domain.name } } }, { project: { id } }],
    ],
    [{ project: { name: 'admin', domain: { name: 'none' } } }],
  ),
  'authBody: auth.scope.domain.id': scope(
    ({ domain: { id } }) => [[{ domain: { id } }, { domain: { id } }]],
    [{ domain: { id: 'none' } }],
  ),
  'authBody: auth.scope.domain.name': scope(
    ({ domain: { id, name } }) => [[{ domain: { name } }, { domain: { id } }]],
    [{ domain: { name: 'none' } }],
  ),
  'authBody: auth.scope.system.all': scope(
    () => [[{ system: { all: true } }, { system: { all: true } }]],
    [{ system: { all: false } }],
  ),
  'authBody: auth.scope.unscoped': async (t, cloud) => {
    const { user: who, project, password } = await member(cloud, {});
    await change(cloud, 'user', who.id, { default_project_id: project.id });
    t.ok((await logIn(cloud, { id: who.id, password })).token.project, 'the default project');
    for (const asked of [{ unscoped: {} }, 'unscoped']) {
      t.notOk((await logIn(cloud, { id: who.id, password }, asked)).token.project);
    }
  },
};

export const attributeEffects: Effects = { ...projects, ...users, ...others, ...authentication };
