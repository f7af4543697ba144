/**
 * Some seeds have a theme: a few kinds of faults only, often and for long, in a world that is made for them. What needs two
 * rare things at once hardly ever happens where all kinds strike by turns.
 */
import type { Prng } from '../../node/base/prng.ts';
import type { SimOptions } from './options.ts';

/** Disks that are put back while hosts take servers away. */
export const diskPutBack = {
  hosts: 3,
  tenants: 4,
  tenantThinkMs: 300,
  hostVcpus: 8,
  faults: ['disk-rolled-back'],
  faultEveryMs: 300,
  faultForMs: 600,
  chaosMs: 60_000,
} as const satisfies Partial<SimOptions>;

/** Each fixes a part of a seed's options. */
const themes: readonly Partial<Omit<SimOptions, 'seed'>>[] = [
  // Full hosts, whose agents go on after the room that they were promised has been given away.
  { hosts: 3, tenants: 8, hostVcpus: 2, faults: ['agent-outlives-its-claim'], chaosMs: 120_000 },
  // Agents that stand still half-way, at any step.
  { faults: ['agent-freezes-at-step'], faultEveryMs: 500, chaosMs: 120_000 },
  // Disks that fail while agents die and come back.
  {
    hosts: 3,
    tenants: 0,
    logBytesMax: 20_000,
    faults: ['disk-rolled-back', 'disk-wipe', 'disk-rot', 'agent-crash', 'leader-moves', 'agent-failpoint'],
    faultEveryMs: 500,
  },
  diskPutBack,
];

/** One seed in so many has a theme. */
const seedsPerTheme = 10;

/** What the theme of a seed fixes; nothing for most seeds. */
export function drawTheme(random: Prng): Partial<Omit<SimOptions, 'seed'>> {
  return random.below(seedsPerTheme) === 0 ? random.pick(themes) : {};
}
