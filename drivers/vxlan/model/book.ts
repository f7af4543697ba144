/**
 * What the driver was last told, one small file a thing, so that a new agent knows what an earlier one applied: the
 * kernel says what is there, the book says why. Where the two disagree about existence, the kernel is right.
 */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import type { ForwardingSpec, LocalPortSpec, NetworkSpec, RouterSpec } from '../../types.ts';
import { checkForwarding, checkNetwork, checkPort, checkRouter } from './validate.ts';

/** A network of this host. */
export interface NetworkEntry {
  readonly spec: NetworkSpec;
  /** Its conntrack zone on this host. */
  readonly zone: number;
}

/** A local port. */
export interface PortEntry {
  /** Without the metadata, which has files of its own and may hold secrets. */
  readonly spec: Omit<LocalPortSpec, 'metadata'>;
  /** Number behind its metadata identity. */
  readonly identityIndex: number;
  /** What the rules in force allow (`allowances`): compared to find out what a change revokes. */
  readonly allowed: readonly string[];
}

/** A router of this host. */
interface RouterEntry {
  readonly spec: RouterSpec;
}

/** Where other ports of a network are. */
interface ForwardingEntry {
  readonly spec: ForwardingSpec;
}

/** One kind of entry: a map that is also a folder. */
class BookSection<T extends object> {
  readonly #folder: string;
  readonly #check: (entry: T, id: string) => void;
  readonly #entries = new Map<string, T>();

  constructor(folder: string, check: (entry: T, id: string) => void) {
    this.#folder = folder;
    this.#check = check;
  }

  /**
   * Reads the folder. A file that does not hold what it should is put aside, with a warning: the caller ensures it
   * again.
   */
  async load(logger: Logger): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#entries.clear();
    for (const file of await readdir(this.#folder)) {
      const path = join(this.#folder, file);
      if (file.startsWith('.')) {
        // The draft of a write that a crash cut short.
        await rm(path, { force: true });
        continue;
      }
      if (!file.endsWith('.json')) continue;
      const id = file.slice(0, -'.json'.length);
      try {
        const entry: T = JSON.parse(await readFile(path, 'utf8'));
        this.#check(entry, id);
        this.#entries.set(id, entry);
      } catch (caught) {
        await rename(path, `${path}.unreadable`);
        logger.warn({ path, error: String(caught) }, 'an entry of the network book is unreadable and was set aside');
      }
    }
  }

  get(id: string): T | undefined {
    return this.#entries.get(id);
  }

  values(): readonly T[] {
    return [...this.#entries.values()];
  }

  entries(): readonly (readonly [string, T])[] {
    return [...this.#entries];
  }

  /** Writes the entry unless it says the same already. On disk when this returns. */
  async put(id: string, entry: T): Promise<void> {
    const content = JSON.stringify(entry);
    if (content === JSON.stringify(this.#entries.get(id))) return;
    await writeFileDurably(join(this.#folder, `${id}.json`), content, { mode: 0o600 });
    this.#entries.set(id, entry);
  }

  /** Forgets the entry. Absent is success. */
  async delete(id: string): Promise<void> {
    if (!this.#entries.delete(id)) return;
    await rm(join(this.#folder, `${id}.json`), { force: true });
    await syncFolder(this.#folder);
  }
}

/** The whole book. */
export class Book {
  readonly networks: BookSection<NetworkEntry>;
  readonly ports: BookSection<PortEntry>;
  readonly routers: BookSection<RouterEntry>;
  readonly forwarding: BookSection<ForwardingEntry>;

  constructor(folder: string) {
    this.networks = new BookSection(join(folder, 'networks'), (entry, id) => {
      checkNetwork(entry.spec);
      same(entry.spec.networkId, id);
    });
    this.ports = new BookSection(join(folder, 'ports'), (entry, id) => {
      checkPort({ ...entry.spec, metadata: {} });
      same(entry.spec.portId, id);
    });
    this.routers = new BookSection(join(folder, 'routers'), (entry, id) => {
      checkRouter(entry.spec);
      same(entry.spec.routerId, id);
    });
    this.forwarding = new BookSection(join(folder, 'forwarding'), (entry, id) => {
      checkForwarding(entry.spec);
      same(entry.spec.networkId, id);
    });
  }

  /** Reads all sections. */
  async load(logger: Logger): Promise<void> {
    await this.networks.load(logger);
    await this.ports.load(logger);
    await this.routers.load(logger);
    await this.forwarding.load(logger);
  }

  /** Local ports of a network. */
  portsOf(networkId: string): readonly PortEntry[] {
    return this.ports.values().filter((entry) => entry.spec.networkId === networkId);
  }

  /** Routers with a leg on a network, with that leg. */
  legsOf(networkId: string): readonly { readonly routerId: RouterSpec['routerId']; readonly ip: string }[] {
    return this.routers
      .values()
      .flatMap(({ spec }) =>
        spec.interfaces
          .filter((leg) => leg.networkId === networkId)
          .map((leg) => ({ routerId: spec.routerId, ip: leg.ip })),
      );
  }
}

function same(found: string, expected: string): void {
  if (found !== expected) throw new ShoalError('CONFLICT', `entry ${expected} is about ${found}`);
}
