/**
 * Volumes attached, detached, kept and put back, again and again, while agents are killed (SIGKILL) at moments that a seed gives:
 * real QEMU, the host's own files and a real Ceph. The guest boots once and is never touched.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Prng } from '../../../node/base/prng.ts';
import type { DevCloud } from '../../../node/dev/cloud.ts';
import { runInGuest } from '../guests/guest.ts';
import { descriptorsOf, differences, type Leftovers, leftoversOf } from './leftovers.ts';
import { PatientVolumes } from './patient-volumes.ts';
import { pools, VolumeCloud, type VolumeTypeName } from './volume-cloud.ts';

/** Cycles without a kill, at most, in which what agents have open is counted. */
const peacefulCyclesMax = 5;
/** An agent is killed within this time from the beginning of an operation, which takes from a tenth of a second to some. Unit: ms. */
const killWithinMs = 1_500;
/** What is left a moment after the last operation goes within this time, or stays. Unit: ms. */
const quietMsMax = 30_000;

export interface KillCyclesOptions {
  /** Of each kind, on each storage. */
  readonly cycles: number;
  readonly seed: number;
  readonly only?: VolumeTypeName;
  /** Hears of what goes on. */
  readonly tell: (line: string) => void;
}

export interface KillCyclesReport {
  readonly kills: number;
  /** By storage and kind of cycle: what was left behind, or has gone. */
  readonly left: readonly string[];
  /** Descriptors that an agent has more after operations without a kill. */
  readonly descriptors: readonly string[];
  /** Contents that were not what they had to be. */
  readonly wrong: readonly string[];
  readonly boots: number;
}

/** Starts a cloud, runs the cycles, and ends it. Throws when an operation does not come to its end. */
export async function killCycles(options: KillCyclesOptions): Promise<KillCyclesReport> {
  const opened = await VolumeCloud.open({
    agents: 2,
    hasCeph: options.only !== 'files',
    readyMsMax: 120_000,
    formedMsMax: 120_000,
  });
  try {
    return await new Cycles(opened, options).run();
  } finally {
    await opened.close();
  }
}

class Cycles {
  readonly #opened: VolumeCloud;
  readonly #cloud: DevCloud;
  readonly #options: KillCyclesOptions;
  readonly #random: Prng;
  readonly #volumes: PatientVolumes;
  readonly #left: string[] = [];
  readonly #wrong: string[] = [];
  readonly #descriptors: string[] = [];
  #kills = 0;

  constructor(opened: VolumeCloud, options: KillCyclesOptions) {
    const { cloud } = opened;
    this.#opened = opened;
    this.#cloud = cloud;
    this.#options = options;
    this.#random = new Prng(options.seed);
    this.#volumes = new PatientVolumes(cloud.layout.agents.map(({ name }) => cloud.client(name)));
  }

  async run(): Promise<KillCyclesReport> {
    const { client, volumes: making } = this.#opened;
    const { serverId, address } = await this.#opened.boot('attached-to');
    for (const storage of Object.keys(pools) as VolumeTypeName[]) {
      if (this.#options.only !== undefined && this.#options.only !== storage) continue;
      const id = await making.make({ name: `cycled-${storage}`, size: 1, volume_type: storage });
      await this.#fill(address, serverId, id);
      await this.#counted(`${storage}, attach and detach`, id, (count) => this.#attachAndDetach(serverId, id, count));
      await this.#counted(`${storage}, snapshot and revert`, id, (count) => this.#keepAndRevert(id, count));
      await this.#inPeace(storage, serverId, id);
      await this.#check(address, serverId, id, storage);
      await making.remove(id);
    }
    const boots = (await client.consoleLog(serverId, 100_000)).split('@@ ready').length - 1;
    return {
      kills: this.#kills,
      left: this.#left,
      descriptors: this.#descriptors,
      wrong: this.#wrong,
      boots,
    };
  }

  /** Runs cycles of one kind, and tells what they left. */
  async #counted(what: string, id: string, cycle: (count: number) => Promise<void>): Promise<void> {
    const { cycles, tell } = this.#options;
    const before = await this.#countWhenQuiet(id);
    for (let count = 1; count <= cycles; count += 1) {
      const begunMs = performance.now();
      await cycle(count);
      tell(`${what}: ${count} of ${cycles} after ${Math.round(performance.now() - begunMs)} ms`);
    }
    const left = await this.#differencesWhenQuiet(id, before);
    tell(`${what}: ${left.length === 0 ? 'nothing was left' : left.join('; ')}`);
    this.#left.push(...left.map((line) => `${what}: ${line}`));
  }

