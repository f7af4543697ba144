import { href } from '../kit/router.ts';
import { texts } from '../kit/texts.ts';
import { Page } from '../parts/page.tsx';

/** For addresses that lead nowhere. */
export function NotFound() {
  return (
    <Page title={texts.notFound.title}>
      <p>{texts.notFound.body}</p>
      <p>
        <a href={href('/')}>{texts.notFound.front}</a>
      </p>
    </Page>
  );
}
