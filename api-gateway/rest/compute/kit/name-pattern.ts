/**
 * Patterns in server filters. Nova hands them to its database as regular expressions; here RE2's syntax is taken, which is
 * theirs but for back-references and look-around, and whose matching takes time linear in the text.
 */
import { RE2JS, RE2JSSyntaxException } from 're2js';
import { ShoalError } from '../../../../node/base/errors.ts';

/** Longest pattern, characters: the longest name. */
const patternCharactersMax = 255;
/**
 * Most instructions times characters that one filter may cost: about 0.4 s (75 ns each, measured on the development machine
 * with the worst pattern). Ten thousand names of 20 characters under a pattern of 20 instructions take 4 million.
 */
const stepsMax = 5_000_000;

/** A compiled pattern, with what it has left to spend. */
interface NamePattern {
  /** Whether the pattern occurs in the text, whatever the case of its letters. Throws `INVALID_ARGUMENT` when it costs too much. */
  readonly matches: (text: string) => boolean;
}

/** Compiles the value of the filter `key`. Throws `INVALID_ARGUMENT` for what is no pattern. */
export function namePattern(key: string, text: string): NamePattern {
  if (text.length > patternCharactersMax) {
    throw invalid(key, `it has more than ${patternCharactersMax} characters`);
  }
  const compiled = compile(key, text);
  const size = compiled.programSize();
  let steps = 0;
  return {
    matches: (subject) => {
      steps += size * (subject.length + 1);
      if (steps > stepsMax) throw invalid(key, 'it costs too much to look for; write a simpler one');
      return compiled.matcher(subject).find();
    },
  };
}

function compile(key: string, text: string): RE2JS {
  try {
    return RE2JS.compile(text, RE2JS.CASE_INSENSITIVE);
  } catch (caught) {
    if (!(caught instanceof RE2JSSyntaxException)) throw caught;
    throw invalid(key, caught.message, caught);
  }
}

function invalid(key: string, why: string, cause?: unknown): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `The filter ${key} is no regular expression that can be used: ${why}.`, {
    ...(cause === undefined ? {} : { cause }),
  });
}
