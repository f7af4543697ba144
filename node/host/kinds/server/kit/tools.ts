/** What the steps of a server work with. */
import type { ComputeDriver, ImageFile, StorageDriver } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import type { HostId, PortId } from '../../../../base/ids.ts';
import type { HostReports } from '../../../../services/kit/reporting/host-reporting.ts';
import type { ReceivingReports } from '../../../../services/kit/reporting/live-move-reporting.ts';
import type { NicReports } from '../../../../services/kit/reporting/nic-reporting.ts';
import type { VolumeReports } from '../../../../services/kit/reporting/volume-reporting.ts';
import type { StateReader } from '../../../../state/types.ts';
import type { HostStore } from '../../../../store/host/host-store.ts';
import type { PowerOffNotes } from '../../../outage/power-off-notes.ts';
import type { RevisionFence } from '../../../outage/revision-fence.ts';
import type { VolumeKeyTools } from '../../volume/kit/volume-spec.ts';
import type { AppliedLimits } from './applied-limits.ts';
import type { RebootNotes } from './reboot-notes.ts';
import type { StepEvents } from './step-events.ts';

/** What this host gives to the steps of its servers. */
export interface ServerPorts extends VolumeKeyTools {
  readonly hostId: HostId;
  readonly compute: ComputeDriver;
  /** By the name that a server's record says. */
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly store: HostStore;
  readonly reports: HostReports;
  readonly receivingReports: ReceivingReports;
  readonly volumeReports: VolumeReports;
  readonly nicReports: NicReports;
  /** The image's content as a verified local file, fetched from another host if need be. */
  readonly imageFile: (image: shoal.v1.Image, signal: AbortSignal) => Promise<ImageFile>;
  /** The tap of a port; undefined: it is not plugged on this host yet. */
  readonly tapName: (portId: PortId) => string | undefined;
  /** Unit: bytes. */
  readonly mtu: (networkId: string) => number;
}

/** The same for one step. */
export interface ServerTools extends ServerPorts {
  readonly powerOffs: PowerOffNotes;
  readonly reboots: RebootNotes;
  readonly revisionFence: RevisionFence;
  readonly appliedLimits: AppliedLimits;
  /** What the step does, for the history of the server's actions. */
  readonly events: StepEvents;
  /** The replica here, as it goes on. */
  readonly reader: StateReader;
  /** Ends when the agent stops. */
  readonly signal: AbortSignal;
}
