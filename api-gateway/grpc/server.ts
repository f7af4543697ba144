/** The native API: `shoal.v1` services for users and operators, with health and reflection beside them. */
import { must } from '../../node/base/assert.ts';
import type { Clock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { textFor } from '../../node/base/field-names.ts';
import type { Service } from '../../node/base/lifecycle.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { operatorProofKey } from '../../node/mesh/relay/operator-proof.ts';
import type { GrpcHead, RelayedOrigin } from '../../node/mesh/relay/relayed.ts';
import type { GrpcAnswerPart } from '../../node/rpc/answer-part.ts';
import type { DispatchedCall } from '../../node/rpc/dispatch.ts';
import { addressGroup } from '../../node/rpc/listener/address-group.ts';
import type { TlsSource } from '../../node/rpc/listener/listener.ts';
import { type CallHead, type GrpcCall, GrpcServer } from '../../node/rpc/server.ts';
import { type MethodSpec, methodsOf, type ServiceClass } from '../../node/rpc/service.ts';
import type { CloudBackupService } from '../../node/services/cluster/cloud-backups.ts';
import type { ClusterService } from '../../node/services/cluster/cluster.ts';
import type { UpgradeService } from '../../node/services/cluster/upgrade.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import { PlacementPreview, type PreviewOptions } from '../../node/services/compute/placement-preview.ts';
import type { IdentityDirectory } from '../../node/services/identity/directory.ts';
import type { IdentityService } from '../../node/services/identity/identity.ts';
import type { ImageService } from '../../node/services/image/image.ts';
import type { Jobs } from '../../node/services/jobs/jobs.ts';
import type { PlacementInquiry } from '../../node/services/kit/dependencies.ts';
import type { NetworkService } from '../../node/services/network/index.ts';
import type { VolumeService } from '../../node/services/volume/index.ts';
import type { StateClient } from '../../node/state/types.ts';
import { grpc, shoal } from '../../proto/messages.ts';
import { type ApiRelay, PartialAnswer } from '../kit/api-relay.ts';
import { type Authenticator, tokenCharactersMax } from '../kit/auth.ts';
import { errorMappings, failureOf } from '../kit/errors.ts';
import { TrustedProxies } from '../kit/forwarding.ts';
import { checkInput, inputBounds } from '../kit/input.ts';
import { defaultLimits, type GatewayLimits, listenerLimits } from '../kit/limits.ts';
import { TokenBuckets } from '../kit/token-bucket.ts';
import { AccessPolicy, type PolicyOverrides } from '../policies/access-policy.ts';
import { nativePolicies, publicOperations } from '../policies/native.ts';
import type { PolicyRule } from '../policies/rule.ts';
import type { PasswordLimiter } from '../rest/identity/password-limiter.ts';
import { clusterHandlers } from './cluster.ts';
import { computeHandlers } from './compute.ts';
import { healthHandlers } from './health.ts';
import { identityHandlers } from './identity/index.ts';
import { imageHandlers } from './image.ts';
import { jobHandlers } from './jobs.ts';
import { fieldNameOf } from './kit/attributes.ts';
import { type Caller, Callers, tokenKey } from './kit/caller.ts';
import { type DescriptorSet, loadDescriptors } from './kit/descriptor.ts';
import { answerElsewhere, type RelayedContent } from './kit/elsewhere.ts';
import { grpcFieldName } from './kit/field-names.ts';
import { isRelayed, isServed } from './kit/served.ts';
import { WatchStreams } from './kit/watch-streams.ts';
import { networkServiceHandlers } from './network/index.ts';
import { placementHandlers } from './placement.ts';
import { reflectionHandlers } from './reflection.ts';
import { volumeHandlers } from './volumes.ts';

/** Calls at once on one connection. */
const callsPerConnectionMax = 100;
/** Longest that a stream waits for a caller that does not read, milliseconds. */
const stalledMsMax = 30_000;
/** Pings on a silent connection, and how long an answer may take, milliseconds. */
const keepaliveMs = 30_000;
const keepaliveTimeoutMs = 10_000;
/** A connection without a call is closed after so long, milliseconds; clients make a new one by themselves. */
const idleMsMax = 300_000;

interface GrpcGatewayDependencies {
  readonly state: StateClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newId: () => string;
  readonly authenticator: Authenticator & {
    /** Throws `UNAUTHENTICATED` for what is no token of this mesh or has expired; looks at nothing but the token. */
    checkSignature(token: string): void;
  };
  readonly compute: ComputeService;
  readonly images: ImageService;
  readonly network: NetworkService;
  readonly volume: VolumeService;
  readonly identity: IdentityService;
  readonly directory: IdentityDirectory;
  /** The one that REST has, too. */
  readonly limiter: PasswordLimiter;
  readonly cluster: ClusterService;
  readonly cloudBackups: CloudBackupService;
  readonly upgrade: UpgradeService;
  readonly jobs: Jobs;
  readonly inquiry: PlacementInquiry;
  /** What the questions of `PlacementService` go by. */
  readonly preview?: PreviewOptions;
  /** Who may call what. With a method that no rule names the gateway does not start. Default: `nativePolicies`. */
  readonly policies?: readonly PolicyRule[];
  /** Rules that the operator has set. Default: none. */
  readonly policyOverrides?: PolicyOverrides;
  /** Where calls are answered. Default: here. */
  readonly relay?: ApiRelay;
}

/** One address to listen on. */
interface GrpcListener {
  /** `host:port` (0: any free port) or `unix:/path`. */
  readonly address: string;
  /** Callers here need no token and are administrators: only for a socket that nobody else can open. */
  readonly isOperatorDoor?: boolean;
  /** Certificates. Absent: plain text. */
  readonly tls?: TlsSource;
}

/** Serves the native API on its listeners. `start` returns once all of them listen. */
export class GrpcGateway implements Service {
  readonly #deps: GrpcGatewayDependencies;
  readonly #listeners: readonly GrpcListener[];
  readonly #limits: GatewayLimits;
  readonly #requests: TokenBuckets;
  readonly #proxies: TrustedProxies;
  readonly #servers: GrpcServer[] = [];
  /** For calls that other agents relay: what users reach, token and all. */
  #relayed: GrpcServer | undefined;
  /** For those that came in at other agents' own sockets. */
  #relayedOperators: GrpcServer | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    deps: GrpcGatewayDependencies,
    listeners: readonly GrpcListener[],
    limits: Partial<GatewayLimits> = {},
    proxies: TrustedProxies = new TrustedProxies(''),
  ) {
    this.#proxies = proxies;
    this.#deps = deps;
    this.#listeners = listeners;
    this.#limits = { ...defaultLimits, ...limits };
    this.#requests = new TokenBuckets(deps.clock, {
      perSecond: this.#limits.requestsPerSecond,
      burst: this.#limits.requestsBurst,
      keysMax: this.#limits.limiterKeysMax,
    });
  }

  /** Ports bound, in the order of the listeners; 0 for Unix sockets. */
  get ports(): readonly number[] {
    return this.#servers.map((server) => server.port);
  }

  /** Runs a call that another agent relays (see `RelayedApi.grpc`). Of the services of `shoal.v1` only. */
  relayed(
    { path, metadata }: GrpcHead,
    { clientAddress, member }: RelayedOrigin,
    requests: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): AsyncIterable<GrpcAnswerPart> {
    const [, service = ''] = path.split('/');
    // What an agent says of itself (health, reflection) is asked of itself.
    if (!isRelayed(service)) throw new ShoalError('NOT_IMPLEMENTED', `${path} is not relayed.`);
    const proofs = metadata.filter(([name]) => name === operatorProofKey);
    const server = proofs.length === 0 ? this.#relayed : this.#relayedOperators;
    if (server === undefined || this.#stopped !== undefined) {
      throw new ShoalError('UNAVAILABLE', 'This agent is starting or stopping; ask another one.');
    }
    const { relay } = this.#deps;
    for (const [, proof] of proofs) {
      if (relay?.operators.holds(proof, member, path) === true) continue;
      throw new ShoalError('UNAUTHENTICATED', 'The relaying agent has not proved that its operator calls; try again.');
    }
    return server.dispatch({ path, metadata, remoteAddress: `${clientAddress}:0`, requests, signal });
  }

  /**
   * Runs a call that came over HTTP (`native/module.ts`), as one of users. Failures are parts of the answer.
   * @param partial set where it is to be answered from the slice of the state: no replica can be asked.
   */
  bridged(call: DispatchedCall, partial: PartialAnswer | undefined): AsyncIterable<GrpcAnswerPart> {
    if (this.#relayed === undefined || this.#stopped !== undefined) {
      throw new ShoalError('UNAVAILABLE', 'This agent is starting or stopping; ask another one.');
    }
    return this.#relayed.dispatch({ ...call, handed: partial });
  }

  async start(): Promise<void> {
    const descriptors = loadDescriptors();
    try {
      for (const listener of this.#listeners) {
        const server = this.#build(descriptors, listener.isOperatorDoor === true);
        this.#servers.push(server);
        if (listener.isOperatorDoor === true) this.#relayedOperators ??= server;
        else this.#relayed ??= server;
        const { address, tls } = listener;
        await (tls === undefined
          ? server.listen(address)
          : server.listen(address, { source: tls, protocol: 'h2', minVersion: 'TLSv1.2' }));
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends streams, lets calls under way finish for a bounded time. */
  stop(): Promise<void> {
    this.#stopped ??= Promise.all(this.#servers.map((server) => server.stop(this.#limits.stopGraceMs))).then(() => {});
    return this.#stopped;
  }

  #build(descriptors: DescriptorSet, isOperatorDoor: boolean): GrpcServer {
    const {
      clock,
      logger,
      compute,
      images,
      network,
      volume,
      cluster,
      cloudBackups,
      upgrade,
      jobs,
      inquiry,
      preview,
      state,
    } = this.#deps;
    const server = new GrpcServer(
      { clock, logger },
      {
        limits: {
          messageBytesMax: this.#limits.grpcMessageBytesMax,
          unaryMsMax: this.#limits.requestTimeoutMs,
          stalledMsMax,
          callsPerConnectionMax,
          keepaliveMs,
          keepaliveTimeoutMs,
          idleMsMax: isOperatorDoor ? undefined : idleMsMax,
          listener: listenerLimits(this.#limits),
        },
        isExempt: (address) => this.#proxies.trusts(address),
        errorView: {
          statusOf: (code) => errorMappings[code].grpc,
          textOf: (error) => (isOperatorDoor ? textFor(error, grpcFieldName) : publicText(error)),
          showFacts: false,
        },
      },
    );
    const access = new AccessPolicy(this.#deps.policies ?? nativePolicies, {
      asked: nativePolicies,
      overrides: this.#deps.policyOverrides ?? {},
    });
    const callers = new Callers({ ...this.#deps, access }, this.#limits);
    const { relay } = this.#deps;
    const check = (request: unknown): void => checkInput(request, 'request', inputBounds, fieldNameOf);
    // What every service with callers of its own has: who may call, asked before any handler runs.
    const guarded = <S extends object>(service: ServiceClass<S>) => {
      const operations = new Map(methodsOf(service).map(({ name, path }) => [name, `rpc ${path.slice(1)}`]));
      // Asked now: with a method that no policy guards the gateway does not start.
      for (const operation of operations.values()) if (!publicOperations.has(operation)) access.ruleOf(operation);
      return {
        service,
        admit: (head: CallHead, method: string): Caller => {
          const operation = must(operations.get(method), `the operation of ${method}`);
          const address = isOperatorDoor ? '' : this.#limit(head);
          const partial = head.handed instanceof PartialAnswer ? head.handed : undefined;
          if (publicOperations.has(operation)) return { kind: 'anyone', operation, address, partial };
          if (isOperatorDoor) return { kind: 'operator', operation, address };
          return { ...this.#admit(head), operation, address, partial };
        },
        authorize: (call: GrpcCall<Caller>, request: unknown) => callers.authorize(call, request),
        check,
        ...(relay === undefined
          ? {}
          : {
              relay: (call: GrpcCall<Caller>, method: MethodSpec, content: RelayedContent) =>
                answerElsewhere(relay, callers, call, method, content),
              explain: (caught: unknown, call: GrpcCall<Caller>) => callers.explain(caught, call),
            }),
      };
    };
    const admitAnyone = (head: CallHead): null => {
      if (!isOperatorDoor) this.#limit(head);
      return null;
    };
    const { watchStreamsMax: max, watchStreamsPerUserMax: perUserMax } = this.#limits;
    const watchStreams = new WatchStreams({ max, perUserMax });
    const served = descriptors.services.filter(isServed);
    server.add({
      ...guarded(shoal.v1.ComputeService),
      handlers: computeHandlers(callers, { compute, state, clock, watchStreams }),
    });
    server.add({
      ...guarded(shoal.v1.IdentityService),
      handlers: identityHandlers(callers, this.#deps),
    });
    server.add({
      ...guarded(shoal.v1.ImageService),
      handlers: imageHandlers(callers, { images, clock, limits: this.#limits }),
    });
    server.add({
      ...guarded(shoal.v1.NetworkService),
      handlers: networkServiceHandlers(callers, network),
    });
    server.add({
      ...guarded(shoal.v1.VolumeService),
      handlers: volumeHandlers(callers, volume, { state, clock, watchStreams }),
    });
    server.add({
      ...guarded(shoal.v1.ClusterService),
      handlers: clusterHandlers(callers, { cluster, cloudBackups, upgrade }),
    });
    server.add({
      ...guarded(shoal.v1.JobService),
      handlers: jobHandlers(callers, { jobs, drains: compute.drains, inquiry }),
    });
    server.add({
      ...guarded(shoal.v1.PlacementService),
      handlers: placementHandlers(callers, new PlacementPreview(inquiry, preview)),
    });
    server.add({
      service: grpc.health.v1.Health,
      admit: admitAnyone,
      check,
      handlers: healthHandlers(served),
    });
    const reflection = reflectionHandlers(descriptors, served);
    server.add<grpc.reflection.v1.ServerReflection, null>({
      service: grpc.reflection.v1.ServerReflection,
      admit: admitAnyone,
      check,
      handlers: reflection,
    });
    server.add<grpc.reflection.v1alpha.ServerReflection, null>({
      service: grpc.reflection.v1alpha.ServerReflection,
      admit: admitAnyone,
      check,
      handlers: reflection,
    });
    return server;
  }

  #admit(head: CallHead): { readonly kind: 'token'; readonly token: string } {
    const token = head.header(tokenKey) ?? '';
    if (token === '' || token.length > tokenCharactersMax) {
      throw new ShoalError('UNAUTHENTICATED', `A token is needed in the metadata key ${tokenKey}.`);
    }
    // A stranger must not make the agent take in messages; what the records say of the token comes after.
    try {
      this.#deps.authenticator.checkSignature(token);
    } catch (caught) {
      // An agent that holds a part of the records may not know the key; who answers the call decides.
      if (!ShoalError.is(caught, 'NOT_IN_SLICE')) throw caught;
    }
    return { kind: 'token', token };
  }

  /** The client's address. Throws `RATE_LIMITED`. */
  #limit(head: CallHead): string {
    const peer = head.remoteAddress.replace(/:\d+$/, '');
    const origin = this.#proxies.originOf(peer, (name) => head.header(name));
    const retryAfterSeconds = this.#requests.take(addressGroup(origin.address));
    if (retryAfterSeconds > 0) {
      throw new ShoalError('RATE_LIMITED', 'This address sends too many requests.', { facts: { retryAfterSeconds } });
    }
    return origin.address;
  }
}

/** What users are told: the error's own words in this API's names, and of what is wrong inside nothing, as by REST. */
function publicText(error: ShoalError): string {
  const { message } = failureOf(error);
  return message === error.message ? textFor(error, grpcFieldName) : message;
}
