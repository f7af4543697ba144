/**
 * Parts of OpenStack that this gateway knows and does not serve. To a caller a bare 404 reads as "the thing I name is not
 * there"; these say 501 and which part is missing.
 */
import { targetOf } from './request-target.ts';

/** One such part of a service. */
export interface UnservedPart {
  /** Paths below the module's prefix, in the router's form; what lies below them belongs to it as well. */
  readonly paths: readonly string[];
  /** In words, after "This version of Shoal does not serve". */
  readonly what: string;
}

/** The part that a path belongs to, if it is one of these. @param path below the module's prefix, with or without a query. */
export function unservedPart(parts: readonly UnservedPart[], path: string): UnservedPart | undefined {
  const segments = targetOf(path)
    .path.split('/')
    .filter((segment) => segment !== '');
  return parts.find(({ paths }) => paths.some((pattern) => lies(segments, pattern)));
}

function lies(segments: readonly string[], pattern: string): boolean {
  const wanted = pattern.split('/').filter((segment) => segment !== '');
  return (
    segments.length >= wanted.length &&
    wanted.every((segment, index) => segment.startsWith(':') || segment === segments[index])
  );
}
