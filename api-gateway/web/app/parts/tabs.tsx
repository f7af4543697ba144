import { href, place } from '../kit/router.ts';
import { pathOf } from '../kit/router-paths.ts';

/** Parts of a page, of which the address names one by `tab`. They are links: each can be opened elsewhere, and gone back to. */
export function Tabs(props: {
  label: string;
  tabs: readonly { readonly key: string; readonly title: string }[];
  current: string;
}) {
  const { path } = place.value;
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  return (
    <nav class="tabs" aria-label={`${props.label}: parts`}>
      {props.tabs.map(({ key, title }) => (
        <a key={key} href={href(pathOf(parts, { tab: key }))} aria-current={key === props.current ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}
