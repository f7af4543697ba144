/**
 * Volumes through the REST API of agents that are killed meanwhile: a request that nobody answered is looked after, and sent again
 * when it was not carried out.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RestClient } from '../../../node/dev/rest-client.ts';

type Json = Record<string, unknown>;

interface Answer {
  readonly status: number;
  readonly text: string;
}

const version = { 'openstack-api-version': 'volume 3.60' } as const;
const lookMs = 50;
/** Longest that one operation may take, agents' restarts included. Unit: ms. */
const patienceMs = 120_000;

/** See above. Each call returns when what it asked for is so. */
export class PatientVolumes {
  readonly #clients: readonly RestClient[];

  /** @param clients of several agents: one that does not answer is passed over. */
  constructor(clients: readonly RestClient[]) {
    this.#clients = clients;
  }

  attach(serverId: string, volumeId: string): Promise<void> {
    const body = { volumeAttachment: { volumeId } };
    return this.#bring(volumeId, { from: 'available', to: 'in-use' }, () =>
      this.#ask('POST', `/compute/v2.1/servers/${serverId}/os-volume_attachments`, body),
    );
  }

  detach(serverId: string, volumeId: string): Promise<void> {
    return this.#bring(volumeId, { from: 'in-use', to: 'available' }, () =>
      this.#ask('DELETE', `/compute/v2.1/servers/${serverId}/os-volume_attachments/${volumeId}`),
    );
  }

  /** Returns its id. */
  async snapshot(volumeId: string, name: string): Promise<string> {
    const untilMs = Date.now() + patienceMs;
    for (;;) {
      const listed = await this.#ask('GET', `/volume/v3/snapshots/detail?volume_id=${volumeId}&all_tenants=1`);
      const all = listed.status === 200 ? (JSON.parse(listed.text) as { snapshots: Json[] }).snapshots : undefined;
      const found = all?.find((one) => one['name'] === name);
      if (found?.['status'] === 'available') return String(found['id']);
      mustGoOn(`snapshot ${name} is ${String(found?.['status'])}`, String(found?.['status']), untilMs);
      if (all !== undefined && found === undefined) {
        await this.#ask('POST', '/volume/v3/snapshots', { snapshot: { volume_id: volumeId, name, force: true } });
      }
      await delay(lookMs);
    }
  }

  /** Putting it back twice is the same as once. */
  async revert(volumeId: string, snapshotId: string): Promise<void> {
    const untilMs = Date.now() + patienceMs;
    for (;;) {
      const body = { revert: { snapshot_id: snapshotId } };
      const { status, text } = await this.#ask('POST', `/volume/v3/volumes/${volumeId}/action`, body);
      if (status === 202) break;
      mustGoOn(`revert: ${status} ${text}`, '', untilMs);
      await delay(lookMs);
    }
    await this.#bring(volumeId, { from: '', to: 'available' }, async () => ({ status: 0, text: '' }));
  }

  async removeSnapshot(id: string): Promise<void> {
    const untilMs = Date.now() + patienceMs;
    for (;;) {
      const { status, text } = await this.#ask('GET', `/volume/v3/snapshots/${id}`);
      if (status === 404) return;
      mustGoOn(`snapshot ${id}: ${text}`, text.includes('"error') ? 'error' : '', untilMs);
      if (text.includes('"available"')) await this.#ask('DELETE', `/volume/v3/snapshots/${id}`);
      await delay(lookMs);
    }
  }

  /** The status as the record has it; undefined: nobody could say. */
  async statusOf(volumeId: string): Promise<string | undefined> {
    const { status, text } = await this.#ask('GET', `/volume/v3/volumes/${volumeId}`);
    if (status === 404) throw new Error(`volume ${volumeId} is gone`);
    return status === 200 ? String((JSON.parse(text) as { volume: Json }).volume['status']) : undefined;
  }

  /** Asks for it while the volume is as before. What the request is answered says less than the record. */
  async #bring(
    volumeId: string,
    { from, to }: { readonly from: string; readonly to: string },
    ask: () => Promise<Answer>,
  ): Promise<void> {
    const untilMs = Date.now() + patienceMs;
    let said = '';
    for (;;) {
      const status = await this.statusOf(volumeId);
      if (status === to) return;
      mustGoOn(`volume ${volumeId} is ${status}, not ${to}; ${said}`, status ?? '', untilMs);
      if (status === from) {
        const answer = await ask();
        said = `the request was answered ${answer.status} ${answer.text.slice(0, 300)}`;
      }
      await delay(lookMs);
    }
  }

  /** Status 0: no agent answered. */
  async #ask(method: string, path: string, body?: Json): Promise<Answer> {
    let last: Answer = { status: 0, text: '' };
    for (const client of this.#clients) {
      try {
        const request = { method, headers: version, timeoutMs: 10_000, ...(body === undefined ? {} : { body }) };
        last = await client.raw(path, request);
        if (last.status < 500) return last;
      } catch (caught) {
        // Killed, or not up again: the next one is asked, and the caller asks again.
        last = { status: 0, text: String(caught) };
      }
    }
    return last;
  }
}

function mustGoOn(what: string, status: string, untilMs: number): void {
  if (status.startsWith('error')) throw new Error(what);
  if (Date.now() > untilMs) throw new Error(`after ${patienceMs} ms: ${what}`);
}
