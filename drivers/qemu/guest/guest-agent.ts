/**
 * The QEMU guest agent, over its virtio-serial channel: it freezes and thaws the guest's file systems and sets passwords. Most
 * guests have none.
 */
import { connect, type Socket } from 'node:net';
import { ShoalError } from '../../../node/base/errors.ts';
import { isRecord } from '../../../node/base/json-value.ts';

/** An agent that is there answers in milliseconds; freezing writes out what is dirty. */
const answerTimeoutMs = 3_000;
const thawTimeoutMs = 10_000;
/** `chpasswd` in the guest. */
const passwordTimeoutMs = 10_000;
const answerBytesMax = 64 * 1024;
/** QEMU's name for the channel's host side. */
export const agentChardev = 'agent';

/** Whether something in the guest has the channel open, by QEMU's answer to `query-chardev`. What is not understood is a yes. */
export function hasOpenAgent(chardevs: unknown): boolean {
  if (!Array.isArray(chardevs)) return true;
  const channel = (chardevs as readonly unknown[]).find((one) => isRecord(one) && one['label'] === agentChardev);
  return !isRecord(channel) || channel['frontend-open'] !== false;
}

/** Freezes all file systems; false when there is no agent that answers. What it said no to is no freeze either. */
export async function freezeFileSystems(socketPath: string): Promise<boolean> {
  try {
    const frozen = await ask(socketPath, 'guest-fsfreeze-freeze', answerTimeoutMs);
    return typeof frozen === 'number' && frozen > 0;
  } catch (caught) {
    if (ShoalError.is(caught, 'UNAVAILABLE', 'DRIVER_FAILED')) return false;
    // It may freeze after we have given up.
    if (ShoalError.is(caught, 'DEADLINE_EXCEEDED')) return false;
    throw caught;
  }
}

/** Lets the file systems go on. Not frozen is success; so is a guest without an agent. */
export async function thawFileSystems(socketPath: string): Promise<void> {
  try {
    await ask(socketPath, 'guest-fsfreeze-thaw', thawTimeoutMs);
  } catch (caught) {
    if (!ShoalError.is(caught, 'UNAVAILABLE')) throw caught;
  }
}

/**
 * Sets a user's password. `UNAVAILABLE`: there is no agent that answers; `DRIVER_FAILED`: it refused, as for a user whom the guest
 * does not know.
 */
export async function setGuestPassword(socketPath: string, username: string, password: string): Promise<void> {
  const secret = Buffer.from(password, 'utf8').toString('base64');
  await ask(socketPath, 'guest-set-user-password', passwordTimeoutMs, { username, password: secret, crypted: false });
}

/** One question on a connection of its own. `UNAVAILABLE`: nobody is behind the channel. */
async function ask(
  socketPath: string,
  command: string,
  timeoutMs: number,
  args?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const socket = connect({ path: socketPath });
  const sync = Date.now() % 1_000_000_000;
  try {
    const answers = readAnswers(socket);
    socket.write(`${JSON.stringify({ execute: 'guest-sync', arguments: { id: sync } })}\n`);
    // What an earlier question was answered late comes before our own number.
    await within(answerTimeoutMs, answers, (answer) => answer['return'] === sync, 'UNAVAILABLE');
    socket.write(`${JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }) })}\n`);
    const answer = await within(timeoutMs, answers, () => true, 'DEADLINE_EXCEEDED');
    if (answer['error'] !== undefined) {
      throw new ShoalError('DRIVER_FAILED', `the guest's agent refused ${command}: ${JSON.stringify(answer['error'])}`);
    }
    return answer['return'];
  } finally {
    socket.destroy();
  }
}

type Answer = Readonly<Record<string, unknown>>;

async function* readAnswers(socket: Socket): AsyncGenerator<Answer> {
  let text = '';
  socket.setEncoding('utf8');
  try {
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.length > answerBytesMax)
        throw new ShoalError('DRIVER_FAILED', "the guest's agent does not stop talking");
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const answer = parsed(text.slice(0, end));
        text = text.slice(end + 1);
        if (answer !== undefined) yield answer;
      }
    }
  } catch (caught) {
    throw ShoalError.from(caught, 'UNAVAILABLE', "talking to the guest's agent");
  }
}

/** What a guest says is anything; what is no object is no answer. */
function parsed(line: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(line.replaceAll('\u{fffd}', ''));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

async function within(
  timeoutMs: number,
  answers: AsyncGenerator<Answer>,
  isIt: (answer: Answer) => boolean,
  late: 'UNAVAILABLE' | 'DEADLINE_EXCEEDED',
): Promise<Answer> {
  const tooLate = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => tooLate.reject(new ShoalError(late, `the guest's agent did not answer in ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    for (;;) {
      const next = await Promise.race([answers.next(), tooLate.promise]);
      if (next.done === true) throw new ShoalError('UNAVAILABLE', "the guest's agent closed its channel");
      if (isIt(next.value)) return next.value;
    }
  } finally {
    clearTimeout(timer);
  }
}
