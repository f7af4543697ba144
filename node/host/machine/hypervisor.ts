/** What runs the guests of a host, as it was found at start. */
export interface Hypervisor {
  /** Nova's number: major * 1,000,000 + minor * 1,000 + micro; 0 when there is no hypervisor. */
  readonly version: number;
  /** The machine that guests see, such as `pc-i440fx-7.2`; empty when there is no hypervisor. */
  readonly machine: string;
  /** The processor that guests see: `host` is the machine's own. Empty when there is no hypervisor. */
  readonly guestCpu: string;
  /** Devices that it can give to guests (drivers/qemu/features.ts). */
  readonly devices: readonly string[];
  /** What guests can start with beside BIOS. */
  readonly firmware: { readonly uefi: boolean; readonly secureBoot: boolean };
}

/** For a host without a hypervisor. */
export const noHypervisor: Hypervisor = {
  version: 0,
  machine: '',
  guestCpu: '',
  devices: [],
  firmware: { uefi: false, secureBoot: false },
};
