/** Files that an owner gives a new server (Nova's personality, up to microversion 2.56). The guest finds them in its metadata. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { StateReader } from '../../../state/types.ts';
import { quotaLimit, unlimited } from '../../kit/quota.ts';
import { badRequest } from './refusals.ts';

/** One file as the request has it; `checkInjectedFiles` decodes it and holds it against the quota. */
export interface InjectedFileDraft {
  readonly path: string;
  /** Base64. */
  readonly contents: string;
}

/**
 * Checks files as they came, against the project's quota. Throws 400 for a path given twice and contents that are no base64;
 * `QUOTA_EXCEEDED` for too many files, a file or a path that is too long.
 */
export function checkInjectedFiles(
  reader: StateReader,
  projectId: string,
  drafts: readonly InjectedFileDraft[],
): readonly shoal.v1.InjectedFile[] {
  if (drafts.length === 0) return [];
  const mustFit = (
    resource: 'injected_files' | 'injected_file_content_bytes' | 'injected_file_path_bytes',
    wanted: number,
    what: string,
  ): void => {
    const limit = quotaLimit(reader, projectId, resource);
    if (limit === unlimited || wanted <= limit) return;
    throw new ShoalError('QUOTA_EXCEEDED', `${what}: ${wanted}, and the quota ${resource} allows ${limit}.`, {
      facts: { resource, limit },
    });
  };
  mustFit('injected_files', drafts.length, 'Personality file limit exceeded');
  const paths = new Set<string>();
  return drafts.map(({ path, contents }) => {
    if (path === '') throw badRequest('A personality file has a path.');
    mustFit('injected_file_path_bytes', Buffer.byteLength(path), 'Personality file path too long');
    if (paths.has(path)) throw badRequest(`Personality file path ${path} is given twice.`);
    paths.add(path);
    const compact = contents.replace(/\s/g, '');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 !== 0) {
      throw badRequest(`Personality content for ${path} cannot be decoded: it is no base64.`);
    }
    const content = new Uint8Array(Buffer.from(compact, 'base64'));
    mustFit('injected_file_content_bytes', content.length, `Personality file content of ${path} too long`);
    return new shoal.v1.InjectedFile({ path, content });
  });
}
