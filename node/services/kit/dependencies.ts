/** What the services need beside the state: each is a part of the agent, and a small fake in tests. */
import type { Readable } from 'node:stream';
import type { Explanation, HostExplanation } from '../../../placement/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import type { HostId, ServerId } from '../../base/ids.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { TransactionBuilder } from '../../state/table.ts';
import type { StateClient, StateReader } from '../../state/types.ts';

/** A host that has admitted a server: durable there, and void unless bound before it expires. */
export interface Placed {
  readonly hostId: HostId;
  readonly hostName: string;
  /** When it was looked for, chosen and admitted, wall clock, ms. Absent: not known. */
  readonly times?: { readonly beganMs: number; readonly chosenMs: number; readonly admittedMs: number };
  /** Whether so much time has passed that the host may have given the room away: then it must not be bound any more. */
  isTooOld(): boolean;
  /** Gives the claim back; failing to reach the host is no error, as the claim expires by itself. */
  release(): Promise<void>;
}

/** Finds a host and has it admit the server (DESIGN section 6). */
export interface Placer {
  /**
   * Filters, weighs, claims; the next candidate after a refusal, bounded.
   * Throws `NO_VALID_HOST` with `facts.filters` (counts for the owner) and `facts.hosts` (reasons, for administrators).
   */
  place(request: PlaceRequest, signal: AbortSignal): Promise<Placed>;
  /**
   * Places several alike servers as one batch, each seeing the ones before it: between `minCount` and all of `serverIds`,
   * in their order. Throws as `place` when fewer than `minCount` fit; nothing stays admitted then.
   * @param request its `serverId` is not looked at.
   */
  placeBatch(
    request: PlaceRequest,
    batch: { readonly serverIds: readonly ServerId[]; readonly minCount: number },
    signal: AbortSignal,
  ): Promise<readonly PlacedServer[]>;
}

/** One server of a batch with its place. */
export interface PlacedServer extends Placed {
  readonly serverId: ServerId;
}

/** Reads backups of the cloud in their stores. */
export interface CloudBackupCatalog {
  /** Those of one mesh, the newest first. Throws `UNAVAILABLE` for a store that this host cannot reach as it is configured. */
  list(storeUrl: string, meshId: string, signal: AbortSignal): Promise<readonly shoal.v1.CloudBackupView[]>;
  /**
   * Reads all of one; an empty id is the newest. Throws `NOT_FOUND`, and `IDENTITY_MISMATCH` or `LOG_CORRUPT` for one that is
   * damaged or of another key.
   */
  verify(
    storeUrl: string,
    wanted: { readonly meshId: string; readonly backupId: string },
    key: Uint8Array,
    signal: AbortSignal,
  ): Promise<shoal.v1.VerifyCloudBackupResponse>;
}

/** Asks the placement view of this agent without placing anything. */
export interface PlacementInquiry {
  explain(request: PlaceRequest): { readonly explanation: Explanation; readonly hosts: readonly HostExplanation[] };
  /** How many more like it fit, at most `countMax`. */
  whatIf(request: PlaceRequest, countMax: number): number;
}

/** What is to be placed. */
export interface PlaceRequest {
  readonly serverId: ServerId;
  readonly generation: number;
  readonly flavor: shoal.v1.Flavor;
  /** Absent: no image (boot from volume). */
  readonly image?: shoal.v1.Image;
  readonly projectId: string;
  readonly zone: string;
  /** Name of the storage pool that disks of its own go to. */
  readonly storage: string;
  /** Further pools that its host must reach, and GiB that are needed there: those of its volumes. Absent: none. */
  readonly volumePools?: readonly { readonly name: string; readonly gib: number }[];
  /** It boots from a volume: the flavor's root disk is not made. */
  readonly hasRootVolume?: boolean;
  /** Hosts that hold the guest already (a move): never chosen. */
  readonly excludeHostIds: readonly string[];
  /** An administrator's choice, by host name; filters other than capacity are skipped. */
  readonly forceHostName?: string;
  /** The same, by host name, but all filters are asked. */
  readonly hostName?: string;
  readonly schedulerHints: Readonly<Record<string, string>>;
  readonly group?: PlacementGroup;
}

/** A server group as placement sees it. */
export interface PlacementGroup {
  readonly id: string;
  /** `affinity`, `anti-affinity`, or their `soft-` variants. */
  readonly policy: string;
  /** Of anti-affinity: members that one host may have; 0 counts as 1. */
  readonly maxServerPerHost: number;
  /** One for each member that has a host; a host may be named more than once. */
  readonly memberHostIds: readonly string[];
}

/** What only a server's own host can do. Asked there directly or by peer RPC. */
export interface HostControl {
  /** Throws `UNAVAILABLE` when the host cannot be reached. */
  consoleLog(server: shoal.v1.Server, bytesMax: number, signal: AbortSignal): Promise<Uint8Array>;
  /**
   * Has the server's host do something to the guest at once. Throws `NOT_FOUND` when it has no such guest, `CONFLICT` when the
   * guest does not run, `UNAVAILABLE` when host or guest do not answer, `DRIVER_FAILED` when the guest refuses.
   */
  askGuest(server: shoal.v1.Server, question: GuestQuestion, signal: AbortSignal): Promise<void>;
  /**
   * Has the server's host let one session of a console in, for some minutes; returns the token that opens it. Needs no quorum.
   * Throws `NOT_FOUND` when it has no guest with a process, `UNAVAILABLE` when the host does not answer, `NOT_IMPLEMENTED` when
   * its version has no consoles.
   */
  grantConsole(server: shoal.v1.Server, asked: ConsoleAsked, signal: AbortSignal): Promise<string>;
  /** What the guest has and has used since its start. Throws as `grantConsole`. */
  diagnostics(server: shoal.v1.Server, signal: AbortSignal): Promise<shoal.v1.ServerDiagnostics>;
  /** This agent's host. */
  readonly hostId: HostId;
  /**
   * Without quorum, and only for servers of this very host: notes durably what its owner wants, acts on it, and commits
   * it once there is a quorum again. Throws `NO_QUORUM` for servers of other hosts.
   */
  intendLocally(server: shoal.v1.Server, change: LocalIntent): Promise<void>;
  /** Intentions not yet committed, laid over the record for readers at this agent. */
  withLocalIntents(server: shoal.v1.Server): shoal.v1.Server;
}

