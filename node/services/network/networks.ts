/** Tenant networks (each with its VNI) and external networks (each on a physical network of the hosts). */

import { shoal } from '../../../proto/messages.ts';
import { definedOf } from '../../base/defined-of.ts';
import { field, says } from '../../base/field-names.ts';
import { indexKey } from '../../state/table.ts';
import { networkTable, portTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { badRequest, forbidden, refuse } from '../kit/network-refusals.ts';
import { canSeeNetwork, ownNetwork, projectFor, seeNetwork } from '../kit/ownership.ts';
import { isAllowed } from '../kit/permissions.ts';
import { chargeQuota, refundQuota } from '../kit/quota.ts';
import { everyProject, type SharedAction } from '../kit/sharing.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { editWhileRoom, transactInPieces, unfinished } from '../kit/transact-in-pieces.ts';
import { allocateVni, vniMax } from './kit/allocation.ts';
import { checkText } from './kit/text.ts';
import { requireUnused } from './kit/uses.ts';
import { mtuMin, mtuMin6, type NetworkOptions } from './options.ts';
import { dhcpPortsOf, removePortRow } from './port-record.ts';
import { dropPoliciesOf, insertPolicyWithThing, planSharedFlag } from './sharing/policy-rows.ts';
import { removeSubnetRow } from './subnets.ts';

/** What a caller may say of a new network. */
export interface NetworkDraft {
  readonly name?: string;
  readonly projectId?: string;
  readonly description?: string;
  readonly adminStateUp?: boolean;
  /** Administrators only, like the next four. */
  readonly shared?: boolean;
  readonly external?: boolean;
  /** "vxlan" or "flat". */
  readonly providerType?: string;
  readonly physicalNetwork?: string;
  /** VNI of a vxlan network. */
  readonly segmentationId?: number;
  readonly mtu?: number;
  readonly portSecurityEnabled?: boolean;
}

/** What a caller may change. */
export type NetworkPatch = Pick<
  NetworkDraft,
  'name' | 'description' | 'adminStateUp' | 'shared' | 'external' | 'mtu' | 'portSecurityEnabled'
> & { readonly tags?: readonly string[] };

/** What administrators alone may say of a network, with Neutron's names. */
const privileged = [
  ['shared', 'shared'],
  ['external', 'router:external'],
  ['providerType', 'provider:network_type'],
  ['physicalNetwork', 'provider:physical_network'],
  ['segmentationId', 'provider:segmentation_id'],
] as const satisfies readonly (readonly [keyof NetworkDraft, string])[];

/**
 * Neutron's networks. One that the caller may not see is `NOT_FOUND`; changing one that is seen and is another
 * project's is 403. A tenant network is VXLAN with a VNI of its own, an external one is flat.
 */
export class Networks {
  readonly #deps: ServiceDependencies;
  readonly #options: NetworkOptions;

  constructor(deps: ServiceDependencies, options: NetworkOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Those the caller may see: own, shared and external ones; all for administrators. */
  list(context: RequestContext, reader: StateReader): readonly shoal.v1.Network[] {
    return networkTable
      .list(reader)
      .map((row) => row.record)
      .filter((network) => canSeeNetwork(context, reader, network));
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.Network {
    return seeNetwork(context, reader, id).record;
  }

  /** All of them, or none. */
  async create(context: RequestContext, drafts: readonly NetworkDraft[]): Promise<readonly shoal.v1.Network[]> {
    for (const draft of drafts) this.#check(context, 'create', draft);
    const ids = drafts.map(() => this.#deps.newId());
    return transact(this.#deps, context, (attempt) =>
      drafts.map((draft, index) => this.#plan(context, attempt, draft, ids[index] as string)),
    );
  }

  async update(context: RequestContext, id: string, patch: NetworkPatch): Promise<shoal.v1.Network> {
    this.#check(context, 'update', patch);
    const making = { id: this.#deps.newId(), projectId: context.projectId };
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = ownNetwork(context, reader, id);
      if (patch.external !== undefined && patch.external !== row.record.external) {
        throw badRequest('This version cannot turn a tenant network into an external one, or back.');
      }
      const next = new shoal.v1.Network({
        ...row.record,
        ...definedOf({
          name: patch.name,
          description: patch.description,
          adminStateUp: patch.adminStateUp,
          shared: patch.shared,
          mtu:
            patch.mtu === undefined
              ? undefined
              : this.#mtu(patch.mtu, row.record.external, mtuMinOf(reader, row.record.id)),
          portSecurityEnabled: patch.portSecurityEnabled,
        }),
        tags: [...(patch.tags ?? row.record.tags)],
        updatedMs: this.#deps.clock.nowMs(),
      });
      if (next.shared !== row.record.shared)
        planSharedFlag(attempt, next, next.shared, { ...making, nowMs: next.updatedMs });
      networkTable.update(change, row, next);
      return next;
    });
  }

  /**
   * Takes its subnets and DHCP ports along, in pieces where they are very many, and goes last. 409 `NetworkInUse` while any
   * other port lies on it.
   */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = ownNetwork(context, reader, id);
      requireUnused(change, reader, 'network', id, () =>
        refuse(
          'CONFLICT',
          'NetworkInUse',
          `Unable to complete operation on network ${id}. There are one or more ports still in use on the network.`,
        ),
      );
      const subnets = subnetTable.by(reader, 'network', indexKey(id));
      const dhcpPorts = dhcpPortsOf(portTable.by(reader, 'network', indexKey(id)));
      const isEmptied =
        editWhileRoom(attempt, dhcpPorts, (port) => removePortRow(change, port)) &&
        editWhileRoom(attempt, subnets, (subnet) => removeSubnetRow(change, subnet)) &&
        dropPoliciesOf(attempt, 'network', id) &&
        change.hasRoom;
      if (!isEmptied) return unfinished;
      refundQuota(change, row.record.projectId, { network: 1 });
      networkTable.remove(change, row);
      return undefined;
    });
  }

  #check(context: RequestContext, verb: 'create' | 'update', draft: NetworkDraft | NetworkPatch): void {
    checkText('name', draft.name);
    checkText('description', draft.description);
    const facts: NetworkDraft = draft;
    for (const [field, attribute] of privileged) {
      if (facts[field] === undefined || facts[field] === false) continue;
      const rule = `${verb}_network:${attribute}`;
      if (!isAllowed(context, rule)) throw forbidden(rule);
    }
  }

  /** The largest MTU that a network may have, bytes: what its wires carry. */
  #mtuMax(external: boolean): number {
    return external ? this.#options.externalMtu : this.#options.tenantMtu;
  }

  /** 0, or absent: the largest. */
  #mtu(wanted: number | undefined, external: boolean, min = mtuMin): number {
    const max = this.#mtuMax(external);
    if (wanted === undefined || wanted === 0) return max;
    if (wanted >= min && wanted <= max) return wanted;
    throw badRequest(
      `Invalid input for operation: Requested MTU is too ${wanted > max ? 'big' : 'small'}, ${wanted} is not in [${min}, ${max}].`,
      'InvalidInput',
    );
  }

  #plan(context: RequestContext, attempt: Attempt, draft: NetworkDraft, id: string): shoal.v1.Network {
    const projectId = projectFor(context, draft.projectId);
    const external = draft.external === true;
    const type = draft.providerType ?? (external ? 'flat' : 'vxlan');
    if (type !== 'vxlan' && type !== 'flat') {
      const name = field('network_type');
      throw badRequest(says`Invalid input for operation: ${name} value '${type}' not supported.`, 'InvalidInput');
    }
    if ((type === 'flat') !== external) {
      throw badRequest('Tenant networks are of type vxlan, external networks of type flat.', 'InvalidInput');
    }
    const vni = draft.segmentationId;
    if (vni !== undefined && (external || !Number.isInteger(vni) || vni < 1 || vni > vniMax)) {
      const name = field('segmentation_id');
      throw badRequest(says`Invalid input for operation: ${name} out of range 1 to ${vniMax}.`, 'InvalidInput');
    }
    const now = this.#deps.clock.nowMs();
    const { externalPhysicalNetwork } = this.#options;
    const physicalNetwork = draft.physicalNetwork ?? externalPhysicalNetwork;
    if (draft.physicalNetwork !== undefined && (!external || physicalNetwork !== externalPhysicalNetwork)) {
      throw badRequest(
        external
          ? says`Invalid input for operation: Unknown ${field('provider:physical_network')} ${physicalNetwork}; hosts have '${externalPhysicalNetwork}'.`
          : says`Invalid input for operation: ${field('provider:physical_network')} specified for VXLAN network.`,
        'InvalidInput',
      );
    }
    const network = new shoal.v1.Network({
      id,
      name: draft.name ?? '',
      projectId,
      description: draft.description ?? '',
      adminStateUp: draft.adminStateUp ?? true,
      shared: draft.shared ?? false,
      external,
      vni: external ? 0 : allocateVni(attempt, 'network', vni),
      mtu: this.#mtu(draft.mtu, external),
      createdMs: now,
      updatedMs: now,
      portSecurityEnabled: draft.portSecurityEnabled ?? true,
      physicalNetwork: external ? physicalNetwork : '',
    });
    chargeQuota(attempt.change, attempt.reader, projectId, { network: 1 });
    networkTable.insert(attempt.change, network);
    const policy = (action: SharedAction): void =>
      insertPolicyWithThing(
        attempt.change,
        { kind: 'network', thing: network, action, target: everyProject },
        { id: this.#deps.newId(), projectId: context.projectId || projectId, nowMs: now },
      );
    if (network.shared) policy('access_as_shared');
    if (network.external) policy('access_as_external');
    return network;
  }
}

/** The smallest MTU that the network may have, by its subnets: one that is made meanwhile writes the network's row. */
function mtuMinOf(reader: StateReader, networkId: string): number {
  const subnets = subnetTable.by(reader, 'network', indexKey(networkId));
  return subnets.some(({ record }) => record.cidr.includes(':')) ? mtuMin6 : mtuMin;
}
