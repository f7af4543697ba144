/** The native API of a real agent: over TLS by the mesh's own authority, from a password to an image's content and back. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ChannelCredentials } from '@grpc/grpc-js';
import t from 'tap';
import { GrpcClient } from '../../../node/rpc/client.ts';
import { shoal } from '../../../proto/messages.ts';
import { adminPassword, LoneAgent } from '../../support/lone-agent.ts';

t.test('identity, network and image service of an agent that runs', { timeout: 180_000 }, async (t) => {
  const agent = await LoneAgent.start();
  t.teardown(() => agent.stop());
  const credentials = ChannelCredentials.createSsl(readFileSync(agent.authorityPath));
  const client = new GrpcClient(`127.0.0.1:${agent.grpcPort}`, credentials, {
    messageBytesMax: 4 * 1024 * 1024,
    keepaliveMs: 10_000,
    keepaliveTimeoutMs: 5_000,
    reconnectMsMin: 50,
    reconnectMsMax: 500,
  });
  t.teardown(() => client.close());
  const identity = client.calls(shoal.v1.IdentityService);
  const who = { user: { name: 'admin' }, password: adminPassword, project: { name: 'admin' } };
  const { token, view } = await identity.authenticate(who, { timeoutMs: 30_000 });
  const options = { timeoutMs: 30_000, headers: { 'x-auth-token': token } };
  const rest = await fetch(`${agent.apiUrl}/identity/v3/projects`, { headers: { 'x-auth-token': token } });
  t.equal(rest.status, 200, 'the token is one for REST, too');

  const { network } = await client.calls(shoal.v1.NetworkService).createNetwork({ name: 'inner' }, options);
  t.match(network, { name: 'inner', projectId: view?.projectId });

  const images = client.calls(shoal.v1.ImageService);
  const { image } = await images.createImage({ name: 'noise', diskFormat: 'raw', containerFormat: 'bare' }, options);
  const imageId = image?.id ?? '';
  const pieces = [randomBytes(1024 * 1024), randomBytes(1024 * 1024), randomBytes(4096)];
  const sha256 = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
  const upload = images.uploadImage({ ...options, signal: new AbortController().signal });
  for (const data of pieces) {
    if (!upload.write({ imageId, data })) await upload.drained();
  }
  upload.write({ sha256 });
  upload.end();
  t.match((await upload.answer).image, { status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE, sha256 });
  const hash = createHash('sha256');
  for await (const { data } of images.downloadImage(
    { imageId },
    { ...options, signal: new AbortController().signal },
  )) {
    hash.update(data);
  }
  t.equal(hash.digest('hex'), sha256);
});
