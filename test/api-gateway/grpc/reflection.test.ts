import protobuf from 'protobufjs/minimal.js';
import t from 'tap';
import { DescriptorSet, loadDescriptors } from '../../../api-gateway/grpc/kit/descriptor.ts';
import { grpc } from '../../../proto/messages.ts';
import { startGrpcGateway } from '../../support/grpc-gateway.ts';

/** Fields of an encoded message by number: numbers, and bytes of what has a length. */
function fieldsOf(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const reader = protobuf.Reader.create(bytes);
  const fields = new Map<number, (number | Uint8Array)[]>();
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    const value = (tag & 7) === 2 ? reader.bytes() : reader.uint32();
    fields.set(tag >>> 3, [...(fields.get(tag >>> 3) ?? []), value]);
  }
  return fields;
}
const parts = (bytes: Uint8Array, field: number): Uint8Array[] =>
  (fieldsOf(bytes).get(field) ?? []).filter((value) => typeof value !== 'number');
const text = (bytes: Uint8Array | undefined, field: number): string =>
  bytes === undefined ? '' : Buffer.from(parts(bytes, field)[0] ?? []).toString();
const number = (bytes: Uint8Array | undefined, field: number): number | undefined => {
  const value = bytes === undefined ? undefined : fieldsOf(bytes).get(field)?.[0];
  return typeof value === 'number' ? value : undefined;
};
const named = (all: Uint8Array[], name: string): Uint8Array => {
  const found = all.find((each) => text(each, 1) === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};

void t.test('descriptors say what the .proto files say', (t) => {
  const set = loadDescriptors();
  const file = set.fileBySymbol('.shoal.v1.Server')?.bytes ?? new Uint8Array();
  t.equal(text(file, 1), 'shoal/v1.proto');
  t.equal(text(file, 2), 'shoal.v1');
  t.equal(text(file, 12), 'proto3');
  const server = named(parts(file, 4), 'Server');
  const field = (name: string) => named(parts(server, 2), name);
  t.equal(number(field('host_id'), 3), 8);
  t.equal(number(field('host_id'), 5), 9, 'a string');
  t.equal(text(field('host_id'), 10), 'hostId');
  t.equal(text(field('status'), 6), '.shoal.v1.ServerStatus');
  t.equal(number(field('status'), 5), 14, 'an enum');
  t.equal(number(field('port_ids'), 4), 3, 'repeated');
  t.equal(number(field('flavor'), 17), 1, 'optional');
  t.equal(text(parts(server, 8)[number(field('flavor'), 9) ?? -1], 1), '_flavor');
  t.equal(text(field('metadata'), 6), '.shoal.v1.Server.MetadataEntry');
  const entry = named(parts(server, 3), 'MetadataEntry');
  t.equal(number(parts(entry, 7)[0], 7), 1, 'marked as the entry of a map');
  const watch = named(parts(named(parts(file, 6), 'ComputeService'), 2), 'WatchServers');
  t.equal(text(watch, 2), '.shoal.v1.WatchServersRequest');
  t.equal(number(watch, 5), undefined);
  t.equal(number(watch, 6), 1, 'answers in a stream');
  const health = set.fileBySymbol('grpc.health.v1.HealthCheckResponse.ServingStatus');
  t.equal(health?.fileName, 'grpc/health/v1.proto');
  for (const symbol of ['shoal.v1.ComputeService.GetServer', 'shoal.v1.Server.host_id', 'shoal.v1.ServerStatus']) {
    t.equal(set.fileBySymbol(symbol)?.fileName, 'shoal/v1.proto', symbol);
  }
  t.throws(
    () => new DescriptorSet({ nested: { a: { nested: { M: { fields: { f: { type: 'None', id: 1 } } } } } } }),
    /None/,
  );
  t.end();
});

void t.test('both versions of reflection list what is served and nothing between agents', async (t) => {
  const gateway = await startGrpcGateway();
  t.teardown(() => gateway.stop());
  const versions = [
    gateway.client.calls(grpc.reflection.v1.ServerReflection),
    gateway.client.calls(grpc.reflection.v1alpha.ServerReflection),
  ];
  for (const { serverReflectionInfo } of versions) {
    const ask = async (...questions: object[]) => {
      async function* stream() {
        yield* questions;
      }
      const answers: grpc.reflection.v1.ServerReflectionResponse[] = [];
      const options = { signal: new AbortController().signal, timeoutMs: 5000 };
      for await (const answer of serverReflectionInfo(stream(), options)) answers.push(answer);
      return answers;
    };
    const [services, byName, bySymbol, unknown, extension, nothing] = await ask(
      { listServices: '*' },
      { fileByFilename: 'shoal/v1.proto' },
      { fileContainingSymbol: 'shoal.v1.ComputeService' },
      { fileContainingSymbol: 'shoal.v1.None' },
      { allExtensionNumbersOfType: 'shoal.v1.Server' },
      {},
    );
    const names = services?.listServicesResponse?.service.map((service) => service.name).sort();
    t.strictSame(names, [
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'shoal.v1.ClusterService',
      'shoal.v1.ComputeService',
      'shoal.v1.IdentityService',
      'shoal.v1.ImageService',
      'shoal.v1.JobService',
      'shoal.v1.NetworkService',
      'shoal.v1.PlacementService',
      'shoal.v1.VolumeService',
    ]);
    t.equal(byName?.fileDescriptorResponse?.fileDescriptorProto.length, 1);
    t.strictSame(bySymbol?.fileDescriptorResponse, byName?.fileDescriptorResponse);
    t.equal(bySymbol?.originalRequest?.fileContainingSymbol, 'shoal.v1.ComputeService');
    t.equal(unknown?.errorResponse?.errorCode, 5);
    t.strictSame(extension?.allExtensionNumbersResponse?.extensionNumber, []);
    t.equal(nothing?.errorResponse?.errorCode, 3);
  }
});

void t.test('health: the agent and each service serve; others are not there', async (t) => {
  const gateway = await startGrpcGateway();
  t.teardown(() => gateway.stop());
  const health = gateway.client.calls(grpc.health.v1.Health);
  const { ServingStatus } = grpc.health.v1.HealthCheckResponse;
  for (const service of ['', 'shoal.v1.ComputeService']) {
    t.equal((await health.check({ service }, { timeoutMs: 5000 })).status, ServingStatus.SERVING);
  }
  await t.rejects(health.check({ service: 'none' }, { timeoutMs: 5000 }), { code: 'NOT_FOUND' });
  t.ok(Object.keys((await health.list({}, { timeoutMs: 5000 })).statuses).includes('shoal.v1.ClusterService'));
  for (const [service, status] of [
    ['', ServingStatus.SERVING],
    ['none', ServingStatus.SERVICE_UNKNOWN],
  ] as const) {
    const abort = new AbortController();
    for await (const answer of health.watch({ service }, { signal: abort.signal })) {
      t.equal(answer.status, status);
      break;
    }
    abort.abort();
  }
});
