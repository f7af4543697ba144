import type { ComponentChildren } from 'preact';
import { fullTime, relativeTime } from '../kit/format.ts';
import { notify } from '../kit/notices.ts';
import { href } from '../kit/router.ts';
import { texts } from '../kit/texts.ts';

/** What a state means for who looks: `good` works, `busy` changes by itself, `bad` needs somebody. */
function toneOf(status: string): 'good' | 'busy' | 'bad' | 'idle' {
  if (/^(?:active|alive|succeeded|available|in-use|up|enabled|verify_resize)$/iu.test(status)) return 'good';
  if (/error|dead|down|unknown|killed|failed/iu.test(status)) return 'bad';
  if (/ing$|build|queued|rebuild|resize|migrating|reboot|password/iu.test(status)) return 'busy';
  return 'idle';
}

/** A state, in the API's own word, and by a colour that says no more than the word does. */
export function Status(props: { value: string; task?: string | null | undefined }) {
  const { value, task } = props;
  const shown = task === null || task === undefined || task === '' ? value : `${value} · ${task}`;
  return <span class={`status ${task ? 'busy' : toneOf(value)}`}>{shown}</span>;
}

/** A moment: how long ago, and in full for who points at it. */
export function Time(props: { at: string | null | undefined }) {
  const { at } = props;
  if (at === null || at === undefined || at === '') return <span class="quiet">–</span>;
  return (
    <time dateTime={at} title={fullTime(at)}>
      {relativeTime(at, Date.now())}
    </time>
  );
}

/** A link to a page of the thing; its name, or its id when it has none. */
export function Thing(props: { to: string; name?: string | null | undefined; id: string }) {
  const name = props.name === undefined || props.name === null || props.name === '' ? props.id : props.name;
  return (
    <a href={href(props.to)} dir="auto" class="thing" title={name}>
      {name}
    </a>
  );
}

/** Names and values. Those that are undefined are left out. */
export function Facts(props: { of: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {props.of
        .filter(([, value]) => value !== undefined && value !== null && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd dir="auto">{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** Text to take along. */
export function Copyable(props: { text: string; label?: string }) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(props.text);
    notify(texts.copied);
  };
  return (
    <div class="copyable">
      {/* Long lines scroll, by keyboard too. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reached by the keyboard */}
      <pre tabIndex={0}>{props.text}</pre>
      <button type="button" aria-label={`${texts.copy} ${props.label ?? ''}`.trim()} onClick={() => void copy()}>
        {texts.copy}
      </button>
    </div>
  );
}

/** The same by the command line. */
export function Cli(props: { command: string }) {
  return (
    <details class="cli">
      <summary>{texts.cli.title}</summary>
      <Copyable text={props.command} label={texts.cli.title} />
    </details>
  );
}