  async #attachAndDetach(serverId: string, id: string, count: number): Promise<void> {
    await this.#underKills(() => this.#volumes.attach(serverId, id));
    // A live snapshot in some, so that detaching meets one.
    if (count % 4 === 2) {
      const kept = await this.#underKills(() => this.#volumes.snapshot(id, `live-${count}`));
      await this.#underKills(() => this.#volumes.removeSnapshot(kept));
    }
    await this.#underKills(() => this.#volumes.detach(serverId, id));
  }

  async #keepAndRevert(id: string, count: number): Promise<void> {
    const kept = await this.#underKills(() => this.#volumes.snapshot(id, `kept-${count}`));
    await this.#underKills(() => this.#volumes.revert(id, kept));
    await this.#underKills(() => this.#volumes.removeSnapshot(kept));
  }

  /** A few cycles without a kill, in which an agent must not come to have more open. */
  async #inPeace(storage: VolumeTypeName, serverId: string, id: string): Promise<void> {
    await this.#peacefulCycle(serverId, id, 0);
    const before = await this.#descriptorsOfAgents();
    const cycles = Math.min(peacefulCyclesMax, this.#options.cycles);
    for (let count = 1; count <= cycles; count += 1) await this.#peacefulCycle(serverId, id, count);
    const untilMs = Date.now() + quietMsMax;
    for (;;) {
      const more = differences(before, await this.#descriptorsOfAgents()).filter((line) => line.endsWith(' was left'));
      if (more.length === 0) return;
      if (Date.now() > untilMs) {
        this.#descriptors.push(...more.map((line) => `${storage}: ${line}`));
        return;
      }
      await delay(500);
    }
  }

  async #peacefulCycle(serverId: string, id: string, count: number): Promise<void> {
    await this.#volumes.attach(serverId, id);
    await this.#volumes.detach(serverId, id);
    const kept = await this.#volumes.snapshot(id, `peace-${count}`);
    await this.#volumes.revert(id, kept);
    await this.#volumes.removeSnapshot(kept);
  }

  async #descriptorsOfAgents(): Promise<Leftovers> {
    const found: Record<string, readonly string[]> = {};
    for (const { name } of this.#cloud.layout.agents) {
      const pid = this.#cloud.pidOf(name);
      // Databases open and close files of their own.
      if (pid !== undefined) found[name] = (await descriptorsOf(pid)).filter((path) => !/\.(ldb|log|sst)$/.test(path));
    }
    return found;
  }

  /** One operation, and an agent that dies at some moment of it, or a little later. */
  async #underKills<T>(work: () => Promise<T>): Promise<T> {
    const [victim, momentMs] = [this.#random.pick(this.#cloud.layout.agents), this.#random.below(killWithinMs)];
    const kill = async (): Promise<void> => {
      await delay(momentMs);
      await this.#cloud.killAgent(victim.name, 'SIGKILL');
      this.#kills += 1;
      await this.#cloud.startAgent(victim.name);
    };
    const [done] = await Promise.all([work(), kill()]);
    return done;
  }

  async #fill(address: string, serverId: string, id: string): Promise<void> {
    await this.#volumes.attach(serverId, id);
    await inGuestDevice(address, id, 'yes kept | head -c 4194304 | dd of=$DEVICE bs=1M conv=fsync 2>&1');
    await this.#volumes.detach(serverId, id);
  }

  async #check(address: string, serverId: string, id: string, storage: VolumeTypeName): Promise<void> {
    await this.#volumes.attach(serverId, id);
    const script = 'dd if=$DEVICE bs=1M count=4 iflag=direct 2>/dev/null | md5sum; yes kept | head -c 4194304 | md5sum';
    const [is, wanted] = (await inGuestDevice(address, id, script)).trim().split('\n');
    if (is === undefined || is !== wanted) this.#wrong.push(`${storage}: the volume holds ${is}, not ${wanted}`);
    await this.#volumes.detach(serverId, id);
  }

  /** The count, once two in a row are the same. */
  async #countWhenQuiet(id: string): Promise<Leftovers> {
    const untilMs = Date.now() + quietMsMax;
    let last = await leftoversOf(this.#cloud, this.#opened.ceph, [id]);
    for (;;) {
      await delay(1_000);
      const now = await leftoversOf(this.#cloud, this.#opened.ceph, [id]);
      if (differences(last, now).length === 0 || Date.now() > untilMs) return now;
      last = now;
    }
  }

  async #differencesWhenQuiet(id: string, before: Leftovers): Promise<readonly string[]> {
    const untilMs = Date.now() + quietMsMax;
    for (;;) {
      const left = differences(before, await leftoversOf(this.#cloud, this.#opened.ceph, [id]));
      if (left.length === 0 || Date.now() > untilMs) return left;
      await delay(1_000);
    }
  }
}

/** Runs a script in the guest with the volume's device as `$DEVICE`. */
async function inGuestDevice(address: string, id: string, script: string): Promise<string> {
  const find = `for n in $(seq 200); do for d in /sys/block/vd*; do [ "$(cat $d/serial)" = ${id.slice(0, 20)} ] && DEVICE=/dev/\${d##*/}; done; [ -n "$DEVICE" ] && break; sleep 0.1; done`;
  return runInGuest(address, `${find}; ${script}`, 90_000);
}
