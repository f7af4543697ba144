import { readFile } from 'node:fs/promises';
import { ShoalError } from '../node/base/errors.ts';
import { isMissing } from '../node/base/system-error.ts';

/** The file's JSON; undefined when there is no such file. `DRIVER_FAILED` when it is there and cannot be understood. */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (caught) {
    throw ShoalError.from(caught, 'DRIVER_FAILED', `${path} is not JSON`);
  }
}
