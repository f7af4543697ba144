import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { wordsOf } from '../kit/api-error.ts';
import { notices } from '../kit/notices.ts';
import type { PageEntry, PageProps } from '../kit/page-entry.ts';
import { place } from '../kit/router.ts';
import { matchPath } from '../kit/router-paths.ts';
import { isOperator, session } from '../kit/session.ts';
import { texts } from '../kit/texts.ts';
import { Banner } from './banner.tsx';
import { Header } from './header.tsx';
import { LogIn } from './log-in.tsx';
import { Navigation } from './navigation.tsx';
import { NotFound } from './not-found.tsx';
import { Palette } from './palette.tsx';

/** Everything around a page. */
export function Shell(props: { pages: readonly PageEntry[]; failure: unknown }) {
  const current = session.value;
  const hadSession = useRef(false);
  const [isSearching, setSearching] = useState(false);
  const [isMenuOpen, setMenuOpen] = useState(false);
  if (current !== undefined) hadSession.current = true;
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || session.value === undefined) return;
      event.preventDefault();
      setSearching(true);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const { path } = place.value;
  useEffect(() => setMenuOpen(false), [path]);
  if (current === undefined) {
    return (
      <>
        <Banner />
        <LogIn hasEnded={hadSession.current} failure={props.failure} />
      </>
    );
  }
  const shown = props.pages.filter(({ forOperators }) => forOperators !== true || isOperator.value);
  return (
    <>
      <a class="skip" href="#content">
        {texts.skip}
      </a>
      <Header
        session={current}
        isMenuOpen={isMenuOpen}
        onMenu={() => setMenuOpen(!isMenuOpen)}
        onSearch={() => setSearching(true)}
      />
      <Banner />
      <div class="body">
        <Navigation pages={shown} isOpen={isMenuOpen} />
        <main id="content" tabIndex={-1}>
          {/* Another project has other things: nothing of the last one stays. */}
          <Current key={current.project.id} pages={shown} path={path} />
        </main>
      </div>
      <div class="notices" role="status" aria-label={texts.shell.notices}>
        {notices.value.map(({ id, text }) => (
          <p key={id}>{text}</p>
        ))}
      </div>
      {isSearching ? <Palette pages={shown} onClose={() => setSearching(false)} /> : null}
    </>
  );
}

/** The page of the address, once its file is loaded. */
function Current(props: { pages: readonly PageEntry[]; path: string }) {
  const [loaded, setLoaded] = useState<{ entry: PageEntry; page: ComponentType<PageProps> } | undefined>(undefined);
  const [failure, setFailure] = useState<unknown>(undefined);
  const found = props.pages
    .map((entry) => ({ entry, parameters: matchPath(entry.path, props.path) }))
    .find(({ parameters }) => parameters !== undefined);
  const entry = found?.entry;
  useEffect(() => {
    let isWanted = true;
    setFailure(undefined);
    entry?.load().then(
      (module) => {
        if (isWanted) setLoaded({ entry, page: module.default });
      },
      (error: unknown) => {
        if (isWanted) setFailure(error);
      },
    );
    return () => {
      isWanted = false;
    };
  }, [entry]);
  if (found === undefined) return <NotFound />;
  if (failure !== undefined) return <p role="alert">{texts.errors.page(wordsOf(failure))}</p>;
  if (loaded === undefined || loaded.entry !== entry) return <p class="quiet">{texts.loading}</p>;
  const { page: Page } = loaded;
  return <Page key={props.path} parameters={found.parameters ?? {}} />;
}
