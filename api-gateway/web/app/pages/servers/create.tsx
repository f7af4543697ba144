import { useState } from 'preact/hooks';
import { ask } from '../../kit/api.ts';
import { shellWord } from '../../kit/format.ts';
import { notify } from '../../kit/notices.ts';
import { useResource } from '../../kit/resource.ts';
import { navigate } from '../../kit/router.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { CheckField, Form, SelectField, TextArea, TextField } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page } from '../../parts/page.tsx';
import { Cli } from '../../parts/values.tsx';
import { bodyOf, type Draft, defaultsOf, loadOffer, type Offer, whyTooSmall } from './draft.ts';

/** A new server: everything has a value that works, so that a name is enough. */
export default function CreateServer() {
  const offer = useResource(loadOffer, [], 0);
  return (
    <Page title={texts.servers.create}>
      <Loaded of={offer}>{(data) => <CreateForm offer={data} />}</Loaded>
    </Page>
  );
}

function CreateForm({ offer }: { offer: Offer }) {
  const [draft, setDraft] = useState<Draft>(() => defaultsOf(offer));
  const set = (part: Partial<Draft>): void => setDraft((before) => ({ ...before, ...part }));
  const words = texts.servers.form;
  const obstacle = whyTooSmall(offer, draft);
  const none = { value: '', label: texts.none };
  return (
    <div class="form-page">
      {offer.images.length === 0 ? <p class="problem">{words.noImage}</p> : null}
      <Form
        submit={texts.servers.create}
        canSubmit={offer.images.length > 0}
        onSubmit={async () => {
          const { server } = await ask<{ server: { id: string } }>('POST', '/compute/v2.1/servers', {
            body: bodyOf(draft),
          });
          notify(words.made(draft.name));
          navigate(Number(draft.count) > 1 ? '/servers' : pathOf(['servers', server.id]));
        }}
      >
        <TextField
          label={texts.name}
          value={draft.name}
          onChange={(name) => set({ name })}
          required
          maxLength={255}
          autofocus
        />
        <SelectField
          label={texts.kinds.image}
          value={draft.imageId}
          onChange={(imageId) => set({ imageId })}
          required
          choices={offer.images.map(({ id, name }) => ({ value: id, label: name ?? id }))}
        />
        <SelectField
          label={texts.servers.flavorTitle}
          value={draft.flavorId}
          onChange={(flavorId) => set({ flavorId })}
          required
          {...(obstacle === '' ? {} : { hint: obstacle })}
          choices={offer.flavors.map(({ id, name, vcpus, ram, disk }) => ({
            value: id,
            label: texts.servers.flavor(name, vcpus, ram, disk),
          }))}
        />
        <SelectField
          label={texts.kinds.network}
          value={draft.networkId}
          onChange={(networkId) => set({ networkId })}
          {...(offer.networks.length === 0 ? { hint: words.noNetwork } : {})}
          choices={[...offer.networks.map(({ id, name }) => ({ value: id, label: name || id })), none]}
        />
        <SelectField
          label={texts.servers.key}
          value={draft.keyName}
          onChange={(keyName) => set({ keyName })}
          {...(offer.keys.length === 0 ? { hint: words.noKey } : {})}
          choices={[...offer.keys.map((name) => ({ value: name, label: name })), none]}
        />
        <SelectField
          label={texts.kinds.securityGroup}
          value={draft.groupName}
          onChange={(groupName) => set({ groupName })}
          choices={offer.groups.map((name) => ({ value: name, label: name }))}
        />
        <details>
          <summary>{words.more}</summary>
          <CheckField
            label={words.bootVolume}
            checked={draft.bootsFromVolume}
            onChange={(bootsFromVolume) => set({ bootsFromVolume })}
          />
          {draft.bootsFromVolume ? (
            <TextField
              label={words.volumeSize}
              type="number"
              min={1}
              value={draft.volumeSize}
              onChange={(volumeSize) => set({ volumeSize })}
              required
            />
          ) : null}
          <TextField
            label={words.count}
            type="number"
            min={1}
            value={draft.count}
            onChange={(count) => set({ count })}
            required
          />
          <TextArea
            label={words.userData}
            hint={words.userDataHint}
            value={draft.userData}
            onChange={(userData) => set({ userData })}
          />
        </details>
      </Form>
      <Cli command={commandOf(draft)} />
    </div>
  );
}

function commandOf(draft: Draft): string {
  const words = [
    'openstack server create',
    `--image ${shellWord(draft.imageId)}`,
    `--flavor ${shellWord(draft.flavorId)}`,
  ];
  words.push(draft.networkId === '' ? '--nic none' : `--network ${shellWord(draft.networkId)}`);
  if (draft.keyName !== '') words.push(`--key-name ${shellWord(draft.keyName)}`);
  if (draft.groupName !== '' && draft.networkId !== '') words.push(`--security-group ${shellWord(draft.groupName)}`);
  if (draft.bootsFromVolume) words.push(`--boot-from-volume ${shellWord(draft.volumeSize)}`);
  if (draft.count !== '1') words.push(`--min ${shellWord(draft.count)} --max ${shellWord(draft.count)}`);
  return `${words.join(' ')} ${shellWord(draft.name)}`;
}
