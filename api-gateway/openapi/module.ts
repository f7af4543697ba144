/** `GET /openapi.json`. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { keystoneFaults } from '../rest/kit/faults.ts';
import type { RestModule } from '../rest/kit/module.ts';
import { openApiDocument } from './document.ts';

/** The document as it is kept: most clients take it as it is, and it is a tenth of the text. */
interface Kept {
  readonly gzip: Buffer;
  readonly etag: string;
}

/** Made when it is first asked for, and the same for as long as the agent runs. @param version of this agent. */
export function openApiModule(version: string): RestModule {
  let kept: Kept | undefined;
  return {
    name: 'openapi',
    prefixes: ['/openapi.json'],
    faults: keystoneFaults,
    // It says what the documentation says.
    policies: [],
    requestIdHeaders: ['x-openstack-request-id'],
    register(app, gateway) {
      app.get('', { config: { public: true, local: true } }, (request, reply) => {
        if (kept === undefined) {
          const text = JSON.stringify(openApiDocument(gateway.routes(), version));
          const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
          kept = { gzip: gzipSync(text), etag };
        }
        reply.header('etag', kept.etag).header('cache-control', 'no-cache').header('vary', 'accept-encoding');
        if (request.headers['if-none-match'] === kept.etag) return reply.code(304).send();
        reply.type('application/json; charset=utf-8');
        const takesGzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/.test(
          String(request.headers['accept-encoding'] ?? ''),
        );
        return takesGzip ? reply.header('content-encoding', 'gzip').send(kept.gzip) : reply.send(gunzipSync(kept.gzip));
      });
    },
  };
}
