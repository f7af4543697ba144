/**
 * What led to a failure: the lines of the trace that concern what the failure is about, followed backwards.
 *
 * Begins with the names in the failure itself (members, servers, ports, volumes, tokens) and goes back through the
 * trace. A line that names one of them belongs to the story, and each that it says took part (the member that carried
 * out a call, the one that a vote came from) is followed from there on too. What only keeps things going (heartbeats,
 * empty acknowledgements, adverts) is left out, and of lines that say the same kind of thing about the same subject
 * only the last few are kept. Faults are told in full: those that struck someone in the story, and those that strike
 * everybody.
 */

/** Lines told, at most; and of one kind about one subject. */
const linesMax = 30;
const alikeMax = 2;
/** Members and things followed: beyond it everything would concern everything. */
const followedMax = 12;

interface Line {
  readonly text: string;
  readonly who: string;
  readonly what: string;
}

/** @param trace all lines, oldest first. @param detail the failure in words. Oldest first. */
export function causesOf(trace: readonly string[], detail: string): readonly string[] {
  const followed = new Set(namesIn(detail));
  const isAboutThings = [...followed].some((name) => !isMember(name));
  const story: string[] = [];
  const alike = new Map<string, number>();
  const endsAwaited = new Map<string, number>();
  for (let at = trace.length - 1; at >= 0 && story.length < linesMax; at -= 1) {
    const line = parse(trace[at] ?? '');
    if (line === undefined || isRoutine(line)) continue;
    const names = line.who === 'fault' ? faultNames(line.what) : [...namesIn(line.who), ...namesIn(line.what)];
    if (line.who === 'fault') {
      const name = line.what.split(' ', 1)[0] ?? '';
      if (line.what.endsWith(' ends')) {
        // Told where it began, if it concerned anybody.
        endsAwaited.set(name, (endsAwaited.get(name) ?? 0) + 1);
        continue;
      }
      const isForAll = names.length === 0;
      if (!isForAll && !names.some((named) => followed.has(named))) continue;
      if (isTold(`fault ${name}`, alike, 2 * alikeMax)) continue;
      const hasEnded = (endsAwaited.get(name) ?? 0) > 0;
      if (hasEnded) endsAwaited.set(name, (endsAwaited.get(name) ?? 0) - 1);
      story.push(`${line.text}${hasEnded ? ' (it has ended since)' : ''}`);
      continue;
    }
    if (!isOfTheStory(line, names, followed, isAboutThings)) continue;
    if (isTold(kindOf(line), alike, alikeMax)) continue;
    story.push(line.text);
    for (const named of names) if (followed.size < followedMax) followed.add(named);
  }
  return story.reverse();
}

/**
 * A line about things belongs to the story of any of them. A line about members alone does when the failure is about
 * members; in a story of things only their own events count: starts, ends, quarantine, who leads.
 */
function isOfTheStory(
  line: Line,
  names: readonly string[],
  followed: ReadonlySet<string>,
  isAboutThings: boolean,
): boolean {
  const things = names.filter((name) => !isMember(name));
  if (things.length > 0) return things.some((name) => followed.has(name));
  if (!names.some((name) => followed.has(name))) return false;
  return !isAboutThings || /^(boots|is killed|ends:|warn:|error:|info: leadership|info: a snapshot)/.test(line.what);
}

function parse(line: string): Line | undefined {
  const text = line.trimEnd();
  const match = /^\s*[\d.]+ (\S+)\s+(.*)$/.exec(text);
  if (match === null) return undefined;
  return { text, who: match[1] ?? '', what: match[2] ?? '' };
}

/** Traffic that only says "still here", and the trace's own head. */
function isRoutine({ who, what }: Line): boolean {
  if (who === 'sim') return true;
  if (/^hears (MsgAppResp|Hello|HelloResp|MsgReadIndex)/.test(what)) return true;
  return what.startsWith('hears MsgApp ') && !what.includes(' entries ');
}

/** Members as `n3` (a host `h3` is one with its member), and the ids of things. */
export function namesIn(text: string): readonly string[] {
  const names = new Set<string>();
  for (const [, number] of text.matchAll(/\b(?:n|h|member |members |host-)(\d+)\b/g)) names.add(`n${Number(number)}`);
  for (const [, a, b] of text.matchAll(/\bmembers (\d+) and (\d+)\b/g)) {
    names.add(`n${Number(a)}`);
    names.add(`n${Number(b)}`);
  }
  for (const [, digits] of text.matchAll(/\b(0{20,}\d+)\b/g)) names.add(`n${Number(digits)}`);
  for (const [id] of text.matchAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g)) names.add(id);
  for (const [token] of text.matchAll(/\b[cp]\d+\/\d+\b/g)) names.add(token);
  for (const [key] of text.matchAll(/\bk\/r\d+\b/g)) names.add(key);
  return [...names];
}

/** Faults of the network name members by bare numbers. */
function faultNames(what: string): readonly string[] {
  const detail = what.slice(what.indexOf(' ') + 1).replace(/ for \d+ ms|\d+ ms|\d+ %|\d+\.\d+/g, '');
  const numbers = what.startsWith('net-') ? [...detail.matchAll(/\b(\d+)\b/g)].map(([, number]) => `n${number}`) : [];
  return [...new Set([...namesIn(detail), ...numbers])];
}

function isMember(name: string): boolean {
  return /^n\d+$/.test(name);
}

/** Lines of one kind say the same of the same subject at different times. */
function kindOf({ who, what }: Line): string {
  return `${who} ${what.replace(/[\d.]+/g, '#').slice(0, 60)} ${namesIn(what)
    .filter((name) => !isMember(name))
    .join()}`;
}

/** Counts; true once enough of a kind have been told. */
function isTold(kind: string, alike: Map<string, number>, most: number): boolean {
  const count = (alike.get(kind) ?? 0) + 1;
  alike.set(kind, count);
  return count > most;
}
