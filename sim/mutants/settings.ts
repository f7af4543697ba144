/** What the seeds of planted bugs have in common, so that each bug can show soon. */
import type { SimOverrides } from '../settings/options.ts';

/** Faults under which consensus shows what it is worth. */
const crashes = ['agent-crash', 'agents-all-down', 'agent-pause', 'net-partition', 'net-isolate', 'net-pair'] as const;

export const consensus = {
  standbys: 2_000,
  hosts: 3,
  tenants: 0,
  racks: 0,
  faults: crashes,
  faultEveryMs: 500,
  faultForMs: 1_500,
  chaosMs: 30_000,
  graceMs: 60_000,
  unlikely: [],
} as const satisfies SimOverrides;

export const guests = {
  standbys: 2_000,
  hosts: 3,
  tenants: 2,
  racks: 0,
  faults: ['agent-crash', 'guest-crash'],
  faultEveryMs: 2_000,
  chaosMs: 30_000,
  logBytesMax: 64 * 1024 * 1024,
  unlikely: [],
} as const satisfies SimOverrides;

/** Users of volumes who lose no time. */
export const volumes = { ...guests, volumeThinkMs: 150, chaosMs: 60_000 } as const satisfies SimOverrides;

/** Voters without CPU, all at once, and now and then a kill. */
export const starved = {
  ...consensus,
  faults: ['agents-starved'],
  network: { delayMs: 0.3, jitterMs: 0.2, loss: 0, repeat: 0, overtake: 0 },
  faultEveryMs: 15_000,
  faultForMs: 4_000,
  chaosMs: 90_000,
  thinkMs: 100,
  clients: 6,
} as const;

/** Logs so short that followers need snapshots. */
export const snapshots = { ...consensus, logBytesMax: 20_000, thinkMs: 20, clients: 6, faultForMs: 4_000 } as const;

/** More than the hosts can take. */
export const crowd = { ...guests, tenants: 8, faults: ['gossip-stale', 'agent-crash'], faultEveryMs: 1_000 } as const;

/** Hosts that hold slices beside those that hold replicas, with guests on all of them. */
export const slices = {
  ...guests,
  hosts: 7,
  standbys: 0,
  tenants: 3,
  tenantThinkMs: 300,
  clients: 3,
  thinkMs: 100,
  faults: ['agent-crash', 'net-partition', 'net-isolate', 'agent-pause'],
  faultEveryMs: 1_000,
  faultForMs: 2_000,
} as const satisfies SimOverrides;

/** One host that does a little. */
export const few = { ...guests, hosts: 1, tenants: 1, chaosMs: 8_000, faults: [] } as const;
