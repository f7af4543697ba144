/** Servers through the REST API, as the bench uses it: each call returns when what it asked for is so. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RestClient } from '../../../node/dev/rest-client.ts';

type Json = Record<string, unknown>;

const version = { 'openstack-api-version': 'compute 2.96' } as const;
/** From one look at a status to the next. Unit: ms. */
const lookMs = 10;
/** Longest wait for a status: all runs under emulation here. Unit: ms. */
const patienceMs = 180_000;

/** See above. The servers are the client's project's. */
export class ServerClient {
  readonly #client: RestClient;

  constructor(client: RestClient) {
    this.#client = client;
  }

  /** Lets the project have as many as the bench makes. */
  async raiseQuotas(): Promise<void> {
    const headers = { 'x-subject-token': await this.#client.token() };
    const token = await this.#client.json('/identity/v3/auth/tokens', { headers });
    const projectId = (token['token'] as { project: { id: string } }).project.id;
    const body = { quota_set: { instances: 1_000, cores: 1_000, ram: 1_000_000 } };
    await this.#json(`os-quota-sets/${projectId}`, { method: 'PUT', body });
  }

  /** Makes so many servers in one request, and waits until the last runs. Returns their ids. */
  async make(draft: Json, count = 1): Promise<readonly string[]> {
    const server = { name: 'bench', networks: 'none', min_count: count, max_count: count, ...draft };
    const body = { server: { ...server, return_reservation_id: true } };
    const made = await this.#json('servers', { method: 'POST', body });
    const list = async (): Promise<readonly Json[]> =>
      (await this.#json(`servers/detail?reservation_id=${String(made['reservation_id'])}`))['servers'] as Json[];
    await this.#wait(`${count} servers`, async () => (await list()).map(stateOf), isEach('ACTIVE', count));
    return (await list()).map(({ id }) => String(id));
  }

  /** Asks for an action and waits until the server is in this status, with nothing under way. */
  async act(id: string, body: Json, status: string): Promise<void> {
    await this.#json(`servers/${id}/action`, { method: 'POST', body });
    const show = async (): Promise<readonly string[]> => [
      stateOf((await this.#json(`servers/${id}`))['server'] as Json),
    ];
    await this.#wait(`server ${id}`, show, isEach(status, 1));
  }

  /** Makes an image of the server and waits until it is active. Returns its id. */
  async makeImage(id: string): Promise<string> {
    const body = { createImage: { name: 'bench' } };
    const { image_id: imageId } = await this.#json(`servers/${id}/action`, { method: 'POST', body });
    const path = `/image/v2/images/${String(imageId)}`;
    const show = async (): Promise<readonly string[]> => [String((await this.#client.json(path))['status'])];
    await this.#wait(`image ${String(imageId)}`, show, isEach('active', 1));
    return String(imageId);
  }

  async removeImage(id: string): Promise<void> {
    await this.#client.raw(`/image/v2/images/${id}`, { method: 'DELETE' });
  }

  /** Returns when they are gone. */
  async remove(ids: readonly string[]): Promise<void> {
    await Promise.all(
      ids.map((id) => this.#client.raw(`/compute/v2.1/servers/${id}`, { method: 'DELETE', headers: version })),
    );
    const left = async (): Promise<readonly string[]> => {
      const all = (await this.#json('servers?limit=1000'))['servers'] as Json[];
      return all.map(({ id }) => String(id)).filter((id) => ids.includes(id));
    };
    await this.#wait('what is deleted', left, (found) => found.length === 0);
  }

  async #json(path: string, request: { readonly method?: string; readonly body?: Json } = {}): Promise<Json> {
    const answer = await this.#client.raw(`/compute/v2.1/${path}`, { ...request, headers: version });
    if (answer.status >= 400) throw new Error(`${path}: HTTP ${answer.status}: ${answer.text.slice(0, 300)}`);
    return answer.text === '' ? {} : (JSON.parse(answer.text) as Json);
  }

  async #wait(
    what: string,
    look: () => Promise<readonly string[]>,
    isSo: (found: readonly string[]) => boolean,
  ): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      const found = await look();
      if (isSo(found)) return;
      const isHopeless = found.some((state) => state === 'ERROR' || state === 'killed');
      if (isHopeless || performance.now() > untilMs) throw new Error(`${what}: ${found.join(', ').slice(0, 200)}`);
      await delay(lookMs);
    }
  }
}

/** The status; with the task while one is under way. */
function stateOf(server: Json): string {
  const task = server['OS-EXT-STS:task_state'];
  return task === null || task === undefined
    ? String(server['status'])
    : `${String(server['status'])} (${String(task)})`;
}

function isEach(status: string, count: number): (found: readonly string[]) => boolean {
  return (found) => found.length === count && found.every((state) => state === status);
}
