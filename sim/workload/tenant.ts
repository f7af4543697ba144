/** A project whose user makes, stops, starts, reboots, suspends, resumes and deletes servers, through any agent. */
import { permissionsByDefault } from '../../api-gateway/policies/permissions.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { MadeServers } from '../../node/services/compute/server-create.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import { serversPerTenant } from '../settings/options.ts';
import type { WorldMark } from '../settings/points.ts';
import type { WatchedOperation } from '../trace/watcher.ts';
import type { Trouble } from '../world/trouble.ts';
import { askAnyAgent, type UserDeps } from './agents.ts';
import { type Answer, operationOf, workUntilOver } from './client.ts';

/** What guests are given that nobody else may read. */
export const secretOfGuests = 'password: not-for-anybodys-eyes';
/** Servers of one group that are made at the same time, each by an agent of its own. */
const racersMax = 3;
/** Servers that one request asks for at once, at most. */
const batchMax = 3;
/** Times a creation of unknown fate is sent again. */
const resendsMax = 2;

/** Ids of another project's things. */
interface Foreign {
  readonly networkId: string;
  readonly serverId: string;
}

interface TenantDeps extends UserDeps {
  /** A creation was acknowledged. */
  readonly onCreated: (serverId: string) => void;
  /** A deletion is about to be asked for: from now on the server may go. */
  readonly onDeleting: (serverId: string) => void;
  /** Something else is asked of a server; what is returned is called with the answer, and whether its fate is known. */
  readonly onAsks: (serverId: string) => (isKnown: boolean) => void;
  /** Hears of each call. */
  readonly onOperation?: ((operation: WatchedOperation) => void) | undefined;
  readonly trouble: Trouble;
  /** A server of another project, if there is one. */
  readonly stranger: (projectId: string) => string | undefined;
  /** A port and a network of another project, if there are any. */
  readonly foreign: (projectId: string) => Foreign | undefined;
  /** What this tenant's user is taken for when it names them: `member`, unless a bug is planted. */
  readonly roleOfReach: string;
  /** A server of another project was asked for, and shown or not. */
  readonly onStranger: (by: string, serverId: string, isShown: boolean) => void;
  /** What this tenant's user is taken for: `member`, unless a bug is planted. */
  readonly role: string;
  readonly reached: (mark: WorldMark) => void;
  /** A deletion was acknowledged. */
  readonly onDeleted: (serverId: string) => void;
}

export class Tenant {
  readonly projectId: string;
  readonly counts = { done: 0, refused: 0, unknown: 0 };
  readonly #deps: TenantDeps;
  readonly #networkId: string;
  readonly #groupIds: readonly string[];
  readonly #thinkMs: number;
  readonly #servers: string[];
  readonly #haPercent: number;
  #creations = 0;

  /** @param options `thinkMs`: mean pause between two operations; `servers`: those that it has already. */
  constructor(
    deps: TenantDeps,
    options: {
      readonly projectId: string;
      readonly networkId: string;
      /** Its server groups. */
      readonly groupIds: readonly string[];
      readonly thinkMs: number;
      readonly servers: readonly string[];
      /** Servers of a hundred that ask for another host when theirs is lost. */
      readonly haPercent: number;
    },
  ) {
    this.#deps = deps;
    this.projectId = options.projectId;
    this.#networkId = options.networkId;
    this.#thinkMs = options.thinkMs;
    this.#servers = [...options.servers];
    this.#groupIds = options.groupIds;
    this.#haPercent = options.haPercent;
  }

