import { texts } from '../../kit/texts.ts';
import { Page } from '../../parts/page.tsx';
import { PortList } from './port-list.tsx';

/** All ports of the project. */
export default function Ports() {
  return (
    <Page title={texts.ports.title}>
      <PortList />
    </Page>
  );
}
