/** Servers through the REST API, as the tests of their whole lives use it: each call returns when what it asked for is so. */
import { setTimeout as delay } from 'node:timers/promises';
import { waitUntilAnswers } from '../../../node/dev/demo.ts';
import type { RestClient } from '../../../node/dev/rest-client.ts';
import { runInGuest } from '../guests/guest.ts';
import type { VolumeCloud, VolumeGuest } from '../volumes/volume-cloud.ts';

type Json = Record<string, unknown>;

/** Unless a test says another: what `unshelve` takes a host from on is among it. */
const version = { 'openstack-api-version': 'compute 2.96' } as const;
/** Longest wait for a status or a boot: all runs under emulation here. Unit: ms. */
const patienceMs = 120_000;
/** From one look at a status to the next. Unit: ms. */
const lookMs = 100;
/** An address that leads to a guest that stands still is given so long to answer. Unit: ms. */
const silentMs = 3_000;

/** What a story of servers happens in. */
export interface ServerStoryWorld {
  readonly cloud: VolumeCloud;
  /** The server of which the story tells. */
  readonly guest: VolumeGuest;
  readonly verbs: ServerVerbs;
}

/** See above. */
export class ServerVerbs {
  readonly #client: RestClient;

  constructor(client: RestClient) {
    this.#client = client;
  }

  /** Asks, and waits until the server is as it is to be afterwards, with no task. Returns what the action answered. */
  async act(id: string, name: string, argument: unknown, status: string): Promise<Json> {
    const answer = await this.#post(id, name, argument);
    await this.waitFor(id, status);
    return answer;
  }

  /** Asks for an image, and waits until it has its content. Returns its id. */
  async image(id: string, name: 'createImage' | 'createBackup', argument: Json): Promise<string> {
    const answer = await this.#post(id, name, argument);
    const imageId = String(answer['image_id']);
    await this.#wait(`image ${imageId}`, 'active', async () => String((await this.showImage(imageId))['status']));
    await this.waitFor(id, 'ACTIVE');
    return imageId;
  }

  showImage(imageId: string): Promise<Json> {
    return this.#client.json(`/image/v2/images/${imageId}`);
  }

  /** @returns ids of the images of that name. */
  async imagesNamed(name: string): Promise<readonly string[]> {
    const { images } = await this.#client.json(`/image/v2/images?name=${name}`);
    return (images as { id: string }[]).map(({ id }) => id);
  }

  async removeImage(imageId: string): Promise<void> {
    await this.#client.json(`/image/v2/images/${imageId}`, { method: 'DELETE' });
  }

  async show(id: string): Promise<Json> {
    return (await this.#client.json(`/compute/v2.1/servers/${id}`, { headers: version }))['server'] as Json;
  }

  /** Name of the server's host; null: it has none. */
  async hostOf(id: string): Promise<string | null> {
    return (await this.show(id))['OS-EXT-SRV-ATTR:host'] as string | null;
  }

  /** Throws at once when it is in ERROR. */
  async waitFor(id: string, status: string): Promise<void> {
    await this.#wait(`server ${id}`, status, async () => {
      const server = await this.show(id);
      if (server['status'] === 'ERROR') throw new Error(`server ${id} is in ERROR: ${JSON.stringify(server['fault'])}`);
      const task = server['OS-EXT-STS:task_state'];
      return task === null ? String(server['status']) : `${String(server['status'])} at ${String(task)}`;
    });
  }

  /** Deletes it, and waits until it is gone. */
  async remove(id: string): Promise<void> {
    await this.#client.json(`/compute/v2.1/servers/${id}`, { method: 'DELETE' });
    await this.#wait(`server ${id}`, '404', async () => {
      const { status } = await this.#client.raw(`/compute/v2.1/servers/${id}`);
      return String(status);
    });
  }

  /** A flavor of that size. Returns its id. */
  async makeFlavor(name: string, size: { vcpus: number; ram: number; disk: number }): Promise<string> {
    return (await this.#client.create('/compute/v2.1/flavors', 'flavor', { name, ...size })).id;
  }

  /** An operator's word that a host is down, or up again. */
  async setForcedDown(host: string, isDown: boolean): Promise<void> {
    const listed = await this.#client.json(`/compute/v2.1/os-services?binary=nova-compute&host=${host}`, {
      headers: version,
    });
    const [service] = listed['services'] as { id: string }[];
    await this.#client.json(`/compute/v2.1/os-services/${service?.id}`, {
      method: 'PUT',
      headers: version,
      body: { forced_down: isDown },
    });
  }

  async #post(id: string, name: string, argument: unknown): Promise<Json> {
    return this.#client.json(`/compute/v2.1/servers/${id}/action`, {
      method: 'POST',
      headers: version,
      body: { [name]: argument },
    });
  }

  async #wait(what: string, wanted: string, look: () => Promise<string>): Promise<void> {
    const untilMs = Date.now() + patienceMs;
    for (;;) {
      const found = await look();
      if (found === wanted) return;
      if (Date.now() > untilMs) throw new Error(`${what} is ${found}, not ${wanted}, after ${patienceMs} ms`);
      await delay(lookMs);
    }
  }
}

/** Waits until the guest answers, and says what its own disk holds: nothing when the file is not there. */
export async function witnessOf({ address }: VolumeGuest): Promise<string> {
  await waitUntilAnswers(address, patienceMs);
  return (await runInGuest(address, 'cat /mnt/state/witness 2>/dev/null; true')).trim();
}

/** Writes a word where it outlives a boot. */
export async function writeWitness({ run }: VolumeGuest, word: string): Promise<void> {
  await run(`echo ${word} >/mnt/state/witness; sync`);
}

/** Has the guest count in its memory, a tenth of a second each, until it ends. */
export async function beginCounting({ run }: VolumeGuest): Promise<void> {
  const loop = 'n=0; while :; do n=$((n+1)); echo $n >/tmp/counter; usleep 100000; done';
  await run(`setsid sh -c '${loop}' </dev/null >/dev/null 2>&1 &`);
}

/** How far it has come; NaN: it does not count, for it has booted since. */
export async function countOf({ run }: VolumeGuest): Promise<number> {
  const said = (await run('cat /tmp/counter 2>/dev/null; true')).trim();
  return said === '' ? Number.NaN : Number(said);
}

/** Whether nothing answers at the guest's address. */
export async function isSilent({ address }: VolumeGuest): Promise<boolean> {
  try {
    await fetch(`http://${address}/cgi-bin/whoami`, { signal: AbortSignal.timeout(silentMs) });
    return false;
  } catch {
    // Refused, unreachable or too late: nobody is there, which is the answer.
    return true;
  }
}
