/** F4: what no policy names is not served: neither gateway starts with such an operation. */
import t from 'tap';
import { AccessPolicy } from '../../api-gateway/policies/access-policy.ts';
import type { PolicyRule } from '../../api-gateway/policies/rule.ts';
import { anyToken, projectMember, rule } from '../../api-gateway/policies/rule.ts';
import { novaFaults } from '../../api-gateway/rest/kit/faults.ts';
import type { RestModule } from '../../api-gateway/rest/kit/module.ts';
import { startGateway } from '../support/gateway.ts';

function moduleWith(policies: readonly PolicyRule[], actions: readonly string[] = []): RestModule {
  return {
    name: 'toy',
    prefixes: ['/toy'],
    faults: novaFaults,
    requestIdHeaders: [],
    policies,
    register(app) {
      app.get('/', { config: { public: true } }, () => ({}));
      // In a scope of its own, as the routes with bodies of another kind are.
      void app.register((scope, _options, done) => {
        scope.post('/things/:id/action', { config: { actions } }, async () => ({}));
        done();
      });
    },
  };
}

async function startWith(module: RestModule): Promise<void> {
  const gateway = await startGateway({ modules: () => [module] });
  await gateway.stop();
}

void t.test('F4: the REST gateway does not start with a route that no policy names', async (t) => {
  await t.rejects(startWith(moduleWith([])), { message: /No policy guards POST \/things\/:id\/action/ });
  const route = rule('things', anyToken, ['POST /things/:id/action']);
  await startWith(moduleWith([route]));
  await t.rejects(startWith(moduleWith([route], ['explode'])), { message: /POST \/things\/:id\/action#explode/ });
  await startWith(
    moduleWith([route, rule('explode', projectMember, ['POST /things/:id/action#explode'])], ['explode']),
  );
});

void t.test('F4: an operation has one rule, and a rule one name', (t) => {
  const one = rule('one', anyToken, ['GET /a']);
  t.throws(() => new AccessPolicy([one, one]), { code: 'CONFIG_INVALID' });
  t.throws(() => new AccessPolicy([one, rule('two', projectMember, ['GET /a'])]), { code: 'CONFIG_INVALID' });
  const access = new AccessPolicy([one]);
  t.throws(() => access.ruleOf('GET /b'), { code: 'CONFIG_INVALID', message: /api-gateway\/policies/ });
  t.equal(access.ruleOf('HEAD /a'), one, 'a HEAD is guarded as the GET is');
  t.throws(() => access.ruleOf('POST /a'), { code: 'CONFIG_INVALID' });
  t.end();
});
