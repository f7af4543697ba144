/** Everybody who may stand before a door: one token for each role, scope and way in which a token can be dead. */
import { TokenCodec } from '../../../node/services/identity/token.ts';
import { type TestGateway, tokenKey } from '../../support/gateway.ts';

/** Tokens that are good, by what they are for. */
export const livingCallers = [
  'admin of a project',
  'admin of a domain',
  'manager',
  'member',
  'member of a foreign project',
  'reader',
  'role service',
  'role without meaning',
  'no scope',
] as const;

/** What is no good token, or is one no more. */
export const deadCallers = [
  'no token',
  'altered token',
  'expired token',
  'revoked token',
  'token of a disabled user',
  'token of a deleted user',
  'token of a disabled project',
  'token whose role was taken',
] as const;

export type LivingCaller = (typeof livingCallers)[number];
export type DeadCaller = (typeof deadCallers)[number];

export interface PolicyCaller {
  readonly token: string | null;
  /** Empty: the token is for no project. */
  readonly projectId: string;
}

interface Person {
  readonly userId: string;
  readonly roleId: string;
  readonly projectId: string;
  readonly token: string;
}

const password = 'a long password';
const hourMs = 3_600_000;

/** Makes users, projects and roles by the API itself, and one token for each of them. */
export class PolicyCallers {
  readonly #gateway: TestGateway;
  #people = 0;

  constructor(gateway: TestGateway) {
    this.#gateway = gateway;
  }

  async living(): Promise<ReadonlyMap<LivingCaller, PolicyCaller>> {
    const projectId = await this.#project();
    const member = await this.#person('member', projectId);
    const domainAdmin = await this.#user();
    await this.#must('PUT', `/v3/domains/default/users/${domainAdmin}/roles/${await this.#role('admin')}`);
    return new Map<LivingCaller, PolicyCaller>([
      ['admin of a project', { token: this.#gateway.token, projectId: this.#gateway.adminProjectId }],
      ['admin of a domain', { token: await this.#login(domainAdmin, { domain: { id: 'default' } }), projectId: '' }],
      ['manager', await this.#person('manager', projectId)],
      ['member', member],
      ['member of a foreign project', await this.#person('member', await this.#project())],
      ['reader', await this.#person('reader', projectId)],
      ['role service', await this.#person('service', projectId)],
      ['role without meaning', await this.#person('observer', projectId)],
      ['no scope', { token: await this.#login(member.userId, 'unscoped'), projectId: '' }],
    ]);
  }

  /** All of them were administrators before they died, so that nothing but death keeps them out. */
  async dead(): Promise<ReadonlyMap<DeadCaller, PolicyCaller>> {
    const admin = (): Promise<Person> => this.#projectAdmin();
    const altered = await admin();
    const at = altered.token.indexOf('.') + 20;
    const other = altered.token[at] === 'A' ? 'B' : 'A';
    const expired = await admin();
    const codec = new TokenCodec(tokenKey);
    const claims = codec.verify(expired.token);
    const revoked = await admin();
    await this.#must('DELETE', '/v3/auth/tokens', { headers: { 'x-subject-token': revoked.token } });
    const disabled = await admin();
    await this.#must('PATCH', `/v3/users/${disabled.userId}`, { body: { user: { enabled: false } } });
    const deleted = await admin();
    await this.#must('DELETE', `/v3/users/${deleted.userId}`);
    const closed = await admin();
    await this.#must('PATCH', `/v3/projects/${closed.projectId}`, { body: { project: { enabled: false } } });
    const demoted = await admin();
    await this.#must('DELETE', `/v3/projects/${demoted.projectId}/users/${demoted.userId}/roles/${demoted.roleId}`);
    return new Map<DeadCaller, PolicyCaller>([
      ['no token', { token: null, projectId: '' }],
      ['altered token', { ...altered, token: altered.token.slice(0, at) + other + altered.token.slice(at + 1) }],
      [
        'expired token',
        { ...expired, token: codec.sign({ ...claims, i: claims.i - 2 * hourMs, e: claims.i - hourMs }) },
      ],
      ['revoked token', revoked],
      ['token of a disabled user', disabled],
      ['token of a deleted user', deleted],
      ['token of a disabled project', closed],
      ['token whose role was taken', demoted],
    ]);
  }

  /** A member of a project of their own. */
  async tenant(): Promise<Person> {
    return this.#person('member', await this.#project());
  }

  async #projectAdmin(): Promise<Person> {
    return this.#person('admin', await this.#project());
  }

  async #person(role: string, projectId: string): Promise<Person> {
    const userId = await this.#user();
    const roleId = await this.#role(role);
    await this.#must('PUT', `/v3/projects/${projectId}/users/${userId}/roles/${roleId}`);
    return { userId, roleId, projectId, token: await this.#login(userId, { project: { id: projectId } }) };
  }

  async #user(): Promise<string> {
    this.#people += 1;
    const body = { user: { name: `person-${this.#people}`, password } };
    return (await this.#must('POST', '/v3/users', { body })).user.id;
  }

  async #project(): Promise<string> {
    this.#people += 1;
    return (await this.#must('POST', '/v3/projects', { body: { project: { name: `project-${this.#people}` } } }))
      .project.id;
  }

  async #role(name: string): Promise<string> {
    const [found] = (await this.#must('GET', `/v3/roles?name=${name}`)).roles;
    return found?.id ?? (await this.#must('POST', '/v3/roles', { body: { role: { name } } })).role.id;
  }

  async #login(userId: string, scope: object | 'unscoped'): Promise<string> {
    const identity = { methods: ['password'], password: { user: { id: userId, password } } };
    const answer = await this.#gateway.call('POST', '/v3/auth/tokens', {
      token: null,
      body: { auth: { identity, scope } },
    });
    if (answer.statusCode !== 201) throw new Error(`no token: ${answer.body}`);
    return String(answer.headers['x-subject-token']);
  }

  async #must(method: string, url: string, options: Parameters<TestGateway['call']>[2] = {}) {
    const answer = await this.#gateway.call(method, url, options);
    if (answer.statusCode >= 300) throw new Error(`${method} ${url}: ${answer.statusCode} ${answer.body}`);
    return answer.body === '' ? undefined : answer.json();
  }
}
