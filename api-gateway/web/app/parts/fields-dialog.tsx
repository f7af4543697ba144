import { useState } from 'preact/hooks';
import { useResource } from '../kit/resource.ts';
import { texts } from '../kit/texts.ts';
import { Dialog } from './dialog.tsx';
import { CheckField, type Choice, Form, SelectField, TextArea, TextField } from './form.tsx';

/** One thing that is asked. */
export interface FieldSpec {
  readonly key: string;
  readonly label: string;
  readonly kind: 'text' | 'number' | 'area' | 'check' | 'select';
  readonly hint?: string;
  readonly isOptional?: boolean;
  /** Value to begin with; of a check 'yes' or ''. */
  readonly initial?: string;
  /** Of a `select`. */
  readonly choices?: (signal: AbortSignal) => Promise<readonly Choice[]> | readonly Choice[];
}

/** What was answered, by the fields' keys; '' for nothing. */
export type Values = ReadonlyMap<string, string>;

/** A form in a dialog. It closes once what it asked for has been taken. */
export function FieldsDialog(props: {
  title: string;
  submit: string;
  fields: readonly FieldSpec[];
  onSubmit: (values: Values) => Promise<void>;
  onClose: () => void;
}) {
  const [values, setValues] = useState<Values>(
    () => new Map(props.fields.map(({ key, initial = '' }) => [key, initial])),
  );
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <Form
        submit={props.submit}
        onSubmit={async () => {
          await props.onSubmit(values);
          props.onClose();
        }}
        onCancel={props.onClose}
      >
        {props.fields.map((field, at) => (
          <Field
            key={field.key}
            field={field}
            isFirst={at === 0}
            value={values.get(field.key) ?? ''}
            onChange={(value) => setValues((before) => new Map(before).set(field.key, value))}
          />
        ))}
      </Form>
    </Dialog>
  );
}

function Field(props: { field: FieldSpec; isFirst: boolean; value: string; onChange: (value: string) => void }) {
  const { field, value, onChange } = props;
  const { kind, label } = field;
  const choices = useResource(async (signal) => (await field.choices?.(signal)) ?? [], [field.key], 0);
  const common = { label, value, onChange, ...(field.hint === undefined ? {} : { hint: field.hint }) };
  if (kind === 'area') return <TextArea {...common} />;
  if (kind === 'check') {
    return <CheckField label={label} checked={value !== ''} onChange={(is) => onChange(is ? 'yes' : '')} />;
  }
  if (kind === 'select') {
    const first = { value: '', label: field.isOptional === true ? texts.none : texts.verbWords.choose };
    const offered = (choices.data ?? []).some((choice) => choice.value === '') ? [] : [first];
    return (
      <SelectField {...common} required={field.isOptional !== true} choices={[...offered, ...(choices.data ?? [])]} />
    );
  }
  return (
    <TextField
      {...common}
      type={kind}
      required={field.isOptional !== true}
      autofocus={props.isFirst}
      {...(kind === 'number' ? { min: 1 } : { maxLength: 255 })}
    />
  );
}
