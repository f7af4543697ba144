/** The development cloud's Ceph: one real node on the underlay, with a client of its own for each agent. */
import { join } from 'node:path';
import { DevCluster, stopDevCluster } from '../../drivers/ceph/dev-cluster.ts';
import { runCommand } from '../../drivers/command.ts';
import type { AgentPlace } from './layout.ts';

/** See above. */
export class DevCeph {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Starts it (on kept data: again) and makes the agents' clients. Takes about 10 s the first time. */
  async start(address: string, agents: readonly AgentPlace[]): Promise<void> {
    const cluster = await DevCluster.start({ dir: this.#folder, address }, AbortSignal.timeout(120_000));
    const { stdout } = await runCommand(['id', '-u', 'nobody']);
    for (const agent of agents) {
      await cluster.createClient({ name: agent.name, ownerUid: Number(stdout) }, AbortSignal.timeout(30_000));
    }
  }

  /** What an agent's configuration says of Ceph. */
  clientOf(agent: AgentPlace): { readonly confPath: string; readonly user: string; readonly diskPool: string } {
    return { confPath: join(this.#folder, `client.${agent.name}.conf`), user: agent.name, diskPool: 'volumes' };
  }

  /** Ends the daemons; their data stay. Not running: success. */
  async stop(): Promise<void> {
    await stopDevCluster(this.#folder);
  }
}
