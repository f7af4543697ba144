/** Every verb of a server in every situation: taken or refused as stated, in Nova's words, and drawn in the README. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { GuestFound } from '../../../../../drivers/types.ts';
import type { HostId, ServerId } from '../../../../../node/base/ids.ts';
import { planServer } from '../../../../../node/host/plan/server-plan.ts';
import { fieldsOf, judge, type Situation } from '../../../../../node/services/compute/machine/server-machine.ts';
import { type VerbRule, verbs } from '../../../../../node/services/compute/machine/verbs.ts';
import { vmState, vmStates } from '../../../../../node/services/compute/machine/vm-state.ts';
import { shoal } from '../../../../../proto/messages.ts';
import { machineTable, restful, verbNames } from './machine-table.ts';

const { PowerWanted, ServerStatus } = shoal.v1;
const readmePath = new URL('../../../../../node/services/compute/machine/README.md', import.meta.url);
const tasks = ['', 'spawning', 'powering-off', 'rebooting', 'resize_migrating', 'deleting'];
const booleans = [false, true];

function* allSituations(): Generator<Situation> {
  for (const state of vmStates) {
    for (const task of tasks) {
      for (const isLocked of booleans) {
        for (const isDeleting of booleans) {
          for (const hasHost of booleans) yield { id: 'ID', vmState: state, task, isLocked, isDeleting, hasHost };
        }
      }
    }
  }
}

void t.test('the README draws the machine as it is', (t) => {
  const drawn = machineTable();
  const readme = readFileSync(readmePath, 'utf8');
  t.ok(readme.includes(drawn), `node/services/compute/machine/README.md must have this table:\n${drawn}`);
  t.end();
});

void t.test('every verb in every situation is taken, or refused in words of Nova that name what is in the way', (t) => {
  let accepted = 0;
  for (const verb of verbNames) {
    const rule: VerbRule = verbs[verb];
    for (const situation of allSituations()) {
      const verdict = judge(verb, situation);
      const { vmState: state, task, isLocked, isDeleting, hasHost } = situation;
      const label = `${verb} ${JSON.stringify(situation)}`;
      if (verdict.kind === 'accepted') {
        accepted += 1;
        t.ok(rule.from === undefined || rule.from.includes(state), `${label}: from ${state}`);
        t.notOk(isLocked && rule.lock === 'refuses', `${label}: locked`);
        t.notOk(isDeleting && rule.deletion !== undefined, `${label}: being deleted`);
        t.notOk(!hasHost && rule.host === 'needed', `${label}: no host`);
        if (task !== '' && rule.task !== undefined)
          t.equal(`${rule.task} ${state}`, 'refuses-unless-error error', label);
        continue;
      }
      const words = {
        gone: 'Instance ID could not be found.',
        locked: 'Instance ID is locked',
        'vm-state': `Cannot '${rule.action}' instance ID while it is in vm_state ${state}`,
        deleting: `Cannot '${rule.action}' instance ID while it is in task_state deleting`,
        task: `Cannot '${rule.action}' instance ID while it is in task_state ${task}`,
        'no-host': 'Instance ID has no host: it could not be placed',
      };
      if (verdict.message !== words[verdict.by]) t.fail(`${label}: ${verdict.message}`);
    }
  }
  t.ok(accepted > 0);
  t.end();
});

void t.test('in an outage the state of the record refuses nothing, but a lock and a deletion do', (t) => {
  for (const verb of verbNames) {
    const rule: VerbRule = verbs[verb];
    for (const state of vmStates) {
      const situation = { ...restful, vmState: state, task: 'powering-off' };
      const isLoss = state === 'suspended' && rule.from !== undefined && !rule.from.includes(state);
      t.equal(judge(verb, situation, 'outage').kind, isLoss ? 'refused' : 'accepted', `${verb} in ${state}`);
    }
    const isRefused = (change: Partial<Situation>): boolean =>
      judge(verb, { ...restful, ...change }, 'outage').kind === 'refused';
    t.equal(isRefused({ isLocked: true }), rule.lock === 'refuses', `${verb}, locked`);
    t.equal(isRefused({ isDeleting: true }), rule.deletion !== undefined, `${verb}, being deleted`);
  }
  t.end();
});

/** Statuses and guests of a server that is at rest in a state. */
const atRest = {
  active: {
    status: ServerStatus.SERVER_STATUS_ACTIVE,
    powerWanted: PowerWanted.POWER_WANTED_RUNNING,
    guest: 'running',
  },
  stopped: { status: ServerStatus.SERVER_STATUS_SHUTOFF, powerWanted: PowerWanted.POWER_WANTED_STOPPED, guest: '' },
  paused: { status: ServerStatus.SERVER_STATUS_PAUSED, powerWanted: PowerWanted.POWER_WANTED_PAUSED, guest: 'paused' },
  suspended: {
    ...{ status: ServerStatus.SERVER_STATUS_SUSPENDED, powerWanted: PowerWanted.POWER_WANTED_SUSPENDED },
    guest: 'suspended',
  },
  resized: {
    ...{ status: ServerStatus.SERVER_STATUS_ACTIVE, powerWanted: PowerWanted.POWER_WANTED_RUNNING, guest: 'running' },
    ...{ previousHostId: 'bb', releasedGeneration: 1, move: { kind: 'resize', phase: 'finished' } },
  },
  rescued: { status: ServerStatus.SERVER_STATUS_RESCUE, powerWanted: PowerWanted.POWER_WANTED_RUNNING, guest: '' },
  shelved: { status: ServerStatus.SERVER_STATUS_SHELVED, powerWanted: PowerWanted.POWER_WANTED_STOPPED, guest: '' },
  shelved_offloaded: {
    ...{ status: ServerStatus.SERVER_STATUS_SHELVED_OFFLOADED, powerWanted: PowerWanted.POWER_WANTED_STOPPED },
    guest: '',
  },
  error: { status: ServerStatus.SERVER_STATUS_ERROR, powerWanted: PowerWanted.POWER_WANTED_RUNNING, guest: '' },
  building: { status: ServerStatus.SERVER_STATUS_BUILD, powerWanted: PowerWanted.POWER_WANTED_RUNNING, guest: '' },
} as const;

