import { useEffect, useId, useState } from 'preact/hooks';
import type { PageEntry } from '../kit/page-entry.ts';
import { navigate } from '../kit/router.ts';
import { type Found, foundIn, search } from '../kit/search.ts';
import { texts } from '../kit/texts.ts';
import { Dialog } from '../parts/dialog.tsx';

/** How long nothing must be typed before the API is asked, milliseconds. */
const restMs = 150;

/** Search over everything, by keyboard. */
export function Palette(props: { pages: readonly PageEntry[]; onClose: () => void }) {
  const [text, setText] = useState('');
  const [things, setThings] = useState<readonly Found[]>([]);
  const [chosen, setChosen] = useState(0);
  const [listId, inputId] = [useId(), useId()];
  const places = props.pages
    .filter(({ group }) => group !== undefined)
    .map(({ path, title }) => ({ kind: texts.palette.page, name: title, id: path, path }));
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      search(text, abort.signal).then(setThings, () => {
        // What cannot be asked for is not found; pages are, all the same, and the banner says why.
        if (!abort.signal.aborted) setThings([]);
      });
    }, restMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [text]);
  const found = [...foundIn(places, text), ...things].slice(0, 30);
  const at = Math.min(chosen, Math.max(0, found.length - 1));
  const open = (one: Found | undefined): void => {
    if (one === undefined) return;
    props.onClose();
    navigate(one.path);
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setChosen((at + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      open(found[at]);
    }
  };
  return (
    <Dialog title={texts.palette.title} onClose={props.onClose}>
      <p class="field">
        <label for={inputId}>{texts.palette.label}</label>
        <input
          id={inputId}
          role="combobox"
          aria-expanded={found.length > 0}
          aria-controls={listId}
          aria-autocomplete="list"
          aria-activedescendant={found.length > 0 ? `${listId}-${at}` : undefined}
          autocomplete="off"
          autofocus
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={onKey}
        />
      </p>
      <div id={listId} role="listbox" aria-label={texts.palette.title} class="found">
        {found.map((one, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys
          <div
            key={`${one.kind} ${one.id}`}
            id={`${listId}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === at}
            onClick={() => open(one)}
          >
            <span class="kind">{one.kind}</span> <bdi>{one.name === '' ? one.id : one.name}</bdi>
          </div>
        ))}
      </div>
      <p class="quiet" role="status">
        {found.length === 0 ? texts.palette.nothing : texts.palette.results(found.length)}
      </p>
      <p class="quiet">{texts.palette.hint}</p>
    </Dialog>
  );
}