  run(): Promise<void> {
    return workUntilOver(this.#deps, this.#thinkMs, () => this.#step());
  }

  async #step(): Promise<void> {
    const { random, onDeleting, onDeleted } = this.#deps;
    const room = serversPerTenant - this.#servers.length;
    if (room >= racersMax && random.chance(0.1)) return this.#race();
    if (this.#servers.length === 0 || (room > 0 && random.chance(0.4)))
      return this.#create(random.chance(0.2) ? random.pick(this.#groupIds) : undefined, room);
    if (random.chance(0.1)) return this.#pry();
    if (random.chance(0.05)) return this.#reach();
    const id = random.pick(this.#servers);
    switch (random.below(7)) {
      case 0:
      case 1: {
        onDeleting(id);
        const answer = await this.#call(`delete ${id}`, (agent, context) =>
          agent.services.compute.servers.delete(context, id),
        );
        const isGone = answer.kind === 'unknown' && ShoalError.is(answer.error, 'NOT_FOUND');
        if (answer.kind === 'done') onDeleted(id);
        if (answer.kind === 'done' || isGone) this.#servers.splice(this.#servers.indexOf(id), 1);
        return undefined;
      }
      case 2:
        return this.#ask('stop', id, (agent, context) => agent.services.compute.servers.stop(context, id));
      case 3:
        return this.#ask('start', id, (agent, context) => agent.services.compute.servers.start(context, id));
      case 4:
        return random.chance(0.5)
          ? this.#ask('suspend', id, (agent, context) => agent.services.compute.servers.suspend(context, id))
          : this.#ask('resume', id, (agent, context) => agent.services.compute.servers.resume(context, id));
      default: {
        const hard = random.chance(0.5);
        return this.#ask('reboot', id, (agent, context) => agent.services.compute.servers.reboot(context, id, hard));
      }
    }
  }

  /** Asks for what belongs to somebody else. */
  async #pry(): Promise<void> {
    const { stranger, onStranger } = this.#deps;
    const id = stranger(this.projectId);
    if (id === undefined) return;
    const answer = await this.#call(`show ${id}`, async (agent, context) =>
      agent.services.compute.servers.show(context, agent.deps.state.local, id),
    );
    if (answer.kind !== 'refused') onStranger(this.projectId, id, answer.kind === 'done');
  }

  /** Names what belongs to somebody else in things of its own: a port for their server, a server on their network. */
  async #reach(): Promise<void> {
    const { random, foreign, reached, roleOfReach } = this.#deps;
    const theirs = foreign(this.projectId);
    if (theirs === undefined) return;
    reached('foreign-thing-named');
    const { networkId, serverId } = theirs;
    const asReacher = (context: RequestContext): RequestContext => {
      const roles = [roleOfReach === 'admin' ? 'admin' : 'member'];
      return { ...context, permissions: permissionsByDefault({ ...context, roles }) };
    };
    if (random.chance(0.5)) {
      const port = { networkId: this.#networkId, deviceId: serverId, deviceOwner: 'compute:nova' };
      await this.#call(`reach ${serverId}`, (agent, context) =>
        agent.services.network.ports.create(asReacher(context), [port]),
      );
      return;
    }
    const draft = { name: 'reach', flavorId: 'small', imageId: 'image-1', networks: [{ networkId }] };
    await this.#call(`reach ${networkId}`, (agent, context) =>
      agent.services.compute.servers.create(asReacher(context), draft),
    );
  }

  async #ask(
    what: string,
    id: string,
    work: (agent: HostAgent, context: RequestContext) => Promise<unknown>,
  ): Promise<void> {
    const answered = this.#deps.onAsks(id);
    const { kind } = await this.#call(`${what} ${id}`, work);
    answered(kind !== 'unknown');
  }

  /** Several members of one group at the same time, at whatever agents. */
  async #race(): Promise<void> {
    const { random, reached } = this.#deps;
    const groupId = random.pick(this.#groupIds);
    reached('group-members-made-at-once');
    await Promise.all(Array.from({ length: racersMax }, () => this.#create(groupId, 1)));
  }

  /** @param room servers that may be made, of which a request asks for one or some at once. */
  async #create(groupId: string | undefined, room: number): Promise<void> {
    const { random, onCreated } = this.#deps;
    this.#creations += 1;
    const clientToken = `${this.projectId}/${this.#creations}`;
    const maxCount = random.chance(0.2) ? Math.min(room, batchMax) : 1;
    if (maxCount > 1) this.#deps.reached('several-created-at-once');
    const draft = {
      name: `s${this.#creations}`,
      flavorId: random.pick(['small', 'large']),
      imageId: 'image-1',
      networks: [{ networkId: this.#networkId }],
      ...(groupId === undefined ? {} : { schedulerHints: { group: groupId } }),
      // Nothing is drawn for it: without it all else is as it was.
      ...((this.#creations * 37) % 100 < this.#haPercent ? { metadata: { ha: 'restart' } } : {}),
      ...(random.chance(0.3) ? { userData: Buffer.from(secretOfGuests).toString('base64') } : {}),
      minCount: random.chance(0.5) ? 1 : maxCount,
      maxCount,
      clientToken,
    };
    for (let sends = 0; ; sends += 1) {
      const create = (): Promise<Answer<MadeServers>> =>
        this.#call(
          `create ${clientToken}`,
          (agent, context) => agent.services.compute.servers.create(context, draft),
          ({ servers }) => servers.map(({ id }) => ` ${id}`).join(''),
        );
      const isHasty = this.#deps.trouble.areClientsHasty;
      if (isHasty) this.#deps.reached('same-creation-twice-at-once');
      const answers = await Promise.all(isHasty ? [create(), create()] : [create()]);
      for (const answer of answers) {
        if (answer.kind !== 'done') continue;
        for (const { id } of answer.value.servers) {
          if (!this.#servers.includes(id)) this.#servers.push(id);
          onCreated(id);
        }
      }
      if (answers.some(({ kind }) => kind === 'done')) return;
      if (sends >= resendsMax || answers.every(({ kind }) => kind === 'refused')) return;
      await this.#deps.schedule.sleep(random.below(2_000));
    }
  }

  /** @param made what is added to the trace when it is done. */
  async #call<T>(
    what: string,
    work: (agent: HostAgent, context: RequestContext) => Promise<T>,
    made: (value: T) => string = () => '',
  ): Promise<Answer<T>> {
    const { schedule, trouble, reached, role } = this.#deps;
    const startedMs = schedule.nowMs;
    const as = { projectId: this.projectId, roles: [role], patienceMs: trouble.clientPatienceMs };
    const { answer, isGivenUp } = await askAnyAgent(this.#deps, as, what, work, made);
    if (isGivenUp) reached('client-gave-up');
    this.counts[answer.kind] += 1;
    const kind = what.split(' ', 1)[0] as WatchedOperation['kind'];
    this.#deps.onOperation?.(operationOf(kind, answer, startedMs, schedule.nowMs));
    return answer;
  }
}
