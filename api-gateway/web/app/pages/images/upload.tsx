import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ask } from '../../kit/api.ts';
import { byteSize, shellWord } from '../../kit/format.ts';
import { notify } from '../../kit/notices.ts';
import { navigate } from '../../kit/router.ts';
import { pathOf } from '../../kit/router-paths.ts';
import { texts } from '../../kit/texts.ts';
import { upload } from '../../kit/upload.ts';
import { Form, SelectField, TextField } from '../../parts/form.tsx';
import { Page } from '../../parts/page.tsx';
import { Cli } from '../../parts/values.tsx';
import { diskFormats, formatOf } from './disk-format.ts';

/** A new image: a file dropped or chosen, its format known by its first bytes. */
export default function UploadImage() {
  const words = texts.images;
  const [file, setFile] = useState<File | undefined>(undefined);
  const [name, setName] = useState('');
  const [format, setFormat] = useState('qcow2');
  const [sent, setSent] = useState<number | undefined>(undefined);
  const abort = useRef(new AbortController());
  // Who leaves the page ends the upload: nobody would see what came of it.
  useEffect(() => () => abort.current.abort(), []);
  const take = async (chosen: File | undefined): Promise<void> => {
    if (chosen === undefined) return;
    setFile(chosen);
    setName((before) => before || chosen.name.replace(/\.[^.]*$/u, ''));
    setFormat(formatOf(chosen.name, new Uint8Array(await chosen.slice(0, 512).arrayBuffer())));
  };
  const submit = async (): Promise<void> => {
    if (file === undefined) return;
    abort.current = new AbortController();
    const { signal } = abort.current;
    const body = { name, disk_format: format, container_format: 'bare' };
    const { id } = await ask<{ id: string }>('POST', '/image/v2/images', { body, signal });
    try {
      setSent(0);
      await upload(`/image/v2/images/${id}/file`, file, { onProgress: setSent, signal });
    } catch (error) {
      setSent(undefined);
      // An image without content is of use to nobody.
      await ask('DELETE', `/image/v2/images/${id}`);
      throw error;
    }
    notify(words.uploaded(name));
    navigate(pathOf(['images', id]));
  };
  return (
    <Page title={words.upload}>
      <div class="form-page">
        <Form submit={words.upload} canSubmit={file !== undefined} onSubmit={submit}>
          <Drop file={file} onFile={(chosen) => void take(chosen)} />
          <TextField label={texts.name} value={name} onChange={setName} required maxLength={255} />
          <SelectField
            label={words.format}
            value={format}
            onChange={setFormat}
            choices={diskFormats.map((value) => ({ value, label: value }))}
          />
          {sent === undefined || file === undefined ? null : (
            <>
              <progress aria-label={words.progress} max={file.size} value={sent} />
              <p class="buttons">
                <span>{words.sent(byteSize(sent), byteSize(file.size))}</span>
                <button type="button" onClick={() => abort.current.abort()}>
                  {texts.cancel}
                </button>
              </p>
            </>
          )}
        </Form>
        <Cli
          command={`openstack image create --disk-format ${format} --file ${shellWord(file?.name ?? 'FILE')} ${shellWord(name || 'NAME')}`}
        />
      </div>
    </Page>
  );
}

/** A place to drop a file, with a field for who has no mouse. */
function Drop(props: { file: File | undefined; onFile: (file: File | undefined) => void }) {
  const [isOver, setOver] = useState(false);
  const id = useId();
  const words = texts.images;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the field in it does the same by keyboard
    <div
      class={`drop ${isOver ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        props.onFile(event.dataTransfer?.files[0]);
      }}
    >
      <p class="field">
        <label for={id}>{words.file}</label>
        <input id={id} type="file" onChange={(event) => props.onFile(event.currentTarget.files?.[0])} />
      </p>
      <p class="quiet">{props.file === undefined ? words.drop : `${props.file.name}, ${byteSize(props.file.size)}`}</p>
    </div>
  );
}
