/**
 * A host without its agent: guests, networks, disks and the agent's own store, all of which go on while agents come and
 * go. `drivers` gives one process of the agent its drivers: production's fakes behind a little time before and after each
 * call, so that an agent can die with a call half known.
 */
import { FakeComputeDriver, FakeComputeHost } from '../../drivers/fake/compute.ts';
import { FakeNetworkDriver, FakeNetworkHost } from '../../drivers/fake/network.ts';
import type { FakeStorage } from '../../drivers/fake/storage.ts';
import type { ComputeDriver, NetworkDriver, StorageDriver } from '../../drivers/types.ts';
import type { Clock } from '../../node/base/clock.ts';
import type { HostId, ServerId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { HostLoad, Inventory } from '../../node/host/machine/inventory.ts';
import type { HostCapacity } from '../../placement/index.ts';
import { type HostTime, LifeClock } from './clock.ts';
import { SimHostStore } from './host-store.ts';
import { imageHolders, SimImages } from './images.ts';
import { Life, type Schedule } from './schedule.ts';
import { SimStorageDriver } from './storage.ts';

/** Room for disks: claims are what bounds them. Unit: bytes. */
export const storageBytes = 2 ** 50;
/** Longest usual time of a driver's call, each way. Unit: ms. */
const callMsMax = 20;

/** A call of a driver. */
export interface DriverCall {
  readonly driver: 'compute' | 'network' | 'storage';
  /** Of a storage's driver: which. */
  readonly storage?: FakeStorage;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Hears of each call of a driver at the moment when it takes effect. */
type CallObserver = (machine: HostMachine, call: DriverCall) => void;

interface HostDriverSet {
  readonly compute: ComputeDriver;
  readonly network: NetworkDriver;
  /** By the name of the pool. */
  readonly storage: ReadonlyMap<string, StorageDriver>;
}

/** From the beginning of a mirror to both disks' holding the same. Unit: ms. */
const mirrorMs = 1_500;
/** From the beginning of a move to the memory's being at the other host. Unit: ms. */
const sendMs = 700;

export class HostMachine {
  readonly raftId: number;
  readonly hostId: HostId;
  readonly capacity: HostCapacity;
  readonly compute: FakeComputeHost;
  readonly network = new FakeNetworkHost();
  /** Those that it reaches; the first has the disks of servers. */
  readonly storages: readonly FakeStorage[];
  readonly store: SimHostStore;
  readonly images: SimImages;
  /** Calls of drivers take so much longer, by driver. */
  readonly slowness = { compute: 1, network: 1, storage: 1 };
  readonly #schedule: Schedule;
  readonly #random: Prng;
  readonly #onCall: CallObserver;
  readonly #onPowerCut: (machine: HostMachine) => void;
  /** From one power cut to the next. */
  #era: Life;

  constructor(
    deps: {
      readonly schedule: Schedule;
      readonly random: Prng;
      readonly time: HostTime;
      readonly onCall: CallObserver;
      /** Called before what only memory held is gone. */
      readonly onPowerCut: (machine: HostMachine) => void;
      /** The storage of the host at an address: what it serves is reached from others. */
      readonly storageAt: (address: string) => FakeStorage | undefined;
      /** The machine that takes memories of guests at an address, if it is reached. */
      readonly machineAt: (address: string) => HostMachine | undefined;
    },
    options: {
      readonly raftId: number;
      readonly hostId: HostId;
      /** Each named as records name it; the first has the disks of servers. */
      readonly storages: readonly FakeStorage[];
      readonly capacity: HostCapacity;
      readonly syncMs: number;
    },
  ) {
    this.#schedule = deps.schedule;
    this.#random = deps.random;
    this.#onCall = deps.onCall;
    this.#onPowerCut = deps.onPowerCut;
    this.raftId = options.raftId;
    this.hostId = options.hostId;
    this.capacity = options.capacity;
    this.storages = options.storages;
    this.store = new SimHostStore(deps, options);
    this.images = new SimImages(options.raftId <= imageHolders);
    this.#era = new Life(`h${options.raftId}`);
    const now = (): Clock => new LifeClock(deps.schedule, deps.time, this.#era);
    this.compute = new FakeComputeHost(
      {
        nowMs: () => deps.time.wallMs(),
        monotonicMs: () => deps.time.monotonicMs(),
        setTimeout: (callback, delayMs) => now().setTimeout(callback, delayMs),
        setInterval: (callback, periodMs) => now().setInterval(callback, periodMs),
      },
      this.storages,
      deps.storageAt,
      { address: `h${options.raftId}`, hostAt: (address) => deps.machineAt(address)?.compute },
    );
    this.compute.behaviour.mirrorDelayMs = mirrorMs;
    this.compute.behaviour.sendDelayMs = sendMs;
  }

  /** Name of the pool that has the disks of servers. */
  get mainPool(): 'local' | 'rbd' {
    return this.storages[0]?.shared === true ? 'rbd' : 'local';
  }

  /** The storage that records name so, as this host reaches it; undefined: it does not. */
  pool(name: string): FakeStorage | undefined {
    return this.storages.find((storage) => storage.name === name);
  }

  /** Guests whose processes live and run. */
  runningGuests(): ServerId[] {
    return [...this.compute.guests]
      .filter(([, guest]) => guest.power === 'running')
      .map(([id]) => id)
      .sort();
  }

  /** What it has, as an agent reads it. */
  inventory(): Inventory {
    const { vcpus, memoryMib, diskGib } = this.capacity;
    return {
      cpus: vcpus.total,
      cpu: { vendor: 'simulated', model: 'simulated', flags: [], sockets: 1, cores: vcpus.total, threads: 1 },
      numaCells: this.capacity.numaCells,
      pciDevices: [],
      architecture: 'x86_64',
      memoryMib: memoryMib.total,
      diskGib: diskGib.total,
      operatingSystem: 'simulated',
      kernel: 'simulated',
      bootedMs: 0,
    };
  }

  /** How busy it is: each guest that runs takes what one CPU gives. */
  load(): HostLoad {
    const { vcpus, memoryMib } = this.capacity;
    const running = this.runningGuests().length;
    return {
      cpuPercent: Math.min(100, (100 * running) / vcpus.total),
      load1m: running,
      memoryAvailableMib: memoryMib.total,
    };
  }

  /** Ends every fault of its drivers and its store. */
  heal(): void {
    for (const { faults } of [this.compute, this.network, ...this.storages]) faults.clear();
    this.slowness.compute = 1;
    this.slowness.network = 1;
    this.slowness.storage = 1;
    this.store.slowFactor = 1;
    this.store.failNext = false;
    for (const storage of this.storages) storage.totalBytes = storageBytes;
    const { behaviour } = this.compute;
    behaviour.startDelayMs = 0;
    behaviour.powerOffDelayMs = 0;
    delete behaviour.crashAfterMs;
  }

  /** Power goes and comes back: processes and kernel networking are gone, files stay. */
  powerCut(): void {
    this.#onPowerCut(this);
    this.#era.end();
    this.#era = new Life(`h${this.raftId}`);
    this.compute.reboot();
    this.network.reboot();
    for (const storage of this.storages) {
      storage.reboot(this.hostId);
      for (const volumeId of storage.disks.keys()) storage.forgetWatcher(volumeId, this.hostId);
    }
  }

  /** The drivers of one process of the agent. */
  drivers(life: Life): HostDriverSet {
    return {
      compute: this.#timed<ComputeDriver>('compute', new FakeComputeDriver(this.compute), life),
      network: this.#timed<NetworkDriver>('network', new FakeNetworkDriver(this.network), life),
      storage: new Map(
        this.storages.map((storage) => [
          storage.name,
          this.#timed<StorageDriver>('storage', new SimStorageDriver(storage), life, storage),
        ]),
      ),
    };
  }

  #timed<T extends object>(name: DriverCall['driver'], driver: T, life: Life, storage?: FakeStorage): T {
    const era = this.#era;
    // What a driver waits for ends with its process: a guest that has not been started by then never is.
    const stop = new AbortController();
    void life.died.then(() => stop.abort());
    // A caller gives the same signal again and again, and each one that is made of others is dear.
    const stoppable = new WeakMap<AbortSignal, AbortSignal>();
    const withStop = (arg: unknown): unknown => {
      if (!(arg instanceof AbortSignal)) return arg;
      const both = stoppable.get(arg) ?? AbortSignal.any([arg, stop.signal]);
      stoppable.set(arg, both);
      return both;
    };
    let witness: object | undefined;
    return new Proxy(driver, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (key === 'witness' && typeof value === 'object' && value !== null) {
          witness ??= this.#timed(name, value, life, storage);
          return witness;
        }
        if (typeof value !== 'function') return value;
        if (key === 'onEvent') {
          return (listener: (event: unknown) => void): unknown =>
            Reflect.apply(value, target, [(event: unknown) => (life.isAlive ? listener(event) : undefined)]);
        }
        return (...args: unknown[]): Promise<unknown> =>
          new Promise((resolve, reject) => {
            // A dead process calls nothing, and nobody tells it anything.
            this.#schedule.after(
              this.#random.float() * callMsMax * this.slowness[name],
              () => {
                if (!era.isAlive) return;
                const called = { driver: name, method: String(key), args };
                this.#onCall(this, storage === undefined ? called : { ...called, storage });
                const answer = (how: () => void): void => {
                  this.#schedule.after(this.#random.float() * callMsMax * this.slowness[name], how, life);
                };
                const call = async (): Promise<unknown> => Reflect.apply(value, target, args.map(withStop));
                call().then(
                  (result) => answer(() => resolve(result)),
                  (error: unknown) => answer(() => reject(error instanceof Error ? error : new Error(String(error)))),
                );
              },
              life,
            );
          });
      },
    });
  }
}

/** The machine of the host with this id, out of all machines of a world by member; undefined: no host. */
export function machineOf(machines: readonly HostMachine[], hostId: string): HostMachine | undefined {
  return hostId === '' ? undefined : machines[Number(hostId) - 1];
}
