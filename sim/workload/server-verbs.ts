/**
 * A tenant's user who asks for all that can be done to a server beside switching it on and off: other shapes and hosts, new disks,
 * rescue, shelving, images. Most requests fit the state that the server is in; some do not, and are refused.
 */

import type { Services } from '../../node/agent/services.ts';
import { type VmState, vmState } from '../../node/services/compute/machine/vm-state.ts';
import type { RequestContext } from '../../node/services/kit/context.ts';
import { liveMove } from '../../node/services/kit/server-move.ts';
import { imageTable, serverTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Trouble } from '../world/trouble.ts';
import { askAnyAgent, type UserDeps } from './agents.ts';
import { workUntilOver } from './client.ts';
import type { ServerPromises } from './volume-servers.ts';

/** Servers of this user's own that a project keeps at a time. */
const serversMax = 2;
/** Images of servers that a project keeps, about. */
const imagesMax = 3;
/** By their names they are told from the others. */
const namePrefix = 'verbs-';

type Server = shoal.v1.Server;
type Ask = (services: Services, context: RequestContext, server: Server) => Promise<unknown>;

interface Verb {
  /** In which it is not refused. */
  readonly fits: readonly VmState[];
  /** Administrators alone may ask for it. */
  readonly isAdmins?: boolean;
  readonly ask: Ask;
}

const up: readonly VmState[] = ['active', 'stopped'];
const saved: readonly VmState[] = ['active', 'stopped', 'paused', 'suspended'];

const verbs: Readonly<Record<string, Verb>> = {
  resize: {
    fits: up,
    ask: ({ compute }, context, { id, flavor }) =>
      compute.moves.resize(context, id, flavor?.name === 'small' ? 'large' : 'small'),
  },
  migrate: { fits: up, isAdmins: true, ask: ({ compute }, context, { id }) => compute.moves.migrate(context, id) },
  'migrate live': {
    fits: ['active', 'paused'],
    isAdmins: true,
    ask: ({ compute }, context, { id }) => compute.liveMigrations.begin(context, id),
  },
  'hurry the move of': {
    fits: ['active'],
    isAdmins: true,
    ask: ({ compute }, context, { id, move }) =>
      compute.liveMigrations.forceComplete(context, id, move?.migrationId ?? ''),
  },
  'call back the move of': {
    fits: ['active', 'paused'],
    isAdmins: true,
    ask: ({ compute }, context, { id, move }) => compute.liveMigrations.abort(context, id, move?.migrationId ?? ''),
  },
  'confirm the move of': {
    fits: ['resized'],
    ask: ({ compute }, context, { id }) => compute.moves.confirm(context, id),
  },
  'revert the move of': { fits: ['resized'], ask: ({ compute }, context, { id }) => compute.moves.cancel(context, id) },
  rebuild: {
    fits: [...up, 'error'],
    ask: ({ compute }, context, { id }) => compute.rebuild.begin(context, id, { imageId: 'image-1' }),
  },
  rescue: {
    fits: [...up, 'error'],
    ask: ({ compute }, context, { id }) => compute.rescue.begin(context, id, { mayHaveRootVolume: true }),
  },
  unrescue: { fits: ['rescued'], ask: ({ compute }, context, { id }) => compute.rescue.end(context, id) },
  shelve: { fits: saved, ask: ({ compute }, context, { id }) => compute.shelve.begin(context, id) },
  offload: {
    fits: ['shelved'],
    isAdmins: true,
    ask: ({ compute }, context, { id }) => compute.shelve.offload(context, id),
  },
  unshelve: {
    fits: ['shelved', 'shelved_offloaded'],
    ask: ({ compute }, context, { id }) => compute.shelve.end(context, id, {}),
  },
  'make an image of': {
    fits: saved,
    ask: ({ compute }, context, { id }) => compute.images.create(context, id, { name: 'kept' }),
  },
  'make a backup of': {
    fits: saved,
    ask: ({ compute }, context, { id }) =>
      compute.images.createBackup(context, id, { name: 'backup', backupType: 'daily', rotation: 1 }),
  },
  pause: { fits: ['active'], ask: ({ compute }, context, { id }) => compute.servers.pause(context, id) },
  unpause: { fits: ['paused'], ask: ({ compute }, context, { id }) => compute.servers.unpause(context, id) },
  suspend: { fits: ['active'], ask: ({ compute }, context, { id }) => compute.servers.suspend(context, id) },
  resume: { fits: ['suspended'], ask: ({ compute }, context, { id }) => compute.servers.resume(context, id) },
  stop: { fits: ['active', 'error'], ask: ({ compute }, context, { id }) => compute.servers.stop(context, id) },
  start: { fits: ['stopped'], ask: ({ compute }, context, { id }) => compute.servers.start(context, id) },
  'reboot hard': {
    fits: ['active', 'stopped', 'paused', 'suspended', 'error'],
    ask: ({ compute }, context, { id }) => compute.servers.reboot(context, id, true),
  },
  lock: { fits: ['active'], ask: ({ compute }, context, { id }) => compute.servers.lock(context, id) },
};

