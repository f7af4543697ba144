/** `POST /servers/{id}/action`: one key names the action. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { vmState } from '../../../node/services/compute/machine/vm-state.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { shown } from '../../kit/input.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import * as consoleBodies from '../schemas/consoles.ts';
import { unservedActions } from '../schemas/unserved-actions.ts';
import { consoleUrl } from './consoles/console-routes.ts';
import { readFlag, viewingOf } from './kit/common.ts';
import { type AttributeVersions, checkAttributes, microversionOf, requireMicroversion } from './kit/microversion.ts';
import type { ServerFixedIps } from './proxies/fixed-ips.ts';
import type { ServerFloatingIps } from './proxies/floating-ips.ts';
import { Accepted, type Action, savedActions } from './saved-actions.ts';

/** The last microversion in which a server is asked for its floating IPs, and not the network service. */
const lastWithFloatingIps = { to: 43 };

/** Before 2.14 the caller says whether storage is shared; then Nova looks, as this does always. */
const evacuateVersions: AttributeVersions = { onSharedStorage: { to: 13 }, force: { from: 29, to: 67 } };

/** Before 2.25 the caller says whether disks are copied, and whether more than there is may be promised. */
const liveMigrateVersions: AttributeVersions = { disk_over_commit: { to: 24 }, force: { from: 30, to: 67 } };

/** Nova's `block_migration`: a flag, or from 2.25 on `auto`. */
function blockMigrationOf(value: boolean | string, microversion: number): boolean | 'auto' {
  if (value === 'auto' && microversion >= 25) return 'auto';
  const flag = typeof value === 'string' ? readFlag(value) : value;
  if (flag === undefined) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `Invalid input for field/attribute block_migration. Value: ${shown(String(value))}.`,
    );
  }
  return flag;
}

function flagOf(value: boolean | string | undefined): boolean {
  return value === true || readFlag(typeof value === 'string' ? value : undefined) === true;
}

/**
 * Adds the actions of servers. One that Nova has and this does not (`unserved.ts`) answers 501 once its argument and
 * the server are found good; an unknown one 400.
 */
