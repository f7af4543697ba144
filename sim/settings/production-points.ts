/**
 * The points of production code (node/base/buggify/buggify.ts) by name. The parts of the product that declare any are loaded
 * here, so that a seed draws from the same names whatever else is loaded. `test/sim/production-points.test.ts` fails when a
 * part is missing.
 */
import '../../node/cluster/placer.ts';
import '../../node/consensus/client/state-client.ts';
import '../../node/consensus/loop/loop.ts';
import '../../node/host/backup/backup.ts';
import '../../node/host/claims/claim-book.ts';
import '../../node/host/claims/claim-handlers.ts';
import '../../node/host/engine/stepped-kind.ts';
import '../../node/host/host-loop.ts';
import '../../node/host/jobs/job-runner.ts';
import '../../node/host/jobs/kinds/live-migration.ts';
import '../../node/host/jobs/kinds/takeover.ts';
import '../../node/host/jobs/kinds/volume-backup.ts';
import '../../node/host/jobs/kinds/volume-backup-expire.ts';
import '../../node/host/jobs/kinds/volume-backup-verify.ts';
import '../../node/host/jobs/kinds/volume-copy.ts';
import '../../node/host/jobs/moves/guest-goes-over.ts';
import '../../node/host/jobs/kinds/volume-migrate.ts';
import '../../node/host/jobs/kinds/volume-reimage.ts';
import '../../node/host/jobs/kinds/volume-restore.ts';
import '../../node/host/jobs/kinds/volume-swap.ts';
import '../../node/host/jobs/kinds/server-image.ts';
import '../../node/host/jobs/kinds/volume-upload.ts';
import '../../node/host/kinds/network/network-kinds.ts';
import '../../node/host/kinds/server/server-kind.ts';
import '../../node/host/kinds/volume/volume-kind.ts';
import '../../node/host/kinds/volume-snapshot/volume-snapshot-kind.ts';
import '../../node/host/outage/intent-book.ts';
import '../../node/host/outage/pending-reports.ts';
import '../../node/host/outage/storage-signs.ts';
import '../../node/host/outage/undecided-switches.ts';
import '../../node/host/tasks/move-volumes-off-down-hosts.ts';
import '../../node/host/tasks/reseal-secrets.ts';
import '../../node/services/compute/host-reports.ts';
import '../../node/services/compute/index.ts';
import '../../node/services/volume/host-reports.ts';
import '../../node/store/index.ts';
import { declaredPoints, type PointKind } from '../../node/base/buggify/declared-points.ts';

/** The names of one kind, sorted. */
export function productionPoints(kind: PointKind): readonly string[] {
  return declaredPoints(kind).map(({ name }) => name);
}
