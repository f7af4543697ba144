/** `/os-instance_usage_audit_log`: which hosts have sent Nova's periodic usage notifications. Here none does. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { ComputeService } from '../../../../node/services/compute/index.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import { shown } from '../../../kit/input.ts';
import { readInstant } from '../../kit/lists/instant.ts';
import type { Gateway } from '../../kit/module.ts';
import { type View, viewingOf } from '../kit/common.ts';

/** What Nova takes for a time: of the minute's parts, at most microseconds. */
const timePattern = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2})(\.\d{1,6})?$/;

/**
 * Adds the account of the last whole month before now, or before a time. As in a Nova without `instance_usage_audit`, no host
 * has run it: usage is at `/os-simple-tenant-usage`.
 */
export function addAuditLog(app: FastifyInstance, gateway: Gateway, { hosts }: Pick<ComputeService, 'hosts'>): void {
  const path = '/v2.1/os-instance_usage_audit_log';
  const account = (reader: StateReader, beforeMs: number): View => {
    const names = hosts.list(reader).map(({ host }) => host.name);
    return {
      ...monthBefore(beforeMs),
      num_hosts: names.length,
      num_hosts_done: 0,
      num_hosts_running: 0,
      num_hosts_not_run: names.length,
      hosts_not_run: names,
      total_instances: 0,
      total_errors: 0,
      overall_status: `${names.length === 0 ? 'ALL' : `0 of ${names.length}`} hosts done. 0 errors.`,
      log: {},
    };
  };
  app.get(path, async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return { instance_usage_audit_logs: account(reader, gateway.clock.nowMs()) };
  });
  app.get<{ Params: { before: string } }>(`${path}/:before`, async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return { instance_usage_audit_log: account(reader, readTime(request.params.before)) };
  });
}

function readTime(text: string): number {
  const [, day, time] = timePattern.exec(text) ?? [];
  const ms = day === undefined ? undefined : readInstant(`${day}T${time}Z`);
  if (ms === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid timestamp for date ${shown(text)}`);
  return ms;
}

/** The last calendar month that had ended then, UTC. */
function monthBefore(ms: number): { readonly period_beginning: string; readonly period_ending: string } {
  const at = new Date(ms);
  const firstOf = (monthsBefore: number): string =>
    new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - monthsBefore, 1))
      .toISOString()
      .slice(0, 19)
      .replace('T', ' ');
  return { period_beginning: firstOf(1), period_ending: firstOf(0) };
}
