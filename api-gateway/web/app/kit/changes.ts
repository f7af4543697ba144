/** What changes, told by the agent: one stream for the page, open while something that it shows listens. */
import { useEffect } from 'preact/hooks';
import { EventLines } from './event-lines.ts';
import { isOperator } from './session.ts';
import { token } from './token.ts';

/** One change; what it is now the API says. */
interface Change {
  readonly kind: string;
  readonly id: string;
  readonly deleted: boolean;
}

/** What is told of a change; an empty list: too much has happened, and all is to be read. */
type Listener = (changes: readonly Change[], revision: number) => void;

/** How long it takes until the stream is asked for again, milliseconds. */
const againMs = 2_000;
/** Changes come in bursts: a page asks once for each burst, milliseconds. */
const settleMs = 150;

const listeners = new Set<Listener>();
let running: AbortController | undefined;

/** Hears of changes until the returned function is called. */
function listen(listener: Listener): () => void {
  listeners.add(listener);
  if (running === undefined) {
    running = new AbortController();
    void run(running.signal);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    running?.abort();
    running = undefined;
  };
}

/** Calls `onChange` soon after things of these kinds have changed, while the component is there. */
export function useChanges(kinds: readonly string[], onChange: () => void): void {
  useEffect(() => {
    let timer: number | undefined;
    const close = listen((changes) => {
      if (changes.length > 0 && !changes.some(({ kind }) => kinds.includes(kind))) return;
      timer ??= window.setTimeout(() => {
        timer = undefined;
        onChange();
      }, settleMs);
    });
    return () => {
      window.clearTimeout(timer);
      close();
    };
  }, kinds);
}

/** Calls `onChanges` with each of them, while the component is there. */
export function useEveryChange(onChanges: Listener): void {
  useEffect(() => listen(onChanges), []);
}

async function run(signal: AbortSignal): Promise<void> {
  let lastId = '';
  while (!signal.aborted) {
    try {
      for await (const { id, event, data } of events(lastId, signal)) {
        if (id !== undefined) lastId = id;
        if (event !== 'changes' && event !== 'reset') continue;
        const said = JSON.parse(data) as { readonly revision: number; readonly changes?: readonly Change[] };
        for (const listener of [...listeners]) listener(said.changes ?? [], said.revision);
      }
    } catch {
      // The agent is away, or the session has ended: the pages' own questions say which. It is asked again either way.
    }
    await new Promise((resolve) => setTimeout(resolve, againMs));
  }
}

async function* events(lastId: string, signal: AbortSignal) {
  const headers = new Headers({ 'x-auth-token': token.value ?? '' });
  if (lastId !== '') headers.set('last-event-id', lastId);
  const query = isOperator.value ? '?all_projects=true' : '';
  const response = await fetch(`/shoal/v1/events${query}`, { headers, signal, credentials: 'same-origin' });
  if (!response.ok || response.body === null) return;
  const lines = new EventLines();
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) yield* lines.take(text);
}
