/** Nova's refusals, in its words: clients and their scripts look for them. */
import { ShoalError } from '../../../base/errors.ts';
import { fieldError, type Wording } from '../../../base/field-names.ts';

/** 400. A `Wording` lets each API name the field in its own way. */
export function badRequest(message: string | Wording): ShoalError {
  return fieldError('INVALID_ARGUMENT', message);
}

/** 409: the request is right, and the state of the thing forbids it. */
export function conflict(message: string): ShoalError {
  return new ShoalError('CONFLICT', message);
}

/** 403. @param what the rule's name in Nova's policy: `os_compute_api:os-migrate-server:migrate`. */
export function forbidden(what: string): ShoalError {
  return new ShoalError('FORBIDDEN', `Policy doesn't allow ${what} to be performed.`);
}

/** 404, also for what exists but may not be seen. */
export function serverNotFound(id: string): ShoalError {
  return new ShoalError('NOT_FOUND', `Instance ${id} could not be found.`, { facts: { serverId: id } });
}

/** 404, also for a private flavor that the caller's project may not use. */
export function flavorNotFound(id: string): ShoalError {
  return new ShoalError('NOT_FOUND', `Flavor ${id} could not be found.`);
}

/** 404. @param userId whose key it is: the same name may be another user's. */
export function keypairNotFound(name: string, userId: string): ShoalError {
  return new ShoalError('NOT_FOUND', `Keypair ${name} not found for user ${userId}`);
}

/** 404, also for a group of another project. */
export function groupNotFound(id: string): ShoalError {
  return new ShoalError('NOT_FOUND', `Instance group ${id} could not be found.`);
}

/** Names of 1 to 255 printable characters, not all blanks: Nova's rule for whatever has a name. */
export function checkName(what: string, name: string): string {
  const trimmed = name.trim();
  const isPrintable = ![...trimmed].some((character) => character < ' ' || character === '\u007f');
  if (trimmed === '' || trimmed.length > 255 || !isPrintable) {
    throw badRequest(`Invalid input for field/attribute ${what}. Value: ${JSON.stringify(name.slice(0, 64))}.`);
  }
  return trimmed;
}
