import { ownValue } from '../../node/base/own-value.ts';

/**
 * Whether `value` (what a host or an aggregate has) satisfies `wanted` (what an extra spec says), in Nova's operators:
 *
 * - numbers: `= 4` (at least, for historical reasons), `== 4`, `!= 4`, `>= 4`, `<= 4`; what is no number satisfies none
 * - text: `s== a`, `s!= a`, `s< a`, `s<= a`, `s> a`, `s>= a`
 * - `<in> part` (value holds the text), `<all-in> a b` (value holds all of them), `<or> a <or> b` (value is one of them)
 * - anything else: equal text
 */
export function satisfiesOperator(value: string, wanted: string): boolean {
  const words = wanted.trim().split(/\s+/);
  const [operator = ''] = words;
  const operand = words.slice(1).join(' ');
  const compareNumbers = ownValue(numberOperators, operator);
  if (compareNumbers !== undefined && words.length > 1) {
    const left = toNumber(value);
    const right = toNumber(operand);
    return !Number.isNaN(left) && !Number.isNaN(right) && compareNumbers(left, right);
  }
  const compareTexts = ownValue(textOperators, operator);
  if (compareTexts !== undefined && words.length > 1) return compareTexts(value, operand);
  if (operator === '<in>' && words.length > 1) return value.includes(operand);
  if (operator === '<all-in>') return words.slice(1).every((word) => value.includes(word));
  if (operator === '<or>') {
    return wanted
      .split('<or>')
      .slice(1)
      .some((part) => part.trim() === value);
  }
  return value === wanted;
}

const numberOperators: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '=': (left, right) => left >= right,
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '>=': (left, right) => left >= right,
  '<=': (left, right) => left <= right,
};

const textOperators: Readonly<Record<string, (left: string, right: string) => boolean>> = {
  's==': (left, right) => left === right,
  's!=': (left, right) => left !== right,
  's<': (left, right) => left < right,
  's<=': (left, right) => left <= right,
  's>': (left, right) => left > right,
  's>=': (left, right) => left >= right,
};

function toNumber(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
