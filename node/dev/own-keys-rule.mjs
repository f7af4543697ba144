import ts from 'typescript';

// A lint rule: what is looked up in, or put into, an object by a key that is only known to be text goes by Object.hasOwn, or
// the object is a Map. `table['constructor']` is a function of every object, and `table['__proto__'] = x` sets nothing: a
// tenant that names a network so must not break the lists of others (F15).
//
// Allowed: an access whose function asks `Object.hasOwn` of the same object and key, and a key out of `for (const key in ...)`.

/** Whether `node` is in a loop over an object's own keys, or the nearest function around it asks Object.hasOwn(object, key). */
function isGuarded(node, sourceCode) {
  const guard = `Object.hasOwn(${sourceCode.getText(node.object)}, ${sourceCode.getText(node.property)})`;
  for (let around = node.parent; around !== null; around = around.parent) {
    const isLoop = around.type === 'ForInStatement' && around.left.type === 'VariableDeclaration';
    if (isLoop && around.left.declarations[0].id.name === node.property.name) return true;
    if (/Function/.test(around.type)) return sourceCode.getText(around).includes(guard);
  }
  return false;
}

const typeFlagString = ts.TypeFlags.String;

export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      unguarded: 'Look this up by Object.hasOwn({{object}}, {{key}}), or make {{object}} a Map.',
      inherited: '"in" finds what every object has: ask Object.hasOwn({{object}}, {{key}}).',
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    const checker = services.program.getTypeChecker();
    return {
      BinaryExpression(node) {
        if (node.operator !== 'in' || node.left.type === 'Literal' || node.left.type === 'PrivateIdentifier') return;
        const { sourceCode } = context;
        const data = { object: sourceCode.getText(node.right), key: sourceCode.getText(node.left) };
        context.report({ node, messageId: 'inherited', data });
      },
      MemberExpression(node) {
        if (!node.computed || node.property.type === 'Literal') return;
        const key = services.getTypeAtLocation(node.property);
        if ((key.flags & typeFlagString) === 0) return;
        const object = services.getTypeAtLocation(node.object);
        if (checker.getNonNullableType(object).getStringIndexType() === undefined) return;
        if (isGuarded(node, context.sourceCode)) return;
        const { sourceCode } = context;
        const data = { object: sourceCode.getText(node.object), key: sourceCode.getText(node.property) };
        context.report({ node, messageId: 'unguarded', data });
      },
    };
  },
};
