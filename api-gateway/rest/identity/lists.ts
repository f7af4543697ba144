import type { FastifyRequest } from 'fastify';
import type { Gateway } from '../module.ts';
import { parse } from '../validation.ts';
import { listQuery } from './schemas.ts';

/** The query of a list, each key once (the last counts). */
export function queryOf(request: FastifyRequest): Readonly<Record<string, string>> {
  const query = parse(listQuery, request.query, 'query');
  return Object.fromEntries(
    Object.entries(query).map(([key, value]) => [key, typeof value === 'string' ? value : (value.at(-1) ?? '')]),
  );
}

/** Keystone's reading of a flag in a query: present is true unless it says otherwise. */
export function flag(text: string): boolean {
  return !['0', 'false', 'no', 'off', 'f', 'n'].includes(text.toLowerCase());
}

/** A list answer: at most the gateway's page, and `truncated` when there was more, as Keystone says it. */
export function listAnswer(gateway: Gateway, request: FastifyRequest, key: string, items: readonly object[]): object {
  const { pageItemsMax } = gateway.limits;
  const url = `${gateway.baseUrl(request)}${request.url}`;
  return {
    [key]: items.slice(0, pageItemsMax),
    links: { self: url, previous: null, next: null },
    ...(items.length > pageItemsMax ? { truncated: true } : {}),
  };
}
