import { useId } from 'preact/hooks';
import { wordsOf } from '../kit/api-error.ts';
import { notify } from '../kit/notices.ts';
import { href } from '../kit/router.ts';
import { logOut, type session, switchProject } from '../kit/session.ts';
import { texts } from '../kit/texts.ts';
import { type Theme, theme } from './theme.ts';

const themes: readonly Theme[] = ['system', 'light', 'dark'];

/** Who is logged in, where, and the ways from everywhere to everywhere. */
export function Header(props: {
  session: NonNullable<typeof session.value>;
  isMenuOpen: boolean;
  onMenu: () => void;
  onSearch: () => void;
}) {
  const { user, project, projects } = props.session;
  const [projectId, themeId] = [useId(), useId()];
  const run = (work: Promise<void>): void => {
    work.catch((error: unknown) => notify(wordsOf(error)));
  };
  return (
    <header>
      <button
        type="button"
        class="menu"
        aria-expanded={props.isMenuOpen}
        aria-controls="navigation"
        onClick={props.onMenu}
      >
        {texts.shell.menu}
      </button>
      <a class="brand" href={href('/')}>
        {texts.product}
      </a>
      <label for={projectId} class="sr-only">
        {texts.shell.project}
      </label>
      <select
        id={projectId}
        class="project"
        value={project.id}
        onChange={(event) => run(switchProject(event.currentTarget.value))}
      >
        {projects.map(({ id, name }) => (
          <option key={id} value={id} selected={id === project.id}>
            {name}
          </option>
        ))}
      </select>
      <button type="button" class="search" aria-keyshortcuts="Control+K" onClick={props.onSearch}>
        {texts.shell.search} <kbd>Ctrl K</kbd>
      </button>
      <span class="who" title={texts.shell.loggedIn(user.name)} dir="auto">
        {user.name}
      </span>
      <label for={themeId} class="sr-only">
        {texts.shell.theme}
      </label>
      <select
        id={themeId}
        class="theme"
        value={theme.value}
        onChange={(event) => {
          theme.value = themes.find((one) => one === event.currentTarget.value) ?? 'system';
        }}
      >
        {themes.map((one) => (
          <option key={one} value={one} selected={one === theme.value}>
            {texts.shell.themes[one]}
          </option>
        ))}
      </select>
      <button type="button" onClick={() => run(logOut())}>
        {texts.shell.logOut}
      </button>
    </header>
  );
}
