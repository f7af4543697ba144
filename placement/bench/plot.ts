import type { BenchRow } from './report/report.ts';

/** One panel of lines or bars, as SVG. */
interface Panel {
  readonly title: string;
  readonly bars: readonly { readonly label: string; readonly value: number }[];
  /** Where the scale begins: 0, or 1 for ratios, or `log`. */
  readonly from: number | 'log';
  /** A dashed line with its meaning. */
  readonly target?: { readonly value: number; readonly label: string };
}

const width = 860;
const barHeight = 18;
const labelWidth = 250;
const valueWidth = 90;

/** Panels of horizontal bars, one below another: readable anywhere, no library. */
export function plotOf(panels: readonly Panel[], caption: string): string {
  const parts: string[] = [];
  let y = 24;
  for (const panel of panels) {
    parts.push(`<text x="8" y="${y}" font-weight="bold">${escapeXml(panel.title)}</text>`);
    y += 12;
    const values = [...panel.bars.map((bar) => bar.value), panel.target?.value ?? 0];
    const most = Math.max(...values, panel.from === 'log' ? 10 : panel.from);
    const scale = (value: number): number => {
      const span = width - labelWidth - valueWidth;
      if (panel.from === 'log') return (span * Math.log10(Math.max(1, value))) / Math.log10(most);
      return (span * (value - panel.from)) / (most - panel.from || 1);
    };
    const top = y;
    for (const { label, value } of panel.bars) {
      const text = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(4);
      parts.push(`<text x="${labelWidth - 6}" y="${y + 13}" text-anchor="end">${escapeXml(label)}</text>`);
      parts.push(
        `<rect x="${labelWidth}" y="${y + 2}" width="${Math.max(1, scale(value)).toFixed(1)}" height="${barHeight - 4}" fill="#3b7dd8"/>`,
      );
      parts.push(`<text x="${(labelWidth + scale(value) + 5).toFixed(1)}" y="${y + 13}">${text}</text>`);
      y += barHeight;
    }
    if (panel.target !== undefined) {
      const x = (labelWidth + scale(panel.target.value)).toFixed(1);
      parts.push(`<line x1="${x}" y1="${top}" x2="${x}" y2="${y}" stroke="#c33" stroke-dasharray="4 3"/>`);
      parts.push(
        `<text x="${x}" y="${y + 13}" fill="#c33" text-anchor="middle">${escapeXml(panel.target.label)}</text>`,
      );
    }
    y += 40;
  }
  parts.push(`<text x="8" y="${y}" fill="#666">${escapeXml(caption)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 12}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>\n${parts.join('\n')}\n</svg>\n`;
}

/** The panels that a run's rows give. */
export function panelsOf(rows: readonly BenchRow[]): readonly Panel[] {
  const panels: Panel[] = [];
  const decisions = rows.filter((row) => row.bench === 'decisions');
  if (decisions.length > 0) {
    panels.push({
      title: 'Decisions a second on one core (logarithmic)',
      bars: decisions.map((row) => ({
        label: `${row['hosts']} hosts, ${row.name} ${row['variant']}`,
        value: Number(row['ops_per_s']),
      })),
      from: 'log',
      target: { value: 100_000, label: 'target 100,000' },
    });
  }
  const durable = rows.filter((row) => row.bench === 'durable');
  if (durable.length > 0) {
    const label = (row: BenchRow): string => `${row['hosts']} hosts, ${row.name}`;
    panels.push(
      {
        title: 'Durable placements a second, end to end',
        bars: durable.map((row) => ({ label: label(row), value: Number(row['ops_per_s']) })),
        from: 0,
        target: { value: 3_750, label: 'target 3,750' },
      },
      {
        title: 'Processor time of all processes for one placement, microseconds',
        bars: durable.map((row) => ({ label: label(row), value: Number(row['cpu_us_per_op']) })),
        from: 0,
      },
      {
        title: 'Claims refused, percent of those asked (views 0 to 5 s old)',
        bars: durable.map((row) => ({ label: label(row), value: Number(row['conflicts_pct']) })),
        from: 0,
      },
    );
  }
  const packing = rows.filter((row) => row.bench === 'packing');
  for (const group of new Set(packing.map((row) => `${row['trace']}, hosts ${row['host']}`))) {
    panels.push({
      title: `Peak hosts over the lower bound: ${group}`,
      bars: packing
        .filter((row) => `${row['trace']}, hosts ${row['host']}` === group)
        .map((row) => ({ label: `${row.name}, view ${row['stale_s']} s old`, value: Number(row['ratio']) })),
      from: 1,
    });
  }
  return panels;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