/** What a guest is asked at once. */
export type GuestQuestion =
  | { readonly kind: 'crash-dump' }
  | { readonly kind: 'password'; readonly user: string; readonly password: string };

/** A guest's screen (RFB), or its first serial line. */
export type ConsoleKind = 'vnc' | 'serial';

/** Which console, and for whom. */
export interface ConsoleAsked {
  readonly kind: ConsoleKind;
  /** Secret: the caller's own token, with which a session ends. Empty: the operator at the machine. */
  readonly sessionToken: string;
}

/** What a console token lets in to. */
export interface GrantedConsole extends ConsoleAsked {
  readonly serverId: string;
  readonly hostId: HostId;
}

/** An open console. */
export interface ConsoleSession {
  readonly granted: GrantedConsole;
  /** What it shows. Ends with the guest, and when another session takes a serial line over. */
  readonly shown: AsyncIterable<Uint8Array>;
}

/** Consoles, by their tokens, at whichever host the guests are. */
export interface ConsoleDoor {
  /** What the token is of, without using it. Throws `NOT_FOUND`, `UNAVAILABLE` when its host does not answer. */
  look(token: string, signal: AbortSignal): Promise<GrantedConsole>;
  /**
   * Opens it; the token is used up by that. Throws as `look`, `CONFLICT` when the guest has no process any more, and `RATE_LIMITED`.
   * @param typed what it is told. Read no faster than the guest takes it.
   * @param signal ends it.
   */
  open(token: string, typed: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ConsoleSession>;
}

/** Asks hosts themselves. */
export interface HostProbe {
  /**
   * Whether the host's own agent answers now. False: it did not within a second or so, which may have many reasons.
   * Throws `CANCELLED` when the signal says so.
   */
  answers(hostId: HostId, signal: AbortSignal): Promise<boolean>;
}

/** What an owner may do to a guest while there is no quorum. */
export type LocalIntent =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'reboot'; readonly hard: boolean };

/** Image content on this host and its way from others. */
export interface ImageContent {
  /**
   * Takes an upload: bounded, hashed while it streams, inspected (real format against the declared one, no backing file).
   * Throws `TOO_LARGE`, `IMAGE_REFUSED`, `CANCELLED`; nothing is left then.
   */
  store(
    body: Readable,
    declared: { readonly diskFormat: string; readonly bytesMax: number },
    signal: AbortSignal,
  ): Promise<StoredImage>;
  /** Opens content by its address, here or from one of `holderIds`. Throws `UNAVAILABLE` when no holder answers. */
  open(sha256: string, holderIds: readonly string[], signal: AbortSignal): Promise<Readable>;
}

/** What an upload turned out to be. */
export interface StoredImage {
  readonly sizeBytes: number;
  readonly virtualSizeBytes: number;
  readonly md5: string;
  readonly sha256: string;
  readonly sha512: string;
  /** In no format that hosts know, and taken all the same because a setting says so: never opened. */
  readonly inert: boolean;
}

/** Given to every service. */
export interface ServiceDependencies {
  readonly state: StateClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A fresh UUID. */
  readonly newId: () => string;
}

/** What one host has seen of another that did not answer (node/mesh/rules/health-update.ts). */
interface HostAccusation {
  readonly from: string;
  readonly evidence?: 'unreachable' | 'stalled';
}

/** What gossip says of the hosts: hints for lists and for placement, never a reason to act on a guest. */
export interface HostViews {
  /** The newest advert of each host that has published one. */
  adverts(): readonly shoal.v1.Advert[];
  condition(hostId: string): 'alive' | 'suspect' | 'dead' | 'unknown';
  /** When a host was last known to be alive, wall clock, ms: now, for one that is. Undefined, or no such method: not known. */
  lastSeenMs?(hostId: string): number | undefined;
  /** Who accuses a host that is suspect or dead, and what each has seen; no such method: not known. */
  accusations?(hostId: string): readonly HostAccusation[];
  /** What a host's clock shows more than most hosts' clocks, ms; undefined, or no such method: not known. */
  clockOffsetMs?(hostId: string): number | undefined;
  /** Where a second agent with the host's key was met of late, `ip:port`; undefined, or no such method: none is known. */
  keyUsedTwiceAt?(hostId: string): string | undefined;
}

/**
 * Adds new secrets of the mesh to a transaction (node/mesh/identity/rekey.ts). Returns the number of the new mesh key.
 * @param going.removedHostId the host that goes with this transaction; undefined: all stay.
 * @param going.trusted nobody else has what it knew: tokens stay good for their time, and the authority stays.
 */
export type Rekey = (
  attempt: { readonly reader: StateReader; readonly change: TransactionBuilder },
  going: { readonly removedHostId?: string; readonly trusted: boolean },
) => number;

/**
 * Adds a new authority beside the present one to a transaction; returns the SHA-256 of its certificate. Unused tickets are void
 * with it, and nothing else is.
 */
export type AddAuthority = (attempt: {
  readonly reader: StateReader;
  readonly change: TransactionBuilder;
}) => Uint8Array;
