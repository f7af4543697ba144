/**
 * What can be done to a server in which state, as `node/services/compute/machine/verbs.ts` has it; pure. The API decides: here it
 * is only known so that no button leads to a refusal.
 */
import { texts } from '../../kit/texts.ts';

/** What a verb asks first. */
export interface VerbField {
  readonly key: string;
  readonly label: string;
  readonly kind: 'text' | 'password' | 'flavor' | 'image' | 'snapshot-name';
  readonly isOptional?: boolean;
}

/** One thing that can be done. */
export interface Verb {
  readonly key: keyof typeof texts.verbs;
  /** Nova's `vm_state`s in which it can. */
  readonly states: readonly string[];
  readonly body: (values: Readonly<Record<string, string>>) => object;
  /** As `openstack server COMMAND`. */
  readonly command: string;
  readonly fields?: readonly VerbField[];
  /** What is lost by it; it asks first. */
  readonly losses?: (name: string) => readonly string[];
  readonly forOperators?: boolean;
  /** It is allowed while a task is under way, or while the server is locked. */
  readonly passesTask?: boolean;
  readonly passesLock?: boolean;
}

/** As far as verbs look at one. */
interface VerbTarget {
  readonly locked: boolean;
  readonly 'OS-EXT-STS:vm_state': string;
  readonly 'OS-EXT-STS:task_state': string | null;
}

const all = [
  'building',
  'active',
  'stopped',
  'paused',
  'suspended',
  'resized',
  'rescued',
  'shelved',
  'shelved_offloaded',
  'error',
];
const { fields, losses } = texts.verbWords;

const plain = (key: Verb['key'], action: string, command: string, states: readonly string[]): Verb => ({
  key,
  states,
  command,
  body: () => ({ [action]: null }),
});

/** In the order in which they stand. */
export const verbs: readonly Verb[] = [
  plain('start', 'os-start', 'start', ['stopped']),
  plain('stop', 'os-stop', 'stop', ['active', 'error']),
  {
    ...plain('reboot', '', 'reboot --soft', ['active']),
    body: () => ({ reboot: { type: 'SOFT' } }),
    passesTask: true,
  },
  {
    ...plain('hardReboot', '', 'reboot --hard', ['active', 'stopped', 'paused', 'suspended', 'error']),
    body: () => ({ reboot: { type: 'HARD' } }),
    losses: (name) => [losses.hardReboot(name)],
    passesTask: true,
  },
  plain('pause', 'pause', 'pause', ['active']),
  plain('unpause', 'unpause', 'unpause', ['paused']),
  plain('suspend', 'suspend', 'suspend', ['active']),
  plain('resume', 'resume', 'resume', ['suspended']),
  plain('shelve', 'shelve', 'shelve', ['active', 'stopped', 'paused', 'suspended']),
  plain('unshelve', 'unshelve', 'unshelve', ['shelved', 'shelved_offloaded']),
  {
    ...plain('image', '', 'image create', ['active', 'stopped', 'paused', 'suspended']),
    fields: [{ key: 'name', label: fields.imageName, kind: 'snapshot-name' }],
    body: ({ name = '' }) => ({ createImage: { name } }),
    passesLock: true,
  },
  {
    ...plain('resize', '', 'resize --flavor FLAVOR', ['active', 'stopped']),
    fields: [{ key: 'flavor', label: fields.flavor, kind: 'flavor' }],
    body: ({ flavor = '' }) => ({ resize: { flavorRef: flavor } }),
    losses: (name) => [losses.resize(name)],
  },
  plain('confirmResize', 'confirmResize', 'resize confirm', ['resized']),
  plain('revertResize', 'revertResize', 'resize revert', ['resized']),
  {
    ...plain('rescue', '', 'rescue', ['active', 'stopped', 'error']),
    fields: [{ key: 'image', label: fields.rescueImage, kind: 'image', isOptional: true }],
    body: ({ image = '' }) => ({ rescue: image === '' ? null : { rescue_image_ref: image } }),
    losses: (name) => [losses.rescue(name)],
  },
  plain('unrescue', 'unrescue', 'unrescue', ['rescued']),
  {
    ...plain('rebuild', '', 'rebuild --image IMAGE', ['active', 'stopped', 'error']),
    fields: [{ key: 'image', label: fields.image, kind: 'image' }],
    body: ({ image = '' }) => ({ rebuild: { imageRef: image } }),
    losses: (name) => [losses.rebuild(name)],
  },
  {
    ...plain('password', '', 'set --password PASSWORD', ['active']),
    fields: [{ key: 'password', label: fields.password, kind: 'password' }],
    body: ({ password = '' }) => ({ changePassword: { adminPass: password } }),
  },
  { ...plain('lock', 'lock', 'lock', all), passesTask: true, passesLock: true },
  { ...plain('unlock', 'unlock', 'unlock', all), passesTask: true, passesLock: true },
  { ...plain('crashDump', 'trigger_crash_dump', 'dump create', ['active', 'paused', 'error']) },
  {
    ...plain('migrate', '', 'migrate', ['active', 'stopped']),
    body: () => ({ migrate: null }),
    losses: (name) => [losses.migrate(name)],
    forOperators: true,
    passesLock: true,
  },
  {
    ...plain('liveMigrate', '', 'migrate --live-migration', ['active', 'paused']),
    body: () => ({ 'os-migrateLive': { host: null, block_migration: 'auto' } }),
    forOperators: true,
    passesLock: true,
  },
  {
    ...plain('resetState', '', 'set --state active', all),
    body: () => ({ 'os-resetState': { state: 'active' } }),
    losses: (name) => [losses.resetState(name)],
    forOperators: true,
    passesTask: true,
    passesLock: true,
  },
];

/** Those that the server's state allows, each with the reason why it cannot be just now; '' for none. */
export function verbsFor(
  server: VerbTarget,
  isOperator: boolean,
): readonly { readonly verb: Verb; readonly obstacle: string }[] {
  const task = server['OS-EXT-STS:task_state'] ?? '';
  return verbs
    .filter(({ states }) => states.includes(server['OS-EXT-STS:vm_state']))
    .filter(({ forOperators }) => forOperators !== true || isOperator)
    .filter(({ key }) => (key === 'lock' ? !server.locked : key === 'unlock' ? server.locked : true))
    .map((verb) => {
      if (task !== '' && verb.passesTask !== true) return { verb, obstacle: texts.verbWords.underWay(task) };
      if (server.locked && !isOperator && verb.passesLock !== true) return { verb, obstacle: texts.verbWords.locked };
      return { verb, obstacle: '' };
    });
}
