import { ask } from '../../kit/api.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Page } from '../../parts/page.tsx';
import { Thing } from '../../parts/values.tsx';
import { type Rule, ruleInWords } from './rule-words.ts';

interface Group {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly security_group_rules: readonly Rule[];
}

/** All security groups of the project, and what each lets in. */
export default function SecurityGroups() {
  const words = texts.securityGroups;
  return (
    <Page title={words.title}>
      <Collection<Group>
        what={words.what}
        path="/networking/v2.0/security-groups"
        collection="security_groups"
        columns={[
          {
            key: 'name',
            title: texts.name,
            text: ({ name, id }) => name || id,
            show: ({ id, name }) => <Thing to={pathOf(['security-groups', id])} name={name} id={id} />,
          },
          { key: 'description', title: texts.description, text: ({ description }) => description },
          {
            key: 'open',
            title: words.open,
            text: ({ security_group_rules: rules }) =>
              rules
                .filter(({ direction }) => direction === 'ingress')
                .map(ruleInWords)
                .join('; ') || words.nothing,
          },
        ]}
        create={{
          label: words.create,
          fields: [
            { key: 'name', label: texts.name, kind: 'text' },
            { key: 'description', label: texts.description, kind: 'text', isOptional: true },
          ],
          run: (values) =>
            ask('POST', '/networking/v2.0/security-groups', {
              body: { security_group: { name: values.get('name'), description: values.get('description') ?? '' } },
            }),
        }}
        remove={{ losses: ({ name, id }) => [words.loss(name || id)], isFor: ({ name }) => name !== 'default' }}
        cli="openstack security group list"
      />
    </Page>
  );
}
