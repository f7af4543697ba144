/** What reads bytes from outside at the gateway throws its typed error and no other, whatever it is given (F1, F16). */
import fc from 'fast-check';
import t from 'tap';
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

/** Texts of any code units, halves of pairs among them. */
const text = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });

t.test('bodies, queries and values: refused in the right words or taken', (t) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => isTyped(() => parseJson(bytes))));
  fc.assert(fc.property(fc.json(), (json) => isTyped(() => parseJson(Buffer.from(json)))));
  fc.assert(fc.property(text, (query) => isTyped(() => checkQuery(query))));
  fc.assert(
    fc.property(fc.anything({ key: text, values: [text, fc.double()] }), (value) =>
      isTyped(() => checkInput(value, 'body')),
    ),
  );
  t.pass('for every input that was drawn; a counterexample throws');
  t.end();
});

t.test('a record that can be written reads back as it was', (t) => {
  fc.assert(
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
  t.pass('for every input that was drawn; a counterexample throws');
  t.end();
});

t.test('any bytes are a record or RECORD_UNREADABLE', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        networkTable.decode(bytes);
        return true;
      } catch (caught) {
        return ShoalError.is(caught, 'RECORD_UNREADABLE');
      }
    }),
  );
  t.pass('for every input that was drawn; a counterexample throws');
  t.end();
});
