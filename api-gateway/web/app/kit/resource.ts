/** What a component shows of the API: asked for when it appears, again now and then, and no more once it has gone. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError } from './api-error.ts';
import { texts } from './texts.ts';

/** See above. */
export interface Resource<T> {
  /** The last answer; it stays while a later question fails. */
  readonly data: T | undefined;
  /** Why the last question failed; undefined: it did not. */
  readonly error: ApiError | undefined;
  /** Asks again, now. */
  refresh(): void;
}

/** How often lists are asked for again, milliseconds. Each agent answers thousands of these a second. */
const refreshMsDefault = 4000;

/**
 * @param load asks; it is aborted when the component goes or `keys` change.
 * @param keys what `load` depends on.
 * @param everyMs 0: only when `refresh` says so. A page that nobody sees does not ask.
 */
export function useResource<T>(
  load: (signal: AbortSignal) => Promise<T>,
  keys: readonly unknown[],
  everyMs = refreshMsDefault,
): Resource<T> {
  const [data, setData] = useState<T | undefined>(undefined);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const [turn, setTurn] = useState(0);
  const asking = useRef(load);
  asking.current = load;
  // Another question has another answer: the old one would be shown under the new name.
  useEffect(() => () => setData(undefined), keys);
  useEffect(() => {
    const abort = new AbortController();
    let timer: number | undefined;
    const run = async (): Promise<void> => {
      if (!document.hidden) {
        try {
          const found = await asking.current(abort.signal);
          if (abort.signal.aborted) return;
          setData(() => found);
          setError(undefined);
        } catch (caught) {
          if (abort.signal.aborted) return;
          setError(caught instanceof ApiError ? caught : new ApiError(0, texts.errors.page(String(caught)), ''));
        }
      }
      if (everyMs > 0) timer = window.setTimeout(() => void run(), everyMs);
    };
    void run();
    return () => {
      abort.abort();
      window.clearTimeout(timer);
    };
  }, [...keys, turn, everyMs]);
  const refresh = useCallback(() => setTurn((before) => before + 1), []);
  return { data, error, refresh };
}
