/**
 * The web page: files of this agent, and the browser's session. Everything that the page shows or does it asks of the API as
 * any other client does; there is nothing here but what lets it begin.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { keystoneFaults } from '../../rest/kit/faults.ts';
import type { RestModule } from '../../rest/kit/module.ts';
import { type BuiltFile, BuiltFiles } from './built-files.ts';
import { addSessionRoutes } from './session-routes.ts';

/** Below it are the page, its files and its session. */
const pagePrefix = '/ui';

/**
 * The page runs its own files and talks to its own agent, and nothing else; nobody frames it. No script and no style stands in
 * the document, so what a tenant names a server is never a program.
 */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** xterm.js writes style elements of its own, so the terminal is a document by itself, which the page frames. */
const terminalPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/** A year: a file's name has the hash of its content. */
const immutable = 'public, max-age=31536000, immutable';

/**
 * As the gateway mounts it.
 * @param folder where `npm run build:web` has put the files. While there are none, `/` stays the version document for all.
 */
export function webModule(folder: string): RestModule {
  const files = new BuiltFiles(folder);
  return {
    name: 'web',
    prefixes: [pagePrefix],
    faults: keystoneFaults,
    // Files that anybody may read, and a cookie that the browser gave.
    policies: [],
    requestIdHeaders: ['x-openstack-request-id'],
    frontPage: () => (files.areBuilt ? `${pagePrefix}/` : undefined),
    register(app, gateway) {
      // Each agent serves the files of its own version, so a document never names files that another agent has not.
      const config = { public: true, local: true };
      const document = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
        sendDocument(request, reply, files.find('index.html'), pagePolicy);
      app.get('/', { config }, document);
      // What the page shows is in the path, and only the page knows which there are.
      app.get('/*', { config }, document);
      app.get('/terminal', { config }, (request, reply) =>
        sendDocument(request, reply, files.find('terminal.html'), terminalPolicy),
      );
      app.get<{ Params: { name: string } }>('/assets/:name', { config }, (request, reply) => {
        const file = files.find(`assets/${request.params.name}`);
        return send(request, reply.header('cache-control', immutable), file);
      });
      addSessionRoutes(app, gateway);
    },
  };
}

function sendDocument(request: FastifyRequest, reply: FastifyReply, file: BuiltFile | undefined, policy: string) {
  reply.header('content-security-policy', policy).header('cache-control', 'no-cache');
  reply.header('cross-origin-opener-policy', 'same-origin').header('vary', 'Accept, Accept-Encoding');
  return send(request, reply, file);
}

function send(request: FastifyRequest, reply: FastifyReply, file: BuiltFile | undefined): FastifyReply {
  if (file === undefined) {
    reply.removeHeader('cache-control');
    throw new ShoalError('NOT_FOUND', 'This agent has no such file of the web page; "npm run build:web" makes them.');
  }
  if (!reply.hasHeader('vary')) reply.header('vary', 'Accept-Encoding');
  reply.header('x-content-type-options', 'nosniff').header('referrer-policy', 'no-referrer').header('etag', file.etag);
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
  reply.type(file.type);
  const accepted = request.headers['accept-encoding'] ?? '';
  if (file.brotli === undefined || !/\bbr\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/u.test(String(accepted))) {
    return reply.send(file.bytes);
  }
  return reply.header('content-encoding', 'br').send(file.brotli);
}
