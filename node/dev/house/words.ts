/** Words of an old dialect of this code, and what the field says instead. Names on disk and on the wire keep theirs. */
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
    stored: /Topic\('rumours'|'adverts' \| 'rumours'|'rumour\/v1'|cell0\/rumours\/|`rumour`|"shoal\/rumour\/v1"/gu,
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
  { word: /\bshel(?:f|ves)\b|[Ss]helf(?=[A-Z])|Shelf/gu, instead: 'snapshot cache' },
];

/** A text of ours, code or words. */
interface Text {
  readonly path: string;
  readonly text: string;
}

/** An old word in one file. */
export interface OldWordUse {
  readonly path: string;
  readonly times: number;
  /** What the field says. */
  readonly instead: string;
}

/** Where old words stand in `texts`, and how often; names on disk and on the wire do not count. */
export function oldWordsIn(texts: readonly Text[]): readonly OldWordUse[] {
  return texts.flatMap(({ path, text }) =>
    oldWords.flatMap(({ word, instead, stored }) => {
      const left = stored === undefined ? text : text.replace(stored, '');
      const times = left.match(word)?.length ?? 0;
      return times === 0 ? [] : [{ path, times, instead }];
    }),
  );
}
