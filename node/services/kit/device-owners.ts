/** Values of a port's `device_owner` that Shoal itself gives: who the port is for. */
export const deviceOwners = {
  dhcp: 'network:dhcp',
  routerInterface: 'network:router_interface',
  routerGateway: 'network:router_gateway',
  floatingIp: 'network:floatingip',
  compute: 'compute:nova',
} as const;
