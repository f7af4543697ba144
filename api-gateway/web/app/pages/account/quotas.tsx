import { loadQuotas } from '../../kit/quota.ts';
import { useResource } from '../../kit/resource.ts';
import { session } from '../../kit/session.ts';
import { texts } from '../../kit/texts.ts';
import { Bars } from '../../parts/bars.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Cli } from '../../parts/values.tsx';

/** What the project may have, and has. */
export default function Quotas() {
  const quotas = useResource(loadQuotas, []);
  return (
    <Page title={texts.quotas.title}>
      <Loaded of={quotas}>{(all) => <Bars bars={all} />}</Loaded>
      <Cli command={`openstack quota show --usage ${session.value?.project.id ?? ''}`} />
    </Page>
  );
}
