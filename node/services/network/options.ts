/** What the network service is told when the agent starts. */
export interface NetworkOptions {
  /** MTU of the links between hosts, bytes. */
  readonly underlayMtu: number;
  /** MTU of the wires of external networks, bytes: plain Ethernet, or less where the hosts' interface says less. */
  readonly externalMtu: number;
  /** Name of the physical network behind external networks that name none. */
  readonly externalPhysicalNetwork: string;
}

/** Bytes that VXLAN over IPv4 adds to each frame: outer Ethernet 14, IPv4 20, UDP 8, VXLAN 8. */
export const vxlanOverheadBytes = 50;
/** Smallest MTU of a network, bytes: what every IPv4 host must be able to take in one piece (RFC 791). */
export const mtuMin = 576;

/**
 * Plain Ethernet on both sides: tenant networks get 1450 bytes, external ones 1500. For agents that were told nothing
 * else.
 */
export const defaultNetworkOptions: NetworkOptions = {
  underlayMtu: 1500,
  externalMtu: 1500,
  externalPhysicalNetwork: 'external',
};
