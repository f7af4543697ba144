/** The report's pictures as SVG. One width and one time axis for all, so that what happened at one moment stands in line. */
import type { Chronicle, FaultSpan, LeaderSpan } from './chronicle.ts';
import { escapeHtml, msText } from './text.ts';

const width = 1040;
/** Where time begins, and ends. */
const left = 96;
const right = width - 12;
const rowHeight = 20;
/** Hosts that have a row; of more, those that were struck most. */
const rowsMax = 40;
/** Columns of the charts over time. */
const columns = 80;
const leaderColours = ['--lead', '--lead2', '--lead3'] as const;

/** Faults and agents by host, and the leader. */
export function timelineChart(chronicle: Chronicle): string {
  const { faults, agentOutages, leaders, hosts } = chronicle;
  const x = scaleOf(chronicle);
  const struck = (member: number): number =>
    faults.filter(({ members }) => members.includes(member)).length +
    agentOutages.filter((out) => out.member === member).length;
  const all = Array.from({ length: hosts }, (_, at) => at + 1);
  const shown =
    hosts <= rowsMax
      ? all
      : [...all]
          .sort((a, b) => struck(b) - struck(a))
          .slice(0, rowsMax)
          .sort((a, b) => a - b);
  const parts: string[] = [];
  const top = 22;
  const rowOf = (member: number): number => top + (shown.indexOf(member) + 2) * rowHeight;
  parts.push(label('leader', top), ...leaders.map((span) => leaderBar(span, x, top)));
  parts.push(label('all hosts', top + rowHeight));
  for (const member of shown) parts.push(label(`host ${member}`, rowOf(member)));
  for (const { member, fromMs, toMs } of agentOutages) {
    if (!shown.includes(member)) continue;
    parts.push(
      bar(
        {
          fromMs,
          toMs,
          y: rowOf(member),
          height: 5,
          colour: '--soft',
          title: `agent ${member} is down for ${msText(toMs - fromMs)}`,
        },
        x,
      ),
    );
  }
  for (const fault of faults) {
    const rows =
      fault.members.length === 0
        ? [top + rowHeight]
        : fault.members.filter((member) => shown.includes(member)).map(rowOf);
    for (const y of rows)
      parts.push(bar({ ...fault, y: y + 6, height: 8, colour: '--fault', title: faultText(fault) }, x));
  }
  const bottom = top + (shown.length + 2) * rowHeight;
  const note =
    shown.length < hosts
      ? `<text class="soft" x="${left}" y="${bottom + 34}">the ${shown.length} of ${hosts} hosts that were struck most</text>`
      : '';
  return svg(
    bottom + (note === '' ? 24 : 40),
    [...axis(chronicle, x, top, bottom), ...parts, note],
    'Faults, agents and leader over time',
  );
}

/** Calls over time by answer, stacked. */
export function availabilityChart(chronicle: Chronicle): string {
  const x = scaleOf(chronicle);
  const height = 120;
  const top = 24;
  const buckets = Array.from({ length: columns }, () => ({ done: 0, refused: 0, unknown: 0 }));
  for (const { endedMs, answer } of chronicle.operations) {
    const bucket = buckets[Math.min(columns - 1, Math.floor((endedMs / chronicle.endMs) * columns))];
    if (bucket !== undefined) bucket[answer] += 1;
  }
  const most = Math.max(1, ...buckets.map(({ done, refused, unknown }) => done + refused + unknown));
  const columnMs = chronicle.endMs / columns;
  const parts = buckets.flatMap((bucket, at) => {
    let y = top + height;
    return (['done', 'refused', 'unknown'] as const).map((answer) => {
      const tall = (bucket[answer] / most) * height;
      y -= tall;
      if (bucket[answer] === 0) return '';
      const from = x(at * columnMs);
      const colour = { done: '--good', refused: '--warn', unknown: '--bad' }[answer];
      return `<rect x="${from.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(1, x((at + 1) * columnMs) - from - 1).toFixed(1)}" height="${tall.toFixed(1)}" fill="var(${colour})"><title>${bucket[answer]} ${answer} in ${msText(columnMs)} from ${msText(at * columnMs)}</title></rect>`;
    });
  });
  const scale = `<text class="soft" x="${left - 8}" y="${top + 10}" text-anchor="end">${Math.round((most * 1_000) / columnMs)}/s</text>`;
  return svg(
    top + height + 26,
    [...axis(chronicle, x, top, top + height), scale, ...parts],
    'Calls over time by answer',
  );
}

