/**
 * The rules of proto/buf.yaml that one forgets when writing a service, without buf (46 MB): names of services, methods'
 * messages, fields and enums. Where buf.yaml makes an exception, so does this.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import t from 'tap';
import { parse } from 'yaml';
import { repositoryRoot } from '../../node/dev/house/source.ts';

const folder = join(repositoryRoot, 'proto');
const config: unknown = parse(readFileSync(join(folder, 'buf.yaml'), 'utf8'));

/** Whether buf.yaml excuses a file from a rule. */
function isExcused(rule: string, file: string): boolean {
  const { lint } = config as { readonly lint: { readonly ignore_only: Readonly<Record<string, readonly string[]>> } };
  return new Map(Object.entries(lint.ignore_only)).get(rule)?.includes(file) === true;
}

/** One mistake a line. */
function mistakesOf(file: string): readonly string[] {
  const { root } = protobuf.parse(readFileSync(join(folder, file), 'utf8'), { keepCase: true });
  const mistakes: string[] = [];
  const hold = (rule: string, holds: boolean, what: string): void => {
    if (!holds && !isExcused(rule, file)) mistakes.push(`${file}: ${what} (${rule})`);
  };
  const walk = (space: protobuf.NamespaceBase): void => {
    for (const thing of space.nestedArray) {
      if (thing instanceof protobuf.Service) {
        hold('SERVICE_SUFFIX', thing.name.endsWith('Service'), thing.name);
        for (const { name, requestType, responseType } of thing.methodsArray) {
          hold('RPC_REQUEST_STANDARD_NAME', requestType === `${name}Request`, `${name} takes ${requestType}`);
          hold('RPC_RESPONSE_STANDARD_NAME', responseType === `${name}Response`, `${name} gives ${responseType}`);
        }
      } else if (thing instanceof protobuf.Enum) {
        const prefix = thing.name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
        for (const [name, number] of Object.entries(thing.values)) {
          hold('ENUM_VALUE_PREFIX', name.startsWith(`${prefix}_`), name);
          hold('ENUM_ZERO_VALUE_SUFFIX', number !== 0 || name.endsWith('_UNSPECIFIED'), name);
        }
      } else if (thing instanceof protobuf.Type) {
        for (const { name } of thing.fieldsArray) {
          hold('FIELD_LOWER_SNAKE_CASE', /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name), `${thing.name}.${name}`);
        }
      }
      if (thing instanceof protobuf.Namespace) walk(thing);
    }
  };
  walk(root);
  return mistakes;
}

t.test('schemas of our own have no finding of buf’s', (t) => {
  const files = readdirSync(join(folder, 'shoal'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.proto'))
    .map((name) => `shoal/${name}`);
  t.ok(files.length > 9);
  t.same(files.flatMap(mistakesOf), []);
  t.end();
});
