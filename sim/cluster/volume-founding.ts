/** Types of volumes that a world begins with, where it has volumes. */
import type { HostAgent } from '../agents/host-agent.ts';
import { consistentGroups, typesOfPools } from '../settings/volume-types.ts';
import { contextOf } from '../workload/agents.ts';

/** An operator makes them, through one agent. */
export async function makeVolumeTypes({ services }: HostAgent): Promise<void> {
  const context = contextOf('operators', ['admin']);
  for (const [pool, name] of Object.entries(typesOfPools)) {
    await services.volume.types.create(context, { name, extraSpecs: { 'shoal:storage': pool } });
  }
  const groupSpecs = { consistent_group_snapshot_enabled: '<is> True' };
  await services.volume.groupTypes.create(context, { name: consistentGroups, groupSpecs });
}
