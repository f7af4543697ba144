/** The public face of this folder. */

export { VxlanDriver } from './driver.ts';
export type { VxlanDeps, VxlanOptions } from './host/host.ts';
export { makeUnderlay, removeUnderlay, type Underlay, type UnderlayHost, type UnderlayOptions } from './lab.ts';
export { vniMax, vniMin } from './links/vni.ts';
export type { DnsForwarders } from './model/dns-forwarders.ts';
export { routerMac, serviceMac, tapName } from './model/names.ts';
