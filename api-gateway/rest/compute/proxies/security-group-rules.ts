/** Nova's old way to the rules of the network service's security groups: `/os-security-group-rules`, up to 2.35. */
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { NetworkService } from '../../../../node/services/network/index.ts';
import type { SecurityGroupRuleDraft } from '../../../../node/services/network/security-groups.ts';
import { shown } from '../../../kit/input.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/compute.ts';
import { lastOfProxies, requireMicroversion } from '../kit/microversion.ts';
import { ruleView } from '../kit/security-group-view.ts';

type Body = Static<typeof schemas.securityGroupRuleBody>['security_group_rule'];
type PortRange = { readonly portMin?: number; readonly portMax?: number };

/** Adds the making and removal of a rule that lets traffic in. */
export function addSecurityGroupRules(
  app: FastifyInstance,
  gateway: Gateway,
  { securityGroups }: Pick<NetworkService, 'securityGroups'>,
): void {
  const path = '/v2.1/os-security-group-rules';
  app.post(path, { config: { body: schemas.securityGroupRuleBody } }, async (request) => {
    requireMicroversion(request, lastOfProxies);
    const draft = draftOf(parse(schemas.securityGroupRuleBody, request.body).security_group_rule);
    try {
      const [made] = await securityGroups.createRules(gateway.context(request), [draft]);
      if (made === undefined) throw new ShoalError('CONFLICT', 'No rule was made.');
      return { security_group_rule: ruleView(await gateway.readState(request), made.group, made.rule) };
    } catch (caught) {
      // Nova calls a rule that is there already a bad request.
      if (ShoalError.is(caught, 'CONFLICT')) {
        throw new ShoalError('INVALID_ARGUMENT', caught.message, { cause: caught });
      }
      throw caught;
    }
  });
  app.delete<{ Params: { id: string } }>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, lastOfProxies);
    await securityGroups.deleteRule(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
}

/** Throws `INVALID_ARGUMENT` where Nova does: what has no source group names its protocol and ports. */
function draftOf(body: Body): SecurityGroupRuleDraft {
  const { parent_group_id: securityGroupId, ip_protocol: given, group_id: group } = body;
  const protocol = given == null ? undefined : given.toLowerCase();
  const remote = group == null ? { remotePrefix: body.cidr ?? '0.0.0.0/0' } : { remoteGroupId: group };
  const common = { securityGroupId, direction: 'ingress', ...remote, ...versionOf(remote) };
  if (protocol === undefined || body.from_port == null || body.to_port == null) {
    if (group == null) throw new ShoalError('INVALID_ARGUMENT', 'Not enough parameters to build a valid rule.');
    return { ...common, ...(protocol === undefined ? {} : { protocol: knownProtocol(protocol) }) };
  }
  return {
    ...common,
    protocol: knownProtocol(protocol),
    ...portRange(protocol, Number(body.from_port), Number(body.to_port)),
  };
}

function versionOf(remote: { readonly remotePrefix?: string }): { readonly ethertype: string } {
  return { ethertype: remote.remotePrefix?.includes(':') === true ? 'IPv6' : 'IPv4' };
}

function knownProtocol(protocol: string): string {
  if (['tcp', 'udp', 'icmp'].includes(protocol)) return protocol;
  throw new ShoalError('INVALID_ARGUMENT', `Invalid IP protocol ${shown(protocol)}.`);
}

/** -1 is any type or code of ICMP. */
function portRange(protocol: string, from: number, to: number): PortRange {
  const wrong = new ShoalError('INVALID_ARGUMENT', `Invalid port range ${from}:${to}.`);
  if (protocol === 'icmp') {
    if (from < -1 || from > 255 || to < -1 || to > 255) throw wrong;
    return { ...(from < 0 ? {} : { portMin: from }), ...(to < 0 ? {} : { portMax: to }) };
  }
  if (from > to || from < 1 || to > 65_535) throw wrong;
  return { portMin: from, portMax: to };
}
