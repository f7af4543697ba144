/** As much of an OpenStack client as the development cloud needs to set itself up, and the tests to look at it. */
import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** An answer that was not what was asked for. */
class RestError extends Error {
  readonly status: number;
  readonly body: string;
  constructor(what: string, status: number, body: string) {
    super(`${what}: HTTP ${status}: ${body.slice(0, 500)}`);
    this.name = 'RestError';
    this.status = status;
    this.body = body;
  }
}

/** Options of one request. */
interface RestRequest {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

type Json = Record<string, unknown>;

/** A client of one agent, with a token of the administrator. */
export class RestClient {
  readonly #baseUrl: string;
  readonly #password: string;
  #token: string | undefined;

  constructor(baseUrl: string, password: string) {
    this.#baseUrl = baseUrl;
    this.#password = password;
  }

  get baseUrl(): string {
    return this.#baseUrl;
  }

  /** A valid token, fetched once. */
  async token(): Promise<string> {
    if (this.#token === undefined) {
      const domain = { name: 'Default' };
      const response = await fetch(`${this.#baseUrl}/identity/v3/auth/tokens`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          auth: {
            identity: {
              methods: ['password'],
              password: { user: { name: 'admin', domain, password: this.#password } },
            },
            scope: { project: { name: 'admin', domain } },
          },
        }),
        signal: AbortSignal.timeout(10_000),
      });
      const text = await response.text();
      const token = response.headers.get('x-subject-token');
      if (response.status !== 201 || token === null) throw new RestError('token', response.status, text);
      this.#token = token;
    }
    return this.#token;
  }

  /** Sends one request and returns status, headers and text, whatever they are. */
  async raw(path: string, request: RestRequest = {}): Promise<{ status: number; headers: Headers; text: string }> {
    const response = await fetch(`${this.#baseUrl}${path}`, {
      method: request.method ?? 'GET',
      headers: {
        'x-auth-token': await this.token(),
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal: AbortSignal.timeout(request.timeoutMs ?? 30_000),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /** Sends one request; throws `RestError` unless the status is 2xx; returns the body as JSON. */
  async json(path: string, request: RestRequest = {}): Promise<Json> {
    const { status, text } = await this.raw(path, request);
    if (status < 200 || status > 299) throw new RestError(`${request.method ?? 'GET'} ${path}`, status, text);
    return text === '' ? {} : (JSON.parse(text) as Json);
  }

  /** POSTs `{[kind]: properties, ...beside}` and returns the thing made. */
  async create(path: string, kind: string, properties: Json, beside: Json = {}): Promise<Json & { id: string }> {
    const body = await this.json(path, { method: 'POST', body: { [kind]: properties, ...beside } });
    return body[kind] as Json & { id: string };
  }

  /** Uploads an image file and returns the image's id. */
  async uploadImage(name: string, filePath: string, properties: Json = {}): Promise<string> {
    const image = await this.json('/image/v2/images', {
      method: 'POST',
      body: { name, disk_format: 'qcow2', container_format: 'bare', visibility: 'public', ...properties },
    });
    const id = String(image['id']);
    const response = await fetch(`${this.#baseUrl}/image/v2/images/${id}/file`, {
      method: 'PUT',
      headers: {
        'x-auth-token': await this.token(),
        'content-type': 'application/octet-stream',
        'content-length': String(statSync(filePath).size),
      },
      body: Readable.toWeb(createReadStream(filePath)) as ReadableStream,
      duplex: 'half',
      signal: AbortSignal.timeout(120_000),
    });
    const text = await response.text();
    if (response.status !== 204) throw new RestError('image upload', response.status, text);
    return id;
  }

  /** The server as the API shows it. */
  async server(id: string): Promise<Json> {
    return (await this.json(`/compute/v2.1/servers/${id}`))['server'] as Json;
  }

  /** Waits until the server has `status`. Throws at once when it is in ERROR. */
  async waitForServer(id: string, status: string, timeoutMs: number): Promise<Json> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const server = await this.server(id);
      if (server['status'] === status) return server;
      if (server['status'] === 'ERROR') throw new Error(`server ${id} is in ERROR: ${JSON.stringify(server['fault'])}`);
      if (Date.now() > deadline) {
        throw new Error(`server ${id} is ${String(server['status'])}, not ${status}, after ${timeoutMs} ms`);
      }
      await delay(100);
    }
  }

  /** The last lines of a server's console. */
  async consoleLog(id: string, lines = 50): Promise<string> {
    const body = await this.json(`/compute/v2.1/servers/${id}/action`, {
      method: 'POST',
      body: { 'os-getConsoleOutput': { length: lines } },
    });
    return String(body['output']);
  }

  /** Runs a server action that answers 202 with nothing. */
  async action(id: string, name: string, argument: unknown = null): Promise<void> {
    await this.json(`/compute/v2.1/servers/${id}/action`, { method: 'POST', body: { [name]: argument } });
  }
}
