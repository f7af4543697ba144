/** `If-Match: revision_number=N`: a change is made only while the thing is as its caller saw it. */
import type { FastifyRequest } from 'fastify';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { badRequest, refuse } from '../../../node/services/kit/network-refusals.ts';
import type { StateReader } from '../../../node/state/types.ts';

/**
 * The caller's context, with the condition that the request's header sets. It is looked at in the very view that the
 * change is planned from and committed against, so that nothing can come between. Throws 400 for a malformed header; the
 * change throws 412 `RevisionNumberConstraintFailed`.
 * @param revisionOf the thing's revision now; undefined when it is not there, which the change itself says better.
 */
export function conditioned(
  request: FastifyRequest,
  context: RequestContext,
  revisionOf: (reader: StateReader) => number | undefined,
): RequestContext {
  const wanted = wantedRevision(request.headers['if-match']);
  if (wanted === undefined) return context;
  return {
    ...context,
    requires(reader) {
      const current = revisionOf(reader);
      if (current === undefined || current === wanted) return;
      throw refuse(
        'PRECONDITION_FAILED',
        'RevisionNumberConstraintFailed',
        `Constrained to ${wanted} but current revision is ${current}`,
      );
    },
  };
}

/** Entity tags of other kinds are nobody's here, as in Neutron. */
function wantedRevision(header: string | undefined): number | undefined {
  const tags = (header ?? '').split(',').map((tag) => tag.trim().replace(/^(W\/)?"(.*)"$/, '$2'));
  const asked = tags.filter((tag) => tag.startsWith('revision_number='));
  const [tag] = asked;
  if (tag === undefined) return undefined;
  if (asked.length > 1) throw badRequest('Multiple revision_number etags are not supported.');
  const number = tag.slice('revision_number='.length);
  if (!/^[0-9]{1,15}$/.test(number)) {
    throw badRequest('Revision number etag must be in the format of revision_number=<int>');
  }
  return Number(number);
}
