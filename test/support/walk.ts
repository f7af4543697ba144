/** Which files of an agent run while something is asked of it: V8's own count of calls, read by its inspector. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LoneAgent } from './lone-agent.ts';

/** How long until the inspector of a process listens. Unit: ms. */
const listensMsMax = 20_000;

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

/** A process whose calls are counted from now on. Start it with `NODE_OPTIONS=--inspect-port=0`. */
export class CalledFiles {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
      if (id === undefined) return;
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  static async of(agent: LoneAgent): Promise<CalledFiles> {
    process.kill(agent.pid, 'SIGUSR1');
    const endMs = performance.now() + listensMsMax;
    for (;;) {
      const url = /Debugger listening on (ws:\S+)/.exec(agent.log)?.[1];
      if (url !== undefined) {
        const socket = new WebSocket(url);
        await new Promise((resolve, reject) => {
          socket.addEventListener('open', resolve);
          socket.addEventListener('error', reject);
        });
        const files = new CalledFiles(socket);
        await files.#ask('Profiler.enable', {});
        await files.#ask('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
        return files;
      }
      if (performance.now() > endMs) throw new Error('the inspector of the agent does not listen');
      await delay(100);
    }
  }

  /** Files of which a function was called since the last time, by their paths below `root`. */
  async since(root: string): Promise<ReadonlySet<string>> {
    const { result } = (await this.#ask('Profiler.takePreciseCoverage', {})) as Coverage;
    const called = result.filter(({ functions }) => functions.some(({ ranges }) => (ranges[0]?.count ?? 0) > 0));
    return new Set(
      called
        .filter(({ url }) => url.startsWith(root) && !url.includes('/node_modules/'))
        .map(({ url }) => url.slice(root.length)),
    );
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: object): Promise<unknown> {
    this.#sent += 1;
    const id = this.#sent;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
