import { status } from '@grpc/grpc-js';
import t from 'tap';
import { errorMappings, failureOf, isRepeatable } from '../../api-gateway/kit/errors.ts';
import { AssertionError } from '../../node/base/assert.ts';
import { type ErrorCode, errorCodes, ShoalError } from '../../node/base/errors.ts';

void t.test('every error code has a gRPC status and an HTTP status, and no mapping is left over', (t) => {
  t.strictSame(Object.keys(errorMappings).sort(), Object.keys(errorCodes).sort());
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    const { grpc, http } = errorMappings[code];
    t.ok(status[grpc] !== undefined && grpc !== status.OK, `${code}: a gRPC failure status`);
    t.ok(http >= 400 && http <= 599, `${code}: an HTTP failure status`);
  }
  t.end();
});

void t.test('what a client may simply repeat is never reported as the client’s own mistake', (t) => {
  for (const code of Object.keys(errorCodes) as ErrorCode[]) {
    const { http } = errorMappings[code];
    if (isRepeatable(code)) t.ok(http === 409 || http === 429 || http >= 503, `${code}: ${http}`);
  }
  t.notOk(isRepeatable('STATE_DIVERGED') || isRepeatable('FENCE_UNPROVEN'), 'these wait for people');
  t.ok(isRepeatable('NO_QUORUM') && isRepeatable('RATE_LIMITED') && !isRepeatable('CONFLICT'));
  t.end();
});

void t.test('faults of ours keep their details to the log', (t) => {
  for (const error of [new ShoalError('STORE_FAILED', '/var/secret'), new Error('secret'), 'secret']) {
    const failure = failureOf(error);
    t.equal(failure.mapping.http, 500);
    t.notMatch(failure.message, /secret/);
  }
  t.equal(failureOf(new AssertionError('x')).invariantBroken, true);
  t.equal(failureOf(new Error('x')).invariantBroken, false);
  t.end();
});
