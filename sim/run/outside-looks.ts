/** A run as it is seen from outside, now and then: by checkers, and for pictures of it. */
import type { Picture, Watcher } from '../trace/watcher.ts';
import { scaleOf } from '../world/scale.ts';
import type { SimWorld } from './world.ts';

/** How often the world is looked at, in a small one and in a large one, where a look is dear. Unit: ms. */
const lookMs = { small: 50, large: 1_000 };

/** Looks from `start` on. */
export class OutsideLooks {
  readonly #world: SimWorld;
  readonly #watcher: Watcher | undefined;

  constructor(world: SimWorld, watcher: Watcher | undefined) {
    this.#world = world;
    this.#watcher = watcher;
  }

  /** Looks at once, and again and again. */
  start(): void {
    for (const node of this.#world.nodes) this.#world.consensus.look(node);
    this.#world.hosts.look();
    this.#watcher?.looked?.(this.#picture());
    this.#world.schedule.after(lookMs[scaleOf(this.#world.nodes.length)], () => this.start());
  }

  #picture(): Picture {
    const leading = this.#world.nodes.find(({ process: running }) => running?.loop.route()?.kind === 'here');
    const loop = leading?.process?.loop;
    return {
      atMs: this.#world.schedule.nowMs,
      leader:
        leading === undefined || loop === undefined ? undefined : { member: leading.raftId, term: loop.status().term },
      isUp: this.#world.nodes.map(
        (node) => node.process !== undefined && (node.life?.pausedUntilMs ?? 0) <= this.#world.schedule.nowMs,
      ),
      silent: (loop?.members() ?? [])
        .filter(({ silentMs }) => silentMs > (loop?.options.silenceMs ?? 0))
        .map(({ raftId }) => raftId),
      servers: this.#world.hosts.servers(),
    };
  }
}
