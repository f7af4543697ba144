import { ask, get } from '../../kit/api.ts';
import { choicesFrom } from '../../kit/choices.ts';
import type { PageProps } from '../../kit/page-entry.ts';
import { useResource } from '../../kit/resource.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import type { Values } from '../../parts/fields-dialog.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Facts } from '../../parts/values.tsx';
import { type Rule, ruleInWords } from './rule-words.ts';

type Row = Rule & { readonly name: string };

/** One security group: its rules in words, one more, one less. */
export default function ShowSecurityGroup({ parameters }: PageProps) {
  const id = new Map(Object.entries(parameters)).get('id') ?? '';
  const group = useResource(
    async (signal) => {
      const path = `/networking/v2.0/security-groups/${encodeURIComponent(id)}`;
      return (await get<{ security_group: { id: string; name: string; description: string } }>(path, signal))
        .security_group;
    },
    [id],
  );
  const words = texts.securityGroups;
  const fixed = (choices: readonly (readonly [string, string])[]) => () =>
    choices.map(([value, label]) => ({ value, label }));
  return (
    <Page title={group.data?.name || id}>
      <Loaded of={group}>
        {(data) => (
          <>
            <Facts
              of={[
                [texts.id, data.id],
                [texts.description, data.description],
              ]}
            />
            <h2>{words.rules}</h2>
            <Collection<Row>
              what={words.rulesWhat}
              path={`/networking/v2.0/security-group-rules?security_group_id=${data.id}`}
              collection="security_group_rules"
              rowsOf={(rows) => rows.map((rule) => ({ ...rule, name: ruleInWords(rule) }))}
              columns={[{ key: 'rule', title: words.rule, text: ({ name }) => name }]}
              create={{
                label: words.addRule,
                fields: [
                  {
                    key: 'direction',
                    label: words.direction,
                    kind: 'select',
                    initial: 'ingress',
                    choices: fixed([
                      ['ingress', words.inward],
                      ['egress', words.outward],
                    ]),
                  },
                  {
                    key: 'protocol',
                    label: words.protocol,
                    kind: 'select',
                    initial: 'tcp',
                    choices: fixed([
                      ['', words.everything],
                      ['tcp', 'TCP'],
                      ['udp', 'UDP'],
                      ['icmp', 'ICMP'],
                    ]),
                    isOptional: true,
                  },
                  { key: 'ports', label: words.ports, hint: words.portsHint, kind: 'text', isOptional: true },
                  { key: 'remote', label: words.remote, hint: words.remoteHint, kind: 'text', isOptional: true },
                  {
                    key: 'group',
                    label: words.remoteGroup,
                    kind: 'select',
                    isOptional: true,
                    choices: choicesFrom('/networking/v2.0/security-groups', 'security_groups'),
                  },
                ],
                run: (values) =>
                  ask('POST', '/networking/v2.0/security-group-rules', {
                    body: { security_group_rule: ruleOf(data.id, values) },
                  }),
              }}
              remove={{
                losses: ({ name }) => [words.ruleLoss(name)],
                run: (rule) => ask('DELETE', `/networking/v2.0/security-group-rules/${rule.id}`),
              }}
              cli={`openstack security group rule list ${data.id}\nopenstack security group rule create --protocol tcp --dst-port 22 ${data.id}`}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function ruleOf(groupId: string, values: Values): object {
  const of = (key: string): string => values.get(key) ?? '';
  const [min = '', max = min] = of('ports').split(/\s*[-–:]\s*/u);
  const remote = of('remote');
  return {
    security_group_id: groupId,
    direction: of('direction'),
    ethertype: remote.includes(':') ? 'IPv6' : 'IPv4',
    ...(of('protocol') === '' ? {} : { protocol: of('protocol') }),
    ...(min === '' ? {} : { port_range_min: Number(min), port_range_max: Number(max) }),
    ...(remote === '' ? {} : { remote_ip_prefix: remote }),
    ...(of('group') === '' ? {} : { remote_group_id: of('group') }),
  };
}
