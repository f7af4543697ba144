/** Whether the requests of a proof really sent what its row of the ledger is about, and were answered as its verdict says. */
import { isDeepStrictEqual } from 'node:util';
import type { LedgerRow } from './ledger.ts';

/** A request of a proof and its answer. */
export interface Call {
  readonly method: string;
  /** Below the service's prefix, without the query: `/v2.1/servers`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** As sent, before it became JSON. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
  readonly answer: string;
}

const isTaken = ({ status }: Call): boolean => status >= 200 && status < 300;
const isRefused = ({ status }: Call): boolean => status === 501 || (status >= 400 && status < 500);

/**
 * What is wrong with a proof of `row`, or undefined.
 * @param routes that take an attribute's body: `POST /v2.1/servers`, or `POST /v2.1/servers/:id/action#reboot` for what is
 *   below `reboot`
 */
export function faultOf(row: LedgerRow, routes: readonly string[], calls: readonly Call[]): string | undefined {
  const [route = '', key] = row.key.split(' ?');
  if (key !== undefined) return faultOfQuery(row, key, callsOn(route, calls));
  const path = (row.key.split(': ')[1] ?? '').split('.').flatMap(segments);
  const bodies = routes.flatMap((each) => {
    const action = each.split('#')[1];
    const at = action === undefined ? path : [action, ...path];
    return callsOn(each, calls).map((call) => ({ call, values: valuesAt(call.body, at) }));
  });
  return faultOfAttribute(row, bodies);
}

function faultOfQuery(row: LedgerRow, key: string, calls: readonly Call[]): string | undefined {
  const sent = calls.filter(({ query }) => query.has(key));
  const fault = faultOfStatus(row, sent);
  if (fault !== undefined || row.verdict === 'refused') return fault;
  const without = (call: Call): string =>
    JSON.stringify([[...call.query].filter(([name]) => name !== key), call.headers, call.path]);
  const pairs = sent.filter(isTaken).flatMap((call) =>
    calls
      .filter((other) => isTaken(other) && without(other) === without(call))
      .filter((other) => !isDeepStrictEqual(other.query.getAll(key), call.query.getAll(key)))
      .map((other) => [call, other] as const),
  );
  if (pairs.length === 0) return 'no two requests differ in it alone';
  // What a change was about is not in its answer.
  if (!row.key.startsWith('GET ')) return undefined;
  const differ = pairs.some(([a, b]) => found(a) !== found(b));
  if (row.verdict === 'ignored') return differ ? 'it made a difference' : undefined;
  return differ ? undefined : 'it made no difference to any answer';
}

function faultOfAttribute(
  row: LedgerRow,
  bodies: readonly { readonly call: Call; readonly values: readonly unknown[] }[],
): string | undefined {
  const sent = bodies.filter(({ values }) => values.length > 0).map(({ call }) => call);
  const fault = faultOfStatus(row, sent);
  if (fault !== undefined || row.verdict === 'refused' || row.verdict === 'ignored') return fault;
  // What is refused with one value and taken with another matters as well as what is taken with two.
  const [first, ...others] = [isTaken, isRefused].flatMap((is) =>
    bodies.filter(({ call }) => is(call)).map(({ values }) => values),
  );
  return others.some((other) => !isDeepStrictEqual(other, first)) ? undefined : 'it was sent with one value only';
}

function faultOfStatus({ verdict }: LedgerRow, sent: readonly Call[]): string | undefined {
  if (sent.length === 0) return 'it was never sent';
  if (verdict !== 'refused' && !sent.some(isTaken)) return 'it was never taken';
  if ((verdict === 'refused' || verdict === 'stricter') && !sent.some(isRefused)) return 'it was never refused';
  return undefined;
}

function callsOn(route: string, calls: readonly Call[]): readonly Call[] {
  const [path = ''] = route.split('#');
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:[a-z_]+/gi, '[^/]+')}$`);
  return calls.filter(({ method, path }) => pattern.test(`${method} ${path}`));
}

/** What an answer is about: links repeat the question, and say nothing of what was found. */
function found({ answer }: Call): string {
  const members: unknown = answer === '' ? null : JSON.parse(answer);
  if (typeof members !== 'object' || members === null) return answer;
  return JSON.stringify(Object.entries(members).filter(([name]) => !/^(first|next|links|.*_links)$/.test(name)));
}

/** `networks[]` is an attribute and what is in its list. */
function segments(name: string): readonly string[] {
  return name.endsWith('[]') ? [name.slice(0, -2), '[]'].filter((part) => part !== '') : [name];
}

function valuesAt(body: unknown, [name, ...rest]: readonly string[]): readonly unknown[] {
  if (name === undefined) return [body];
  if (name === '[]') return Array.isArray(body) ? body.flatMap((each: unknown) => valuesAt(each, rest)) : [];
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return [];
  const member: unknown = Object.getOwnPropertyDescriptor(body, name)?.value;
  return valuesAt(member, rest);
}
