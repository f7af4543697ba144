/** A gateway on a state in memory with hosts that act, and the page as `npm run build:web` makes it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { webModule } from '../../../api-gateway/web/server/module.ts';
import { buildWeb } from '../../../node/dev/web/build.ts';
import { type Cloud, startCloud } from '../../api-gateway/rest/cloud.ts';
import { adminPassword } from '../gateway.ts';

/** See above. */
export interface PageCloud {
  readonly cloud: Cloud;
  /** Without a slash at the end. */
  readonly url: string;
  readonly adminPassword: string;
  /** POSTs `{[kind]: properties}` as the administrator; returns the thing made. */
  create(path: string, kind: string, properties: object): Promise<{ readonly id: string }>;
}

/** Ends with the test. */
export async function startPageCloud(t: Test): Promise<PageCloud> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-web-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const built = join(folder, 'web');
  await buildWeb(built);
  const cloud = await startCloud({ listen: true, act: true, modules: [webModule(built)] });
  t.teardown(() => cloud.stop());
  const [address] = cloud.gateway.server.addresses;
  return {
    cloud,
    url: `http://127.0.0.1:${address?.port ?? 0}`,
    adminPassword,
    async create(path, kind, properties) {
      const answer = await cloud.gateway.call('POST', path, { body: { [kind]: properties } });
      if (answer.statusCode >= 300) throw new Error(`POST ${path}: ${answer.statusCode} ${answer.body}`);
      return answer.json()[kind];
    },
  };
}
