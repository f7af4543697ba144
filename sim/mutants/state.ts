/** Bugs planted in the state machine, its watches, and in what services write. */

import { networkTable, portTable, serverGroupTable, serverTable, volumeTable } from '../../node/state/tables/index.ts';
import type { Op, StateClient, StateEvent, Transaction } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';
import type { Mutant } from './mutant.ts';
import { consensus, guests, volumes } from './settings.ts';
import { stateClient } from './state-client.ts';

/** Every member applies something else than what was asked. */
function applying(edit: (transaction: Transaction) => Transaction): NonNullable<Mutant['command']> {
  return (_node, _index, command) => ({ ...command, transaction: edit(command.transaction) });
}

function puts(prefix: string, edit: (value: Uint8Array) => Uint8Array): NonNullable<Mutant['command']> {
  const change = (op: Op): Op =>
    op.kind === 'put' && op.key.startsWith(prefix) ? { ...op, value: edit(op.value) } : op;
  return applying((transaction) => ({ ...transaction, thenOps: transaction.thenOps.map(change) }));
}

/** Watchers hear something else than what happened. */
function watching(inner: StateClient, edit: (events: readonly StateEvent[]) => readonly StateEvent[]): StateClient {
  return stateClient(inner, {
    watch: (options, listener) =>
      inner.watch(options, (events) => {
        const told = edit(events);
        if (told.length > 0) listener(told);
      }),
  });
}

export const stateMutants = {
  'compares-ignored': {
    text: 'no member looks at what a transaction compares',
    overrides: { ...consensus, keys: 1, clients: 6, thinkMs: 20 },
    command: applying((transaction) => ({ ...transaction, compares: [] })),
  },
  'group-not-compared': {
    text: 'a server joins its group whatever has become of the group since it was placed',
    overrides: { ...guests, faults: [], tenants: 6, tenantThinkMs: 200, hostVcpus: 40, chaosMs: 60_000 },
    command: applying((transaction) => ({
      ...transaction,
      compares: transaction.compares.filter(({ key }) => !key.startsWith(serverGroupTable.prefix)),
    })),
  },
  'volume-not-compared': {
    text: 'a volume is attached whatever has become of it since it was looked at',
    overrides: { ...volumes, faults: [], tenants: 3 },
    command: applying((transaction) => ({
      ...transaction,
      compares: transaction.compares.filter(({ key }) => !key.startsWith(volumeTable.prefix)),
    })),
  },
  'volume-quota-leaks': {
    text: 'the gigabytes of volumes that are deleted stay counted',
    overrides: volumes,
    command: applying((transaction) => ({
      ...transaction,
      thenOps: transaction.thenOps.map((op) =>
        op.kind === 'add' && op.key.endsWith('/gigabytes') && op.delta < 0 ? { ...op, delta: 0 } : op,
      ),
    })),
  },
  'entry-skipped': {
    text: 'one member passes over an entry now and then',
    overrides: consensus,
    command: (node, index, command) =>
      node?.raftId === 2 && index % 11 === 0
        ? { ...command, transaction: { compares: [], thenOps: [], elseOps: [] } }
        : command,
  },
  'quota-leaks': {
    text: 'what is deleted stays counted',
    overrides: guests,
    command: applying((transaction) => ({
      ...transaction,
      thenOps: transaction.thenOps.map((op) =>
        op.kind === 'add' && op.key.startsWith('c/quota/') && op.delta < 0 ? { ...op, delta: 0 } : op,
      ),
    })),
  },
  'address-given-twice': {
    text: 'every port of a network gets one address',
    overrides: guests,
    command: puts(portTable.prefix, (value) => {
      const port = shoal.v1.Port.decode(value);
      for (const fixed of port.fixedIps) fixed.ip = '10.0.0.77';
      return shoal.v1.Port.encode(port).finish();
    }),
  },
  'mac-given-twice': {
    text: 'every port of a network gets one MAC',
    overrides: guests,
    command: puts(portTable.prefix, (value) => {
      const port = shoal.v1.Port.decode(value);
      port.mac = 'fa:16:3e:00:00:77';
      return shoal.v1.Port.encode(port).finish();
    }),
  },
  'vni-given-twice': {
    text: 'every network gets one VNI',
    overrides: { ...guests, tenants: 3 },
    command: puts(networkTable.prefix, (value) => {
      const network = shoal.v1.Network.decode(value);
      network.vni = 4_242;
      return shoal.v1.Network.encode(network).finish();
    }),
  },
  'watch-loses-events': {
    text: 'watchers do not hear of every seventh revision',
    overrides: consensus,
    state: (_node, inner) => watching(inner, (events) => events.filter(({ revision }) => revision % 7 !== 0)),
  },
  'watch-reorders-events': {
    text: 'watchers hear of the changes of a revision backwards',
    overrides: guests,
    state: (_node, inner) => watching(inner, (events) => [...events].reverse()),
  },
  'logs-user-data': {
    text: 'a record is logged whole when it changes',
    overrides: guests,
    started: (_node, { state, logger }) => {
      state.watch({ prefix: serverTable.prefix }, (events) => {
        for (const { value } of events) {
          if (value === undefined) continue;
          const server = shoal.v1.Server.decode(value);
          logger.info({ userData: Buffer.from(server.userData).toString() }, 'a server has changed');
        }
      });
    },
  },
  'timers-left': {
    text: 'every call of the state leaves timers that nobody ends',
    overrides: { ...consensus, clients: 6, thinkMs: 20 },
    state: (_node, inner, clock) =>
      stateClient(inner, {
        fresh: (signal) => {
          for (let n = 0; n < 200; n += 1) clock.setTimeout(() => {}, 3_600_000);
          return inner.fresh(signal);
        },
      }),
  },
} as const satisfies Readonly<Record<string, Mutant>>;
