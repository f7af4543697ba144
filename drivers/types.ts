/**
 * The three interfaces behind which a host's real things sit: compute (QEMU), storage (local qcow2 files, Ceph RBD) and
 * network (bridges, VXLAN, nftables). Each has a fake beside it, and one compliance suite for both (test/compliance/).
 *
 * Rules that every implementation keeps:
 * - Each call is idempotent: done again after a crash at any point it reaches the same end, or says why it cannot.
 * - Nothing is removed that was not named by the caller; what is found but unknown is listed, never touched.
 * - "Absent" is an answer only when the host was asked and said so. When it could not be asked: `CANNOT_TELL`.
 * - Everything that waits takes an `AbortSignal` and has a bound of its own.
 */
export type * from './types/compute.ts';
export type * from './types/diagnostics.ts';
export type * from './types/disk.ts';
export type * from './types/guest.ts';
export type * from './types/hardware.ts';
export type * from './types/live-move.ts';
export type * from './types/network.ts';
export type * from './types/storage.ts';
