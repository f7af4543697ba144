/** Every verb of a server: when it is taken, and what it asks of the server's host. The machine's whole table, as data. */
import type { VmState } from './vm-state.ts';

/** What an accepted verb asks of the host, and where the server is once the host has done it. */
export interface Transition {
  /** What the guest is brought to; absent: as it is. */
  readonly power?: 'running' | 'stopped' | 'paused' | 'suspended';
  /** Nova's task while it is under way. */
  readonly task: string;
  /** One more reboot is owed; `power` says what a guest that is off comes to instead. */
  readonly reboot?: 'soft' | 'hard';
  readonly endsIn: VmState;
}

/** One verb. What is absent does not matter to it. */
export interface VerbRule {
  /** Nova's word for it, in refusals and in the history of actions. */
  readonly action: string;
  /** The states in which it is taken; absent: all. */
  readonly from?: readonly VmState[];
  /**
   * What a task under way does: `refuses`; `refuses-unless-error`: a server in ERROR has nobody who would end its task;
   * absent: nothing.
   */
  readonly task?: 'refuses' | 'refuses-unless-error';
  /** A lock refuses it to all but administrators. */
  readonly lock?: 'refuses';
  /** What a deletion that is under way does: `refuses` (409), or `hides` the server (404). */
  readonly deletion?: 'refuses' | 'hides';
  /** A server without a host refuses it. */
  readonly host?: 'needed';
  /**
   * Without a quorum: `own-host`, the server's own host takes it on its own account; `any-agent`, it changes no record, and is
   * asked of that host through any agent.
   */
  readonly outage?: 'own-host' | 'any-agent';
  /** What becomes of it; absent: nothing that a host has to do. */
  readonly to?: Transition;
}

const asked = { lock: 'refuses', deletion: 'refuses', host: 'needed' } as const;
const edited = { lock: 'refuses', deletion: 'hides' } as const;
// A server that is offloaded has no host: its volumes are noted, and plugged in where it is unshelved.
const pluggedFrom = ['active', 'stopped', 'paused', 'resized', 'shelved_offloaded'] as const;
const plugged = { lock: 'refuses', deletion: 'refuses', from: pluggedFrom } as const;
const interfacedFrom = ['active', 'stopped', 'paused'] as const;
const imagedFrom = ['active', 'stopped', 'paused', 'suspended'] as const;
const imaged = { deletion: 'refuses', host: 'needed', task: 'refuses', from: imagedFrom } as const;

