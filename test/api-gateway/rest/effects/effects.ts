/** Proofs of the ledgers: for each row, requests that send what it is about, and what must come of them. */
import type { LightMyRequestResponse } from 'fastify';
import t, { type Test } from 'tap';
import type { CallOptions, TestGateway } from '../../../support/gateway.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { type Call, faultOf } from './exercised.ts';
import { type LedgerRow, type LedgerService, rowsOf } from './ledger.ts';
import { isRealStatus } from './statuses.ts';

/** A cloud that writes down what it is asked. */
export interface EffectCloud extends Cloud {
  /** Sends, and asserts the status. Without one: any of success. */
  ask(method: string, url: string, options?: CallOptions & { readonly status?: number }): Promise<Answer>;
}

/** Parsed JSON, as loosely as clients take it. */
const parsed = (answer: LightMyRequestResponse) => answer.json();
export type Answer = ReturnType<typeof parsed>;

/** Proves a row by asserting. */
export type Effect = (t: Test, cloud: EffectCloud) => Promise<void>;
/** By the row's key. */
export type Effects = Readonly<Record<string, Effect>>;

/**
 * Runs each effect, and checks by its requests that it is about its row: that what the row names was sent to its route, was
 * taken or refused as the verdict says, and differed between two requests; and that each success has the real service's status.
 * @param routes by the name of a body
 */
export function proveEffects(
  service: LedgerService,
  effects: Effects,
  options: {
    readonly routes?: Readonly<Record<string, readonly string[]>>;
    readonly cloud?: Parameters<typeof startCloud>[0];
    readonly prepare?: (cloud: Cloud) => Promise<void>;
  } = {},
): void {
  const rows = new Map([...rowsOf(service, 'Attributes'), ...rowsOf(service, 'Queries')].map((row) => [row.key, row]));
  void t.test(`${service}: what each row of the ledger promises is so`, async (t) => {
    const cloud = await startCloud(options.cloud);
    t.teardown(() => cloud.stop());
    await options.prepare?.(cloud);
    for (const [key, effect] of Object.entries(effects)) {
      await t.test(key, async (t) => {
        const row = rows.get(key);
        if (row === undefined) throw new Error('There is no such row in the ledger.');
        await proveOne(t, { row, effect, cloud, routes: options.routes?.[key.split(': ')[0] ?? ''] ?? [] });
      });
    }
  });
}

async function proveOne(
  t: Test,
  { row, effect, cloud, routes }: { row: LedgerRow; effect: Effect; cloud: Cloud; routes: readonly string[] },
): Promise<void> {
  const calls: Call[] = [];
  const gateway: TestGateway = {
    ...cloud.gateway,
    call: async (method, url, options = {}) => {
      const answer = await cloud.gateway.call(method, url, options);
      const { pathname, searchParams } = new URL(url, 'http://cloud.test');
      calls.push({
        method,
        path: pathname.replace(/^\/[a-z]+(?=\/v)/, ''),
        query: searchParams,
        body: options.body,
        headers: { ...options.headers, token: options.token ?? '' },
        status: answer.statusCode,
        answer: answer.body,
      });
      return answer;
    },
  };
  await effect(t, {
    ...cloud,
    gateway,
    ask: async (method, url, { status, ...options } = {}) => {
      const answer = await gateway.call(method, url, options);
      const said = `${method} ${url} ${JSON.stringify(options.body ?? '').slice(0, 200)}: ${answer.body.slice(0, 300)}`;
      if (status === undefined) t.ok(answer.statusCode >= 200 && answer.statusCode < 300, said);
      else t.equal(answer.statusCode, status, said);
      const type = String(answer.headers['content-type'] ?? '');
      return type.includes('json') && answer.body !== '' ? parsed(answer) : answer.body;
    },
  });
  for (const { method, path, body, status } of calls.filter((call) => call.status < 300)) {
    const action = path.endsWith('/action') ? `#${Object.keys(body ?? {})[0] ?? ''}` : '';
    t.ok(isRealStatus(`${method} ${path}${action}`, status), `${method} ${path}${action}: ${status}`);
  }
  t.equal(faultOf(row, routes, calls), undefined, `${row.key} (${row.verdict})`);
}

/** Both effects, one after the other. */
export const both =
  (...effects: readonly Effect[]): Effect =>
  async (t, cloud) => {
    for (const effect of effects) await effect(t, cloud);
  };
