import { status } from '@grpc/grpc-js';
import type { Handlers } from '../../node/rpc/server.ts';
import type { grpc } from '../../proto/messages.ts';
import type { DescriptorSet } from './kit/descriptor.ts';

type Question = grpc.reflection.v1.ServerReflectionRequest;
type Answer = grpc.reflection.v1.ServerReflectionResponse.$Properties;

/** `grpc.reflection.v1`, and v1alpha, which differs in its name alone. Open to everybody: our schemas are public. */
export function reflectionHandlers(
  descriptors: DescriptorSet,
  services: readonly string[],
): Handlers<grpc.reflection.v1.ServerReflection, null> {
  return {
    async *serverReflectionInfo(questions) {
      for await (const question of questions) {
        yield { validHost: question.host, originalRequest: question, ...answer(descriptors, services, question) };
      }
    },
  };
}

function answer(descriptors: DescriptorSet, services: readonly string[], question: Question): Partial<Answer> {
  switch (question.messageRequest) {
    case 'listServices':
      return { listServicesResponse: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename': {
      const name = question.fileByFilename ?? '';
      return fileAnswer(descriptors.fileByName(name)?.bytes, `There is no file ${name}.`);
    }
    case 'fileContainingSymbol': {
      const symbol = question.fileContainingSymbol ?? '';
      return fileAnswer(descriptors.fileBySymbol(symbol)?.bytes, `There is no ${symbol}.`);
    }
    // Extensions are of proto2; there are none.
    case 'fileContainingExtension':
      return problem(status.NOT_FOUND, 'There are no extensions.');
    case 'allExtensionNumbersOfType': {
      const type = question.allExtensionNumbersOfType ?? '';
      if (descriptors.fileBySymbol(type) === undefined) return problem(status.NOT_FOUND, `There is no ${type}.`);
      return { allExtensionNumbersResponse: { baseTypeName: type, extensionNumber: [] } };
    }
    default:
      return problem(status.INVALID_ARGUMENT, 'The question asks nothing.');
  }
}

function fileAnswer(bytes: Uint8Array | undefined, absent: string): Partial<Answer> {
  if (bytes === undefined) return problem(status.NOT_FOUND, absent);
  return { fileDescriptorResponse: { fileDescriptorProto: [bytes] } };
}

/** Long names come from the caller and go back shortened. */
function problem(code: status, message: string): Partial<Answer> {
  return { errorResponse: { errorCode: code, errorMessage: message.slice(0, 256) } };
}
