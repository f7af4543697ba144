/** Bugs planted in what is done to servers: moves, rebuilds, images. */
import { bytesOfContent } from '../../drivers/fake/content.ts';
import type { ServerId } from '../../node/base/ids.ts';
import { transact } from '../../node/services/kit/transact.ts';
import { updatePortRow } from '../../node/services/network/port-record.ts';
import { portTable, serverTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';
import { changedDriver, withClaims, withStorage } from './host-ports.ts';
import type { Mutant } from './mutant.ts';
import { guests } from './settings.ts';

/** Users of servers who lose no time, on storage that all hosts reach. */
const changers = { ...guests, storage: 'rbd', hostVcpus: 12, verbThinkMs: 150, clients: 1 } as const;

/** The same, beside an operator who empties hosts, so that servers go over while they run, and some are called back. */
const movers = { ...changers, hosts: 3, operatorThinkMs: 1_500 } as const;

/** Whether the records say that the server has gone on to another host. */
function hasMovedOn(reader: StateReader, serverId: string, hostId: string): boolean {
  const server = serverTable.get(reader, serverId)?.record;
  return server !== undefined && server.hostId !== hostId;
}

export const serverMutants = {
  'runs-on-at-its-former-host': {
    text: 'a host lets go of the disks of a server that has moved on, and its guest runs on',
    overrides: changers,
    ports: (ports, { machine }) => {
      const { compute } = ports.drivers;
      const isGone = (serverId: ServerId): boolean => hasMovedOn(ports.services.state.local, serverId, machine.hostId);
      const changed = changedDriver(compute, {
        stopGuest: async (serverId, ...rest) => {
          if (!isGone(serverId)) await compute.stopGuest(serverId, ...rest);
        },
        removeGuest: async (serverId, signal) => {
          if (!isGone(serverId)) await compute.removeGuest(serverId, signal);
        },
      });
      return { ...ports, drivers: { ...ports.drivers, compute: changed } };
    },
  },
  'claims-outlive-their-records': {
    text: 'a host keeps the claims of servers that have left it',
    overrides: changers,
    ports: withClaims((inner) => ({
      follow: (servers, selfId, revision, isHere) => inner.follow(servers, selfId, revision, isHere, () => true),
    })),
  },
  'moved-servers-unclaimed': {
    text: 'a host takes no claim of a server that has come from another one for bound',
    overrides: changers,
    ports: withClaims((inner) => ({
      follow: (servers, ...rest) =>
        inner.follow(
          servers.filter(({ generation }) => generation === 1),
          ...rest,
        ),
    })),
  },
  'replaced-disks-stay': {
    text: 'a host removes no disk of a server that stays: neither those of before a rebuild nor those of rescues',
    overrides: changers,
    ports: withStorage((storage, { services: { state } }) =>
      changedDriver(storage, {
        removeDisk: async (volumeId, signal) => {
          const owner = serverTable
            .list(state.local)
            .find(({ record: { replacedDisks, rescue } }) =>
              [...replacedDisks, ...[rescue?.disk ?? []].flat()].some((disk) => disk.volumeId === volumeId),
            );
          if (owner === undefined || owner.record.deleting) await storage.removeDisk(volumeId, signal);
        },
      }),
    ),
  },
  'image-of-a-later-moment': {
    text: 'an image of a server is read from its disk as that is by then, and not from what was kept',
    overrides: changers,
    ports: (ports, world) =>
      withStorage((storage) =>
        changedDriver(storage, {
          exportDisk: async (from, ...rest) => {
            const read = await storage.exportDisk(from, ...rest);
            const content = world.machine.storages
              .map((one) => one.contentOf(from.volumeId))
              .find((one) => one !== undefined);
            return { ...read, ranges: bytesOfContent(content ?? '', read.sizeBytes, true) };
          },
        }),
      )(ports, world),
  },
  'rebuild-draws-new-addresses': {
    text: 'the port of a server that is rebuilt gets another MAC',
    overrides: changers,
    hand: async ({ agent: { deps }, machine, signal }) => {
      const servers = serverTable.by(deps.state.local, 'host', machine.hostId);
      const portId = servers.find(({ record }) => record.taskState === 'rebuilding')?.record.portIds[0];
      if (portId === undefined) return;
      await transact(deps, { signal }, ({ reader, change }) => {
        const row = portTable.get(reader, portId);
        if (row === undefined) return;
        const mac = row.record.mac.split(':').toReversed().join(':').replace(/^../, 'fa');
        updatePortRow(change, row, new shoal.v1.Port({ ...row.record, mac }));
      });
    },
  },
  'goes-on-at-both-ends': {
    text: 'a guest whose memory was sent to another host goes on where it was, too',
    overrides: movers,
    ports: (ports, { machine }) => {
      const { compute } = ports.drivers;
      const changed = changedDriver(compute, {
        sendGuest: async (serverId, to, steps, signal) => {
          await compute.sendGuest(serverId, to, steps, signal);
          await compute.resumeGuest(serverId, signal);
        },
        stopGuest: async (serverId, ...rest) => {
          const isSent = hasMovedOn(ports.services.state.local, serverId, machine.hostId);
          if (!isSent) await compute.stopGuest(serverId, ...rest);
        },
        removeGuest: async (serverId, signal) => {
          const isSent = hasMovedOn(ports.services.state.local, serverId, machine.hostId);
          if (!isSent) await compute.removeGuest(serverId, signal);
        },
      });
      return { ...ports, drivers: { ...ports.drivers, compute: changed } };
    },
  },
  'goes-on-without-its-disks': {
    text: 'a guest that has come while it ran goes on before its disks are locked for its new host',
    overrides: movers,
    ports: withStorage((storage) =>
      changedDriver(storage, {
        openDisk: (spec, ...rest) =>
          storage.openDisk(spec.arrival === 'going-on' ? { ...spec, arrival: 'waiting' } : spec, ...rest),
      }),
    ),
  },
  'arrivals-unclaimed': {
    text: 'a host loses the claims of servers that have come while they ran',
    overrides: movers,
    ports: withClaims((inner) => ({
      follow: (servers, ...rest) =>
        inner.follow(
          servers.filter(({ move }) => move?.kind !== 'live-migration'),
          ...rest,
        ),
    })),
  },
  'ports-stay-at-their-former-host': {
    text: 'a host keeps the ports of servers that have moved on',
    overrides: movers,
    ports: (ports, { machine }) => {
      const { network } = ports.drivers;
      const changed = changedDriver(network, {
        removePort: async (portId, signal) => {
          const port = portTable.get(ports.services.state.local, portId)?.record;
          if (port === undefined || port.hostId === machine.hostId) await network.removePort(portId, signal);
        },
      });
      return { ...ports, drivers: { ...ports.drivers, network: changed } };
    },
  },
  'what-waited-is-not-discarded': {
    text: 'a host lets what waited for a server that stays where it is wait for ever',
    overrides: movers,
    ports: (ports) => {
      const { compute } = ports.drivers;
      const isToGo = (serverId: ServerId): boolean => {
        const server = serverTable.get(ports.services.state.local, serverId)?.record;
        return server !== undefined && server.discardHostId !== '';
      };
      const changed = changedDriver(compute, {
        stopGuest: async (serverId, ...rest) => {
          if (!isToGo(serverId)) await compute.stopGuest(serverId, ...rest);
        },
        removeGuest: async (serverId, signal) => {
          if (!isToGo(serverId)) await compute.removeGuest(serverId, signal);
        },
      });
      return { ...ports, drivers: { ...ports.drivers, compute: changed } };
    },
  },
} as const satisfies Readonly<Record<string, Mutant>>;
