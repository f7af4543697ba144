/**
 * The browser's session. The page holds its token in memory and sends it as `X-Auth-Token`, as every client does: the API reads
 * no cookie, so no foreign page can have a browser act at it. So that a reload does not ask for the password again, the page
 * leaves its token in a cookie that no script can read (HttpOnly), that no foreign page can send (SameSite=Strict), and that
 * goes to this one path alone; here, and only here, the page has it back. It ends with the browser, and the token with its own
 * time or when it is revoked, at every agent.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { ShoalError } from '../../../node/base/errors.ts';
import { tokenCharactersMax } from '../../kit/auth.ts';
import type { Gateway } from '../../rest/kit/module.ts';
import { parse } from '../../rest/kit/validation.ts';

const cookieName = 'shoal-session';
/** Browsers keep no cookie of more than 4,096 bytes, name and attributes included. */
const cookieValueCharactersMax = Math.min(tokenCharactersMax, 3800);

const sessionBody = Type.Object(
  {
    // What a token consists of, and nothing that could end a cookie's value.
    token: Type.String({ minLength: 1, maxLength: cookieValueCharactersMax, pattern: '^[A-Za-z0-9._~+/=-]+$' }),
  },
  { additionalProperties: false },
);

/** `PUT` leaves a token, `GET` has it back (204: there is none), `DELETE` forgets it. */
export function addSessionRoutes(app: FastifyInstance, gateway: Gateway): void {
  const config = { public: true, local: true };
  app.get('/session', { config }, (request, reply) => {
    fromOwnPage(request);
    reply.header('cache-control', 'no-store');
    const token = cookieOf(request.headers.cookie ?? '');
    return token === undefined ? reply.code(204).send() : reply.send({ token });
  });
  app.put('/session', { config }, (request, reply) => {
    fromOwnPage(request);
    const { token } = parse(sessionBody, request.body);
    return keep(reply, gateway.baseUrl(request), token);
  });
  app.delete('/session', { config }, (request, reply) => {
    fromOwnPage(request);
    return keep(reply, gateway.baseUrl(request), '');
  });
}

/**
 * Throws `FORBIDDEN` unless the page itself asks. No other origin can send `X-Shoal-Page` without asking first, which the
 * gateway never allows (it answers no CORS preflight); browsers say by themselves where a request comes from.
 */
function fromOwnPage(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (request.headers['x-shoal-page'] === undefined || (site !== undefined && site !== 'same-origin')) {
    throw new ShoalError('FORBIDDEN', 'Only the page of this agent may ask for its session.');
  }
}

function keep(reply: FastifyReply, baseUrl: string, token: string): FastifyReply {
  const secure = baseUrl.startsWith('https:') ? '; Secure' : '';
  const end = token === '' ? '; Max-Age=0' : '';
  return reply
    .header('set-cookie', `${cookieName}=${token}; Path=/ui/session; HttpOnly; SameSite=Strict${secure}${end}`)
    .header('cache-control', 'no-store')
    .code(204)
    .send();
}

/** The session's token among a request's cookies. */
function cookieOf(header: string): string | undefined {
  for (const part of header.split(';')) {
    const at = part.indexOf('=');
    const value = part.slice(at + 1).trim();
    if (at > 0 && part.slice(0, at).trim() === cookieName && value !== '') return value;
  }
  return undefined;
}
