import { useState } from 'preact/hooks';
import { ask, get } from '../../kit/api.ts';
import { wordsOf } from '../../kit/api-error.ts';
import { notify } from '../../kit/notices.ts';
import { useResource } from '../../kit/resource.ts';
import { navigate } from '../../kit/router.ts';
import { isOperator } from '../../kit/session.ts';
import { texts } from '../../kit/texts.ts';
import { Confirm, Dialog } from '../../parts/dialog.tsx';
import { Form, SelectField, TextField } from '../../parts/form.tsx';
import { lossesOfDeletion } from './deletion.ts';
import type { Server } from './server.ts';
import { type Verb, type VerbField, verbsFor } from './verbs.ts';

/** Everything that can be done to a server as it is now. */
export function VerbBar(props: { server: Server; onDone: () => void }) {
  const { server, onDone } = props;
  const [open, setOpen] = useState<Verb | 'delete' | undefined>(undefined);
  const found = verbsFor(server, isOperator.value);
  const run = async (verb: Verb, values: Readonly<Record<string, string>> = {}): Promise<void> => {
    await ask('POST', `/compute/v2.1/servers/${server.id}/action`, { body: verb.body(values) });
    notify(texts.verbWords.asked(texts.verbs[verb.key], server.name));
    setOpen(undefined);
    onDone();
  };
  const click = (verb: Verb): void => {
    if (verb.fields !== undefined || verb.losses !== undefined) setOpen(verb);
    else run(verb).catch((error: unknown) => notify(wordsOf(error)));
  };
  return (
    <fieldset class="verbs">
      <legend class="sr-only">{texts.actions}</legend>
      {found.map(({ verb, obstacle }) => (
        <button
          key={verb.key}
          type="button"
          disabled={obstacle !== ''}
          title={obstacle === '' ? undefined : obstacle}
          onClick={() => click(verb)}
        >
          {texts.verbs[verb.key]}
        </button>
      ))}
      <button type="button" class="danger" onClick={() => setOpen('delete')}>
        {texts.delete}
      </button>
      {open === 'delete' ? (
        <Confirm
          title={texts.servers.deleteTitle(server.name)}
          losses={lossesOfDeletion(server)}
          submit={texts.delete}
          onClose={() => setOpen(undefined)}
          onConfirm={async () => {
            await ask('DELETE', `/compute/v2.1/servers/${server.id}`);
            notify(texts.servers.deleted(server.name));
            navigate('/servers');
          }}
        />
      ) : open === undefined ? null : (
        <VerbDialog
          verb={open}
          server={server}
          onClose={() => setOpen(undefined)}
          onSubmit={(values) => run(open, values)}
        />
      )}
    </fieldset>
  );
}

/** Asks what a verb needs to know, and says what is lost by it. */
function VerbDialog(props: {
  verb: Verb;
  server: Server;
  onClose: () => void;
  onSubmit: (values: Readonly<Record<string, string>>) => Promise<void>;
}) {
  const { verb, server } = props;
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const set = (key: string, value: string): void => setValues((before) => ({ ...before, [key]: value }));
  return (
    <Dialog title={`${texts.verbs[verb.key]}: ${server.name}`} onClose={props.onClose}>
      <Form
        submit={texts.verbs[verb.key]}
        isDanger={verb.losses !== undefined}
        onSubmit={() => props.onSubmit(values)}
        onCancel={props.onClose}
      >
        {verb.losses?.(server.name).map((loss) => (
          <p key={loss} dir="auto">
            {loss}
          </p>
        ))}
        {verb.fields?.map((field) => (
          <Field
            key={field.key}
            field={field}
            value={new Map(Object.entries(values)).get(field.key) ?? ''}
            onChange={(value) => set(field.key, value)}
          />
        ))}
      </Form>
    </Dialog>
  );
}

function Field(props: { field: VerbField; value: string; onChange: (value: string) => void }) {
  const { field, value, onChange } = props;
  const { kind, label } = field;
  const isText = kind === 'text' || kind === 'password' || kind === 'snapshot-name';
  const choices = useResource((signal) => (isText ? Promise.resolve([]) : choicesOf(kind, signal)), [kind], 0);
  if (isText) {
    return (
      <TextField
        label={label}
        type={kind === 'password' ? 'password' : 'text'}
        value={value}
        onChange={onChange}
        required
        maxLength={255}
        autofocus
        autocomplete={kind === 'password' ? 'new-password' : 'off'}
      />
    );
  }
  const first = { value: '', label: field.isOptional === true ? texts.verbWords.ownImage : texts.verbWords.choose };
  return (
    <SelectField
      label={label}
      value={value}
      onChange={onChange}
      choices={[first, ...(choices.data ?? [])]}
      required={field.isOptional !== true}
    />
  );
}

async function choicesOf(kind: VerbField['kind'], signal: AbortSignal) {
  if (kind === 'flavor') {
    const { flavors } = await get<{
      flavors: readonly { id: string; name: string; vcpus: number; ram: number; disk: number }[];
    }>('/compute/v2.1/flavors/detail', signal);
    return flavors.map(({ id, name, vcpus, ram, disk }) => ({
      value: id,
      label: texts.servers.flavor(name, vcpus, ram, disk),
    }));
  }
  const { images } = await get<{ images: readonly { id: string; name: string | null }[] }>(
    '/image/v2/images?status=active&limit=1000',
    signal,
  );
  return images.map(({ id, name }) => ({ value: id, label: name ?? id }));
}