/** What a step of the host's plan makes of the guest, and what it reports. */
const effects: Readonly<Record<string, { readonly guest: string; readonly endsIn: string }>> = {
  start: { guest: 'running', endsIn: 'active' },
  reboot: { guest: 'running', endsIn: 'active' },
  resume: { guest: 'running', endsIn: 'active' },
  stop: { guest: '', endsIn: 'stopped' },
  pause: { guest: 'paused', endsIn: 'paused' },
  suspend: { guest: 'suspended', endsIn: 'suspended' },
};

void t.test('the host does what each verb asks, from each state in which it is taken', (t) => {
  const self = 'aa' as HostId;
  const memory = {
    rebootsDone: 0,
    failed: false,
    disksFailed: false,
    unmadeVolumeIds: new Set<string>(),
    staleLimitIds: new Set<string>(),
  };
  for (const verb of verbNames) {
    for (const state of vmStates) {
      const verdict = judge(verb, { ...restful, vmState: state });
      if (verdict.kind === 'refused' || verdict.to === undefined) continue;
      const { guest: before, ...rest } = atRest[state];
      const record = new shoal.v1.Server({ id: 's1', hostId: self, generation: 1, ...rest });
      t.equal(vmState(record), state);
      const asked = new shoal.v1.Server({ ...record, ...fieldsOf(record, verdict.to), askedRevision: 1 });
      t.equal(asked.taskState, verdict.to.task);
      let power: string = before;
      let endsIn = '';
      for (let looks = 0; looks < 3 && endsIn !== verdict.to.endsIn; looks += 1) {
        const guest =
          power === ''
            ? undefined
            : ({ serverId: 's1' as ServerId, generation: 1, power, detail: power } as GuestFound);
        const step = planServer(asked, guest, memory, self, { stopGraceMs: 0 });
        if (step?.kind === 'report') {
          endsIn = { running: 'active', stopped: 'stopped', paused: 'paused', suspended: 'suspended' }[step.power];
          continue;
        }
        const effect = step === undefined ? undefined : effects[step.kind];
        if (effect === undefined) break;
        power = effect.guest;
        endsIn = effect.endsIn;
        if (step?.kind === 'start' || step?.kind === 'reboot') asked.rebootsDone = asked.rebootsWanted;
      }
      t.equal(endsIn, verdict.to.endsIn, `${verb} from ${state}`);
    }
  }
  t.end();
});
