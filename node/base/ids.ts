/** Branded strings, so that two ids cannot be swapped silently. At run time they are plain strings. */
declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };

/** A host's identity: lower-case hex SHA-256 of its Ed25519 public key, first 32 digits. Never a name, never an address. */
export type HostId = Branded<'HostId'>;
/** A server (Nova); also names what its host keeps of it: guest, folder and notes. */
export type ServerId = Branded<'ServerId'>;
/** A network (Neutron). */
export type NetworkId = Branded<'NetworkId'>;
/** A subnet (Neutron). */
export type SubnetId = Branded<'SubnetId'>;
/** A port (Neutron): one interface of a server or router. */
export type PortId = Branded<'PortId'>;
/** A router (Neutron). */
export type RouterId = Branded<'RouterId'>;
/** An image (Glance). A caller may choose it, so it says nothing of the content: that is `ImageSha256`. */
export type ImageId = Branded<'ImageId'>;
/** SHA-256 of an image's content, in lower-case hex: what storage names its copies by. Ids may be anybody's; content is not. */
export type ImageSha256 = Branded<'ImageSha256'>;
/** A disk, as storage drivers name it: a server's record has that of its root disk (`rootVolumeId`). */
export type VolumeId = Branded<'VolumeId'>;

/** A snapshot of one disk, as storage drivers name it. */
export type VolumeSnapshotId = Branded<'VolumeSnapshotId'>;

/** Consensus: a member's number in the Raft group, in [1, 2^53). 0 is "none". */
export type RaftId = number;

/**
 * The cell of every host: a mesh is one Raft group for now. The name is in the mesh's record, in every advert and in the
 * topics of gossip from the start, so that a second cell can come without renaming the first.
 */
export const firstCell = 'cell0';
