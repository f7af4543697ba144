import { useState } from 'preact/hooks';
import { ask } from '../../kit/api.ts';
import { texts } from '../../kit/texts.ts';
import { Collection } from '../../parts/collection.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Page } from '../../parts/page.tsx';
import { Copyable } from '../../parts/values.tsx';

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly fingerprint: string;
  readonly type: string;
}

/** The user's key pairs. */
export default function KeyPairs() {
  const words = texts.keyPairs;
  const [made, setMade] = useState('');
  return (
    <Page title={words.title}>
      <Collection<Listed>
        what={words.what}
        path="/compute/v2.1/os-keypairs"
        collection="keypairs"
        rowsOf={(rows) => rows.map(unwrapped)}
        columns={[
          { key: 'name', title: texts.name, text: ({ name }) => name },
          { key: 'type', title: words.type, text: ({ type }) => type },
          { key: 'fingerprint', title: words.fingerprint, text: ({ fingerprint }) => fingerprint },
        ]}
        create={{
          label: words.create,
          fields: [
            { key: 'name', label: texts.name, kind: 'text' },
            { key: 'public', label: words.publicKey, hint: words.publicHint, kind: 'area' },
          ],
          run: async (values) => {
            const given = (values.get('public') ?? '').trim();
            // From microversion 2.92 on Nova makes no private keys; what is made by it is asked for by an older one.
            const headers: Record<string, string> = given === '' ? { 'openstack-api-version': 'compute 2.91' } : {};
            const keypair = { name: values.get('name'), type: 'ssh', ...(given === '' ? {} : { public_key: given }) };
            const answer = await ask<{ keypair: { private_key?: string } }>('POST', '/compute/v2.1/os-keypairs', {
              body: { keypair },
              headers,
            });
            setMade(answer.keypair.private_key ?? '');
          },
        }}
        remove={{
          losses: ({ name }) => [words.loss(name)],
          run: ({ name }) => ask('DELETE', `/compute/v2.1/os-keypairs/${encodeURIComponent(name)}`),
        }}
        cli={'openstack keypair list\nopenstack keypair create --public-key ~/.ssh/id_ed25519.pub NAME'}
      />
      {made === '' ? null : (
        <Dialog title={words.privateKey} onClose={() => setMade('')} wide>
          <p>{words.once}</p>
          <Copyable text={made} label={words.privateKey} />
        </Dialog>
      )}
    </Page>
  );
}

/** Nova wraps each of the list. */
function unwrapped(row: object): Listed {
  const { keypair } = row as { keypair: Omit<Listed, 'id'> };
  return { ...keypair, id: keypair.name };
}
