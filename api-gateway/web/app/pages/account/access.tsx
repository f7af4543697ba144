import { session } from '../../kit/session.ts';
import { texts } from '../../kit/texts.ts';
import { Page } from '../../parts/page.tsx';
import { Copyable, Facts, Time } from '../../parts/values.tsx';

/** How other clients come to the same place: clouds.yaml, the environment, Terraform. No secret is in it. */
export default function Access() {
  const words = texts.access;
  const current = session.value;
  if (current === undefined) return null;
  const { user, project, roles, expiresAt } = current;
  const url = `${location.origin}/identity/v3`;
  return (
    <Page title={words.title}>
      <Facts
        of={[
          [texts.login.user, user.name],
          [texts.shell.project, `${project.name} (${project.id})`],
          [words.roles, roles.join(', ')],
          [words.expires, <Time key="expires" at={expiresAt} />],
          [words.api, url],
        ]}
      />
      <h2>clouds.yaml</h2>
      <p class="quiet">{words.cloudsHint}</p>
      <Copyable label="clouds.yaml" text={cloudsYaml(url, user.name, project.id)} />
      <h2>{words.environment}</h2>
      <Copyable label={words.environment} text={environment(url, user.name, project.id)} />
      <h2>Terraform</h2>
      <Copyable label="Terraform" text={terraform()} />
    </Page>
  );
}

function cloudsYaml(url: string, user: string, projectId: string): string {
  return [
    'clouds:',
    '  shoal:',
    '    auth:',
    `      auth_url: ${JSON.stringify(url)}`,
    `      username: ${JSON.stringify(user)}`,
    `      project_id: ${JSON.stringify(projectId)}`,
    '      user_domain_name: "Default"',
    '    region_name: "RegionOne"',
    '    cacert: /path/to/ca.pem',
  ].join('\n');
}

function environment(url: string, user: string, projectId: string): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    `export OS_AUTH_URL=${quoted(url)}`,
    `export OS_USERNAME=${quoted(user)}`,
    `export OS_PROJECT_ID=${quoted(projectId)}`,
    "export OS_USER_DOMAIN_NAME='Default'",
    "export OS_IDENTITY_API_VERSION='3'",
    "export OS_CACERT='/path/to/ca.pem'",
    'read -rs -p "Password: " OS_PASSWORD && export OS_PASSWORD',
  ].join('\n');
}

function terraform(): string {
  return ['provider "openstack" {', '  cloud = "shoal"', '}'].join('\n');
}
