import { transact } from '../../../../../node/services/kit/transact.ts';
import { hostTable } from '../../../../../node/state/tables/index.ts';
import { addHost } from '../../../../node/services/world.ts';
import type { EffectCloud } from '../../effects/effects.ts';

/** What `work` finds with a host that is new and has no servers, which may change its zone; the host goes again. */
export async function withEmptyHost<T>(cloud: EffectCloud, work: (host: string) => Promise<T>): Promise<T> {
  const { name, id } = await addHost(cloud.world, 9);
  try {
    return await work(name);
  } finally {
    await transact(cloud.world.deps, cloud.world.admin, ({ reader, change }) =>
      hostTable.remove(change, hostTable.must(reader, id)),
    );
  }
}
