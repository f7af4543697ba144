/** Who is logged in, and to which project. */
import { computed, signal } from '@preact/signals';
import { ask, askWithHeaders, get } from './api.ts';
import { ApiError } from './api-error.ts';
import { texts } from './texts.ts';
import { token } from './token.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

interface TokenBody {
  readonly token: {
    readonly user: Named;
    readonly project?: Named;
    readonly roles?: readonly Named[];
    readonly expires_at: string;
  };
}

/** See above. */
interface Session {
  readonly user: Named;
  readonly project: Named;
  readonly roles: readonly string[];
  /** When the token ends, as the API says it. */
  readonly expiresAt: string;
  /** Those that the user may work in. */
  readonly projects: readonly Named[];
}

const found = signal<Session | undefined>(undefined);

/** Undefined: nobody is. A token that the API refuses ends it. */
export const session = computed(() => (token.value === undefined ? undefined : found.value));

/** Whether the user may do what operators do. The API decides; this only spares them pages that would say no. */
export const isOperator = computed(() => session.value?.roles.includes('admin') === true);

/** Sent along to the one route that knows the browser's cookie. */
const ownPage = { 'x-shoal-page': '1' };

/** The session of an earlier load of this page, if its token is still good. */
export async function resume(): Promise<void> {
  const kept = await ask<{ token: string } | undefined>('GET', '/ui/session', { headers: ownPage, isAnonymous: true });
  if (kept === undefined) return;
  try {
    token.value = kept.token;
    await enter(kept.token);
  } catch (error) {
    token.value = undefined;
    if (!(error instanceof ApiError && [401, 404].includes(error.status))) throw error;
    await forget();
  }
}

/** Throws `ApiError`: 401 when name or password are wrong. */
export async function logIn(name: string, password: string, domain: string): Promise<void> {
  const user = { name, password, domain: { name: domain } };
  const identity = { methods: ['password'], password: { user } };
  const { body, headers } = await newToken({ identity });
  const first = headers.get('x-subject-token') ?? '';
  token.value = first;
  try {
    if (body.token.project !== undefined) await enter(first);
    else await enterFirstProject();
  } catch (error) {
    token.value = undefined;
    throw error;
  }
}

/** Works in another project from now on. */
export async function switchProject(projectId: string): Promise<void> {
  const identity = { methods: ['token'], token: { id: token.value ?? '' } };
  const { headers } = await newToken({ identity, scope: { project: { id: projectId } } });
  const next = headers.get('x-subject-token') ?? '';
  token.value = next;
  await enter(next);
}

/** Revokes the token, at every agent, and forgets it here. */
export async function logOut(): Promise<void> {
  const held = token.value ?? '';
  try {
    await ask('DELETE', '/identity/v3/auth/tokens', { headers: { 'x-subject-token': held } });
  } finally {
    token.value = undefined;
    await forget();
  }
}

function newToken(auth: object) {
  const body = { auth };
  return askWithHeaders<TokenBody>('POST', '/identity/v3/auth/tokens?nocatalog', { body, isAnonymous: true });
}

async function enterFirstProject(): Promise<void> {
  const [first] = await myProjects();
  if (first === undefined) throw new ApiError(403, texts.login.noProject, '');
  await switchProject(first.id);
}

/** Takes up a token that is good for a project. */
async function enter(held: string): Promise<void> {
  const headers = { 'x-subject-token': held };
  const { token: said } = await ask<TokenBody>('GET', '/identity/v3/auth/tokens?nocatalog', { headers });
  const { user, project, roles = [], expires_at: expiresAt } = said;
  if (project === undefined) {
    await enterFirstProject();
    return;
  }
  const projects = await myProjects();
  found.value = { user, project, roles: roles.map(({ name }) => name), expiresAt, projects };
  await ask('PUT', '/ui/session', { headers: ownPage, body: { token: held } });
}

async function myProjects(): Promise<readonly Named[]> {
  return (await get<{ projects: readonly Named[] }>('/identity/v3/auth/projects')).projects;
}

async function forget(): Promise<void> {
  await ask('DELETE', '/ui/session', { headers: ownPage, isAnonymous: true });
}
