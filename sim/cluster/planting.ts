/** A second, wrong hand on a host's guests: planted bugs that no wrap of ports can make. */
import type { HostAgent } from '../agents/host-agent.ts';
import type { PlantedFault } from '../mutants/planted-faults.ts';
import type { HostMachine } from '../world/machine.ts';
import type { Process } from '../world/node.ts';

/** How often a wrong hand strikes. Unit: ms. */
const plantedFaultMs = 200;

/** Strikes for as long as the process lives. */
export async function plantHand(
  plantedFault: PlantedFault,
  scene: {
    readonly agent: HostAgent;
    readonly process: Process;
    /** All machines of the world. */
    readonly machines: readonly HostMachine[];
    readonly onFailed: (error: unknown) => void;
  },
): Promise<void> {
  const { agent, process, machines, onFailed } = scene;
  const { machine } = agent;
  const { compute, storage } = machine.drivers(process.life);
  const signal = new AbortController().signal;
  await compute.start(signal);
  for (const driver of storage.values()) await driver.start(signal);
  process.clock.setInterval(() => {
    plantedFault({ agent, process, machine, compute, storage, signal, machines }).catch(onFailed);
  }, plantedFaultMs);
}
