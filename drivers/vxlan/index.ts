/** The public face of this folder. */

export type { DnsForwarders } from './dns-forwarders.ts';
export { VxlanDriver } from './driver.ts';
export type { VxlanDeps, VxlanOptions } from './host.ts';
export { makeUnderlay, removeUnderlay, type Underlay, type UnderlayHost, type UnderlayOptions } from './lab.ts';
export { routerMac, serviceMac, tapName } from './names.ts';
export { vniMax, vniMin, vxlanOverheadBytes } from './vni.ts';
