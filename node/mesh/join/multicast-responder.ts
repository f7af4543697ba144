/** A member answers who asks by multicast DNS on its link where the mesh's members are. */
import type { Clock } from '../../base/clock.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { type MulticastLink, multicastLinkOf, peerService } from './multicast-link.ts';
import { recordsOf, type ToldMember } from './multicast-records.ts';

/** From one answer to the next at least: all of the link hear each (RFC 6762, section 6). Unit: milliseconds. */
const pauseMs = 1000;

/** Answers from `start` to `stop`. A link that cannot be opened is logged, and nobody is answered: it is no more than help. */
export class MulticastResponder implements Service {
  readonly #deps: { readonly clock: Clock; readonly logger: Logger };
  readonly #member: ToldMember;
  #link: MulticastLink | undefined;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(deps: { readonly clock: Clock; readonly logger: Logger }, member: ToldMember) {
    this.#deps = deps;
    this.#member = member;
  }

  async start(): Promise<void> {
    const { clock, logger } = this.#deps;
    try {
      this.#link = multicastLinkOf(this.#member.at.host);
    } catch (error) {
      logger.warn({ error }, 'members are not told of by multicast DNS');
      return;
    }
    const { socket, isOnLink } = this.#link;
    socket.on('error', (error) => logger.warn({ error }, 'members are not told of by multicast DNS'));
    socket.on('query', (query, source) => {
      const isAsked = (query.questions ?? []).some(
        ({ name, type }) => ['PTR', 'ANY'].includes(type) && name.toLowerCase() === peerService,
      );
      const nowMs = clock.monotonicMs();
      if (!isAsked || !isOnLink(source.address) || nowMs - this.#answeredMs < pauseMs) return;
      this.#answeredMs = nowMs;
      socket.respond(recordsOf(this.#member));
    });
  }

  async stop(): Promise<void> {
    const link = this.#link;
    this.#link = undefined;
    if (link !== undefined) await new Promise<void>((resolve) => link.socket.destroy(() => resolve()));
  }
}
