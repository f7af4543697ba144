/** Branded strings, so that two ids cannot be swapped silently. At run time they are plain strings. */
declare const brand: unique symbol;
type Branded<B extends string> = string & { readonly [brand]: B };

/** A host's identity: lower-case hex SHA-256 of its Ed25519 public key, first 32 digits. Never a name, never an address. */
export type HostId = Branded<'HostId'>;
export type ServerId = Branded<'ServerId'>;
export type NetworkId = Branded<'NetworkId'>;
export type SubnetId = Branded<'SubnetId'>;
export type PortId = Branded<'PortId'>;
export type RouterId = Branded<'RouterId'>;
export type ImageId = Branded<'ImageId'>;
/** SHA-256 of an image's content, in lower-case hex: what storage names its copies by. Ids may be anybody's; content is not. */
export type ImageSha256 = Branded<'ImageSha256'>;
export type VolumeId = Branded<'VolumeId'>;

/** Consensus: a member's number in the Raft group, in [1, 2^53). 0 is "none". */
export type RaftId = number;
