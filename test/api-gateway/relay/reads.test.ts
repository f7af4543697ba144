/** Which methods of the public API only read: their answers may be partial, and they may be asked twice. */
import t from 'tap';
import { isRead } from '../../../api-gateway/grpc/kit/reads.ts';
import { isRelayed } from '../../../api-gateway/grpc/kit/served.ts';
import { methodsOf } from '../../../node/rpc/service.ts';
import { shoal } from '../../../proto/messages.ts';

/** Verbs of methods that change something, or have effects beside their answer. A new verb belongs to one side or the other. */
const changing =
  /^(?:abort|accept|add|attach|authenticate|cancel|confirm|create|delete|detach|download|drain|evacuate|expire|export|extend|finalize|forceComplete|import|lock|migrate|offload|open|pause|reboot|rebuild|reimage|rekey|remove|rescue|reset|resize|restore|resume|revert|revoke|rotate|set|shelve|start|stop|suspend|trigger|undrain|unlock|unpause|unrescue|unshelve|update|upload|validate|verify|watch)(?![a-z])/;

t.test('every method either reads or does not, by its first word', (t) => {
  let walked = 0;
  for (const [name, value] of Object.entries<unknown>(shoal.v1)) {
    if (!isRelayed(`shoal.v1.${name}`) || typeof value !== 'function') continue;
    for (const method of methodsOf(value as { readonly prototype: object })) {
      walked += 1;
      t.not(isRead(method.name), changing.test(method.name), `${name}.${method.name} is one of them`);
      t.equal(isRead(method.path.split('/')[2] ?? ''), isRead(method.name), 'also as policies spell it');
    }
  }
  t.ok(walked > 60, `${walked} methods`);
  t.notOk(isRead('listenForNothing'), 'a word that begins like one of them is none');
  t.end();
});
