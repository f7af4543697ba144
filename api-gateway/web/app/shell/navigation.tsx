import type { PageEntry } from '../kit/page-entry.ts';
import { href, place } from '../kit/router.ts';
import { texts } from '../kit/texts.ts';

/** All pages that stand in it, below their headings. @param isOpen on narrow screens, where it is shown when asked for. */
export function Navigation(props: { pages: readonly PageEntry[]; isOpen: boolean }) {
  const { path } = place.value;
  const listed = props.pages.filter(({ group }) => group !== undefined);
  const groups = [...new Set(listed.map(({ group }) => group ?? ''))];
  return (
    <nav aria-label={texts.shell.navigation} id="navigation" class={props.isOpen ? 'open' : ''}>
      {groups.map((group) => (
        <div key={group}>
          {group === '' ? null : <h2>{group}</h2>}
          <ul>
            {listed
              .filter((entry) => entry.group === group)
              .map((entry) => (
                <li key={entry.path}>
                  <a href={href(entry.path)} aria-current={isBelow(path, entry.path) ? 'page' : undefined}>
                    {entry.title}
                  </a>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function isBelow(path: string, entry: string): boolean {
  return path === entry || (entry !== '/' && path.startsWith(`${entry}/`));
}
