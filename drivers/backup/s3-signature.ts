/** Signs requests to S3 (AWS Signature Version 4, headers only), as its documentation says. Pure. */
import { createHash, createHmac } from 'node:crypto';

/** Who signs. */
export interface S3Credentials {
  readonly accessKeyId: string;
  /** Secret. */
  readonly secretAccessKey: string;
  readonly region: string;
}

/** What is signed. */
interface S3Request {
  readonly method: string;
  readonly url: URL;
  /** By lower-case name; all of them are signed. `host` is added. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body, lower-case hex. */
  readonly bodySha256: string;
  /** Wall clock, ms. */
  readonly nowMs: number;
}

const algorithm = 'AWS4-HMAC-SHA256';

/** SHA-256 in lower-case hex. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The headers to send: those given, and those that sign them. */
export function signedHeaders(request: S3Request, credentials: S3Credentials): Record<string, string> {
  const { method, url, bodySha256, nowMs } = request;
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const headers: Record<string, string> = {
    ...request.headers,
    host: url.host,
    'x-amz-content-sha256': bodySha256,
    'x-amz-date': time,
  };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    url.pathname
      .split('/')
      .map((part) => encoded(decodeURIComponent(part)))
      .join('/'),
    canonicalQuery(url),
    ...names.map((name) => `${name}:${(headers[name] ?? '').trim()}`),
    '',
    names.join(';'),
    bodySha256,
  ].join('\n');
  const scope = `${day}/${credentials.region}/s3/aws4_request`;
  const toSign = [algorithm, time, scope, sha256Hex(canonical)].join('\n');
  const key = [day, credentials.region, 's3', 'aws4_request'].reduce(
    (above: Uint8Array, part) => hmac(above, part),
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `${algorithm} Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { ...headers, authorization };
}

function canonicalQuery(url: URL): string {
  return [...url.searchParams]
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** RFC 3986: everything but its unreserved characters. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
