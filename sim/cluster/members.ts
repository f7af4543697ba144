/** Hosts that leave the mesh and come back: their records go and come, one change after the other. */
import { ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import { type Change, transact } from '../../node/services/kit/transact.ts';
import { hostTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { hostRecordOf } from '../agents/host-record.ts';
import type { WorldMark } from '../settings/points.ts';
import type { Working } from '../workload/client.ts';
import { hostIdOf } from '../world/ids.ts';
import type { SimNode } from '../world/node.ts';
import type { Schedule } from '../world/schedule.ts';

interface MembersDeps {
  readonly schedule: Schedule;
  readonly random: Prng;
  readonly nodes: readonly SimNode[];
  readonly newId: () => string;
  readonly working: Working;
  readonly reached: (mark: WorldMark) => void;
  readonly onFailed: (error: unknown) => void;
}

export class Members {
  readonly #deps: MembersDeps;
  readonly #racks: number;
  readonly #absent = new Set<number>();
  /** Changes are made one after the other: this is the last of them. */
  #work: Promise<void> = Promise.resolve();

  /** @param racks that hosts stand in, host n in rack n modulo this. 0: none. */
  constructor(deps: MembersDeps, racks: number) {
    this.#deps = deps;
    this.#racks = racks;
  }

  /** Hosts that are not in the mesh now, or are about to leave or to come back. */
  get absent(): ReadonlySet<number> {
    return this.#absent;
  }

  /** Takes a host out of the records; the autopilot then takes it out of the group. Goes on until it is done. */
  dismiss(raftId: number): void {
    this.#absent.add(raftId);
    this.#changeHosts(raftId, 'member-left', (change, reader) => {
      const row = hostTable.get(reader, hostIdOf(raftId));
      if (row !== undefined) hostTable.remove(change, row);
    });
  }

  /** Puts it in again. */
  readmit(raftId: number): void {
    this.#changeHosts(raftId, 'member-came-back', (change, reader) => {
      if (hostTable.get(reader, hostIdOf(raftId)) === undefined)
        hostTable.insert(change, hostRecordOf(raftId, this.#racks));
    });
    this.#work = this.#work.then(() => void this.#absent.delete(raftId));
  }

  #changeHosts(raftId: number, mark: WorldMark, edit: (change: Change, reader: StateReader) => void): void {
    const { schedule, random, nodes, newId, working, reached, onFailed } = this.#deps;
    const attempt = async (): Promise<boolean> => {
      const process = random.pick(nodes.filter((node) => node.raftId !== raftId)).process;
      if (process === undefined) return false;
      const { state, clock, logger, life } = process;
      const done = transact(
        { state, clock, logger, newId },
        { signal: new AbortController().signal },
        ({ change, reader }) => edit(change, reader),
      ).then(() => true);
      const gone = life.died.then(() => false);
      try {
        return await Promise.race([done, gone]);
      } catch (caught) {
        if (!(caught instanceof ShoalError)) throw caught;
        return false;
      }
    };
    const work = async (): Promise<void> => {
      while (!(await attempt())) await schedule.sleep(300);
      reached(mark);
    };
    this.#work = this.#work.then(() => working.during(work()));
    this.#work.catch(onFailed);
  }
}
