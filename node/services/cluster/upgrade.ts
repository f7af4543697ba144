/** Upgrades of the agents: which release each member runs, and putting into force what all of them can do. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { featureLevel } from '../../base/version.ts';
import { levelInForce, levelOfMember } from '../../state/tables/feature-level.ts';
import { hostTable, meshTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { HostViews, ServiceDependencies } from '../kit/dependencies.ts';
import { transact } from '../kit/transact.ts';

/** Members named in a refusal; the rest are counted. */
const namedMax = 10;

/** A member and what its release can do. */
interface Member {
  readonly hostId: string;
  readonly hostName: string;
  readonly version: string;
  readonly featureLevel: number;
}

/** See above. Authorisation is the gateway's. */
export class UpgradeService {
  readonly #deps: ServiceDependencies;
  readonly #views: Pick<HostViews, 'condition' | 'adverts'>;
  readonly #own: number;

  /** @param own the level that this agent can do. */
  constructor(deps: ServiceDependencies, views: Pick<HostViews, 'condition' | 'adverts'>, own = featureLevel) {
    this.#deps = deps;
    this.#views = views;
    this.#own = own;
  }

  /** Each member by name, with its release and level. */
  status(reader: StateReader): Omit<shoal.v1.IGetUpgradeResponse, 'stale'> {
    const members = this.#members(reader).map((member) => ({
      ...member,
      condition: this.#views.condition(member.hostId),
    }));
    return { featureLevel: levelInForce(reader), ownFeatureLevel: this.#own, members };
  }

  /**
   * By their records, and by what they say of themselves now: a release of before the levels leaves in its record what a newer one
   * has written there.
   */
  #members(reader: StateReader): readonly Member[] {
    const adverts = new Map(this.#views.adverts().map((advert) => [advert.hostId, advert]));
    return hostTable
      .list(reader)
      .map(({ record }) => {
        const said = adverts.get(record.id);
        const recorded = levelOfMember(record);
        return {
          hostId: record.id,
          hostName: record.name,
          version: said?.agentVersion || record.version,
          featureLevel: said === undefined ? recorded : Math.min(recorded, levelOfMember(said)),
        };
      })
      .sort((a, b) => (a.hostName < b.hostName ? -1 : 1));
  }

  /**
   * Puts this agent's level into force; done already, it changes nothing. A member that is down counts: it would come back and not
   * start. Throws `CONFLICT`, naming the members that cannot do it.
   */
  async finalize(context: Pick<RequestContext, 'signal'>): Promise<number> {
    const level = await transact(this.#deps, context, ({ reader, change }) => {
      const inForce = levelInForce(reader);
      if (inForce >= this.#own) return inForce;
      const older = this.#members(reader).filter((member) => member.featureLevel < this.#own);
      if (older.length > 0) throw olderMembers(older, this.#own);
      const row = meshTable.must(reader, 'mesh');
      // A host that joins meanwhile counts itself in this row, and this is decided again.
      meshTable.update(change, row, new shoal.v1.Mesh({ ...row.record, featureLevel: this.#own }));
      return this.#own;
    });
    this.#deps.logger.info({ featureLevel: level }, 'the upgrade is finalised');
    return level;
  }
}

function olderMembers(older: readonly Member[], level: number): ShoalError {
  const named = older
    .slice(0, namedMax)
    .map((member) => `${member.hostName} (${member.version}, level ${member.featureLevel})`);
  const more = older.length > namedMax ? ` and ${older.length - namedMax} more` : '';
  return new ShoalError(
    'CONFLICT',
    `Feature level ${level} cannot be put in force: ${named.join(', ')}${more} cannot do it. Upgrade their agents and start them once, ` +
      'or remove the hosts.',
    { facts: { hosts: older.length, level } },
  );
}
