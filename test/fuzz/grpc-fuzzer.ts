/**
 * A fuzzer of the public gRPC services: requests to every method, made from the schema's own messages, by callers of every
 * kind. It knows no service by heart: a new field is fuzzed as it is.
 *
 * What it holds for true: no call ends in INTERNAL, UNKNOWN or DATA_LOSS, whether its bytes are a message or not, none is
 * left without an answer, no error calls a field by a name that only REST has, and the agent answers a plain request
 * afterwards.
 */
import { ChannelCredentials, Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { ownValue } from '../../node/base/own-value.ts';
import { Prng } from '../../node/base/prng.ts';
import type { MethodSpec } from '../../node/rpc/service.ts';
import { shoal } from '../../proto/messages.ts';
import { startGrpcGateway, type TestGrpcGateway } from '../support/grpc-gateway.ts';
import { publicMethods, schemas } from '../support/native-schema.ts';
import { restOnlyNameIn, restOnlyNames } from '../support/rest-names.ts';
import { nastyTexts, pick } from './values.ts';

/** What somebody might mean, by the name of the field. */
const tameTexts: Readonly<Record<string, readonly string[]>> = {
  cidr: ['10.0.0.0/24', '10.0.1.0/24'],
  containerFormat: ['bare'],
  direction: ['ingress', 'egress'],
  diskFormat: ['raw'],
  ethertype: ['IPv4'],
  gatewayIp: ['10.0.0.1', ''],
  ipAddress: ['10.0.0.7', ''],
  projectId: ['', 'alice-project'],
  protocol: ['tcp', ''],
  publicKey: [''],
  remoteIpPrefix: ['192.0.2.0/24', ''],
  type: ['ssh', ''],
  userId: ['', 'user-of-alice-project'],
  visibility: ['shared', 'private', ''],
  pageToken: [''],
  clientToken: [''],
};
/** Fields without which hardly anything is made. */
const mainFields = new Set(['cidr', 'name', 'direction', 'diskFormat', 'containerFormat', 'data', 'sizeBytes']);
const callers = ['alice', 'alice', 'alice', 'bob', 'root', 'root', 'mallory', ''] as const;
/** What fits a 32-bit field; a sender of more has written another number. */
const numbers: readonly number[] = [0, 1, 2, 3, 255, 256, 1000, 1001, 65_535, 65_536, 2 ** 31 - 1, 2 ** 32 - 1];
const failures = new Set<number>([status.INTERNAL, status.UNKNOWN, status.DATA_LOSS, status.DEADLINE_EXCEEDED]);
/** Longest wait for one answer, ms. */
const answerMs = 20_000;
const idsKept = 40;

export interface GrpcFuzzReport {
  readonly calls: number;
  readonly methods: number;
  /** Methods that were answered OK at least once. */
  readonly methodsDone: number;
  readonly failures: readonly string[];
}

/** Makes `calls` calls drawn from `seed`. */
export async function fuzzGrpc(options: { readonly calls: number; readonly seed: number }): Promise<GrpcFuzzReport> {
  const many = 1e9;
  const gateway = await startGrpcGateway({ requestsPerSecond: many, requestsBurst: many });
  const client = new Client(`127.0.0.1:${gateway.port}`, ChannelCredentials.createInsecure());
  try {
    return await new GrpcFuzzer(gateway, client, options.seed).run(options.calls);
  } finally {
    client.close();
    await gateway.stop();
  }
}

class GrpcFuzzer {
  readonly #gateway: TestGrpcGateway;
  readonly #client: Client;
  readonly #random: Prng;
  readonly #ids = new Map<string, readonly string[]>();
  /** Whether this call's message is one that somebody might mean. */
  #isTame = false;
  readonly #known: string[] = ['1', 'image-1', '1'.repeat(32), '2'.repeat(32), 'a-name'];
  readonly #restOnlyNames = restOnlyNames();
  readonly #done = new Set<string>();
  readonly #failures: string[] = [];

  constructor(gateway: TestGrpcGateway, client: Client, seed: number) {
    this.#gateway = gateway;
    this.#client = client;
    this.#random = new Prng(seed);
  }

  async run(calls: number): Promise<GrpcFuzzReport> {
    const methods = publicMethods();
    for (let number = 0; number < calls && this.#failures.length < 20; number += 1) {
      await this.#call(pick(this.#random, methods), number);
    }
    const { flavors } = await this.#gateway.client
      .calls(shoal.v1.ComputeService)
      .listFlavors({}, { timeoutMs: answerMs, headers: { 'x-auth-token': 'alice' } });
    if (flavors.length === 0) this.#failures.push('the flavors are gone');
    return { calls, methods: methods.length, methodsDone: this.#done.size, failures: this.#failures };
  }

  async #call(method: MethodSpec, number: number): Promise<void> {
    this.#isTame = this.#random.below(2) === 0;
    const message = this.#message(method.requestName, 0);
    const metadata = new Metadata();
    const caller = pick(this.#random, callers);
    if (caller !== '') metadata.set('x-auth-token', caller);
    const { code, details } = await this.#answer(this.#spoiling(method), message, metadata);
    if (code === status.OK) this.#done.add(method.path);
    const foreign = restOnlyNameIn(details, this.#restOnlyNames);
    if (foreign !== undefined) this.#failures.push(`call ${number}, ${method.path} speaks of ${foreign}: ${details}`);
    if (failures.has(code)) {
      const sent = JSON.stringify(message).slice(0, 500);
      this.#failures.push(`call ${number}, ${method.path} by ${caller}: ${status[code]} ${details}; sent ${sent}`);
    }
  }

  /** Now and then the bytes of the message are cut, or one of them is another. */
  #spoiling(method: MethodSpec): MethodSpec {
    if (this.#random.below(10) > 0) return method;
    return {
      ...method,
      requestSerialize: (message) => {
        const bytes = Buffer.from(method.requestSerialize(message));
        if (bytes.length === 0) return Buffer.of(this.#random.below(256));
        if (this.#random.below(2) === 0) return bytes.subarray(0, this.#random.below(bytes.length));
        bytes[this.#random.below(bytes.length)] = this.#random.below(256);
        return bytes;
      },
    };
  }

  #answer(method: MethodSpec, message: object, metadata: Metadata): Promise<{ code: number; details: string }> {
    const { path, requestSerialize, responseDeserialize } = method;
    const deadline = { deadline: Date.now() + answerMs };
    if (!method.responseStream) {
      return new Promise((resolve) => {
        const ended = (error: ServiceError | null, answer?: object): void => {
          if (answer !== undefined) this.#learn(answer);
          resolve(error === null ? { code: status.OK, details: '' } : error);
        };
        this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, metadata, deadline, ended);
      });
    }
    return new Promise((resolve) => {
      const stream = this.#client.makeServerStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        metadata,
      );
      // A watch goes on for ever: what is wrong with it shows at once.
      const enough = setTimeout(() => stream.cancel(), 100);
      stream.on('data', () => stream.cancel());
      stream.on('error', () => {});
      stream.on('status', ({ code, details }) => {
        clearTimeout(enough);
        resolve({ code: code === status.CANCELLED ? status.OK : code, details });
      });
    });
  }

  /** Ids that answers named, to ask for what is there: `network: {id}` and `networkId` are ids of networks. */
  #learn(answer: unknown, key = ''): void {
    if (typeof answer !== 'object' || answer === null || ArrayBuffer.isView(answer)) return;
    for (const [name, value] of Object.entries(answer)) {
      if (typeof value === 'string' && value !== '' && /^(id|.*Id)$/.test(name)) {
        this.#keep(name === 'id' ? `${key}Id` : name, value);
      } else {
        // Members of a list have the key of the list, in the singular.
        this.#learn(value, Array.isArray(answer) ? key : name.replace(/s$/, ''));
      }
    }
  }

  #keep(name: string, id: string): void {
    const ids = this.#ids.get(name) ?? [];
    this.#ids.set(name, [id, ...ids.filter((known) => known !== id)].slice(0, idsKept));
    this.#known.push(id);
    if (this.#known.length > idsKept) this.#known.splice(5, this.#known.length - idsKept);
  }

  #message(name: string, depth: number): object {
    const members: [string, unknown][] = [];
    for (const [field, { type, rule, keyType }] of Object.entries(schemas[name]?.fields ?? {})) {
      const key = field.replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
      const isLeftOut = this.#isTame && !mainFields.has(key) && !key.endsWith('Id') ? 2 : 4;
      if (this.#random.below(isLeftOut) === 0) continue;
      const value = (): unknown => (type === 'string' ? this.#text(key) : this.#value(type, depth));
      if (keyType !== undefined) members.push([key, { [this.#text(key)]: value() }]);
      else if (rule === 'repeated') members.push([key, Array.from({ length: this.#random.below(4) }, value)]);
      else members.push([key, value()]);
    }
    return Object.fromEntries(members);
  }

  #value(type: string, depth: number): unknown {
    if (type === 'bool') return this.#random.below(2) === 0;
    if (type === 'bytes') return Buffer.alloc(this.#random.below(3) * 1000, 0xff);
    if (type === 'double' || type === 'float') return pick(this.#random, [0, -1, 0.5, Number.NaN, 1e300]);
    const name = type.split('.').at(-1) ?? '';
    const values = schemas[name]?.values;
    if (values !== undefined) return pick(this.#random, [...Object.values(values), 99]);
    if (schemas[name]?.fields !== undefined) return depth > 3 ? {} : this.#message(name, depth + 1);
    return pick(this.#random, numbers);
  }

  #text(key: string): string {
    const ids = this.#ids.get(key) ?? [];
    if (ids.length > 0 && this.#random.below(4) > 0) return pick(this.#random, ids);
    if (this.#isTame) return pick(this.#random, ownValue(tameTexts, key) ?? [...this.#known, 'a-name']);
    return this.#random.below(2) === 0 ? pick(this.#random, this.#known) : pick(this.#random, nastyTexts);
  }
}
