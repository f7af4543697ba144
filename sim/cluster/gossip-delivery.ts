/**
 * How gossip travels: from one host to another over the simulated network, held back or lost where gossip is in trouble.
 * What hosts told lately is kept, for liars to tell it again.
 */
import type { Prng } from '../../node/base/prng.ts';
import { shoal } from '../../proto/messages.ts';
import type { HeardAdverts } from '../agents/gossip.ts';
import type { HostAgent } from '../agents/host-agent.ts';
import { hostIdOf } from '../world/ids.ts';
import type { SimNetwork } from '../world/network.ts';
import type { SimNode } from '../world/node.ts';
import type { Trouble } from '../world/trouble.ts';

/** Adverts of the past that are kept. */
const toldMax = 200;
/** HeardAdverts that waits for one host. */
const heldMax = 2_000;

interface GossipDeliveryDeps {
  readonly random: Prng;
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  readonly trouble: Trouble;
  /** The agent that runs on a host now. */
  readonly agentOf: (raftId: number) => HostAgent | undefined;
}

export class GossipDelivery {
  readonly #deps: GossipDeliveryDeps;
  /** Adverts that hosts told lately, for those who tell them again. */
  #told: shoal.v1.Advert[] = [];

  constructor(deps: GossipDeliveryDeps) {
    this.#deps = deps;
  }

  /** Sends gossip from one host to another; what troubles gossip may hold it back or let it be lost. */
  send(from: number, to: number, told: HeardAdverts): void {
    const { network, trouble, agentOf } = this.#deps;
    if (trouble.gossipAlone.has(from) || trouble.gossipAlone.has(to)) return;
    if (told.kind === 'advert' && told.by === told.advert.hostId) {
      this.#told.push(told.advert);
      if (this.#told.length > 2 * toldMax) this.#told = this.#told.slice(-toldMax);
    }
    const arrive = (): void => agentOf(to)?.host.gossip.hear(told);
    network.post(from, to, () => {
      const held = trouble.gossipHeld.get(to);
      if (held === undefined) arrive();
      else if (held.length < heldMax) held.push(arrive);
    });
  }

  /** A member that lies: in another's name, in words of the past, and of who is there. */
  lie(liar: number): void {
    const { random, nodes, agentOf } = this.#deps;
    const victim = random.pick(nodes.filter(({ raftId }) => raftId !== liar)).raftId;
    const about = agentOf(victim);
    const by = hostIdOf(liar);
    const old = this.#told.filter(({ hostId }) => hostId === hostIdOf(victim));
    const lies: HeardAdverts[] = [];
    const known = old.at(-1);
    if (known !== undefined) {
      const forged = new shoal.v1.Advert({ ...known, sequence: known.sequence + 1_000, vcpusUsed: 0, vcpus: 1_000 });
      lies.push({ kind: 'advert', by, advert: forged });
      lies.push({ kind: 'advert', by: hostIdOf(victim), advert: random.pick(old) });
    }
    if (about !== undefined) {
      const update = {
        ...about.host.gossip.ownHealthUpdate(),
        from: by,
        kind: random.pick(['dead', 'suspect'] as const),
      };
      lies.push({ kind: 'health-update', by, update });
    }
    for (const told of lies) for (const { raftId } of nodes) if (raftId !== liar) this.send(liar, raftId, told);
  }
}
