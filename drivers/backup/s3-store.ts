/**
 * Backups in a bucket of anything that speaks S3. Four calls and their signature: the vendors' libraries are hundreds of
 * packages, and the small ones sign and do nothing else.
 */
import { ShoalError } from '../../node/base/errors.ts';
import { type S3Credentials, sha256Hex, signedHeaders } from './s3-signature.ts';
import { type BackupStore, checkBackupKey, checkBackupPrefix } from './store.ts';

/** Longest wait for an answer with its body, ms. An object is a few MiB. */
const callMs = 60_000;
/** Longest list of keys and longest error that is read, bytes. */
const textBytesMax = 4 * 1024 * 1024;
/** Pages of a list, of a thousand keys each: more than any backup has. */
const pagesMax = 10_000;

/** Where, and as whom. */
interface S3StoreOptions extends S3Credentials {
  /** "https://s3.example.org". The bucket is a part of the path. */
  readonly endpoint: string;
  readonly bucket: string;
  /** Keys begin with it; empty, or ends with a slash. */
  readonly prefix: string;
}

/** What it works with. */
interface S3StoreDeps {
  readonly fetch: typeof fetch;
  /** Wall clock. */
  readonly nowMs: () => number;
}

interface Call {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** See above. */
export class S3BackupStore implements BackupStore {
  readonly url: string;
  readonly #deps: S3StoreDeps;
  readonly #options: S3StoreOptions;

  constructor(deps: S3StoreDeps, options: S3StoreOptions) {
    this.#deps = deps;
    this.#options = options;
    this.url = `s3://${options.bucket}/${options.prefix}`;
  }

  async put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    if (await this.has(key, signal)) return;
    await this.#drained(await this.#call({ method: 'PUT', path: this.#path(key), body: bytes }, signal));
  }

  async has(key: string, signal: AbortSignal): Promise<boolean> {
    const answer = await this.#call({ method: 'HEAD', path: this.#path(key) }, signal, 404);
    return answer.status !== 404;
  }

  async get(key: string, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
    const answer = await this.#call({ method: 'GET', path: this.#path(key) }, signal, 404);
    if (answer.status === 404) throw new ShoalError('NOT_FOUND', `the backup store ${this.url} has no ${key}`);
    return this.#body(answer, bytesMax);
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<string> {
    checkBackupPrefix(prefix);
    const whole = this.#options.prefix + prefix;
    let token: string | undefined;
    for (let page = 0; page < pagesMax; page += 1) {
      const query = {
        'list-type': '2',
        prefix: whole,
        ...(token === undefined ? {} : { 'continuation-token': token }),
      };
      const answer = await this.#call({ method: 'GET', path: `/${this.#options.bucket}`, query }, signal);
      const text = new TextDecoder().decode(await this.#body(answer, textBytesMax));
      for (const key of elements(text, 'Key')) {
        if (key.startsWith(whole)) yield key.slice(this.#options.prefix.length);
      }
      [token] = elements(text, 'NextContinuationToken');
      if (token === undefined) return;
    }
    throw new ShoalError('TOO_LARGE', `the backup store ${this.url} lists more objects than a backup has`);
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.#drained(await this.#call({ method: 'DELETE', path: this.#path(key) }, signal, 404));
  }

  #path(key: string): string {
    checkBackupKey(key);
    return `/${this.#options.bucket}/${this.#options.prefix}${key}`;
  }

  /** @param fine a status besides success that is an answer. */
  async #call({ method, path, query = {}, body }: Call, signal: AbortSignal, fine?: number): Promise<Response> {
    const url = new URL(path, this.#options.endpoint);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const headers = signedHeaders(
      { method, url, headers: {}, bodySha256: sha256Hex(body ?? ''), nowMs: this.#deps.nowMs() },
      this.#options,
    );
    const { host: _host, ...sent } = headers;
    let answer: Response;
    try {
      answer = await this.#deps.fetch(url, {
        method,
        headers: sent,
        signal: AbortSignal.any([signal, AbortSignal.timeout(callMs)]),
        redirect: 'error',
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
      });
    } catch (caught) {
      signal.throwIfAborted();
      throw new ShoalError('UNAVAILABLE', `the backup store ${this.url} does not answer`, { cause: caught });
    }
    if (answer.ok || answer.status === fine) return answer;
    const said = new TextDecoder().decode(await this.#body(answer, textBytesMax));
    const [code = answer.statusText] = elements(said, 'Code');
    const isBusy = answer.status >= 500 || answer.status === 429;
    throw new ShoalError(isBusy ? 'UNAVAILABLE' : 'DRIVER_FAILED', `the backup store ${this.url} says ${code}`, {
      facts: { status: answer.status, code },
    });
  }

  async #drained(answer: Response): Promise<void> {
    await this.#body(answer, textBytesMax);
  }

  async #body(answer: Response, bytesMax: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const piece of answer.body ?? []) {
        bytes += piece.length;
        if (bytes > bytesMax) {
          throw new ShoalError('TOO_LARGE', `the backup store ${this.url} answers with more than ${bytesMax} bytes`);
        }
        pieces.push(piece);
      }
    } catch (caught) {
      throw ShoalError.from(caught, 'UNAVAILABLE', `the backup store ${this.url} broke off`);
    }
    return Buffer.concat(pieces);
  }
}

/** The text of every element of that name: of a flat answer, whose values hold nothing that needs an XML parser. */
function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]{0,4096})</${name}>`, 'g'))].map(([, text = '']) =>
    text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
  );
}
