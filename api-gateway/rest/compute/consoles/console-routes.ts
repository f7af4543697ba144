/** Remote consoles, tokens of consoles, and diagnostics of servers. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { ComputeService } from '../../../../node/services/compute/index.ts';
import type { ConsoleKind } from '../../../../node/services/kit/dependencies.ts';
import { hostTable } from '../../../../node/state/tables/index.ts';
import { consolePath, screenPagePath } from '../../../console/console-paths.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/consoles.ts';
import { viewingOf } from '../kit/common.ts';
import { microversionOf, requireMicroversion } from '../kit/microversion.ts';
import { diagnosticsView, plainDiagnosticsView } from './diagnostics-view.ts';

type ById = { Params: { id: string } };

const mksFrom = 8;
const spiceDirectFrom = 99;
const anyTokenFrom = 31;
const diagnosticsFrom = 48;

/** Adds them. */
export function addConsoles(app: FastifyInstance, gateway: Gateway, { consoles }: ComputeService): void {
  app.post<ById>(
    '/v2.1/servers/:id/remote-consoles',
    { config: { body: schemas.remoteConsoleBody } },
    async (request) => {
      requireMicroversion(request, { from: 6 });
      const { protocol, type } = parse(schemas.remoteConsoleBody, request.body).remote_console;
      const from = protocol === 'mks' || type === 'webmks' ? mksFrom : type === 'spice-direct' ? spiceDirectFrom : 0;
      if (microversionOf(request) < from) {
        throw new ShoalError(
          'INVALID_ARGUMENT',
          `Invalid console type ${type}: it is known from microversion 2.${from} on.`,
        );
      }
      const url = await consoleUrl(gateway, { consoles }, request, request.params.id, protocol, type);
      return { remote_console: { protocol, type, url } };
    },
  );
  app.get<{ Params: { token: string } }>('/v2.1/os-console-auth-tokens/:token', async (request) => {
    if (microversionOf(request) < anyTokenFrom) {
      throw new ShoalError('INVALID_ARGUMENT', 'Console tokens can be shown from microversion 2.31 on.');
    }
    const { reader } = await viewingOf(gateway, request);
    const { token } = request.params;
    const { serverId, hostId, kind } = await consoles.look(token, gateway.signal(request)).catch((caught: unknown) => {
      throw ShoalError.is(caught, 'NOT_FOUND') ? new ShoalError('NOT_FOUND', 'Token not found') : caught;
    });
    const host = hostTable.get(reader, hostId)?.record;
    // Where Nova names the hypervisor's own port, which nobody reaches here: the API of the guest's host proxies to it.
    const api = new URL(host?.apiUrl || gateway.baseUrl(request));
    const port = Number(api.port || (api.protocol === 'https:' ? 443 : 80));
    return {
      console: { instance_uuid: serverId, host: api.hostname, port, internal_access_path: consolePath(kind, token) },
    };
  });
  app.get<ById>('/v2.1/servers/:id/diagnostics', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { server, figures } = await consoles.diagnostics(context, reader, request.params.id);
    return microversionOf(request) >= diagnosticsFrom
      ? diagnosticsView(server, figures)
      : plainDiagnosticsView(figures);
  });
}

/** Where the console is opened, of the protocols and types that Nova has. Throws `INVALID_ARGUMENT` for those that are not here. */
export async function consoleUrl(
  gateway: Gateway,
  { consoles }: Pick<ComputeService, 'consoles'>,
  request: FastifyRequest,
  id: string,
  protocol: string,
  type: string,
): Promise<string> {
  const kind = kindOf(protocol, type);
  const { context, reader } = await viewingOf(gateway, request);
  const sessionToken = String(request.headers['x-auth-token'] ?? '');
  const token = await consoles.grant(context, reader, id, { kind, sessionToken });
  const base = gateway.baseUrl(request);
  // Screens have a page that shows them; a serial line is for a program, as in Nova.
  if (kind === 'serial') return `${base.replace(/^http/, 'ws')}/${consolePath(kind, token)}`;
  return `${base}/${screenPagePath}?path=${encodeURIComponent(consolePath(kind, token))}`;
}

function kindOf(protocol: string, type: string): ConsoleKind {
  if (protocol === 'vnc' && type === 'novnc') return 'vnc';
  if (protocol === 'serial' && type === 'serial') return 'serial';
  const isServed = protocol === 'vnc' || protocol === 'serial';
  const what = isServed ? `Invalid console type ${type}.` : `Unavailable console type ${type}.`;
  throw new ShoalError('INVALID_ARGUMENT', `${what} Guests here have vnc (novnc) and serial (serial).`);
}