/** By their names here: Nova's words for its actions, but for the two kinds of reboot. */
export const verbs = {
  start: {
    ...{ action: 'start', ...asked, from: ['stopped'], task: 'refuses-unless-error', outage: 'own-host' },
    to: { power: 'running', task: 'powering-on', endsIn: 'active' },
  },
  stop: {
    ...{ action: 'stop', ...asked, from: ['active', 'error'], task: 'refuses-unless-error', outage: 'own-host' },
    to: { power: 'stopped', task: 'powering-off', endsIn: 'stopped' },
  },
  // A reboot is the way out of any task: the guest may hang, and with it what was asked of it.
  'reboot-soft': {
    ...{ action: 'reboot', ...asked, from: ['active'], outage: 'own-host' },
    to: { power: 'running', task: 'rebooting', reboot: 'soft', endsIn: 'active' },
  },
  'reboot-hard': {
    ...{ action: 'reboot', ...asked, from: ['active', 'stopped', 'paused', 'suspended', 'error'], outage: 'own-host' },
    to: { power: 'running', task: 'rebooting_hard', reboot: 'hard', endsIn: 'active' },
  },
  pause: {
    ...{ action: 'pause', ...asked, from: ['active'], task: 'refuses-unless-error' },
    to: { power: 'paused', task: 'pausing', endsIn: 'paused' },
  },
  unpause: {
    ...{ action: 'unpause', ...asked, from: ['paused'], task: 'refuses-unless-error' },
    to: { power: 'running', task: 'unpausing', endsIn: 'active' },
  },
  suspend: {
    ...{ action: 'suspend', ...asked, from: ['active'], task: 'refuses-unless-error' },
    to: { power: 'suspended', task: 'suspending', endsIn: 'suspended' },
  },
  resume: {
    ...{ action: 'resume', ...asked, from: ['suspended'], task: 'refuses-unless-error' },
    to: { power: 'running', task: 'resuming', endsIn: 'active' },
  },
  // An operator's word against the record's: the way out when the record says what is not so.
  'reset-state': { action: 'reset_state', deletion: 'hides', host: 'needed' },
  trigger_crash_dump: {
    ...{ action: 'trigger_crash_dump', ...asked, from: ['active', 'paused', 'error'], task: 'refuses' },
  },
  changePassword: { action: 'changePassword', ...asked, from: ['active'], task: 'refuses' },
  // As with Nova, a lock keeps nobody from making images: they change nothing of the server.
  createImage: { action: 'createImage', ...imaged },
  createBackup: { action: 'createBackup', ...imaged },
  // They look, and ask nothing of what the guest does.
  get_console: { action: 'get_vnc_console', deletion: 'refuses', host: 'needed', outage: 'any-agent' },
  get_diagnostics: { action: 'get_diagnostics', deletion: 'refuses', host: 'needed', outage: 'any-agent' },
  // For operators, of a host that is down: whatever the server was at is over.
  evacuate: { action: 'evacuate', deletion: 'refuses', host: 'needed', from: ['active', 'stopped', 'error'] },
  // Its disks are made of an image again; what else it is stays. It comes back as it was: on, or off.
  rebuild: {
    ...{ action: 'rebuild', ...asked, from: ['active', 'stopped', 'error'], task: 'refuses' },
  },
  rescue: {
    ...{ action: 'rescue', ...asked, from: ['active', 'stopped', 'error'], task: 'refuses' },
  },
  unrescue: {
    ...{ action: 'unrescue', ...asked, from: ['rescued'], task: 'refuses' },
  },
  // Its host lets go of it once an image of its disk is made.
  shelve: { action: 'shelve', ...asked, from: imagedFrom, task: 'refuses' },
  shelveOffload: { action: 'shelveOffload', ...asked, from: ['shelved'], task: 'refuses' },
  unshelve: {
    ...{ action: 'unshelve', lock: 'refuses', deletion: 'refuses' },
    ...{ from: ['shelved', 'shelved_offloaded'], task: 'refuses' },
  },
  resize: { action: 'resize', ...asked, from: ['active', 'stopped'], task: 'refuses' },
  // For administrators, whom no lock holds.
  migrate: { action: 'migrate', deletion: 'refuses', host: 'needed', from: ['active', 'stopped'], task: 'refuses' },
  // While it runs, or is paused. For administrators, too.
  'os-migrateLive': {
    ...{ action: 'os-migrateLive', deletion: 'refuses', host: 'needed' },
    ...{ from: ['active', 'paused'], task: 'refuses' },
  },
  confirmResize: { action: 'confirmResize', ...asked, from: ['resized'], task: 'refuses' },
  // Also of a move that is not done yet: the way back when a host does not answer.
  revertResize: { action: 'revertResize', lock: 'refuses', deletion: 'refuses' },
  attach_volume: { action: 'attach_volume', ...plugged, task: 'refuses' },
  swap_volume: {
    action: 'swap_volume',
    lock: 'refuses',
    deletion: 'refuses',
    from: ['active', 'paused'],
    task: 'refuses',
    host: 'needed',
  },
  // Two volumes may be on their way out at once, and one whose host is busy too.
  detach_volume: { action: 'detach_volume', ...plugged },
  attach_interface: { action: 'attach_interface', ...asked, task: 'refuses', from: interfacedFrom },
  detach_interface: { action: 'detach_interface', ...asked, task: 'refuses', from: interfacedFrom },
  addSecurityGroup: { action: 'addSecurityGroup', lock: 'refuses' },
  removeSecurityGroup: { action: 'removeSecurityGroup', lock: 'refuses' },
  metadata: { action: 'update_metadata', ...edited },
  tags: { action: 'update_tags', ...edited },
  update: { action: 'update', deletion: 'hides' },
  lock: { action: 'lock', deletion: 'hides' },
  unlock: { action: 'unlock', deletion: 'hides' },
  // Asked twice, it is asked once.
  delete: { action: 'delete', lock: 'refuses' },
} as const satisfies Readonly<Record<string, VerbRule>>;

/** The name of a verb. */
export type ServerVerb = keyof typeof verbs;

/** Verbs that ask something of the server's host. */
export type HostVerb = {
  [Verb in ServerVerb]: (typeof verbs)[Verb] extends { readonly to: Transition } ? Verb : never;
}[ServerVerb];
