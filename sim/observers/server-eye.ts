/** The eye on what is kept of servers: their addresses, and the images that are made of them. */
import { contentMark, contentOfBytes } from '../../drivers/fake/content.ts';
import { imageTable, portTable, serverTable } from '../../node/state/tables/index.ts';
import type { StateReader } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';
import type { Report } from '../checkers/invariants.ts';
import { AddressChecker, checkImage } from '../checkers/servers.ts';
import type { VolumeChecker } from '../checkers/volumes.ts';
import { type HostMachine, machineOf } from '../world/machine.ts';

interface ServerEyeDeps {
  /** All machines of the world, by member. */
  readonly machines: readonly HostMachine[];
  readonly report: Report;
  /** Knows what disks held when they were kept. */
  readonly volumes: VolumeChecker;
}

/** See above. */
export class ServerEye {
  readonly #deps: ServerEyeDeps;
  readonly #addresses: AddressChecker;
  readonly #judged = new Set<string>();

  constructor(deps: ServerEyeDeps) {
    this.#deps = deps;
    this.#addresses = new AddressChecker(deps.report);
  }

  /** A key of the state has changed. */
  note(reader: StateReader, key: string): void {
    if (key.startsWith(serverTable.prefix)) this.#noteServer(reader, key);
    if (key.startsWith(imageTable.prefix)) this.#noteImage(reader, key);
  }

  #noteServer(reader: StateReader, key: string): void {
    const found = reader.get(key);
    if (found === undefined) return;
    const { id, deleting, portIds } = serverTable.decode(found.value);
    if (deleting) {
      this.#addresses.goes(id);
      return;
    }
    const ports = portIds.flatMap((portId) => {
      const port = portTable.get(reader, portId)?.record;
      return port === undefined ? [] : [{ portId, mac: port.mac, ips: port.fixedIps.map(({ ip }) => ip) }];
    });
    this.#addresses.has(id, ports);
  }

  /** Judged once, when it is there for all: its content does not change afterwards. */
  #noteImage(reader: StateReader, key: string): void {
    const found = reader.get(key);
    if (found === undefined) return;
    const { id, status, sha256, properties, hostIds } = imageTable.decode(found.value);
    const isMade = status === shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE && properties['instance_uuid'] !== undefined;
    if (!isMade || sha256 === '' || this.#judged.has(id)) return;
    this.#judged.add(id);
    const { machines, report, volumes } = this.#deps;
    const bytes = hostIds
      .map((hostId) => machineOf(machines, hostId)?.images.peek(sha256))
      .find((one) => one !== undefined);
    const content = bytes === undefined ? undefined : contentIn(bytes);
    checkImage({ id, content, instants: volumes.instantsOf(id) }, report);
  }
}

/** The word of a fake disk, wherever in the file of an image its first bytes are; of one without any, the empty one. */
function contentIn(bytes: Uint8Array): string {
  const at = Buffer.from(bytes).indexOf(contentMark);
  return at === -1 ? '' : contentOfBytes(bytes.subarray(at));
}