export function addActions(
  app: FastifyInstance,
  gateway: Gateway,
  compute: ComputeService,
  { floatingIps, fixedIps }: { readonly floatingIps: ServerFloatingIps; readonly fixedIps: ServerFixedIps },
): void {
  const { servers, moves, consoles } = compute;
  /** An action that takes no argument. */
  const plain =
    (run: (context: RequestContext, id: string) => Promise<void>): Action =>
    async ({ context, id }) => {
      await run(context, id);
      return undefined;
    };
  /** Up to 2.5; `remote-consoles` has taken their place. */
  const console =
    (protocol: string, body: typeof consoleBodies.vncConsoleBody): Action =>
    async ({ request, id, argument }) => {
      requireMicroversion(request, { to: 5 });
      const { type } = parse(body, argument);
      return { console: { type, url: await consoleUrl(gateway, { consoles }, request, id, protocol, type) } };
    };
  const actions: Readonly<Record<string, Action>> = {
    ...savedActions(gateway, compute),
    'os-start': plain((context, id) => servers.start(context, id)),
    'os-stop': plain((context, id) => servers.stop(context, id)),
    pause: plain((context, id) => servers.pause(context, id)),
    unpause: plain((context, id) => servers.unpause(context, id)),
    suspend: plain((context, id) => servers.suspend(context, id)),
    resume: plain((context, id) => servers.resume(context, id)),
    unlock: plain((context, id) => servers.unlock(context, id)),
    revertResize: plain((context, id) => moves.cancel(context, id)),
    confirmResize: plain((context, id) => moves.confirm(context, id)),
    async resize({ context, id, argument }) {
      const { flavorRef, 'OS-DCF:diskConfig': diskConfig } = parse(schemas.resizeBody, argument);
      // A link counts as the id at its end.
      const options = diskConfig === undefined ? {} : { diskConfigAuto: diskConfig === 'AUTO' };
      await moves.resize(context, id, String(flavorRef).split('/').at(-1) ?? '', options);
      return undefined;
    },
    /** Nothing is kept of a server that is deleted: there is none that could be restored. */
    async restore({ request, context, id }) {
      const { reader } = await viewingOf(gateway, request);
      const state = vmState(servers.show(context, reader, id));
      throw new ShoalError('CONFLICT', `Cannot 'restore' instance ${id} while it is in vm_state ${state}`);
    },
    /** Nothing to do, as in Nova with libvirt: DHCP and metadata tell a guest at any moment what its network is. */
    async injectNetworkInfo({ request, context, id }) {
      const { reader } = await viewingOf(gateway, request);
      servers.show(context, reader, id);
      return undefined;
    },
    forceDelete: plain((context, id) => servers.delete(context, id)),
    async lock({ request, context, id, argument }) {
      // Before, Nova looks at nothing that stands here.
      const asked = microversionOf(request) >= 73 ? parse(schemas.lockBody, argument) : null;
      await servers.lock(context, id, asked?.locked_reason);
      return undefined;
    },
    async 'os-resetState'({ context, id, argument }) {
      await servers.resetState(context, id, parse(schemas.resetStateBody, argument).state);
      return undefined;
    },
    async trigger_crash_dump({ request, context, id, argument }) {
      requireMicroversion(request, { from: 17 });
      parse(schemas.crashDumpBody, argument);
      await servers.triggerCrashDump(context, id);
      return undefined;
    },
    async changePassword({ context, id, argument }) {
      await servers.setPassword(context, id, parse(schemas.changePasswordBody, argument).adminPass);
      return undefined;
    },
    async reboot({ context, id, argument }) {
      const { type } = parse(schemas.rebootBody, argument);
      await servers.reboot(context, id, type.toUpperCase() === 'HARD');
      return undefined;
    },
    async migrate({ request, context, id, argument }) {
      const host = parse(schemas.migrateBody, argument)?.host ?? undefined;
      if (host !== undefined && microversionOf(request) < 56) {
        throw new ShoalError('INVALID_ARGUMENT', 'A host for migrate can be named from microversion 2.56 on.');
      }
      if (host !== undefined) gateway.enforce(request, 'os_compute_api:os-migrate-server:migrate:host');
      await moves.migrate(context, id, host);
      return undefined;
    },
    async 'os-migrateLive'({ request, context, id, argument }) {
      const microversion = microversionOf(request);
      const asked = parse(schemas.liveMigrateBody, argument);
      checkAttributes('os-migrateLive', asked, liveMigrateVersions, microversion);
      if (microversion < 25 && asked.disk_over_commit === undefined) {
        throw new ShoalError('INVALID_ARGUMENT', "Invalid body: 'disk_over_commit' is a required property.");
      }
      if (flagOf(asked.force)) {
        throw new ShoalError('NOT_IMPLEMENTED', 'Every host is asked whether it has room: migrate without force.');
      }
      if (asked.host != null) gateway.enforce(request, 'os_compute_api:os-migrate-server:migrate_live:host');
      await compute.liveMigrations.begin(context, id, {
        hostName: asked.host ?? undefined,
        blockMigration: blockMigrationOf(asked.block_migration, microversion),
      });
      return undefined;
    },
    async evacuate({ request, context, id, argument }) {
      const microversion = microversionOf(request);
      const asked = parse(schemas.evacuateBody, argument);
      checkAttributes('evacuate', asked, evacuateVersions, microversion);
      if (microversion < 14 && asked.onSharedStorage === undefined) {
        throw new ShoalError('INVALID_ARGUMENT', "Invalid body: 'onSharedStorage' is a required property.");
      }
      if (flagOf(asked.force)) {
        throw new ShoalError('NOT_IMPLEMENTED', 'Every host is asked whether it has room: evacuate without force.');
      }
      if (asked.adminPass !== undefined) {
        throw new ShoalError('NOT_IMPLEMENTED', 'No password is set in a guest that is evacuated: log in with a key.');
      }
      await moves.evacuate(context, id, { hostName: asked.host, landsStopped: microversion >= 95 });
      return {};
    },
    async 'os-getConsoleOutput'({ request, context, id, argument }) {
      const { length } = parse(schemas.consoleBody, argument ?? {});
      const { reader } = await viewingOf(gateway, request);
      const lines = length == null ? undefined : Number(length);
      return { output: await servers.consoleOutput(context, reader, id, lines) };
    },
    async addFloatingIp({ request, context, id, argument }) {
      requireMicroversion(request, lastWithFloatingIps);
      const { address, fixed_address: fixedAddress } = parse(schemas.addFloatingIpBody, argument);
      const { reader } = await viewingOf(gateway, request);
      const wanted = { address, ...(fixedAddress === undefined ? {} : { fixedAddress }) };
      await floatingIps.add(context, reader, servers.show(context, reader, id), wanted);
      return undefined;
    },
    async removeFloatingIp({ request, context, id, argument }) {
      requireMicroversion(request, lastWithFloatingIps);
      const { address } = parse(schemas.removeFloatingIpBody, argument);
      const { reader } = await viewingOf(gateway, request);
      await floatingIps.remove(context, reader, servers.show(context, reader, id).id, address);
      return undefined;
    },
    async addFixedIp({ request, context, id, argument }) {
      requireMicroversion(request, lastWithFloatingIps);
      const { networkId } = parse(schemas.addFixedIpBody, argument);
      const { reader } = await viewingOf(gateway, request);
      await fixedIps.add(context, reader, servers.show(context, reader, id), String(networkId));
      return undefined;
    },
    async removeFixedIp({ request, context, id, argument }) {
      requireMicroversion(request, lastWithFloatingIps);
      const { address } = parse(schemas.removeFixedIpBody, argument);
      const { reader } = await viewingOf(gateway, request);
      await fixedIps.remove(context, reader, servers.show(context, reader, id), address);
      return undefined;
    },
    'os-getVNCConsole': console('vnc', consoleBodies.vncConsoleBody),
    'os-getSPICEConsole': console('spice', consoleBodies.spiceConsoleBody),
    'os-getRDPConsole': console('rdp', consoleBodies.rdpConsoleBody),
    'os-getSerialConsole': console('serial', consoleBodies.serialConsoleBody),
    async addSecurityGroup({ context, id, argument }) {
      await servers.setSecurityGroup(context, id, parse(schemas.groupNameBody, argument).name, true);
      return undefined;
    },
    async removeSecurityGroup({ context, id, argument }) {
      await servers.setSecurityGroup(context, id, parse(schemas.groupNameBody, argument).name, false);
      return undefined;
    },
  };

  // Each action has a policy of its own; the gateway checks it before this runs.
  const config = { actions: Object.keys(actions) };
  app.post<{ Params: { id: string } }>('/v2.1/servers/:id/action', { config }, async (request, reply) => {
    const context = gateway.context(request);
    const { name, argument } = actionOf(request.body);
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      const argumentSchema = Object.hasOwn(unservedActions, name) ? unservedActions[name] : undefined;
      if (argumentSchema === undefined) throw unknownAction(name);
      // What is wrong with the request is said first: it would be wrong anywhere.
      parse(argumentSchema, argument);
      const { context, reader } = await viewingOf(gateway, request);
      servers.show(context, reader, request.params.id);
      throw new ShoalError('NOT_IMPLEMENTED', `This version of Shoal does not have the action ${name}.`);
    }
    const answer = await action({ request, context, id: request.params.id, argument });
    if (answer instanceof Accepted) {
      if (answer.location !== undefined) reply.header('location', answer.location);
      return reply.code(202).send(answer.body);
    }
    if (answer !== undefined) return reply.code(200).send(answer);
    return reply.code(name === 'confirmResize' ? 204 : 202).send();
  });
}

function actionOf(body: unknown): { readonly name: string; readonly argument: unknown } {
  const entries = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length !== 1) {
    throw new ShoalError('INVALID_ARGUMENT', 'There is no such action: the body must name one.');
  }
  return { name: entry[0], argument: entry[1] };
}

function unknownAction(name: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `There is no such action: ${name.slice(0, 64)}`);
}
