/**
 * A fuzzer of the public gRPC services: requests to every method, made from the schema's own messages, by callers of every
 * kind. It knows no service by heart: a new field is fuzzed as it is.
 *
 * What it holds for true: no call ends in INTERNAL, UNKNOWN or DATA_LOSS but with bytes that are no message, none is left
 * without an answer, and the agent answers a plain request afterwards.
 */
import { readFileSync } from 'node:fs';
import { ChannelCredentials, Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { Prng } from '../../node/base/prng.ts';
import { type MethodSpec, methodsOf } from '../../node/mesh/grpc/service.ts';
import { shoal } from '../../proto/messages.ts';
import { startGrpcGateway, type TestGrpcGateway } from '../support/grpc-gateway.ts';
import { nastyTexts, pick } from './values.ts';

interface Schema {
  readonly fields?: Readonly<
    Record<string, { readonly type: string; readonly rule?: string; readonly keyType?: string }>
  >;
  readonly values?: Readonly<Record<string, number>>;
  readonly methods?: Readonly<Record<string, { readonly requestType: string }>>;
}

/** The public services, as `api-gateway/grpc/server.ts` adds them. */
const services = ['ComputeService', 'ClusterService', 'PlacementService'] as const;
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
  readonly #schemas = readSchemas();
  readonly #known: string[] = ['1', 'image-1', '1'.repeat(32), '2'.repeat(32), 'a-name'];
  readonly #done = new Set<string>();
  readonly #failures: string[] = [];

  constructor(gateway: TestGrpcGateway, client: Client, seed: number) {
    this.#gateway = gateway;
    this.#client = client;
    this.#random = new Prng(seed);
  }

  async run(calls: number): Promise<GrpcFuzzReport> {
    const methods = services.flatMap((name) => methodsOf<object>(shoal.v1[name]));
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
    const [service = '', name = ''] = method.path.split('/').slice(-2);
    const type = this.#schemas[service.split('.').at(-1) ?? '']?.methods?.[name]?.requestType ?? '';
    const message = this.#message(type.split('.').at(-1) ?? '', 0);
    const metadata = new Metadata();
    const caller = pick(this.#random, callers);
    if (caller !== '') metadata.set('x-auth-token', caller);
    const { code, details } = await this.#answer(method, message, metadata);
    if (code === status.OK) this.#done.add(method.path);
    // Bytes that are no message: gRPC's own library answers them, before the agent sees anything, with gRPC's own code.
    const isUndecodable = code === status.INTERNAL && details.startsWith('Error deserializing request');
    if (failures.has(code) && !(isUndecodable && holdsIllFormedText(message))) {
      const sent = JSON.stringify(message).slice(0, 500);
      this.#failures.push(`call ${number}, ${method.path} by ${caller}: ${status[code]} ${details}; sent ${sent}`);
    }
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

  /** Ids that answers named, to ask for what is there. */
  #learn(answer: object): void {
    const found = JSON.stringify(answer).match(/"(?:[a-z]+I|i)d":"[^"]{1,64}"/g) ?? [];
    for (const pair of found.slice(0, 5)) this.#known.push(pair.replace(/^.*":"(.*)"$/, '$1'));
    if (this.#known.length > idsKept) this.#known.splice(5, this.#known.length - idsKept);
  }

  #message(name: string, depth: number): object {
    const members: [string, unknown][] = [];
    for (const [field, { type, rule, keyType }] of Object.entries(this.#schemas[name]?.fields ?? {})) {
      if (this.#random.below(4) === 0) continue;
      const key = field.replace(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
      const value = (): unknown => this.#value(type, depth);
      if (keyType !== undefined) members.push([key, { [this.#text()]: value() }]);
      else if (rule === 'repeated') members.push([key, Array.from({ length: this.#random.below(4) }, value)]);
      else members.push([key, value()]);
    }
    return Object.fromEntries(members);
  }

  #value(type: string, depth: number): unknown {
    if (type === 'string') return this.#text();
    if (type === 'bool') return this.#random.below(2) === 0;
    if (type === 'bytes') return Buffer.alloc(this.#random.below(3) * 1000, 0xff);
    if (type === 'double' || type === 'float') return pick(this.#random, [0, -1, 0.5, Number.NaN, 1e300]);
    const name = type.split('.').at(-1) ?? '';
    const values = this.#schemas[name]?.values;
    if (values !== undefined) return pick(this.#random, [...Object.values(values), 99]);
    if (this.#schemas[name]?.fields !== undefined) return depth > 3 ? {} : this.#message(name, depth + 1);
    return pick(this.#random, numbers);
  }

  #text(): string {
    return this.#random.below(2) === 0 ? pick(this.#random, this.#known) : pick(this.#random, nastyTexts);
  }
}

/** JSON writes what is no well-formed text as an escape, and nothing else in that range. */
function holdsIllFormedText(message: object): boolean {
  return /\\ud[89a-f]/i.test(JSON.stringify(message));
}

function readSchemas(): Readonly<Record<string, Schema | undefined>> {
  const text = readFileSync(new URL('../../proto/gen/shoal.json', import.meta.url), 'utf8');
  const root = JSON.parse(text) as {
    readonly nested: {
      readonly shoal: { readonly nested: { readonly v1: { readonly nested: Record<string, Schema> } } };
    };
  };
  return root.nested.shoal.nested.v1.nested;
}
