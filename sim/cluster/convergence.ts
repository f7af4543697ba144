/** How far hosts are from what the records want of them: servers, claims, disks, ports and networks. */
import { isDeepStrictEqual } from 'node:util';
import type { ServerId } from '../../node/base/ids.ts';
import { HostNetworkViews } from '../../node/services/network/host-view.ts';
import { jobTable, portTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import { liveClaims } from '../observers/host-pictures.ts';
import type { RecordList } from '../observers/record-list.ts';
import { factsText } from '../trace/trace.ts';
import { type HostMachine, machineOf } from '../world/machine.ts';
import { volumeDifferences } from './volume-convergence.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

interface ConvergenceDeps {
  /** All machines of the world, by member. */
  readonly machines: readonly HostMachine[];
  readonly servers: RecordList<shoal.v1.Server>;
  readonly ports: RecordList<shoal.v1.Port>;
  /** The agent that runs on a host now. */
  readonly agentOf: (raftId: number) => HostAgent | undefined;
  /** The replay of what was committed. */
  readonly replay: () => StateReader;
}

export class Convergence {
  readonly #deps: ConvergenceDeps;
  /** What each host is to carry, by member. */
  readonly #views = new Map<number, HostNetworkViews>();

  constructor(deps: ConvergenceDeps) {
    this.#deps = deps;
  }

  /** What is not as it should be, in words. */
  differences(): readonly string[] {
    const { machines, servers: serverList, ports, agentOf, replay } = this.#deps;
    const reader = replay();
    const found: string[] = [];
    if (machines.length === 0) return found;
    const servers = new Map(serverList.of(reader).map((record) => [record.id, record]));
    for (const server of servers.values()) {
      if (server.hostId === '') continue;
      if (server.lostHostIds.length > 0) found.push(`server ${server.id} still waits for hosts that were lost with it`);
      const machine = machineOf(machines, server.hostId);
      const guest = machine?.compute.guests.get(server.id as ServerId);
      const where = `server ${server.id} on ${machine === undefined ? 'no host' : `n${machine.raftId}`}`;
      if (server.deleting) found.push(`${where} is still being deleted`);
      else if (server.taskState !== '') found.push(`${where} is still ${server.taskState}`);
      else if (server.status === ServerStatus.SERVER_STATUS_ERROR) continue;
      else if (server.powerWanted === PowerWanted.POWER_WANTED_RUNNING && guest?.power !== 'running')
        found.push(`${where} is to run and is ${guest?.power ?? 'not there'}`);
      else if (server.powerWanted === PowerWanted.POWER_WANTED_STOPPED && guest?.power === 'running')
        found.push(`${where} is to be stopped and runs`);
      else if (server.powerWanted === PowerWanted.POWER_WANTED_PAUSED && guest?.power !== 'paused')
        found.push(`${where} is to be paused and is ${guest?.power ?? 'not there'}`);
      else if (server.powerWanted === PowerWanted.POWER_WANTED_SUSPENDED && guest?.power !== 'suspended')
        found.push(`${where} is to be suspended and is ${guest?.power ?? 'not there'}`);
    }
    for (const machine of machines) {
      const host = `n${machine.raftId}`;
      if ((agentOf(machine.raftId)?.host.busySteps ?? 0) > 0) found.push(`${host} is at work`);
      for (const [serverId] of machine.compute.guests)
        if (servers.get(serverId)?.hostId !== machine.hostId) found.push(`${host} has a guest of server ${serverId}`);
      for (const [portId] of machine.network.ports)
        if (portTable.get(reader, portId)?.record.hostId !== machine.hostId) found.push(`${host} has port ${portId}`);
      for (const { name, blocked } of machine.storages)
        if (blocked.has(machine.hostId)) found.push(`${host} is still fenced by the storage ${name}`);
      const claims = liveClaims(machine);
      for (const { serverId, generation } of claims) {
        const server = servers.get(serverId);
        // Until a move is confirmed the former host keeps the room.
        const isKept = server?.previousHostId === machine.hostId && generation === server.generation - 1;
        if (!isKept && (server?.hostId !== machine.hostId || generation !== server.generation))
          found.push(`${host} keeps the claim of server ${serverId}/${generation}`);
      }
      const claimed = new Set(claims.map(({ serverId, generation }) => `${serverId}/${generation}`));
      // One in ERROR may have come when its room was given away already.
      for (const { id, generation, hostId, status } of servers.values())
        if (
          hostId === machine.hostId &&
          status !== ServerStatus.SERVER_STATUS_ERROR &&
          !claimed.has(`${id}/${generation}`)
        )
          found.push(`${host} has no claim of server ${id}/${generation}`);
      for (const prefix of ['intent/', 'off/'])
        for (const [key] of machine.store.peek(prefix)) found.push(`${host} keeps ${key}`);
      for (const [key] of machine.store.peek('reboot/'))
        if (!servers.has(key.slice('reboot/'.length))) found.push(`${host} keeps ${key}`);
    }
    found.push(...volumeDifferences(reader, machines, [...servers.values()]));
    for (const { record } of jobTable.by(reader, 'under-way', 'yes'))
      found.push(`job ${record.id} about ${record.subject} is under way: ${record.message}`);
    for (const record of ports.of(reader)) {
      if (record.deviceOwner.startsWith('compute') && !servers.has(record.deviceId))
        found.push(`port ${record.id} belongs to server ${record.deviceId}, which is gone`);
    }
    // Asked last, for it is dear.
    return found.length > 0 ? found : this.#networkDifferences(reader);
  }

  /** Parts of hosts' networks that are not as the records want them. */
  #networkDifferences(reader: StateReader): readonly string[] {
    return this.#deps.machines.flatMap(({ raftId, hostId, network: there }) => {
      let views = this.#views.get(raftId);
      if (views === undefined) {
        views = new HostNetworkViews(hostId);
        this.#views.set(raftId, views);
      }
      const { networks, ports, forwarding, routers } = views.of(reader);
      const wrong = [
        ...networks.filter((spec) => !isDeepStrictEqual(there.networks.get(spec.networkId), spec)),
        ...ports.filter((spec) => !isDeepStrictEqual(there.ports.get(spec.portId), spec)),
        ...forwarding.filter((spec) => !isDeepStrictEqual(there.forwarding.get(spec.networkId), spec)),
        ...routers.filter((spec) => !isDeepStrictEqual(there.routers.get(spec.routerId), spec)),
      ];
      return wrong.map((spec) => `n${raftId} does not have this of its network: ${factsText(spec)}`);
    });
  }
}
