/** What fields offer to choose from, asked of the API when a form is opened. */
import { get } from './api.ts';

interface Named {
  readonly id: string;
  readonly name?: string | null;
}

/** A function that asks for the things of a collection; each is called by its name, or its id when it has none. */
export function choicesFrom(
  path: string,
  collection: string,
): (signal: AbortSignal) => Promise<readonly { readonly value: string; readonly label: string }[]> {
  return async (signal) => {
    const body = new Map(Object.entries(await get<Readonly<Record<string, readonly Named[]>>>(path, signal)));
    return (body.get(collection) ?? []).map(({ id, name }) => ({ value: id, label: name || id }));
  };
}
