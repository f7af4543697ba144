/** Neutron's address groups: prefixes under one name, which rules of security groups speak of. */
import { shoal } from '../../../../proto/messages.ts';
import { definedOf } from '../../../base/defined-of.ts';
import type { Row } from '../../../state/table.ts';
import { addressGroupTable, securityGroupTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import { badAttribute, badRequest, refuse } from '../../kit/network-refusals.ts';
import { canSeeAddressGroup, ownAddressGroup, projectFor, seeAddressGroup } from '../../kit/ownership.ts';
import { chargeQuota, refundQuota } from '../../kit/quota.ts';
import { transact } from '../../kit/transact.ts';
import { transactInPieces, unfinished } from '../../kit/transact-in-pieces.ts';
import { formatPrefix, parsePrefix } from '../kit/address.ts';
import { checkText } from '../kit/text.ts';
import { dropPoliciesOf } from '../sharing/policy-rows.ts';

/** Most prefixes of one group: they all become one set of a host's filter, and one record. */
const addressesMax = 1000;

/** What a caller may say of a new group. */
interface AddressGroupDraft {
  readonly name?: string;
  readonly projectId?: string;
  readonly description?: string;
  /** Prefixes of either family; bits beyond the length do not count. */
  readonly addresses: readonly string[];
}

/**
 * Neutron's address groups. One that the caller may not see is `NOT_FOUND`; another project's that is shared is used and not
 * changed. What a group has changes the rules that speak of it at once, on every host.
 */
export class AddressGroups {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  /** Own ones and those that are shared with the caller's project; all for administrators. */
  list(context: RequestContext, reader: StateReader): readonly shoal.v1.AddressGroup[] {
    return addressGroupTable
      .list(reader)
      .map((row) => row.record)
      .filter((group) => canSeeAddressGroup(context, reader, group));
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.AddressGroup {
    return seeAddressGroup(context, reader, id).record;
  }

  async create(context: RequestContext, draft: AddressGroupDraft): Promise<shoal.v1.AddressGroup> {
    checkText('name', draft.name);
    checkText('description', draft.description);
    const addresses = [...prefixesOf(draft.addresses)];
    const projectId = projectFor(context, draft.projectId);
    const nowMs = this.#deps.clock.nowMs();
    const group = new shoal.v1.AddressGroup({
      ...{ id: this.#deps.newId(), name: draft.name ?? '', projectId, description: draft.description ?? '' },
      ...{ addresses, createdMs: nowMs, updatedMs: nowMs },
    });
    return transact(this.#deps, context, ({ reader, change }) => {
      chargeQuota(change, reader, projectId, { address_group: 1 });
      addressGroupTable.insert(change, group);
      return group;
    });
  }

  async update(
    context: RequestContext,
    id: string,
    patch: { readonly name?: string; readonly description?: string },
  ): Promise<shoal.v1.AddressGroup> {
    checkText('name', patch.name);
    checkText('description', patch.description);
    return this.#change(context, id, (group) => ({ ...group, ...definedOf(patch) }));
  }

  /** 409 `AddressesAlreadyExist` for what the group has already. */
  async addAddresses(context: RequestContext, id: string, texts: readonly string[]): Promise<shoal.v1.AddressGroup> {
    const added = prefixesOf(texts);
    return this.#change(context, id, (group) => {
      const twice = group.addresses.filter((prefix) => added.has(prefix));
      if (twice.length > 0) {
        throw badRequest(
          `Addresses ${listed(twice)} already exist in the address group ${id}.`,
          'AddressesAlreadyExist',
        );
      }
      const addresses = [...group.addresses, ...added];
      if (addresses.length > addressesMax) throw tooMany();
      return { ...group, addresses };
    });
  }

  /** 404 `AddressesNotFound` for what the group has not. */
  async removeAddresses(context: RequestContext, id: string, texts: readonly string[]): Promise<shoal.v1.AddressGroup> {
    const gone = prefixesOf(texts);
    return this.#change(context, id, (group) => {
      const unknown = [...gone].filter((prefix) => !group.addresses.includes(prefix));
      if (unknown.length > 0) {
        const message = `Addresses ${listed(unknown)} not found in the address group ${id}.`;
        throw refuse('NOT_FOUND', 'AddressesNotFound', message);
      }
      return { ...group, addresses: group.addresses.filter((prefix) => !gone.has(prefix)) };
    });
  }

  /** 409 `AddressGroupInUse` while a rule speaks of it. */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = ownAddressGroup(context, reader, id);
      if (securityGroupTable.count(reader, 'address-group', id) > 0) {
        throw refuse(
          'CONFLICT',
          'AddressGroupInUse',
          `Address group ${id} is in use on one or more security group rules.`,
        );
      }
      if (!dropPoliciesOf(attempt, 'address_group', id)) return unfinished;
      refundQuota(change, row.record.projectId, { address_group: 1 });
      addressGroupTable.remove(change, row);
      return undefined;
    });
  }

  #change(
    context: RequestContext,
    id: string,
    edit: (group: shoal.v1.AddressGroup) => shoal.v1.AddressGroup.$Properties,
  ): Promise<shoal.v1.AddressGroup> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row: Row<shoal.v1.AddressGroup> = ownAddressGroup(context, reader, id);
      const next = new shoal.v1.AddressGroup({ ...edit(row.record), updatedMs: this.#deps.clock.nowMs() });
      addressGroupTable.update(change, row, next);
      return next;
    });
  }
}

/** The prefixes, without the bits beyond their length, each once. Throws 400 naming what is none. */
function prefixesOf(texts: readonly string[]): ReadonlySet<string> {
  if (texts.length > addressesMax) throw tooMany();
  return new Set(
    texts.map((text) => {
      const prefix = parsePrefix(text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);
      if (prefix === undefined) throw badAttribute('addresses', `'${text}' is not a valid IP subnet`);
      return formatPrefix(prefix);
    }),
  );
}

function listed(prefixes: readonly string[]): string {
  return `[${prefixes.map((prefix) => `'${prefix}'`).join(', ')}]`;
}

function tooMany(): Error {
  return badRequest(`An address group may have ${addressesMax} addresses at most.`);
}