/** What is asked of servers that are going over while they run. */
const ofMoves: ReadonlySet<string> = new Set(['hurry the move of', 'call back the move of']);

interface VerbTenantDeps extends UserDeps {
  readonly trouble: Trouble;
  /** The replay of what was committed: what the user sees of the project. */
  readonly replay: () => StateReader;
  /** Hears what is asked of servers. */
  readonly servers: ServerPromises;
  /** A verb was asked for, and done. */
  readonly onDone: (verb: string) => void;
}

/** See above. */
export class VerbTenant {
  readonly #deps: VerbTenantDeps;
  readonly #project: { readonly projectId: string; readonly networkId: string };
  readonly #thinkMs: number;
  #creations = 0;

  /** @param thinkMs mean pause between two operations. */
  constructor(
    deps: VerbTenantDeps,
    project: { readonly projectId: string; readonly networkId: string },
    thinkMs: number,
  ) {
    this.#deps = deps;
    this.#project = project;
    this.#thinkMs = thinkMs;
  }

  run(): Promise<void> {
    return workUntilOver(this.#deps, this.#thinkMs, () => this.#step());
  }

  async #step(): Promise<void> {
    const { random, replay } = this.#deps;
    const reader = replay();
    const { projectId } = this.#project;
    const of = serverTable.list(reader).flatMap(({ record }) => (record.projectId === projectId ? [record] : []));
    const own = of.filter(({ name, deleting }) => name.startsWith(namePrefix) && !deleting);
    const images = imagesOf(reader, projectId);
    if (own.length === 0 || (own.length < serversMax && random.chance(0.3))) return this.#create(images);
    if (images.length > imagesMax) return this.#removeImage(random.pick(images).id);
    // Now and then one of somebody else in the project: two users of one server.
    const server = random.chance(0.1) ? random.pick(of) : random.pick(own);
    if (random.chance(0.04) && own.includes(server)) return this.#delete(server.id);
    if (server.locked && random.chance(0.5)) {
      return this.#ask('unlock', server, ({ compute }, context, { id }) => compute.servers.unlock(context, id));
    }
    const state = vmState(server);
    const isOnTheMove = liveMove(server) !== undefined;
    const names = Object.keys(verbs).filter(
      (name) =>
        (verbs[name]?.fits.includes(state) === true && (isOnTheMove || !ofMoves.has(name))) || random.chance(0.03),
    );
    const name = names.length === 0 ? 'start' : random.pick(names);
    const verb = verbs[name];
    if (verb !== undefined) await this.#ask(name, server, verb.ask, verb.isAdmins);
  }

  /** Of the one image that there is, or of one that was made of a server. */
  async #create(images: readonly shoal.v1.Image[]): Promise<void> {
    const { random, servers } = this.#deps;
    const { projectId, networkId } = this.#project;
    this.#creations += 1;
    const name = `${namePrefix}${this.#creations}`;
    const ready = images.filter(({ sha256 }) => sha256 !== '');
    const imageId = ready.length > 0 && random.chance(0.3) ? random.pick(ready).id : 'image-1';
    const draft = { name, flavorId: 'small', imageId, networks: [{ networkId }], clientToken: `${projectId}/${name}` };
    await this.#call(`create ${name} of ${imageId}`, async ({ compute }, context) => {
      const made = await compute.servers.create(context, draft);
      for (const { id } of made.servers) servers.onCreated(id);
    });
  }

  async #delete(id: string): Promise<void> {
    const { servers } = this.#deps;
    servers.onDeleting(id);
    if (await this.#call(`delete ${id}`, ({ compute }, context) => compute.servers.delete(context, id))) {
      servers.onDeleted(id);
    }
  }

  async #removeImage(id: string): Promise<void> {
    await this.#call(`delete image ${id}`, ({ images }, context) => images.delete(context, id));
  }

  async #ask(name: string, server: Server, ask: Ask, isAdmins = false): Promise<void> {
    const { servers, onDone } = this.#deps;
    const answered = servers.onAsks(server.id);
    const work = (services: Services, context: RequestContext): Promise<unknown> => ask(services, context, server);
    const isDone = await this.#call(`${name} ${server.id}`, work, isAdmins);
    answered(isDone);
    if (isDone) onDone(name);
  }

  async #call(
    what: string,
    work: (services: Services, context: RequestContext) => Promise<unknown>,
    isAdmins = false,
  ): Promise<boolean> {
    const { projectId } = this.#project;
    const as = { projectId, roles: [isAdmins ? 'admin' : 'member'], patienceMs: this.#deps.trouble.clientPatienceMs };
    const asked = await askAnyAgent(this.#deps, as, what, ({ services }, context) => work(services, context));
    return asked.answer.kind === 'done';
  }
}

/** Those that were made of servers of the project. */
function imagesOf(reader: StateReader, projectId: string): readonly shoal.v1.Image[] {
  const images = imageTable.list(reader).map(({ record }) => record);
  return images.filter((image) => image.projectId === projectId && image.properties['instance_uuid'] !== undefined);
}
