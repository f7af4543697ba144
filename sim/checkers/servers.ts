/** What servers keep whatever is done to them, and what is kept of them: checked on words, so that hand-made ones prove the checks. */
import type { Report } from './invariants.ts';

/** A port as its record has it. */
interface AddressPicture {
  readonly portId: string;
  readonly mac: string;
  readonly ips: readonly string[];
}

/** Follows the ports and addresses of servers, which no verb on a server changes. */
export class AddressChecker {
  readonly #report: Report;
  /** By server: what it had first. */
  readonly #first = new Map<string, string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** What the records say that a server has now. */
  has(serverId: string, ports: readonly AddressPicture[]): void {
    if (ports.length === 0 && !this.#first.has(serverId)) return;
    const words = ports.map(({ portId, mac, ips }) => `${portId} ${mac} ${[...ips].sort().join(' ')}`);
    const text = words.sort().join(', ');
    const first = this.#first.get(serverId);
    if (first === undefined) this.#first.set(serverId, text);
    else if (first !== text) {
      this.#report(
        'server-keeps-its-addresses',
        `server ${serverId} had ${first}, and has ${text === '' ? 'none' : text}`,
      );
    }
  }

  /** It is being deleted: nothing is judged any more. */
  goes(serverId: string): void {
    this.#first.delete(serverId);
  }
}

/** An image that was made of a server is there. */
export function checkImage(
  image: {
    readonly id: string;
    /** What its bytes say; undefined: no host that is said to have them does. */
    readonly content: string | undefined;
    /** What the disk held when it was kept for the image. */
    readonly instants: ReadonlySet<string>;
  },
  report: Report,
): void {
  const { id, content, instants } = image;
  if (content !== undefined && instants.has(content)) return;
  const holds = content === undefined ? 'has no content anywhere' : `holds "${content}"`;
  report(
    'image-is-its-instant',
    `image ${id} ${holds}, and not "${[...instants].join('" or "')}", which the server's disk held when it was kept`,
  );
}
