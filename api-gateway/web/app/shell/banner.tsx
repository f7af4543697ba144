import { freshness } from '../kit/api.ts';
import { useResource } from '../kit/resource.ts';
import { texts } from '../kit/texts.ts';

/** What `/readyz` says; without a quorum its status is 503 and its body the same. */
interface Readiness {
  readonly quorum: string;
  readonly missingVoters: readonly string[];
}

const askMs = 5000;

/** What is wrong with the cloud, in one sentence each, and what is still allowed. Nothing where nothing is. */
export function Banner() {
  const { data } = useResource(readiness, [], askMs);
  const { stale, partial, isReached } = freshness.value;
  const missing = data?.missingVoters.join(', ') ?? '';
  const sentences = [
    isReached ? '' : texts.errors.unreachable,
    data?.quorum === 'lost' ? texts.banner.lost(missing) : '',
    data?.quorum === 'slow' ? texts.banner.slow(missing) : '',
    stale === undefined ? '' : texts.banner.stale(stale),
    partial ? texts.banner.partial : '',
  ].filter((sentence) => sentence !== '');
  return (
    <div class="banner" role="status">
      {sentences.map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  );
}

/** Asked by hand: 503 is an answer here, and says nothing about what the page's own requests came to. */
async function readiness(signal: AbortSignal): Promise<Readiness | undefined> {
  try {
    const response = await fetch('/readyz', { signal });
    return [200, 503].includes(response.status) ? ((await response.json()) as Readiness) : undefined;
  } catch (error) {
    if (signal.aborted) throw error;
    // The page's own requests tell that nobody answers.
    return undefined;
  }
}
