/**
 * Terraform or OpenTofu with OpenStack's provider against an agent with the fake drivers: what is applied needs no second
 * change, can be changed, and is gone when it is destroyed. The provider is built from the Go proxy:
 *
 *     GOBIN=/somewhere go install github.com/terraform-provider-openstack/terraform-provider-openstack/v3@v3.4.0
 *     TERRAFORM_PROVIDER_FOLDER=/somewhere node test/e2e/terraform.test.ts
 *
 * `TERRAFORM` names the program, if it is not `terraform` (`go build ./cmd/tofu` in OpenTofu's module makes `tofu`).
 */
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { mibBytes } from '../../node/base/units.ts';
import { RestClient } from '../../node/dev/rest-client.ts';
import { adminPassword, LoneAgent } from '../support/lone-agent.ts';
import { whyNoProgram } from '../support/programs.ts';

const provider = process.env['TERRAFORM_PROVIDER_FOLDER'] ?? '';
const program = process.env['TERRAFORM'] ?? 'terraform';
const configuration = fileURLToPath(new URL('../data/terraform/main.tf', import.meta.url));
/** What a plan that finds nothing to do, and one that finds something, ends with under `-detailed-exitcode`. */
const noChanges = 0;
const kinds = 51;
const changes = 19;

t.setTimeout(400_000);

const isBuilt = existsSync(join(provider, 'terraform-provider-openstack'));
const noProgram = program.startsWith('/')
  ? !existsSync(program) && `${program} is not there`
  : await whyNoProgram(program);
const skip = isBuilt ? noProgram : 'TERRAFORM_PROVIDER_FOLDER names no folder with terraform-provider-openstack';

interface Ended {
  readonly status: number;
  readonly text: string;
}

function terraform(folder: string, authUrl: string, caPath: string, args: readonly string[]): Promise<Ended> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    TF_CLI_CONFIG_FILE: join(folder, 'cli.tfrc'),
    TF_IN_AUTOMATION: '1',
    CHECKPOINT_DISABLE: '1',
    OS_AUTH_URL: authUrl,
    OS_CACERT: caPath,
    OS_USERNAME: 'admin',
    OS_PASSWORD: adminPassword,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: 'RegionOne',
  };
  return new Promise((resolve) => {
    execFile(
      program,
      [...args, '-no-color', '-parallelism=6'],
      { cwd: folder, env, timeout: 180_000, maxBuffer: 16 * mibBytes },
      (error, out, err) =>
        resolve({ status: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, text: out + err }),
    );
  });
}

await t.test('what Terraform applies it finds again, changes and destroys', { skip }, async (t) => {
  const agent = await LoneAgent.start({ name: 'h1' });
  const folder = mkdtempSync(join(tmpdir(), 'shoal-terraform-'));
  t.teardown(async () => {
    await agent.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  copyFileSync(configuration, join(folder, 'main.tf'));
  writeFileSync(join(folder, 'image.raw'), Buffer.alloc(mibBytes, 'shoal'));
  const override = `dev_overrides { "terraform-provider-openstack/openstack" = ${JSON.stringify(provider)} }`;
  writeFileSync(join(folder, 'cli.tfrc'), `provider_installation {\n  ${override}\n  direct {}\n}\n`);
  const run = (...args: readonly string[]): Promise<Ended> =>
    terraform(folder, `${agent.apiUrl}/identity/v3`, agent.authorityPath, args);
  const changed = ['-var', 'n=two', '-var', 'size=2', '-var', 'flavor=two'];

  const applied = await run('apply', '-auto-approve');
  if (!t.match(applied.text, `Resources: ${kinds} added, 0 changed, 0 destroyed`)) return;
  const again = await run('plan', '-detailed-exitcode');
  t.equal(again.status, noChanges, 'a second plan finds nothing to do');
  if (again.status !== noChanges) t.comment(again.text);
  const edited = await run('apply', '-auto-approve', ...changed);
  t.match(edited.text, `Resources: 0 added, ${changes} changed, 0 destroyed`);
  const after = await run('plan', '-detailed-exitcode', ...changed);
  t.equal(after.status, noChanges, 'nor one after the change');
  if (after.status !== noChanges) t.comment(after.text);
  const destroyed = await run('destroy', '-auto-approve', ...changed);
  t.match(destroyed.text, `Resources: ${kinds} destroyed`);
  const client = new RestClient(agent.apiUrl, adminPassword);
  t.same((await client.json('/compute/v2.1/servers?all_tenants=1'))['servers'], []);
  t.same((await client.json('/volume/v3/volumes?all_tenants=1'))['volumes'], []);
});
