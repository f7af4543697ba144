import { loadQuotas } from '../kit/quota.ts';
import { useResource } from '../kit/resource.ts';
import { session } from '../kit/session.ts';
import { texts } from '../kit/texts.ts';
import { Bars } from '../parts/bars.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { Page } from '../parts/page.tsx';

/** The front page: what the project has, and how much more it may. */
export default function Overview() {
  const quotas = useResource(loadQuotas, [], 10_000);
  return (
    <Page title={texts.overview.welcome(session.value?.project.name ?? '')}>
      <h2>{texts.overview.quota}</h2>
      <Loaded of={quotas}>{(all) => <Bars bars={all} />}</Loaded>
    </Page>
  );
}