/** Guests that were to run over those that did. */
export function guestChart(chronicle: Chronicle): string {
  const { guestCounts, endMs } = chronicle;
  const x = scaleOf(chronicle);
  const height = 90;
  const top = 24;
  const most = Math.max(1, ...guestCounts.map(({ wanted, running }) => Math.max(wanted, running)));
  const y = (count: number): number => top + height - (count / most) * height;
  const area = (countOf: (count: { readonly wanted: number; readonly running: number }) => number): string => {
    let path = `M${left},${top + height}`;
    guestCounts.forEach((count, at) => {
      const until = guestCounts[at + 1]?.atMs ?? endMs;
      const level = y(countOf(count)).toFixed(1);
      path += `L${x(count.atMs).toFixed(1)},${level}L${x(until).toFixed(1)},${level}`;
    });
    return `${path}L${right},${top + height}Z`;
  };
  const scale = `<text class="soft" x="${left - 8}" y="${top + 10}" text-anchor="end">${most}</text>`;
  return svg(
    top + height + 26,
    [
      ...axis(chronicle, x, top, top + height),
      scale,
      `<path d="${area(({ wanted, running }) => Math.max(wanted, running))}" fill="var(--bad)"/>`,
      `<path d="${area(({ running }) => running)}" fill="var(--good)"/>`,
    ],
    'Guests over time',
  );
}

// --- Parts -----------------------------------------------------------------------------------------------------------

type Scale = (ms: number) => number;

function scaleOf({ endMs }: Chronicle): Scale {
  return (ms) => left + (Math.min(ms, endMs) / Math.max(1, endMs)) * (right - left);
}

function svg(height: number, parts: readonly string[], title: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">${parts.join('')}</svg>`;
}

function label(text: string, y: number): string {
  return `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${text}</text>`;
}

interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly y: number;
  readonly height: number;
  readonly colour: string;
  readonly title: string;
}

function bar({ fromMs, toMs, y, height, colour, title }: Bar, x: Scale): string {
  const from = x(fromMs);
  const wide = Math.max(2.5, x(toMs) - from);
  return `<rect x="${from.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${height}" rx="1" fill="var(${colour})" fill-opacity="0.85"><title>${escapeHtml(title)}</title></rect>`;
}

function leaderBar({ fromMs, toMs, member, term }: LeaderSpan, x: Scale, y: number): string {
  if (member === undefined)
    return bar(
      { fromMs, toMs, y: y + 4, height: 11, colour: '--warn', title: `nobody leads for ${msText(toMs - fromMs)}` },
      x,
    );
  const colour = leaderColours[member % leaderColours.length] ?? '--lead';
  const drawn = bar(
    {
      fromMs,
      toMs,
      y: y + 1,
      height: 16,
      colour,
      title: `host ${member} leads in term ${term} for ${msText(toMs - fromMs)}`,
    },
    x,
  );
  const text = `${member} · ${term}`;
  if (x(toMs) - x(fromMs) < 9 * text.length) return drawn;
  return `${drawn}<text x="${(x(fromMs) + 5).toFixed(1)}" y="${y + 13}" style="fill:var(--paper)">${text}</text>`;
}

function faultText({ name, detail, fromMs, toMs }: FaultSpan): string {
  return `${name} ${detail} at ${msText(fromMs)}${toMs > fromMs ? `, for ${msText(toMs - fromMs)}` : ''}`;
}

/** Lines at round moments, and where faults began and ended. */
function axis({ endMs, chaosFromMs, healedMs }: Chronicle, x: Scale, top: number, bottom: number): readonly string[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 43_200].map((s) => s * 1_000);
  const step = steps.find((ms) => endMs / ms <= 10) ?? 86_400_000;
  const parts: string[] = [];
  for (let ms = 0; ms <= endMs; ms += step) {
    const at = x(ms).toFixed(1);
    parts.push(
      `<line class="grid" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}"/>`,
      `<text class="soft" x="${at}" y="${bottom + 16}" text-anchor="middle">${step < 60_000 ? `${ms / 1_000} s` : step < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`}</text>`,
    );
  }
  for (const [ms, text] of [
    [chaosFromMs, 'faults begin'],
    [healedMs, 'healed'],
  ] as const) {
    if (ms === undefined) continue;
    const at = x(ms).toFixed(1);
    parts.push(
      `<line x1="${at}" x2="${at}" y1="${top - 6}" y2="${bottom}" stroke="var(--soft)" stroke-dasharray="3 3"/>`,
      `<text class="soft" x="${at}" y="${top - 8}" text-anchor="${x(ms) > right - 60 ? 'end' : 'start'}">${text}</text>`,
    );
  }
  return parts;
}
