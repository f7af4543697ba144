// A lint rule: bytes are not copied by slice(). Of a Uint8Array it makes a copy, of a Buffer, which is a Uint8Array too, a
// view of the same memory; what protobuf or a socket hands out may be either. Who changes such a "copy" changes the original,
// and who keeps it keeps all that it is a part of. `new Uint8Array(bytes)` copies either, `bytes.subarray()` neither.

export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      slice:
        'Where {{bytes}} is a Buffer, slice() copies nothing: say new Uint8Array(...) for a copy, subarray() for a view.',
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    const checker = services.program.getTypeChecker();
    const isBytes = (type) => {
      const parts = type.isUnion() ? type.types : [type];
      return parts.some((part) => ['Uint8Array', 'Buffer'].includes(part.getSymbol()?.getName()));
    };
    return {
      'CallExpression > MemberExpression.callee[property.name="slice"]'(node) {
        if (!isBytes(checker.getNonNullableType(services.getTypeAtLocation(node.object)))) return;
        context.report({ node, messageId: 'slice', data: { bytes: context.sourceCode.getText(node.object) } });
      },
    };
  },
};
