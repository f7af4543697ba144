/** Block storage through the REST API, as the development cloud's tests and benchmarks use it: each call returns when what it asked for is so. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RestClient } from './rest-client.ts';

type Json = Record<string, unknown>;

const version = { 'openstack-api-version': 'volume 3.60' } as const;
/** From one look at a status to the next. Unit: ms. */
const lookMs = 10;
/** Longest wait for a status: all runs under emulation here. Unit: ms. */
const patienceMs = 90_000;

/** See above. The volumes are the client's project's. */
export class VolumeClient {
  readonly #client: RestClient;

  constructor(client: RestClient) {
    this.#client = client;
  }

  /** Makes a volume type, for everybody. Returns its id. */
  async makeType(name: string, extraSpecs: Json): Promise<string> {
    return this.#create('types', 'volume_type', { name, extra_specs: extraSpecs });
  }

  /** Makes a volume and waits until it is available. Returns its id. */
  async make(draft: Json): Promise<string> {
    const id = await this.#create('volumes', 'volume', draft);
    await this.waitFor(id, 'available');
    return id;
  }

  /** Asks for all of them side by side, and waits until the last is available. Returns their ids. */
  async makeAll(drafts: readonly Json[]): Promise<readonly string[]> {
    const ids = await Promise.all(drafts.map((draft) => this.#create('volumes', 'volume', draft)));
    const [only] = ids;
    if (only !== undefined && ids.length === 1) await this.waitFor(only, 'available');
    else {
      const wanted = new Set(ids);
      // One question for all: a poll of each would be most of the work.
      await this.#wait(`one of ${ids.length} volumes`, 'available', async () => {
        const listed = (await this.#json('volumes/detail?limit=1000'))['volumes'] as Json[];
        const open = listed.filter(({ id, status }) => wanted.has(String(id)) && status !== 'available');
        return (
          open.find(({ status }) => String(status).startsWith('error'))?.['status'] ??
          open[0]?.['status'] ??
          'available'
        );
      });
    }
    return ids;
  }

  async show(id: string): Promise<Json> {
    return (await this.#json(`volumes/${id}`))['volume'] as Json;
  }

  /** Throws at once when it has failed. */
  async waitFor(id: string, status: string): Promise<void> {
    await this.#wait(`volume ${id}`, status, async () => (await this.show(id))['status']);
  }

  /** Attaches it. The guest may take a moment to find it. */
  async attach(serverId: string, volumeId: string): Promise<void> {
    const { status, text } = await this.tryToAttach(serverId, volumeId);
    if (status !== 200) throw new Error(`attach: HTTP ${status}: ${text}`);
    // One that could not be attached is available again.
    await this.#wait(`volume ${volumeId}`, 'in-use', async () => {
      const now = (await this.show(volumeId))['status'];
      return now === 'available' ? 'error: it could not be attached' : now;
    });
  }

  /** Asks for it to be attached, whatever the answer. */
  tryToAttach(serverId: string, volumeId: string): Promise<{ readonly status: number; readonly text: string }> {
    return this.#client.raw(`/compute/v2.1/servers/${serverId}/os-volume_attachments`, {
      method: 'POST',
      body: { volumeAttachment: { volumeId } },
    });
  }

  async detach(serverId: string, volumeId: string): Promise<void> {
    await this.#client.json(`/compute/v2.1/servers/${serverId}/os-volume_attachments/${volumeId}`, {
      method: 'DELETE',
    });
    await this.waitFor(volumeId, 'available');
  }

  /** Makes a snapshot, of one that is attached as well. Returns its id. */
  async snapshot(volumeId: string): Promise<string> {
    const id = await this.#create('snapshots', 'snapshot', {
      volume_id: volumeId,
      name: 'snapshot',
      force: true,
    });
    const statusOf = async (): Promise<unknown> =>
      ((await this.#json(`snapshots/${id}`))['snapshot'] as Json)['status'];
    await this.#wait(`snapshot ${id}`, 'available', statusOf);
    return id;
  }

  async removeSnapshot(id: string): Promise<void> {
    await this.#json(`snapshots/${id}`, 'DELETE');
    await this.#waitUntilGone(`snapshots/${id}`);
  }

  async revert(volumeId: string, snapshotId: string): Promise<void> {
    await this.#json(`volumes/${volumeId}/action`, 'POST', { revert: { snapshot_id: snapshotId } });
    await this.waitFor(volumeId, 'available');
  }

  /** Returns when its storage has the new size. */
  async extend(volumeId: string, sizeGib: number): Promise<void> {
    const before = (await this.show(volumeId))['status'];
    await this.#json(`volumes/${volumeId}/action`, 'POST', { 'os-extend': { new_size: sizeGib } });
    await this.waitFor(volumeId, String(before));
  }

  async remove(id: string): Promise<void> {
    await this.#json(`volumes/${id}`, 'DELETE');
    await this.#waitUntilGone(`volumes/${id}`);
  }

  async #create(path: string, kind: string, draft: Json): Promise<string> {
    const made = (await this.#json(path, 'POST', { [kind]: draft }))[kind] as Json;
    return String(made['id']);
  }

  #json(path: string, method = 'GET', body?: Json): Promise<Json> {
    const request = { method, headers: version, ...(body === undefined ? {} : { body }) };
    return this.#client.json(`/volume/v3/${path}`, request);
  }

  async #waitUntilGone(path: string): Promise<void> {
    const untilMs = Date.now() + patienceMs;
    for (;;) {
      const { status, text } = await this.#client.raw(`/volume/v3/${path}`, { headers: version });
      if (status === 404) return;
      if (/"status": ?"error/.test(text) || Date.now() > untilMs) throw new Error(`${path} is not gone: ${text}`);
      await delay(lookMs);
    }
  }

  async #wait(what: string, wanted: string, statusOf: () => Promise<unknown>): Promise<void> {
    const untilMs = Date.now() + patienceMs;
    for (;;) {
      const status = String(await statusOf());
      if (status === wanted) return;
      if (status.startsWith('error') || Date.now() > untilMs) {
        const messages = JSON.stringify(await this.#json('messages').catch(String));
        throw new Error(`${what} is ${status}, not ${wanted}; messages: ${messages.slice(0, 2000)}`);
      }
      await delay(lookMs);
    }
  }
}
