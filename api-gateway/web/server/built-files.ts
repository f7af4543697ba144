/** What `npm run build:web` has made, held in memory: under a megabyte. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** Types of the files that there are; others are not served. */
const types: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.txt', 'text/plain; charset=utf-8'],
]);

/** One file. */
export interface BuiltFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** The same compressed; undefined: not worth it. */
  readonly brotli: Buffer | undefined;
  /** With its quotation marks. */
  readonly etag: string;
}

/** See above. They are read when the first of them is asked for: a gateway without readers of pages holds none. */
export class BuiltFiles {
  readonly #folder: string;
  #files: ReadonlyMap<string, BuiltFile> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether there is a page to serve. */
  get areBuilt(): boolean {
    return this.#files !== undefined || existsSync(join(this.#folder, 'index.html'));
  }

  /** @param name relative to the folder. Undefined: it is none of the files; a path that leads elsewhere never is. */
  find(name: string): BuiltFile | undefined {
    if (this.#files === undefined && this.areBuilt) this.#files = this.#readAll();
    return this.#files?.get(name);
  }

  #readAll(): ReadonlyMap<string, BuiltFile> {
    const found = new Map<string, BuiltFile>();
    for (const name of readdirSync(this.#folder, { recursive: true, encoding: 'utf8' })) {
      const type = types.get(extname(name));
      if (type === undefined) continue;
      const path = join(this.#folder, name);
      const bytes = readFileSync(path);
      const brotli = existsSync(`${path}.br`) ? readFileSync(`${path}.br`) : undefined;
      const etag = `"${createHash('sha256').update(bytes).digest('base64url')}"`;
      found.set(name, { type, bytes, brotli, etag });
    }
    return found;
  }
}
