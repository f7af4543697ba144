/** The page that shows a screen, with noVNC's own modules: files of this agent, read once. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyReply } from 'fastify';
import { ShoalError } from '../../node/base/errors.ts';
import { keystoneFaults } from '../rest/kit/faults.ts';
import type { RestModule } from '../rest/kit/module.ts';
import { consolePrefix } from './console-paths.ts';

const pages = fileURLToPath(new URL('./page/', import.meta.url));
/** Parts of noVNC that are programs. */
const programFolders = ['core', 'vendor'];

/**
 * The page runs its own scripts and talks to its own agent, and nothing else. It may stand in a frame (Horizon shows consoles in
 * one): a foreign page that frames it must have the token, and could open the console by itself.
 */
const contentPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'";

/** As the gateway mounts it. */
export function consolePageModule(): RestModule {
  const programs = new Programs();
  return {
    name: 'console',
    prefixes: [consolePrefix],
    faults: keystoneFaults,
    // Files that anybody may read; what is secret is the token.
    policies: [],
    requestIdHeaders: ['x-openstack-request-id'],
    register(app) {
      const config = { public: true, local: true };
      const own = (name: string, type: string): void => {
        const bytes = readFileSync(join(pages, name));
        app.get(`/${name}`, { config }, (_request, reply) => send(reply, type, bytes));
      };
      own('vnc_auto.html', 'text/html; charset=utf-8');
      own('screen.mjs', 'text/javascript; charset=utf-8');
      own('screen.css', 'text/css; charset=utf-8');
      app.get<{ Params: { '*': string } }>('/novnc/*', { config }, (request, reply) =>
        send(reply, 'text/javascript; charset=utf-8', programs.read(request.params['*'])),
      );
    },
  };
}

function send(reply: FastifyReply, type: string, bytes: Buffer): FastifyReply {
  return reply
    .header('content-security-policy', contentPolicy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-store')
    .type(type)
    .send(bytes);
}

/** noVNC's modules, by their paths in its package; what is not one of them is not there. */
class Programs {
  #paths: ReadonlyMap<string, string> | undefined;

  /** Throws `NOT_FOUND`. */
  read(name: string): Buffer {
    this.#paths ??= this.#find();
    const path = this.#paths.get(name);
    if (path === undefined) throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
    return readFileSync(path);
  }

  #find(): ReadonlyMap<string, string> {
    const root = dirname(dirname(createRequire(import.meta.url).resolve('@novnc/novnc')));
    const found = new Map<string, string>();
    for (const folder of programFolders) {
      for (const entry of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
        if (entry.endsWith('.js')) found.set(`${folder}/${entry}`, join(root, folder, entry));
      }
    }
    return found;
  }
}
