/**
 * What the part of an agent that keeps its host is built on (host-side.ts). Whatever is outside of this process comes in
 * here, so that production, the simulator and planted bugs differ in ports, and in nothing else.
 */
import type { Blobs } from '../../drivers/image/store.ts';
import type { HostColumns } from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';
import type { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { Prng } from '../base/prng.ts';
import type { Config } from '../config/options.ts';
import type { Claims } from '../host/claims/claim-book.ts';
import type { HostDrivers } from '../host/drivers.ts';
import type { OpenKey } from '../host/kinds/volume/kit/volume-spec.ts';
import type { HostLoad, Inventory } from '../host/machine/inventory.ts';
import type { PeerChannel } from '../host/peer-channel.ts';
import type { HostViews, ServiceDependencies } from '../services/kit/dependencies.ts';
import type { MetadataSettings } from '../services/network/metadata.ts';
import type { HostStore } from '../store/host/host-store.ts';
import type { HostObserver } from './host-observer.ts';

/** What is known of the hosts by gossip, and what this host tells of itself. Hints, and no authority on anything. */
export interface HostGossip extends HostViews {
  /** Placement's view of the hosts, kept in step with the adverts. */
  readonly columns: HostColumns;
  /** Takes in an advert that came with an answer. False: not newer, or not what it claims to be. */
  accept(signed: shoal.v1.ISignedAdvert): boolean;
  /** Something that the own advert tells has changed. Cheap. */
  changed(): void;
  /** The own advert, signed, as of now. */
  freshOwnAdvert(): shoal.v1.SignedAdvert;
  /** The least (epoch, sequence) that an advert of this host made from now on can have. */
  nextOwnAdvert(): { readonly epoch: number; readonly sequence: number };
}

/** The ports of one host. `Gossip` is what `gossip` makes: its owner starts and stops it. */
export interface HostPorts<Gossip extends HostGossip = HostGossip> {
  /** State, clock, logger and ids. */
  readonly services: ServiceDependencies;
  readonly random: Prng;
  readonly store: HostStore;
  /** Started. */
  readonly drivers: Pick<HostDrivers, 'compute' | 'storage' | 'network' | 'hypervisor'>;
  /** Opens keys (of encrypted volumes, of backups) that the state holds sealed. Absent: this host can open none. */
  readonly openKey?: OpenKey | undefined;
  /** Image content on this host. */
  readonly blobs: Blobs;
  /** What the machine has. */
  readonly inventory: Inventory;
  /** How busy the machine is now. */
  readonly load: () => Promise<HostLoad>;
  readonly peers: PeerChannel;
  /** Called once, when all is there that `ownAdvert` tells of. */
  readonly gossip: (ownAdvert: () => shoal.v1.IAdvert) => Gossip;
  /** Stands between the claims and those who ask for them. Default: nothing does. */
  readonly claims?: (inner: Claims) => Claims;
  readonly observer: HostObserver;
}

/** Whose ports they are, and how the host is set. */
export interface HostOptions {
  readonly config: Config;
  readonly hostId: HostId;
  readonly meshId: string;
  readonly metadata: MetadataSettings;
  /** Why this agent takes no part in consensus: it would never see what is placed here. Absent: it does. */
  readonly idle?: ShoalError | undefined;
  /** Ends what waits when the agent stops. */
  readonly signal: AbortSignal;
}
