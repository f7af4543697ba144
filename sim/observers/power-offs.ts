/**
 * Guests that went off by their own will, as opposed to those that were asked to: what owners ask for is followed from when
 * they ask until it cannot take effect any more.
 */
import type { ServerId } from '../../node/base/ids.ts';
import { serverTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';
import { PowerOffChecker } from '../checkers/hosts.ts';
import type { Report } from '../checkers/invariants.ts';
import type { HostMachine } from '../world/machine.ts';
import type { Schedule } from '../world/schedule.ts';

const { PowerWanted } = shoal.v1;

/** How long after its answer a request of unknown fate may still be committed. Unit: ms. */
const unknownFateMs = 60_000;

interface PowerOffsDeps {
  readonly schedule: Schedule;
  readonly report: Report;
  /** The replay of what was committed. */
  readonly replay: () => StateReader;
}

export class PowerOffs {
  readonly #deps: PowerOffsDeps;
  readonly #checker: PowerOffChecker;
  /** By server: how many requests were recorded when it went off. */
  readonly #askedBefore = new Map<string, number>();
  /** By server: requests of its owner under way, and until when one of unknown fate may still take effect. Virtual ms. */
  readonly #asks = new Map<string, { underWay: number; untilMs: number }>();

  constructor(deps: PowerOffsDeps) {
    this.#deps = deps;
    this.#checker = new PowerOffChecker(deps.report);
  }

  /** A guest went off by its own will; whether that is all there is to it shows in what was asked. */
  wentOff(machine: HostMachine, serverId: string): void {
    const record = serverTable.get(this.#deps.replay(), serverId)?.record;
    const asks = this.#asks.get(serverId);
    const isAsked =
      record === undefined ||
      record.taskState !== '' ||
      record.deleting ||
      record.powerWanted !== PowerWanted.POWER_WANTED_RUNNING ||
      record.rebootsWanted > record.rebootsDone ||
      (asks !== undefined && (asks.underWay > 0 || asks.untilMs > this.#deps.schedule.nowMs)) ||
      machine.store.entries(`intent/${serverId}`).length > 0;
    if (isAsked) return;
    this.#askedBefore.set(serverId, record.askedRevision);
    this.#checker.wentOff(`n${machine.raftId}`, serverId);
  }

  /** With the power goes the process that waits; only what the host has noted can tell afterwards. */
  powerCut(machine: HostMachine): void {
    for (const serverId of this.#checker.off) {
      if (machine.compute.guests.has(serverId as ServerId) && machine.store.entries(`off/${serverId}`).length === 0)
        this.#checker.mayStart(serverId);
    }
  }

  /** An owner asks for something. Returns what is to be called with the answer. */
  asks(serverId: string): (isKnown: boolean) => void {
    const asks = this.#asks.get(serverId) ?? { underWay: 0, untilMs: 0 };
    this.#asks.set(serverId, asks);
    asks.underWay += 1;
    this.#checker.mayStart(serverId);
    return (isKnown) => {
      asks.underWay -= 1;
      if (!isKnown) asks.untilMs = this.#deps.schedule.nowMs + unknownFateMs;
    };
  }

  /** A host starts the guest. A request for that since, also of a job of an operator, is in the records. */
  starts(host: string, serverId: string): void {
    const record = serverTable.get(this.#deps.replay(), serverId)?.record;
    const isWanted = record?.powerWanted === PowerWanted.POWER_WANTED_RUNNING;
    if (isWanted && record.askedRevision > (this.#askedBefore.get(serverId) ?? 0)) this.#checker.mayStart(serverId);
    this.#checker.starts(host, serverId);
  }
}
