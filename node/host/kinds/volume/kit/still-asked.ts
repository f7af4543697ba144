import type { shoal } from '../../../../../proto/messages.ts';
import { coverageMark } from '../../../../base/buggify/buggify.ts';
import { volumeTable } from '../../../../state/tables/index.ts';
import type { VolumeTools } from './tools.ts';

const markStepAskedNoMore = coverageMark(
  'volume-step-asked-no-more',
  'a host was about to overwrite or remove a volume on an old record',
);

/**
 * Whether a quorum still wants this host to do what the record says. A host that was cut off plans by a record that may be old:
 * meanwhile another host may have done it, and the volume may be in use again. What overwrites or removes content asks first.
 */
export async function isStillAsked(volume: shoal.v1.Volume, tools: VolumeTools): Promise<boolean> {
  const now = volumeTable.get(await tools.fresh(tools.signal), volume.id)?.record;
  const { hostId, status, askedRevision } = volume;
  const isSame = now?.hostId === hostId && now.status === status && now.askedRevision === askedRevision;
  if (!isSame) markStepAskedNoMore();
  return isSame;
}
