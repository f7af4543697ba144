import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { texts } from '../kit/texts.ts';
import { Form } from './form.tsx';

/** A dialog over the page. The browser keeps the focus in it, closes it by Escape and gives the focus back. */
export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Before anything is typed after the click that opened it.
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    // The browser would begin at the button that closes it.
    const field = dialog.current?.querySelector('input, select, textarea');
    if (field instanceof HTMLElement) field.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={titleId} class={props.wide === true ? 'wide' : ''} onClose={props.onClose}>
      <div class="dialog-head">
        <h2 id={titleId}>{props.title}</h2>
        <button type="button" class="plain" aria-label={texts.close} onClick={() => dialog.current?.close()}>
          ✕
        </button>
      </div>
      {props.children}
    </dialog>
  );
}

/**
 * Asks before something is done that cannot be undone, and names what will be lost.
 * @param typed what must be typed first, for what takes more with it than itself.
 */
export function Confirm(props: {
  title: string;
  losses: readonly string[];
  submit: string;
  typed?: string;
  onConfirm: () => Promise<void>;
  onClose: () => void;
}) {
  const [text, setText] = useState('');
  const inputId = useId();
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <Form
        submit={props.submit}
        isDanger
        canSubmit={props.typed === undefined || text === props.typed}
        onSubmit={props.onConfirm}
        onCancel={props.onClose}
      >
        <ul>
          {props.losses.map((loss) => (
            <li key={loss} dir="auto">
              {loss}
            </li>
          ))}
        </ul>
        {props.typed === undefined ? null : (
          <p class="field">
            <label for={inputId}>{texts.confirm.typeName(props.typed)}</label>
            <input
              id={inputId}
              value={text}
              autocomplete="off"
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </p>
        )}
      </Form>
    </Dialog>
  );
}
