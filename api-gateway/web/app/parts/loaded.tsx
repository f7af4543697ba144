import type { ComponentChildren } from 'preact';
import { wordsOf } from '../kit/api-error.ts';
import type { Resource } from '../kit/resource.ts';
import { texts } from '../kit/texts.ts';

/** What a question came to: its answer, or why there is none, once and with a way to ask again. */
export function Loaded<T>(props: { of: Resource<T>; children: (data: T) => ComponentChildren }) {
  const { data, error, refresh } = props.of;
  return (
    <>
      {error === undefined ? null : (
        <div class="problem" role="alert">
          <p>
            {texts.errors.load} {wordsOf(error)}
          </p>
          <button type="button" onClick={refresh}>
            {texts.again}
          </button>
        </div>
      )}
      {data === undefined ? error === undefined && <p class="quiet">{texts.loading}</p> : props.children(data)}
    </>
  );
}
