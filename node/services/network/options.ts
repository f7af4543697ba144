/** What the network service is told when the agent starts. */
export interface NetworkOptions {
  /** MTU of tenant networks, bytes: that of the links between hosts without what VXLAN adds. */
  readonly tenantMtu: number;
  /** MTU of the wires of external networks, bytes: plain Ethernet, or less where the hosts' interface says less. */
  readonly externalMtu: number;
  /** Name of the physical network behind external networks that name none. */
  readonly externalPhysicalNetwork: string;
}

/** Smallest MTU of a network, bytes: what every IPv4 host must be able to take in one piece (RFC 791). */
export const mtuMin = 576;
/** Smallest MTU of a network with IPv6, bytes (RFC 8200, section 5). */
export const mtuMin6 = 1_280;

/**
 * Plain Ethernet on both sides: tenant networks get 1450 bytes, external ones 1500. For agents that were told nothing
 * else.
 */
export const defaultNetworkOptions: NetworkOptions = {
  tenantMtu: 1450,
  externalMtu: 1500,
  externalPhysicalNetwork: 'external',
};
