/** What reads bytes from outside at the gateway throws its typed error and no other, whatever it is given (F1, F16). */
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { checkInput } from '../../api-gateway/kit/input.ts';
import { parseJson } from '../../api-gateway/rest/kit/json-body.ts';
import { checkQuery } from '../../api-gateway/rest/kit/request-line.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { TransactionBuilder } from '../../node/state/table.ts';
import { networkTable } from '../../node/state/tables/index.ts';
import { shoal } from '../../proto/messages.ts';

/** Whether `run` ends, or throws what a caller is told. */
function isTyped(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch (caught) {
    return ShoalError.is(caught, 'INVALID_ARGUMENT');
  }
}

/** Asserts a property; a counterexample is told with its seed. */
function holds<T>(t: Test, property: fc.IProperty<T>): void {
  const run = fc.check(property);
  t.notOk(run.failed, run.failed ? (fc.defaultReportMessage(run) ?? '') : `${run.numRuns} inputs`);
}

/** Texts of any code units, halves of pairs among them. */
const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });

t.test('bodies, queries and values: refused in the right words or taken', (t) => {
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => isTyped(() => parseJson(bytes))),
  );
  holds(
    t,
    fc.property(fc.json(), (json) => isTyped(() => parseJson(Buffer.from(json)))),
  );
  holds(
    t,
    fc.property(text, (query) => isTyped(() => checkQuery(query))),
  );
  holds(
    t,
    fc.property(fc.anything({ key: text, values: [text, fc.double()] }), (value) =>
      isTyped(() => checkInput(value, 'body')),
    ),
  );

  t.end();
});

t.test('a record that can be written reads back as it was', (t) => {
  holds(
    t,
    fc.property(text, fc.array(text), (name, tags) => {
      const network = new shoal.v1.Network({ id: 'n', name, tags });
      const builder = new TransactionBuilder();
      try {
        networkTable.insert(builder, network);
      } catch (caught) {
        return (
          ShoalError.is(caught, 'INVALID_ARGUMENT') && !(name.isWellFormed() && tags.every((tag) => tag.isWellFormed()))
        );
      }
      const put = builder.build().thenOps.find((op) => op.kind === 'put' && op.key === networkTable.key('n'));
      const read = networkTable.decode(put?.kind === 'put' ? put.value : new Uint8Array());
      return read.name === name && JSON.stringify(read.tags) === JSON.stringify(tags);
    }),
  );

  t.end();
});

t.test('any bytes are a record or RECORD_UNREADABLE', (t) => {
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        networkTable.decode(bytes);
        return true;
      } catch (caught) {
        return ShoalError.is(caught, 'RECORD_UNREADABLE');
      }
    }),
  );

  t.end();
});
