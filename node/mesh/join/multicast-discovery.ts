/**
 * Members found by multicast DNS: who asks hears of the members on its own link that say they are of the mesh it means to join.
 * Nobody found so is believed for it: a member has to prove the mesh that the ticket pins.
 */
import { formatAddress } from '../../base/address.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import { multicastLinkOf, peerService } from './multicast-link.ts';
import { type MulticastAnswer, membersIn } from './multicast-records.ts';

/** How often is asked, and how long answers are waited for after each time: a question may be lost. Unit: milliseconds. */
const askedTimes = 3;
const answersMs = 700;
/** Addresses taken: enough that some agent answers. */
const addressesMax = 16;

/**
 * Where members of the mesh `meshId` are on the link of `address`, `host:port`, as each answers. Throws `UNAVAILABLE` when
 * none answers within about two seconds, or when the link cannot be opened.
 */
export async function membersByMulticast(
  deps: { readonly clock: Clock },
  asked: { readonly meshId: string; readonly address: string; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { socket, family, isOnLink } = multicastLinkOf(asked.address);
  const found = new Set<string>();
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('response', (response: MulticastAnswer, source) => {
    if (!isOnLink(source.address)) return;
    for (const member of membersIn(response, asked.meshId, family)) {
      if (found.size < addressesMax) found.add(formatAddress(member));
    }
  });
  try {
    for (let time = 0; time < askedTimes && found.size === 0 && failure === undefined; time += 1) {
      socket.query([{ name: peerService, type: 'PTR' }]);
      await sleep(deps.clock, answersMs, asked.signal);
    }
  } finally {
    await new Promise<void>((resolve) => socket.destroy(() => resolve()));
  }
  if (failure !== undefined) throw ShoalError.from(failure, 'UNAVAILABLE', 'asking for members by multicast DNS');
  if (found.size === 0) {
    throw new ShoalError(
      'UNAVAILABLE',
      `No member of the mesh answered by multicast DNS on the link of ${asked.address}. Members answer when "mdns" is in their discovery, too.`,
      { facts: { address: asked.address } },
    );
  }
  return [...found];
}
