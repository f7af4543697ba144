/** A server as the API shows it, as far as the pages read it; and how the list of all of them is kept. */
import { get } from '../../kit/api.ts';

/** See above. */
export interface Server {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly description?: string | null;
  readonly created: string;
  readonly updated: string;
  readonly addresses: Readonly<Record<string, readonly Address[]>>;
  readonly flavor: {
    readonly original_name: string;
    readonly vcpus: number;
    readonly ram: number;
    readonly disk: number;
  };
  /** '' for a server that boots from a volume. */
  readonly image: '' | { readonly id: string };
  readonly key_name: string | null;
  readonly locked: boolean;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly fault?: { readonly message: string; readonly created: string };
  readonly security_groups?: readonly { readonly name: string }[];
  readonly 'OS-EXT-STS:vm_state': string;
  readonly 'OS-EXT-STS:task_state': string | null;
  readonly 'OS-EXT-AZ:availability_zone': string;
  /** Told to administrators alone. */
  readonly 'OS-EXT-SRV-ATTR:host'?: string | null;
  readonly 'os-extended-volumes:volumes_attached': readonly {
    readonly id: string;
    readonly delete_on_termination: boolean;
  }[];
}

interface Address {
  readonly addr: string;
  readonly version: number;
  readonly 'OS-EXT-IPS:type': string;
}

/** Addresses, floating ones last. */
export function addressesOf({ addresses }: Server): readonly string[] {
  const all = Object.values(addresses).flat();
  const isFloating = (address: Address): boolean => address['OS-EXT-IPS:type'] === 'floating';
  return [...all.filter((one) => !isFloating(one)), ...all.filter(isFloating)].map(({ addr }) => addr);
}

const servers = '/compute/v2.1/servers';
/** Nova's own bound of a page. */
const pageSize = 1000;
/** Clocks of hosts differ by less; what changed twice is only read twice. Milliseconds. */
const overlapMs = 10_000;
/** Lists of more than a page are read whole so seldom, milliseconds; what has changed is read each time. */
const wholeEveryMs = 60_000;

/** All servers of the project. A long list is not read again for one server that has changed. */
export class ServerList {
  #known = new Map<string, Server>();
  #wholeAtMs = Number.NEGATIVE_INFINITY;
  #readAtMs = 0;

  /** As they are now; of those that have gone from a list of more than a page it may take a minute to hear. */
  async load(signal: AbortSignal): Promise<readonly Server[]> {
    const nowMs = Date.now();
    const isWhole = this.#known.size < pageSize || nowMs - this.#wholeAtMs > wholeEveryMs;
    const since = new Date(this.#readAtMs - overlapMs).toISOString();
    const read = await readAll(isWhole ? '' : `&changes-since=${encodeURIComponent(since)}`, signal);
    if (isWhole) {
      this.#known = new Map();
      this.#wholeAtMs = nowMs;
    }
    for (const server of read) {
      if (server.status === 'DELETED') this.#known.delete(server.id);
      else this.#known.set(server.id, server);
    }
    this.#readAtMs = nowMs;
    return [...this.#known.values()];
  }
}

async function readAll(filter: string, signal: AbortSignal): Promise<readonly Server[]> {
  const found: Server[] = [];
  for (let marker = ''; ; ) {
    const path = `${servers}/detail?limit=${pageSize}${filter}${marker === '' ? '' : `&marker=${marker}`}`;
    const page = (await get<{ servers: readonly Server[] }>(path, signal)).servers;
    found.push(...page);
    if (page.length < pageSize) return found;
    marker = page.at(-1)?.id ?? '';
  }
}

/** One of them. Throws `ApiError`: 404 once it has gone. */
export async function loadServer(id: string, signal: AbortSignal): Promise<Server> {
  return (await get<{ server: Server }>(`${servers}/${encodeURIComponent(id)}`, signal)).server;
}
