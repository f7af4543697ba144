/** Bounds on what people write: Neutron's own column widths, so that clients meet no new limits. */
import { badRequest } from '../../kit/network-refusals.ts';

/** Longest name or description, characters. */
const textCharactersMax = 255;
/** Most tags of one thing, and the longest tag: Neutron's. */
const tagsMax = 50;
const tagCharactersMax = 255;

/** Throws 400 for a text that is too long. */
export function checkText(field: string, text: string | undefined): void {
  if (text !== undefined && text.length > textCharactersMax) {
    throw badRequest(
      `Invalid input for ${field}. Reason: '${text.slice(0, 20)}...' exceeds maximum length of ${textCharactersMax}.`,
      'HTTPBadRequest',
    );
  }
}

/** Throws 400 for tags that are too many, too long, empty or not text. */
export function checkTags(tags: readonly string[]): void {
  const bad = tags.find((tag) => tag === '' || tag.length > tagCharactersMax || /[,/]/.test(tag));
  if (tags.length > tagsMax || bad !== undefined) {
    throw badRequest(`Invalid input for tags. Reason: at most ${tagsMax} tags of 1 to ${tagCharactersMax} characters.`);
  }
}
