import { texts } from '../../kit/texts.ts';
import { Page } from '../../parts/page.tsx';
import { SnapshotList } from './snapshot-list.tsx';

/** All snapshots of volumes. */
export default function Snapshots() {
  return (
    <Page title={texts.snapshots.title}>
      <SnapshotList />
    </Page>
  );
}
