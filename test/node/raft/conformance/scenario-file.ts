/**
 * Scenario files: commands, and the exact output that each must give (the format of cockroachdb/datadriven).
 *
 *     # comment
 *     command argument key=value key=(v1,v2)
 *     optional input lines
 *     ----
 *     expected output, up to the next blank line
 */

/** One `key=value`, `key=(v1,v2)` or bare word (no values). */
export interface Argument {
  readonly key: string;
  readonly values: readonly string[];
}

/** One command of a file, with what it is given and what it must answer. */
export interface Case {
  readonly command: string;
  readonly args: readonly Argument[];
  readonly input: readonly string[];
  readonly expected: readonly string[];
  /** The first line of the command, from 1, for messages. */
  readonly line: number;
  /** Where `expected` stands in the file's lines, for rewriting: [start, end). */
  readonly span: readonly [number, number];
}

/** The cases of a file. Throws when a command has no `----`. */
export function parseScenario(text: string): Case[] {
  const lines = text.split('\n');
  const cases: Case[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (line.trim() === '' || line.startsWith('#')) {
      at++;
      continue;
    }
    const start = at;
    const input: string[] = [];
    at++;
    while (at < lines.length && lines[at] !== '----') input.push(lines[at++] ?? '');
    if (at >= lines.length) throw new Error(`line ${start + 1}: the command has no ----`);
    at++;
    const from = at;
    while (at < lines.length && lines[at] !== '') at++;
    const [command, ...args] = parseWords(line);
    cases.push({
      command: command?.key ?? '',
      args,
      input,
      expected: lines.slice(from, at),
      line: start + 1,
      span: [from, at],
    });
  }
  return cases;
}

/** The text of a file with other outputs in place of the expected ones. */
export function rewriteScenario(text: string, cases: readonly Case[], outputs: readonly string[]): string {
  const lines = text.split('\n');
  for (let i = cases.length - 1; i >= 0; i--) {
    const [from, to] = cases[i]?.span ?? [0, 0];
    lines.splice(from, to - from, ...printable(outputs[i] ?? ''));
  }
  return lines.join('\n');
}

/** An output as lines, as it stands in a file. */
export function printable(output: string): string[] {
  const text = output.replace(/\n+$/, '');
  return text === '' ? ['ok'] : text.split('\n');
}

/** Splits at blanks that are not inside parentheses. */
function parseWords(line: string): Argument[] {
  const words = line.match(/(?:[^\s(]|\([^)]*\))+/g) ?? [];
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) return { key: word, values: [] };
    const value = word.slice(equals + 1);
    const values = value.startsWith('(')
      ? value
          .slice(1, -1)
          .split(',')
          .map((part) => part.trim())
          .filter((part) => part !== '')
      : [value];
    return { key: word.slice(0, equals), values };
  });
}
