/** Words of an old dialect of this code, and what the field says instead. Names on disk and on the wire keep theirs. */
import type { Source } from './source.ts';

interface OldWord {
  readonly word: RegExp;
  readonly instead: string;
  /** Where the word stays, as it is the name of something on disk or on the wire. */
  readonly stored?: RegExp;
}

const oldWords: readonly OldWord[] = [
  {
    word: /doubt/giu,
    instead: 'quarantined',
    stored: /quarantineField = 'doubt'|\bdoubt: \{|\bdoubt: 7|`doubt`|doubt: quarantine/gu,
  },
  { word: /\bleap(?:s|t|ed)?\b|\w+Leap\b/gu, instead: 'term fence' },
  {
    word: /rumou?r/giu,
    instead: 'health update',
    stored: /Topic\('rumours'|'adverts' \| 'rumours'|'rumour\/v1'|cell0\/rumours\//gu,
  },
  { word: /\bstanding\(|\.standing\b|\w*Standing\b/gu, instead: 'status' },
  { word: /wish/giu, instead: 'request, attribute or desired state' },
  {
    word: /\w*[sS]ettle(?:With|Text|Shutdown|Counted)\b|\.settled?\(\)|Settling|[uU]nsettled/gu,
    instead: 'release, idle or converged',
  },
  { word: /ActedOn|actedOn/gu, instead: 'revision fence' },
  { word: /shuts? (?:\w+ ){0,3}out\b|shutting (?:\w+ ){0,3}out\b|shutOut|ShutOut/giu, instead: 'fence' },
  { word: /\buntold\b/giu, instead: 'pending report, or not listed' },
  { word: /\bwhoever\b/giu, instead: 'the caller, the host, the member: its name' },
  { word: /\banew\b|Anew\b/gu, instead: 'again' },
  { word: /\bmaybe\(/gu, instead: 'buggify' },
  { word: /bad luck|[mM]isfortune/gu, instead: 'fault, nemesis' },
  { word: /hearsay/giu, instead: 'gossip' },
  { word: /acquaintance/giu, instead: 'handshake' },
  { word: /misdeed/giu, instead: 'planted fault' },
  { word: /unsaid/giu, instead: 'pending report' },
  { word: /\bdepots?\b|depot(?=[A-Z])|Depot/gu, instead: 'image cache' },
  { word: /\bshel(?:f|ves|ved)\b|[Ss]helf(?=[A-Z])|Shelf|Shelved/gu, instead: 'snapshot cache' },
];

/** How often each old word stands in `sources`; words that do not occur are left out. */
export function oldWordsIn(sources: readonly Source[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { text } of sources) {
    for (const { word, instead, stored } of oldWords) {
      const times = (text.match(word)?.length ?? 0) - (stored === undefined ? 0 : (text.match(stored)?.length ?? 0));
      if (times > 0) counts.set(instead, (counts.get(instead) ?? 0) + times);
    }
  }
  return counts;
}
