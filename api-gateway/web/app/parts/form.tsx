import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { wordsOf } from '../kit/api-error.ts';
import { texts } from '../kit/texts.ts';

/** A form: one thing is under way at a time, and why it failed stands above its buttons, said at once. */
export function Form(props: {
  submit: string;
  onSubmit: () => Promise<void>;
  onCancel?: () => void;
  canSubmit?: boolean;
  isDanger?: boolean;
  children: ComponentChildren;
}) {
  const [failure, setFailure] = useState('');
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isBusy || props.canSubmit === false) return;
    setBusy(true);
    setFailure('');
    try {
      await props.onSubmit();
    } catch (error) {
      setFailure(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)} aria-busy={isBusy}>
      {props.children}
      <p class="failure" role="alert">
        {failure}
      </p>
      <div class="buttons">
        <button
          type="submit"
          class={props.isDanger === true ? 'danger' : 'primary'}
          disabled={isBusy || props.canSubmit === false}
        >
          {props.submit}
        </button>
        {props.onCancel === undefined ? null : (
          <button type="button" onClick={props.onCancel}>
            {texts.cancel}
          </button>
        )}
      </div>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
}

/** A line of text. */
export function TextField(
  props: FieldProps & {
    value: string;
    onChange: (value: string) => void;
    type?: 'text' | 'password' | 'number';
    required?: boolean;
    maxLength?: number;
    min?: number;
    autocomplete?: string;
    autofocus?: boolean;
    placeholder?: string;
  },
) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  // The attribute counts when a document is loaded, and not for what a script adds later.
  useLayoutEffect(() => {
    if (props.autofocus === true) input.current?.focus();
  }, []);
  return (
    <p class="field">
      <label for={id}>{props.label}</label>
      <input
        id={id}
        ref={input}
        {...typed(props.type ?? 'text')}
        value={props.value}
        required={props.required ?? false}
        autocomplete={props.autocomplete ?? 'off'}
        {...(props.maxLength === undefined ? {} : { maxLength: props.maxLength })}
        {...(props.min === undefined ? {} : { min: props.min })}
        {...(props.placeholder === undefined ? {} : { placeholder: props.placeholder })}
        {...(props.hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
      <Hint id={`${id}-hint`} text={props.hint} />
    </p>
  );
}

/** Preact's types tell a password field apart from the others by what each may have. */
function typed(type: 'text' | 'password' | 'number'): { type: 'text' } {
  return { type: type as 'text' };
}

/** Several lines of text. */
export function TextArea(props: FieldProps & { value: string; onChange: (value: string) => void; rows?: number }) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{props.label}</label>
      <textarea
        id={id}
        rows={props.rows ?? 4}
        value={props.value}
        {...(props.hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        onInput={(event) => props.onChange(event.currentTarget.value)}
      />
      <Hint id={`${id}-hint`} text={props.hint} />
    </p>
  );
}

/** One of some. */
export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** See above. */
export function SelectField(
  props: FieldProps & {
    value: string;
    onChange: (value: string) => void;
    choices: readonly Choice[];
    required?: boolean;
  },
) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{props.label}</label>
      <select
        id={id}
        value={props.value}
        required={props.required ?? false}
        {...(props.hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        onChange={(event) => props.onChange(event.currentTarget.value)}
      >
        {props.choices.map(({ value, label }) => (
          <option key={value} value={value} selected={value === props.value}>
            {label}
          </option>
        ))}
      </select>
      <Hint id={`${id}-hint`} text={props.hint} />
    </p>
  );
}

/** Yes or no. */
export function CheckField(props: { label: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <p class="field check">
      <label>
        <input
          type="checkbox"
          checked={props.checked}
          onChange={(event) => props.onChange(event.currentTarget.checked)}
        />{' '}
        {props.label}
      </label>
    </p>
  );
}

function Hint(props: { id: string; text: string | undefined }) {
  if (props.text === undefined) return null;
  return (
    <small id={props.id} class="hint">
      {props.text}
    </small>
  );
}
