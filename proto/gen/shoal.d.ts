import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace shoal. */
export namespace shoal {

    /** Namespace v1. */
    namespace v1 {

        /** Represents a ClusterService */
        class ClusterService extends $protobuf.rpc.Service {

            /**
             * Constructs a new ClusterService service.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             */
            constructor(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean);

            /**
             * Creates new ClusterService service using the specified rpc implementation.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             * @returns RPC service. Useful where requests and/or responses are streamed.
             */
            static create(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean): ClusterService;

            /** Calls GetStatus. */
            getStatus: shoal.v1.ClusterService.GetStatus;

            /** Calls ListHosts. */
            listHosts: shoal.v1.ClusterService.ListHosts;

            /** Calls CreateTicket. */
            createTicket: shoal.v1.ClusterService.CreateTicket;

            /** Calls SetHostEnabled. */
            setHostEnabled: shoal.v1.ClusterService.SetHostEnabled;

            /** Calls RemoveHost. */
            removeHost: shoal.v1.ClusterService.RemoveHost;

            /** Calls ListUnreadableRecords. */
            listUnreadableRecords: shoal.v1.ClusterService.ListUnreadableRecords;

            /** Calls RemoveUnreadableRecord. */
            removeUnreadableRecord: shoal.v1.ClusterService.RemoveUnreadableRecord;

            /** Calls ResetPassword. */
            resetPassword: shoal.v1.ClusterService.ResetPassword;

            /** Calls Rekey. */
            rekey: shoal.v1.ClusterService.Rekey;
        }

        namespace ClusterService {

            /**
             * Callback as used by {@link shoal.v1.ClusterService#getStatus}.
             * @param error Error, if any
             * @param [response] GetStatusResponse
             */
            type GetStatusCallback = (error: (Error|null), response?: shoal.v1.GetStatusResponse) => void;

            /** Calls GetStatus. */
            type GetStatus = {
              (request: shoal.v1.IGetStatusRequest, callback: shoal.v1.ClusterService.GetStatusCallback): void;
              (request: shoal.v1.IGetStatusRequest): Promise<shoal.v1.GetStatusResponse>;
              readonly name: "GetStatus";
              readonly path: "/shoal.v1.ClusterService/GetStatus";
              readonly requestType: "GetStatusRequest";
              readonly responseType: "GetStatusResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ClusterService#listHosts}.
             * @param error Error, if any
             * @param [response] ListHostsResponse
             */
            type ListHostsCallback = (error: (Error|null), response?: shoal.v1.ListHostsResponse) => void;

            /** Calls ListHosts. */
            type ListHosts = {
              (request: shoal.v1.IListHostsRequest, callback: shoal.v1.ClusterService.ListHostsCallback): void;
              (request: shoal.v1.IListHostsRequest): Promise<shoal.v1.ListHostsResponse>;
              readonly name: "ListHosts";
              readonly path: "/shoal.v1.ClusterService/ListHosts";
              readonly requestType: "ListHostsRequest";
              readonly responseType: "ListHostsResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ClusterService#createTicket}.
             * @param error Error, if any
             * @param [response] CreateTicketResponse
             */
            type CreateTicketCallback = (error: (Error|null), response?: shoal.v1.CreateTicketResponse) => void;

            /** Calls CreateTicket. */
            type CreateTicket = {
              (request: shoal.v1.ICreateTicketRequest, callback: shoal.v1.ClusterService.CreateTicketCallback): void;
              (request: shoal.v1.ICreateTicketRequest): Promise<shoal.v1.CreateTicketResponse>;
              readonly name: "CreateTicket";
              readonly path: "/shoal.v1.ClusterService/CreateTicket";
              readonly requestType: "CreateTicketRequest";
              readonly responseType: "CreateTicketResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ClusterService#setHostEnabled}.
             * @param error Error, if any
             * @param [response] SetHostEnabledResponse
             */
            type SetHostEnabledCallback = (error: (Error|null), response?: shoal.v1.SetHostEnabledResponse) => void;

            /** Calls SetHostEnabled. */
            type SetHostEnabled = {
              (request: shoal.v1.ISetHostEnabledRequest, callback: shoal.v1.ClusterService.SetHostEnabledCallback): void;
              (request: shoal.v1.ISetHostEnabledRequest): Promise<shoal.v1.SetHostEnabledResponse>;
              readonly name: "SetHostEnabled";
              readonly path: "/shoal.v1.ClusterService/SetHostEnabled";
              readonly requestType: "SetHostEnabledRequest";
              readonly responseType: "SetHostEnabledResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ClusterService#removeHost}.
             * @param error Error, if any
             * @param [response] RemoveHostResponse
             */
            type RemoveHostCallback = (error: (Error|null), response?: shoal.v1.RemoveHostResponse) => void;

            /** Calls RemoveHost. */
            type RemoveHost = {
              (request: shoal.v1.IRemoveHostRequest, callback: shoal.v1.ClusterService.RemoveHostCallback): void;
              (request: shoal.v1.IRemoveHostRequest): Promise<shoal.v1.RemoveHostResponse>;
              readonly name: "RemoveHost";
              readonly path: "/shoal.v1.ClusterService/RemoveHost";
              readonly requestType: "RemoveHostRequest";
              readonly responseType: "RemoveHostResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ClusterService#listUnreadableRecords}.
             * @param error Error, if any
             * @param [response] ListUnreadableRecordsResponse
             */
            type ListUnreadableRecordsCallback = (error: (Error|null), response?: shoal.v1.ListUnreadableRecordsResponse) => void;

            /** Calls ListUnreadableRecords. */
            type ListUnreadableRecords = {
              (request: shoal.v1.IListUnreadableRecordsRequest, callback: shoal.v1.ClusterService.ListUnreadableRecordsCallback): void;
              (request: shoal.v1.IListUnreadableRecordsRequest): Promise<shoal.v1.ListUnreadableRecordsResponse>;
              readonly name: "ListUnreadableRecords";
              readonly path: "/shoal.v1.ClusterService/ListUnreadableRecords";
              readonly requestType: "ListUnreadableRecordsRequest";
              readonly responseType: "ListUnreadableRecordsResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ClusterService#removeUnreadableRecord}.
             * @param error Error, if any
             * @param [response] RemoveUnreadableRecordResponse
             */
            type RemoveUnreadableRecordCallback = (error: (Error|null), response?: shoal.v1.RemoveUnreadableRecordResponse) => void;

            /** Calls RemoveUnreadableRecord. */
            type RemoveUnreadableRecord = {
              (request: shoal.v1.IRemoveUnreadableRecordRequest, callback: shoal.v1.ClusterService.RemoveUnreadableRecordCallback): void;
              (request: shoal.v1.IRemoveUnreadableRecordRequest): Promise<shoal.v1.RemoveUnreadableRecordResponse>;
              readonly name: "RemoveUnreadableRecord";
              readonly path: "/shoal.v1.ClusterService/RemoveUnreadableRecord";
              readonly requestType: "RemoveUnreadableRecordRequest";
              readonly responseType: "RemoveUnreadableRecordResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ClusterService#resetPassword}.
             * @param error Error, if any
             * @param [response] ResetPasswordResponse
             */
            type ResetPasswordCallback = (error: (Error|null), response?: shoal.v1.ResetPasswordResponse) => void;

            /** Calls ResetPassword. */
            type ResetPassword = {
              (request: shoal.v1.IResetPasswordRequest, callback: shoal.v1.ClusterService.ResetPasswordCallback): void;
              (request: shoal.v1.IResetPasswordRequest): Promise<shoal.v1.ResetPasswordResponse>;
              readonly name: "ResetPassword";
              readonly path: "/shoal.v1.ClusterService/ResetPassword";
              readonly requestType: "ResetPasswordRequest";
              readonly responseType: "ResetPasswordResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ClusterService#rekey}.
             * @param error Error, if any
             * @param [response] RekeyResponse
             */
            type RekeyCallback = (error: (Error|null), response?: shoal.v1.RekeyResponse) => void;

            /** Calls Rekey. */
            type Rekey = {
              (request: shoal.v1.IRekeyRequest, callback: shoal.v1.ClusterService.RekeyCallback): void;
              (request: shoal.v1.IRekeyRequest): Promise<shoal.v1.RekeyResponse>;
              readonly name: "Rekey";
              readonly path: "/shoal.v1.ClusterService/Rekey";
              readonly requestType: "RekeyRequest";
              readonly responseType: "RekeyResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };
        }

        /**
         * Properties of a ResetPasswordRequest.
         * @deprecated Use shoal.v1.ResetPasswordRequest.$Properties instead.
         */
        interface IResetPasswordRequest extends shoal.v1.ResetPasswordRequest.$Properties {
        }

        /** Represents a ResetPasswordRequest. */
        class ResetPasswordRequest {

            /**
             * Constructs a new ResetPasswordRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ResetPasswordRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ResetPasswordRequest user. */
            user: string;

            /** ResetPasswordRequest domain. */
            domain: string;

            /** ResetPasswordRequest password. */
            password: string;

            /** ResetPasswordRequest enable. */
            enable: boolean;

            /**
             * Creates a new ResetPasswordRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ResetPasswordRequest instance
             */
            static create(properties: shoal.v1.ResetPasswordRequest.$Shape): shoal.v1.ResetPasswordRequest & shoal.v1.ResetPasswordRequest.$Shape;
            static create(properties?: shoal.v1.ResetPasswordRequest.$Properties): shoal.v1.ResetPasswordRequest;

            /**
             * Encodes the specified ResetPasswordRequest message. Does not implicitly {@link shoal.v1.ResetPasswordRequest.verify|verify} messages.
             * @param message ResetPasswordRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ResetPasswordRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ResetPasswordRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ResetPasswordRequest & shoal.v1.ResetPasswordRequest.$Shape} ResetPasswordRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ResetPasswordRequest & shoal.v1.ResetPasswordRequest.$Shape;
        }

        namespace ResetPasswordRequest {

            /** Properties of a ResetPasswordRequest. */
            interface $Properties {

                /** ResetPasswordRequest user */
                user?: string;

                /** ResetPasswordRequest domain */
                domain?: string;

                /** ResetPasswordRequest password */
                password?: string;

                /** ResetPasswordRequest enable */
                enable?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ResetPasswordRequest. */
            type $Shape = shoal.v1.ResetPasswordRequest.$Properties;
        }

        /**
         * Properties of a ResetPasswordResponse.
         * @deprecated Use shoal.v1.ResetPasswordResponse.$Properties instead.
         */
        interface IResetPasswordResponse extends shoal.v1.ResetPasswordResponse.$Properties {
        }

        /** Represents a ResetPasswordResponse. */
        class ResetPasswordResponse {

            /**
             * Constructs a new ResetPasswordResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ResetPasswordResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ResetPasswordResponse userId. */
            userId: string;

            /** ResetPasswordResponse userName. */
            userName: string;

            /** ResetPasswordResponse enabled. */
            enabled: boolean;

            /**
             * Creates a new ResetPasswordResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ResetPasswordResponse instance
             */
            static create(properties: shoal.v1.ResetPasswordResponse.$Shape): shoal.v1.ResetPasswordResponse & shoal.v1.ResetPasswordResponse.$Shape;
            static create(properties?: shoal.v1.ResetPasswordResponse.$Properties): shoal.v1.ResetPasswordResponse;

            /**
             * Encodes the specified ResetPasswordResponse message. Does not implicitly {@link shoal.v1.ResetPasswordResponse.verify|verify} messages.
             * @param message ResetPasswordResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ResetPasswordResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ResetPasswordResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ResetPasswordResponse & shoal.v1.ResetPasswordResponse.$Shape} ResetPasswordResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ResetPasswordResponse & shoal.v1.ResetPasswordResponse.$Shape;
        }

        namespace ResetPasswordResponse {

            /** Properties of a ResetPasswordResponse. */
            interface $Properties {

                /** ResetPasswordResponse userId */
                userId?: string;

                /** ResetPasswordResponse userName */
                userName?: string;

                /** ResetPasswordResponse enabled */
                enabled?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ResetPasswordResponse. */
            type $Shape = shoal.v1.ResetPasswordResponse.$Properties;
        }

        /**
         * Properties of a GetStatusRequest.
         * @deprecated Use shoal.v1.GetStatusRequest.$Properties instead.
         */
        interface IGetStatusRequest extends shoal.v1.GetStatusRequest.$Properties {
        }

        /** Represents a GetStatusRequest. */
        class GetStatusRequest {

            /**
             * Constructs a new GetStatusRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.GetStatusRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new GetStatusRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GetStatusRequest instance
             */
            static create(properties: shoal.v1.GetStatusRequest.$Shape): shoal.v1.GetStatusRequest & shoal.v1.GetStatusRequest.$Shape;
            static create(properties?: shoal.v1.GetStatusRequest.$Properties): shoal.v1.GetStatusRequest;

            /**
             * Encodes the specified GetStatusRequest message. Does not implicitly {@link shoal.v1.GetStatusRequest.verify|verify} messages.
             * @param message GetStatusRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.GetStatusRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GetStatusRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.GetStatusRequest & shoal.v1.GetStatusRequest.$Shape} GetStatusRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.GetStatusRequest & shoal.v1.GetStatusRequest.$Shape;
        }

        namespace GetStatusRequest {

            /** Properties of a GetStatusRequest. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GetStatusRequest. */
            type $Shape = shoal.v1.GetStatusRequest.$Properties;
        }

        /**
         * Properties of a Voter.
         * @deprecated Use shoal.v1.Voter.$Properties instead.
         */
        interface IVoter extends shoal.v1.Voter.$Properties {
        }

        /** Represents a Voter. */
        class Voter {

            /**
             * Constructs a new Voter.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Voter.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Voter hostId. */
            hostId: string;

            /** Voter hostName. */
            hostName: string;

            /** Voter raftId. */
            raftId: number;

            /** Voter learner. */
            learner: boolean;

            /** Voter reachable. */
            reachable: boolean;

            /**
             * Creates a new Voter instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Voter instance
             */
            static create(properties: shoal.v1.Voter.$Shape): shoal.v1.Voter & shoal.v1.Voter.$Shape;
            static create(properties?: shoal.v1.Voter.$Properties): shoal.v1.Voter;

            /**
             * Encodes the specified Voter message. Does not implicitly {@link shoal.v1.Voter.verify|verify} messages.
             * @param message Voter message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Voter.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Voter message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Voter & shoal.v1.Voter.$Shape} Voter
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Voter & shoal.v1.Voter.$Shape;
        }

        namespace Voter {

            /** Properties of a Voter. */
            interface $Properties {

                /** Voter hostId */
                hostId?: string;

                /** Voter hostName */
                hostName?: string;

                /** Voter raftId */
                raftId?: number;

                /** Voter learner */
                learner?: boolean;

                /** Voter reachable */
                reachable?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Voter. */
            type $Shape = shoal.v1.Voter.$Properties;
        }

        /**
         * Properties of a GetStatusResponse.
         * @deprecated Use shoal.v1.GetStatusResponse.$Properties instead.
         */
        interface IGetStatusResponse extends shoal.v1.GetStatusResponse.$Properties {
        }

        /** Represents a GetStatusResponse. */
        class GetStatusResponse {

            /**
             * Constructs a new GetStatusResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.GetStatusResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GetStatusResponse meshId. */
            meshId: string;

            /** GetStatusResponse hostId. */
            hostId: string;

            /** GetStatusResponse leaderHostId. */
            leaderHostId: string;

            /** GetStatusResponse hasQuorum. */
            hasQuorum: boolean;

            /** GetStatusResponse term. */
            term: number;

            /** GetStatusResponse commitIndex. */
            commitIndex: number;

            /** GetStatusResponse appliedIndex. */
            appliedIndex: number;

            /** GetStatusResponse voters. */
            voters: shoal.v1.Voter[];

            /** GetStatusResponse version. */
            version: string;

            /** GetStatusResponse troubles. */
            troubles: string[];

            /**
             * Creates a new GetStatusResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GetStatusResponse instance
             */
            static create(properties: shoal.v1.GetStatusResponse.$Shape): shoal.v1.GetStatusResponse & shoal.v1.GetStatusResponse.$Shape;
            static create(properties?: shoal.v1.GetStatusResponse.$Properties): shoal.v1.GetStatusResponse;

            /**
             * Encodes the specified GetStatusResponse message. Does not implicitly {@link shoal.v1.GetStatusResponse.verify|verify} messages.
             * @param message GetStatusResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.GetStatusResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GetStatusResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.GetStatusResponse & shoal.v1.GetStatusResponse.$Shape} GetStatusResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.GetStatusResponse & shoal.v1.GetStatusResponse.$Shape;
        }

        namespace GetStatusResponse {

            /** Properties of a GetStatusResponse. */
            interface $Properties {

                /** GetStatusResponse meshId */
                meshId?: string;

                /** GetStatusResponse hostId */
                hostId?: string;

                /** GetStatusResponse leaderHostId */
                leaderHostId?: string;

                /** GetStatusResponse hasQuorum */
                hasQuorum?: boolean;

                /** GetStatusResponse term */
                term?: number;

                /** GetStatusResponse commitIndex */
                commitIndex?: number;

                /** GetStatusResponse appliedIndex */
                appliedIndex?: number;

                /** GetStatusResponse voters */
                voters?: shoal.v1.Voter.$Properties[];

                /** GetStatusResponse version */
                version?: string;

                /** GetStatusResponse troubles */
                troubles?: string[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GetStatusResponse. */
            type $Shape = shoal.v1.GetStatusResponse.$Properties;
        }

        /**
         * Properties of a HostView.
         * @deprecated Use shoal.v1.HostView.$Properties instead.
         */
        interface IHostView extends shoal.v1.HostView.$Properties {
        }

        /** Represents a HostView. */
        class HostView {

            /**
             * Constructs a new HostView.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.HostView.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** HostView host. */
            host: (shoal.v1.Host|null);

            /** HostView advert. */
            advert: (shoal.v1.Advert|null);

            /** HostView condition. */
            condition: string;

            /** HostView clockOffsetMs. */
            clockOffsetMs: (number|null);

            /**
             * Creates a new HostView instance using the specified properties.
             * @param [properties] Properties to set
             * @returns HostView instance
             */
            static create(properties: shoal.v1.HostView.$Shape): shoal.v1.HostView & shoal.v1.HostView.$Shape;
            static create(properties?: shoal.v1.HostView.$Properties): shoal.v1.HostView;

            /**
             * Encodes the specified HostView message. Does not implicitly {@link shoal.v1.HostView.verify|verify} messages.
             * @param message HostView message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.HostView.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a HostView message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.HostView & shoal.v1.HostView.$Shape} HostView
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.HostView & shoal.v1.HostView.$Shape;
        }

        namespace HostView {

            /** Properties of a HostView. */
            interface $Properties {

                /** HostView host */
                host?: (shoal.v1.Host.$Properties|null);

                /** HostView advert */
                advert?: (shoal.v1.Advert.$Properties|null);

                /** HostView condition */
                condition?: string;

                /** HostView clockOffsetMs */
                clockOffsetMs?: (number|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a HostView. */
            type $Shape = shoal.v1.HostView.$Properties;
        }

        /**
         * Properties of a ListHostsRequest.
         * @deprecated Use shoal.v1.ListHostsRequest.$Properties instead.
         */
        interface IListHostsRequest extends shoal.v1.ListHostsRequest.$Properties {
        }

        /** Represents a ListHostsRequest. */
        class ListHostsRequest {

            /**
             * Constructs a new ListHostsRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ListHostsRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new ListHostsRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListHostsRequest instance
             */
            static create(properties: shoal.v1.ListHostsRequest.$Shape): shoal.v1.ListHostsRequest & shoal.v1.ListHostsRequest.$Shape;
            static create(properties?: shoal.v1.ListHostsRequest.$Properties): shoal.v1.ListHostsRequest;

            /**
             * Encodes the specified ListHostsRequest message. Does not implicitly {@link shoal.v1.ListHostsRequest.verify|verify} messages.
             * @param message ListHostsRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ListHostsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListHostsRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ListHostsRequest & shoal.v1.ListHostsRequest.$Shape} ListHostsRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ListHostsRequest & shoal.v1.ListHostsRequest.$Shape;
        }

        namespace ListHostsRequest {

            /** Properties of a ListHostsRequest. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListHostsRequest. */
            type $Shape = shoal.v1.ListHostsRequest.$Properties;
        }

        /**
         * Properties of a ListHostsResponse.
         * @deprecated Use shoal.v1.ListHostsResponse.$Properties instead.
         */
        interface IListHostsResponse extends shoal.v1.ListHostsResponse.$Properties {
        }

        /** Represents a ListHostsResponse. */
        class ListHostsResponse {

            /**
             * Constructs a new ListHostsResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ListHostsResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ListHostsResponse hosts. */
            hosts: shoal.v1.HostView[];

            /** ListHostsResponse stale. */
            stale: boolean;

            /**
             * Creates a new ListHostsResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListHostsResponse instance
             */
            static create(properties: shoal.v1.ListHostsResponse.$Shape): shoal.v1.ListHostsResponse & shoal.v1.ListHostsResponse.$Shape;
            static create(properties?: shoal.v1.ListHostsResponse.$Properties): shoal.v1.ListHostsResponse;

            /**
             * Encodes the specified ListHostsResponse message. Does not implicitly {@link shoal.v1.ListHostsResponse.verify|verify} messages.
             * @param message ListHostsResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ListHostsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListHostsResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ListHostsResponse & shoal.v1.ListHostsResponse.$Shape} ListHostsResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ListHostsResponse & shoal.v1.ListHostsResponse.$Shape;
        }

        namespace ListHostsResponse {

            /** Properties of a ListHostsResponse. */
            interface $Properties {

                /** ListHostsResponse hosts */
                hosts?: shoal.v1.HostView.$Properties[];

                /** ListHostsResponse stale */
                stale?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListHostsResponse. */
            type $Shape = shoal.v1.ListHostsResponse.$Properties;
        }

        /**
         * Properties of a CreateTicketRequest.
         * @deprecated Use shoal.v1.CreateTicketRequest.$Properties instead.
         */
        interface ICreateTicketRequest extends shoal.v1.CreateTicketRequest.$Properties {
        }

        /** Represents a CreateTicketRequest. */
        class CreateTicketRequest {

            /**
             * Constructs a new CreateTicketRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.CreateTicketRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** CreateTicketRequest ttlSeconds. */
            ttlSeconds: number;

            /**
             * Creates a new CreateTicketRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns CreateTicketRequest instance
             */
            static create(properties: shoal.v1.CreateTicketRequest.$Shape): shoal.v1.CreateTicketRequest & shoal.v1.CreateTicketRequest.$Shape;
            static create(properties?: shoal.v1.CreateTicketRequest.$Properties): shoal.v1.CreateTicketRequest;

            /**
             * Encodes the specified CreateTicketRequest message. Does not implicitly {@link shoal.v1.CreateTicketRequest.verify|verify} messages.
             * @param message CreateTicketRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.CreateTicketRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a CreateTicketRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.CreateTicketRequest & shoal.v1.CreateTicketRequest.$Shape} CreateTicketRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.CreateTicketRequest & shoal.v1.CreateTicketRequest.$Shape;
        }

        namespace CreateTicketRequest {

            /** Properties of a CreateTicketRequest. */
            interface $Properties {

                /** CreateTicketRequest ttlSeconds */
                ttlSeconds?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a CreateTicketRequest. */
            type $Shape = shoal.v1.CreateTicketRequest.$Properties;
        }

        /**
         * Properties of a CreateTicketResponse.
         * @deprecated Use shoal.v1.CreateTicketResponse.$Properties instead.
         */
        interface ICreateTicketResponse extends shoal.v1.CreateTicketResponse.$Properties {
        }

        /** Represents a CreateTicketResponse. */
        class CreateTicketResponse {

            /**
             * Constructs a new CreateTicketResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.CreateTicketResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** CreateTicketResponse ticket. */
            ticket: string;

            /** CreateTicketResponse expiresMs. */
            expiresMs: number;

            /**
             * Creates a new CreateTicketResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns CreateTicketResponse instance
             */
            static create(properties: shoal.v1.CreateTicketResponse.$Shape): shoal.v1.CreateTicketResponse & shoal.v1.CreateTicketResponse.$Shape;
            static create(properties?: shoal.v1.CreateTicketResponse.$Properties): shoal.v1.CreateTicketResponse;

            /**
             * Encodes the specified CreateTicketResponse message. Does not implicitly {@link shoal.v1.CreateTicketResponse.verify|verify} messages.
             * @param message CreateTicketResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.CreateTicketResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a CreateTicketResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.CreateTicketResponse & shoal.v1.CreateTicketResponse.$Shape} CreateTicketResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.CreateTicketResponse & shoal.v1.CreateTicketResponse.$Shape;
        }

        namespace CreateTicketResponse {

            /** Properties of a CreateTicketResponse. */
            interface $Properties {

                /** CreateTicketResponse ticket */
                ticket?: string;

                /** CreateTicketResponse expiresMs */
                expiresMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a CreateTicketResponse. */
            type $Shape = shoal.v1.CreateTicketResponse.$Properties;
        }

        /**
         * Properties of a SetHostEnabledRequest.
         * @deprecated Use shoal.v1.SetHostEnabledRequest.$Properties instead.
         */
        interface ISetHostEnabledRequest extends shoal.v1.SetHostEnabledRequest.$Properties {
        }

        /** Represents a SetHostEnabledRequest. */
        class SetHostEnabledRequest {

            /**
             * Constructs a new SetHostEnabledRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.SetHostEnabledRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SetHostEnabledRequest hostId. */
            hostId: string;

            /** SetHostEnabledRequest enabled. */
            enabled: boolean;

            /** SetHostEnabledRequest reason. */
            reason: string;

            /**
             * Creates a new SetHostEnabledRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SetHostEnabledRequest instance
             */
            static create(properties: shoal.v1.SetHostEnabledRequest.$Shape): shoal.v1.SetHostEnabledRequest & shoal.v1.SetHostEnabledRequest.$Shape;
            static create(properties?: shoal.v1.SetHostEnabledRequest.$Properties): shoal.v1.SetHostEnabledRequest;

            /**
             * Encodes the specified SetHostEnabledRequest message. Does not implicitly {@link shoal.v1.SetHostEnabledRequest.verify|verify} messages.
             * @param message SetHostEnabledRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.SetHostEnabledRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SetHostEnabledRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.SetHostEnabledRequest & shoal.v1.SetHostEnabledRequest.$Shape} SetHostEnabledRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.SetHostEnabledRequest & shoal.v1.SetHostEnabledRequest.$Shape;
        }

        namespace SetHostEnabledRequest {

            /** Properties of a SetHostEnabledRequest. */
            interface $Properties {

                /** SetHostEnabledRequest hostId */
                hostId?: string;

                /** SetHostEnabledRequest enabled */
                enabled?: boolean;

                /** SetHostEnabledRequest reason */
                reason?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SetHostEnabledRequest. */
            type $Shape = shoal.v1.SetHostEnabledRequest.$Properties;
        }

        /**
         * Properties of a SetHostEnabledResponse.
         * @deprecated Use shoal.v1.SetHostEnabledResponse.$Properties instead.
         */
        interface ISetHostEnabledResponse extends shoal.v1.SetHostEnabledResponse.$Properties {
        }

        /** Represents a SetHostEnabledResponse. */
        class SetHostEnabledResponse {

            /**
             * Constructs a new SetHostEnabledResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.SetHostEnabledResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new SetHostEnabledResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SetHostEnabledResponse instance
             */
            static create(properties: shoal.v1.SetHostEnabledResponse.$Shape): shoal.v1.SetHostEnabledResponse & shoal.v1.SetHostEnabledResponse.$Shape;
            static create(properties?: shoal.v1.SetHostEnabledResponse.$Properties): shoal.v1.SetHostEnabledResponse;

            /**
             * Encodes the specified SetHostEnabledResponse message. Does not implicitly {@link shoal.v1.SetHostEnabledResponse.verify|verify} messages.
             * @param message SetHostEnabledResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.SetHostEnabledResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SetHostEnabledResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.SetHostEnabledResponse & shoal.v1.SetHostEnabledResponse.$Shape} SetHostEnabledResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.SetHostEnabledResponse & shoal.v1.SetHostEnabledResponse.$Shape;
        }

        namespace SetHostEnabledResponse {

            /** Properties of a SetHostEnabledResponse. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SetHostEnabledResponse. */
            type $Shape = shoal.v1.SetHostEnabledResponse.$Properties;
        }

        /**
         * Properties of a RemoveHostRequest.
         * @deprecated Use shoal.v1.RemoveHostRequest.$Properties instead.
         */
        interface IRemoveHostRequest extends shoal.v1.RemoveHostRequest.$Properties {
        }

        /** Represents a RemoveHostRequest. */
        class RemoveHostRequest {

            /**
             * Constructs a new RemoveHostRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RemoveHostRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RemoveHostRequest hostId. */
            hostId: string;

            /** RemoveHostRequest force. */
            force: boolean;

            /** RemoveHostRequest trusted. */
            trusted: boolean;

            /**
             * Creates a new RemoveHostRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RemoveHostRequest instance
             */
            static create(properties: shoal.v1.RemoveHostRequest.$Shape): shoal.v1.RemoveHostRequest & shoal.v1.RemoveHostRequest.$Shape;
            static create(properties?: shoal.v1.RemoveHostRequest.$Properties): shoal.v1.RemoveHostRequest;

            /**
             * Encodes the specified RemoveHostRequest message. Does not implicitly {@link shoal.v1.RemoveHostRequest.verify|verify} messages.
             * @param message RemoveHostRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RemoveHostRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RemoveHostRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RemoveHostRequest & shoal.v1.RemoveHostRequest.$Shape} RemoveHostRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RemoveHostRequest & shoal.v1.RemoveHostRequest.$Shape;
        }

        namespace RemoveHostRequest {

            /** Properties of a RemoveHostRequest. */
            interface $Properties {

                /** RemoveHostRequest hostId */
                hostId?: string;

                /** RemoveHostRequest force */
                force?: boolean;

                /** RemoveHostRequest trusted */
                trusted?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RemoveHostRequest. */
            type $Shape = shoal.v1.RemoveHostRequest.$Properties;
        }

        /**
         * Properties of a RemoveHostResponse.
         * @deprecated Use shoal.v1.RemoveHostResponse.$Properties instead.
         */
        interface IRemoveHostResponse extends shoal.v1.RemoveHostResponse.$Properties {
        }

        /** Represents a RemoveHostResponse. */
        class RemoveHostResponse {

            /**
             * Constructs a new RemoveHostResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RemoveHostResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RemoveHostResponse forgottenServerIds. */
            forgottenServerIds: string[];

            /** RemoveHostResponse lostImageIds. */
            lostImageIds: string[];

            /** RemoveHostResponse releasedServerIds. */
            releasedServerIds: string[];

            /**
             * Creates a new RemoveHostResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RemoveHostResponse instance
             */
            static create(properties: shoal.v1.RemoveHostResponse.$Shape): shoal.v1.RemoveHostResponse & shoal.v1.RemoveHostResponse.$Shape;
            static create(properties?: shoal.v1.RemoveHostResponse.$Properties): shoal.v1.RemoveHostResponse;

            /**
             * Encodes the specified RemoveHostResponse message. Does not implicitly {@link shoal.v1.RemoveHostResponse.verify|verify} messages.
             * @param message RemoveHostResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RemoveHostResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RemoveHostResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RemoveHostResponse & shoal.v1.RemoveHostResponse.$Shape} RemoveHostResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RemoveHostResponse & shoal.v1.RemoveHostResponse.$Shape;
        }

        namespace RemoveHostResponse {

            /** Properties of a RemoveHostResponse. */
            interface $Properties {

                /** RemoveHostResponse forgottenServerIds */
                forgottenServerIds?: string[];

                /** RemoveHostResponse lostImageIds */
                lostImageIds?: string[];

                /** RemoveHostResponse releasedServerIds */
                releasedServerIds?: string[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RemoveHostResponse. */
            type $Shape = shoal.v1.RemoveHostResponse.$Properties;
        }

        /**
         * Properties of an UnreadableRecord.
         * @deprecated Use shoal.v1.UnreadableRecord.$Properties instead.
         */
        interface IUnreadableRecord extends shoal.v1.UnreadableRecord.$Properties {
        }

        /** Represents an UnreadableRecord. */
        class UnreadableRecord {

            /**
             * Constructs a new UnreadableRecord.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.UnreadableRecord.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** UnreadableRecord table. */
            table: string;

            /** UnreadableRecord id. */
            id: string;

            /** UnreadableRecord revision. */
            revision: number;

            /** UnreadableRecord why. */
            why: string;

            /**
             * Creates a new UnreadableRecord instance using the specified properties.
             * @param [properties] Properties to set
             * @returns UnreadableRecord instance
             */
            static create(properties: shoal.v1.UnreadableRecord.$Shape): shoal.v1.UnreadableRecord & shoal.v1.UnreadableRecord.$Shape;
            static create(properties?: shoal.v1.UnreadableRecord.$Properties): shoal.v1.UnreadableRecord;

            /**
             * Encodes the specified UnreadableRecord message. Does not implicitly {@link shoal.v1.UnreadableRecord.verify|verify} messages.
             * @param message UnreadableRecord message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.UnreadableRecord.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an UnreadableRecord message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.UnreadableRecord & shoal.v1.UnreadableRecord.$Shape} UnreadableRecord
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.UnreadableRecord & shoal.v1.UnreadableRecord.$Shape;
        }

        namespace UnreadableRecord {

            /** Properties of an UnreadableRecord. */
            interface $Properties {

                /** UnreadableRecord table */
                table?: string;

                /** UnreadableRecord id */
                id?: string;

                /** UnreadableRecord revision */
                revision?: number;

                /** UnreadableRecord why */
                why?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an UnreadableRecord. */
            type $Shape = shoal.v1.UnreadableRecord.$Properties;
        }

        /**
         * Properties of a ListUnreadableRecordsRequest.
         * @deprecated Use shoal.v1.ListUnreadableRecordsRequest.$Properties instead.
         */
        interface IListUnreadableRecordsRequest extends shoal.v1.ListUnreadableRecordsRequest.$Properties {
        }

        /** Represents a ListUnreadableRecordsRequest. */
        class ListUnreadableRecordsRequest {

            /**
             * Constructs a new ListUnreadableRecordsRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ListUnreadableRecordsRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new ListUnreadableRecordsRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListUnreadableRecordsRequest instance
             */
            static create(properties: shoal.v1.ListUnreadableRecordsRequest.$Shape): shoal.v1.ListUnreadableRecordsRequest & shoal.v1.ListUnreadableRecordsRequest.$Shape;
            static create(properties?: shoal.v1.ListUnreadableRecordsRequest.$Properties): shoal.v1.ListUnreadableRecordsRequest;

            /**
             * Encodes the specified ListUnreadableRecordsRequest message. Does not implicitly {@link shoal.v1.ListUnreadableRecordsRequest.verify|verify} messages.
             * @param message ListUnreadableRecordsRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ListUnreadableRecordsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListUnreadableRecordsRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ListUnreadableRecordsRequest & shoal.v1.ListUnreadableRecordsRequest.$Shape} ListUnreadableRecordsRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ListUnreadableRecordsRequest & shoal.v1.ListUnreadableRecordsRequest.$Shape;
        }

        namespace ListUnreadableRecordsRequest {

            /** Properties of a ListUnreadableRecordsRequest. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListUnreadableRecordsRequest. */
            type $Shape = shoal.v1.ListUnreadableRecordsRequest.$Properties;
        }

        /**
         * Properties of a ListUnreadableRecordsResponse.
         * @deprecated Use shoal.v1.ListUnreadableRecordsResponse.$Properties instead.
         */
        interface IListUnreadableRecordsResponse extends shoal.v1.ListUnreadableRecordsResponse.$Properties {
        }

        /** Represents a ListUnreadableRecordsResponse. */
        class ListUnreadableRecordsResponse {

            /**
             * Constructs a new ListUnreadableRecordsResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ListUnreadableRecordsResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ListUnreadableRecordsResponse records. */
            records: shoal.v1.UnreadableRecord[];

            /** ListUnreadableRecordsResponse stale. */
            stale: boolean;

            /**
             * Creates a new ListUnreadableRecordsResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListUnreadableRecordsResponse instance
             */
            static create(properties: shoal.v1.ListUnreadableRecordsResponse.$Shape): shoal.v1.ListUnreadableRecordsResponse & shoal.v1.ListUnreadableRecordsResponse.$Shape;
            static create(properties?: shoal.v1.ListUnreadableRecordsResponse.$Properties): shoal.v1.ListUnreadableRecordsResponse;

            /**
             * Encodes the specified ListUnreadableRecordsResponse message. Does not implicitly {@link shoal.v1.ListUnreadableRecordsResponse.verify|verify} messages.
             * @param message ListUnreadableRecordsResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ListUnreadableRecordsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListUnreadableRecordsResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ListUnreadableRecordsResponse & shoal.v1.ListUnreadableRecordsResponse.$Shape} ListUnreadableRecordsResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ListUnreadableRecordsResponse & shoal.v1.ListUnreadableRecordsResponse.$Shape;
        }

        namespace ListUnreadableRecordsResponse {

            /** Properties of a ListUnreadableRecordsResponse. */
            interface $Properties {

                /** ListUnreadableRecordsResponse records */
                records?: shoal.v1.UnreadableRecord.$Properties[];

                /** ListUnreadableRecordsResponse stale */
                stale?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListUnreadableRecordsResponse. */
            type $Shape = shoal.v1.ListUnreadableRecordsResponse.$Properties;
        }

        /**
         * Properties of a RemoveUnreadableRecordRequest.
         * @deprecated Use shoal.v1.RemoveUnreadableRecordRequest.$Properties instead.
         */
        interface IRemoveUnreadableRecordRequest extends shoal.v1.RemoveUnreadableRecordRequest.$Properties {
        }

        /** Represents a RemoveUnreadableRecordRequest. */
        class RemoveUnreadableRecordRequest {

            /**
             * Constructs a new RemoveUnreadableRecordRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RemoveUnreadableRecordRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RemoveUnreadableRecordRequest table. */
            table: string;

            /** RemoveUnreadableRecordRequest id. */
            id: string;

            /**
             * Creates a new RemoveUnreadableRecordRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RemoveUnreadableRecordRequest instance
             */
            static create(properties: shoal.v1.RemoveUnreadableRecordRequest.$Shape): shoal.v1.RemoveUnreadableRecordRequest & shoal.v1.RemoveUnreadableRecordRequest.$Shape;
            static create(properties?: shoal.v1.RemoveUnreadableRecordRequest.$Properties): shoal.v1.RemoveUnreadableRecordRequest;

            /**
             * Encodes the specified RemoveUnreadableRecordRequest message. Does not implicitly {@link shoal.v1.RemoveUnreadableRecordRequest.verify|verify} messages.
             * @param message RemoveUnreadableRecordRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RemoveUnreadableRecordRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RemoveUnreadableRecordRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RemoveUnreadableRecordRequest & shoal.v1.RemoveUnreadableRecordRequest.$Shape} RemoveUnreadableRecordRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RemoveUnreadableRecordRequest & shoal.v1.RemoveUnreadableRecordRequest.$Shape;
        }

        namespace RemoveUnreadableRecordRequest {

            /** Properties of a RemoveUnreadableRecordRequest. */
            interface $Properties {

                /** RemoveUnreadableRecordRequest table */
                table?: string;

                /** RemoveUnreadableRecordRequest id */
                id?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RemoveUnreadableRecordRequest. */
            type $Shape = shoal.v1.RemoveUnreadableRecordRequest.$Properties;
        }

        /**
         * Properties of a RemoveUnreadableRecordResponse.
         * @deprecated Use shoal.v1.RemoveUnreadableRecordResponse.$Properties instead.
         */
        interface IRemoveUnreadableRecordResponse extends shoal.v1.RemoveUnreadableRecordResponse.$Properties {
        }

        /** Represents a RemoveUnreadableRecordResponse. */
        class RemoveUnreadableRecordResponse {

            /**
             * Constructs a new RemoveUnreadableRecordResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RemoveUnreadableRecordResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new RemoveUnreadableRecordResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RemoveUnreadableRecordResponse instance
             */
            static create(properties: shoal.v1.RemoveUnreadableRecordResponse.$Shape): shoal.v1.RemoveUnreadableRecordResponse & shoal.v1.RemoveUnreadableRecordResponse.$Shape;
            static create(properties?: shoal.v1.RemoveUnreadableRecordResponse.$Properties): shoal.v1.RemoveUnreadableRecordResponse;

            /**
             * Encodes the specified RemoveUnreadableRecordResponse message. Does not implicitly {@link shoal.v1.RemoveUnreadableRecordResponse.verify|verify} messages.
             * @param message RemoveUnreadableRecordResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RemoveUnreadableRecordResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RemoveUnreadableRecordResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RemoveUnreadableRecordResponse & shoal.v1.RemoveUnreadableRecordResponse.$Shape} RemoveUnreadableRecordResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RemoveUnreadableRecordResponse & shoal.v1.RemoveUnreadableRecordResponse.$Shape;
        }

        namespace RemoveUnreadableRecordResponse {

            /** Properties of a RemoveUnreadableRecordResponse. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RemoveUnreadableRecordResponse. */
            type $Shape = shoal.v1.RemoveUnreadableRecordResponse.$Properties;
        }

        /**
         * Properties of a RekeyRequest.
         * @deprecated Use shoal.v1.RekeyRequest.$Properties instead.
         */
        interface IRekeyRequest extends shoal.v1.RekeyRequest.$Properties {
        }

        /** Represents a RekeyRequest. */
        class RekeyRequest {

            /**
             * Constructs a new RekeyRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RekeyRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new RekeyRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RekeyRequest instance
             */
            static create(properties: shoal.v1.RekeyRequest.$Shape): shoal.v1.RekeyRequest & shoal.v1.RekeyRequest.$Shape;
            static create(properties?: shoal.v1.RekeyRequest.$Properties): shoal.v1.RekeyRequest;

            /**
             * Encodes the specified RekeyRequest message. Does not implicitly {@link shoal.v1.RekeyRequest.verify|verify} messages.
             * @param message RekeyRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RekeyRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RekeyRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RekeyRequest & shoal.v1.RekeyRequest.$Shape} RekeyRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RekeyRequest & shoal.v1.RekeyRequest.$Shape;
        }

        namespace RekeyRequest {

            /** Properties of a RekeyRequest. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RekeyRequest. */
            type $Shape = shoal.v1.RekeyRequest.$Properties;
        }

        /**
         * Properties of a RekeyResponse.
         * @deprecated Use shoal.v1.RekeyResponse.$Properties instead.
         */
        interface IRekeyResponse extends shoal.v1.RekeyResponse.$Properties {
        }

        /** Represents a RekeyResponse. */
        class RekeyResponse {

            /**
             * Constructs a new RekeyResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RekeyResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RekeyResponse keyEpoch. */
            keyEpoch: number;

            /**
             * Creates a new RekeyResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RekeyResponse instance
             */
            static create(properties: shoal.v1.RekeyResponse.$Shape): shoal.v1.RekeyResponse & shoal.v1.RekeyResponse.$Shape;
            static create(properties?: shoal.v1.RekeyResponse.$Properties): shoal.v1.RekeyResponse;

            /**
             * Encodes the specified RekeyResponse message. Does not implicitly {@link shoal.v1.RekeyResponse.verify|verify} messages.
             * @param message RekeyResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RekeyResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RekeyResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RekeyResponse & shoal.v1.RekeyResponse.$Shape} RekeyResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RekeyResponse & shoal.v1.RekeyResponse.$Shape;
        }

        namespace RekeyResponse {

            /** Properties of a RekeyResponse. */
            interface $Properties {

                /** RekeyResponse keyEpoch */
                keyEpoch?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RekeyResponse. */
            type $Shape = shoal.v1.RekeyResponse.$Properties;
        }

        /**
         * Properties of a Mesh.
         * @deprecated Use shoal.v1.Mesh.$Properties instead.
         */
        interface IMesh extends shoal.v1.Mesh.$Properties {
        }

        /** Represents a Mesh. */
        class Mesh {

            /**
             * Constructs a new Mesh.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Mesh.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Mesh id. */
            id: string;

            /** Mesh meshId. */
            meshId: string;

            /** Mesh name. */
            name: string;

            /** Mesh authorityCertificatePem. */
            authorityCertificatePem: string;

            /** Mesh sealedAuthorityKey. */
            sealedAuthorityKey: Uint8Array;

            /** Mesh defaultStorage. */
            defaultStorage: string;

            /** Mesh createdMs. */
            createdMs: number;

            /** Mesh cell. */
            cell: string;

            /** Mesh keyEpoch. */
            keyEpoch: number;

            /** Mesh formerAuthorityCertificates. */
            formerAuthorityCertificates: string[];

            /** Mesh joins. */
            joins: number;

            /**
             * Creates a new Mesh instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Mesh instance
             */
            static create(properties: shoal.v1.Mesh.$Shape): shoal.v1.Mesh & shoal.v1.Mesh.$Shape;
            static create(properties?: shoal.v1.Mesh.$Properties): shoal.v1.Mesh;

            /**
             * Encodes the specified Mesh message. Does not implicitly {@link shoal.v1.Mesh.verify|verify} messages.
             * @param message Mesh message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Mesh.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Mesh message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Mesh & shoal.v1.Mesh.$Shape} Mesh
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Mesh & shoal.v1.Mesh.$Shape;
        }

        namespace Mesh {

            /** Properties of a Mesh. */
            interface $Properties {

                /** Mesh id */
                id?: string;

                /** Mesh meshId */
                meshId?: string;

                /** Mesh name */
                name?: string;

                /** Mesh authorityCertificatePem */
                authorityCertificatePem?: string;

                /** Mesh sealedAuthorityKey */
                sealedAuthorityKey?: Uint8Array;

                /** Mesh defaultStorage */
                defaultStorage?: string;

                /** Mesh createdMs */
                createdMs?: number;

                /** Mesh cell */
                cell?: string;

                /** Mesh keyEpoch */
                keyEpoch?: number;

                /** Mesh formerAuthorityCertificates */
                formerAuthorityCertificates?: string[];

                /** Mesh joins */
                joins?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Mesh. */
            type $Shape = shoal.v1.Mesh.$Properties;
        }

        /**
         * Properties of a MeshKeyEpoch.
         * @deprecated Use shoal.v1.MeshKeyEpoch.$Properties instead.
         */
        interface IMeshKeyEpoch extends shoal.v1.MeshKeyEpoch.$Properties {
        }

        /** Represents a MeshKeyEpoch. */
        class MeshKeyEpoch {

            /**
             * Constructs a new MeshKeyEpoch.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.MeshKeyEpoch.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** MeshKeyEpoch id. */
            id: string;

            /** MeshKeyEpoch epoch. */
            epoch: number;

            /** MeshKeyEpoch createdMs. */
            createdMs: number;

            /** MeshKeyEpoch keys. */
            keys: shoal.v1.SealedMeshKey[];

            /** MeshKeyEpoch formerTokensGoodUntilMs. */
            formerTokensGoodUntilMs: number;

            /**
             * Creates a new MeshKeyEpoch instance using the specified properties.
             * @param [properties] Properties to set
             * @returns MeshKeyEpoch instance
             */
            static create(properties: shoal.v1.MeshKeyEpoch.$Shape): shoal.v1.MeshKeyEpoch & shoal.v1.MeshKeyEpoch.$Shape;
            static create(properties?: shoal.v1.MeshKeyEpoch.$Properties): shoal.v1.MeshKeyEpoch;

            /**
             * Encodes the specified MeshKeyEpoch message. Does not implicitly {@link shoal.v1.MeshKeyEpoch.verify|verify} messages.
             * @param message MeshKeyEpoch message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.MeshKeyEpoch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a MeshKeyEpoch message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.MeshKeyEpoch & shoal.v1.MeshKeyEpoch.$Shape} MeshKeyEpoch
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.MeshKeyEpoch & shoal.v1.MeshKeyEpoch.$Shape;
        }

        namespace MeshKeyEpoch {

            /** Properties of a MeshKeyEpoch. */
            interface $Properties {

                /** MeshKeyEpoch id */
                id?: string;

                /** MeshKeyEpoch epoch */
                epoch?: number;

                /** MeshKeyEpoch createdMs */
                createdMs?: number;

                /** MeshKeyEpoch keys */
                keys?: shoal.v1.SealedMeshKey.$Properties[];

                /** MeshKeyEpoch formerTokensGoodUntilMs */
                formerTokensGoodUntilMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a MeshKeyEpoch. */
            type $Shape = shoal.v1.MeshKeyEpoch.$Properties;
        }

        /**
         * Properties of a SealedMeshKey.
         * @deprecated Use shoal.v1.SealedMeshKey.$Properties instead.
         */
        interface ISealedMeshKey extends shoal.v1.SealedMeshKey.$Properties {
        }

        /** Represents a SealedMeshKey. */
        class SealedMeshKey {

            /**
             * Constructs a new SealedMeshKey.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.SealedMeshKey.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SealedMeshKey hostId. */
            hostId: string;

            /** SealedMeshKey sealed. */
            sealed: Uint8Array;

            /**
             * Creates a new SealedMeshKey instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SealedMeshKey instance
             */
            static create(properties: shoal.v1.SealedMeshKey.$Shape): shoal.v1.SealedMeshKey & shoal.v1.SealedMeshKey.$Shape;
            static create(properties?: shoal.v1.SealedMeshKey.$Properties): shoal.v1.SealedMeshKey;

            /**
             * Encodes the specified SealedMeshKey message. Does not implicitly {@link shoal.v1.SealedMeshKey.verify|verify} messages.
             * @param message SealedMeshKey message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.SealedMeshKey.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SealedMeshKey message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.SealedMeshKey & shoal.v1.SealedMeshKey.$Shape} SealedMeshKey
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.SealedMeshKey & shoal.v1.SealedMeshKey.$Shape;
        }

        namespace SealedMeshKey {

            /** Properties of a SealedMeshKey. */
            interface $Properties {

                /** SealedMeshKey hostId */
                hostId?: string;

                /** SealedMeshKey sealed */
                sealed?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SealedMeshKey. */
            type $Shape = shoal.v1.SealedMeshKey.$Properties;
        }

        /**
         * Properties of a Host.
         * @deprecated Use shoal.v1.Host.$Properties instead.
         */
        interface IHost extends shoal.v1.Host.$Properties {
        }

        /** Represents a Host. */
        class Host {

            /**
             * Constructs a new Host.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Host.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Host id. */
            id: string;

            /** Host name. */
            name: string;

            /** Host publicKey. */
            publicKey: Uint8Array;

            /** Host raftId. */
            raftId: number;

            /** Host peerAddress. */
            peerAddress: string;

            /** Host grpcAddress. */
            grpcAddress: string;

            /** Host apiUrl. */
            apiUrl: string;

            /** Host gossipAddress. */
            gossipAddress: string;

            /** Host vtepIp. */
            vtepIp: string;

            /** Host transitIndex. */
            transitIndex: number;

            /** Host zone. */
            zone: string;

            /** Host failureDomain. */
            failureDomain: string;

            /** Host disabled. */
            disabled: boolean;

            /** Host disabledReason. */
            disabledReason: string;

            /** Host joinedMs. */
            joinedMs: number;

            /** Host version. */
            version: string;

            /** Host forcedDown. */
            forcedDown: boolean;

            /** Host tlsKeySha256. */
            tlsKeySha256: Uint8Array;

            /**
             * Creates a new Host instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Host instance
             */
            static create(properties: shoal.v1.Host.$Shape): shoal.v1.Host & shoal.v1.Host.$Shape;
            static create(properties?: shoal.v1.Host.$Properties): shoal.v1.Host;

            /**
             * Encodes the specified Host message. Does not implicitly {@link shoal.v1.Host.verify|verify} messages.
             * @param message Host message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Host.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Host message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Host & shoal.v1.Host.$Shape} Host
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Host & shoal.v1.Host.$Shape;
        }

        namespace Host {

            /** Properties of a Host. */
            interface $Properties {

                /** Host id */
                id?: string;

                /** Host name */
                name?: string;

                /** Host publicKey */
                publicKey?: Uint8Array;

                /** Host raftId */
                raftId?: number;

                /** Host peerAddress */
                peerAddress?: string;

                /** Host grpcAddress */
                grpcAddress?: string;

                /** Host apiUrl */
                apiUrl?: string;

                /** Host gossipAddress */
                gossipAddress?: string;

                /** Host vtepIp */
                vtepIp?: string;

                /** Host transitIndex */
                transitIndex?: number;

                /** Host zone */
                zone?: string;

                /** Host failureDomain */
                failureDomain?: string;

                /** Host disabled */
                disabled?: boolean;

                /** Host disabledReason */
                disabledReason?: string;

                /** Host joinedMs */
                joinedMs?: number;

                /** Host version */
                version?: string;

                /** Host forcedDown */
                forcedDown?: boolean;

                /** Host tlsKeySha256 */
                tlsKeySha256?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Host. */
            type $Shape = shoal.v1.Host.$Properties;
        }

        /**
         * Properties of a RemovedHost.
         * @deprecated Use shoal.v1.RemovedHost.$Properties instead.
         */
        interface IRemovedHost extends shoal.v1.RemovedHost.$Properties {
        }

        /** Represents a RemovedHost. */
        class RemovedHost {

            /**
             * Constructs a new RemovedHost.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RemovedHost.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RemovedHost id. */
            id: string;

            /** RemovedHost name. */
            name: string;

            /** RemovedHost raftId. */
            raftId: number;

            /** RemovedHost removedMs. */
            removedMs: number;

            /**
             * Creates a new RemovedHost instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RemovedHost instance
             */
            static create(properties: shoal.v1.RemovedHost.$Shape): shoal.v1.RemovedHost & shoal.v1.RemovedHost.$Shape;
            static create(properties?: shoal.v1.RemovedHost.$Properties): shoal.v1.RemovedHost;

            /**
             * Encodes the specified RemovedHost message. Does not implicitly {@link shoal.v1.RemovedHost.verify|verify} messages.
             * @param message RemovedHost message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RemovedHost.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RemovedHost message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RemovedHost & shoal.v1.RemovedHost.$Shape} RemovedHost
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RemovedHost & shoal.v1.RemovedHost.$Shape;
        }

        namespace RemovedHost {

            /** Properties of a RemovedHost. */
            interface $Properties {

                /** RemovedHost id */
                id?: string;

                /** RemovedHost name */
                name?: string;

                /** RemovedHost raftId */
                raftId?: number;

                /** RemovedHost removedMs */
                removedMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RemovedHost. */
            type $Shape = shoal.v1.RemovedHost.$Properties;
        }

        /**
         * Properties of a Ticket.
         * @deprecated Use shoal.v1.Ticket.$Properties instead.
         */
        interface ITicket extends shoal.v1.Ticket.$Properties {
        }

        /** Represents a Ticket. */
        class Ticket {

            /**
             * Constructs a new Ticket.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Ticket.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Ticket id. */
            id: string;

            /** Ticket secretHash. */
            secretHash: Uint8Array;

            /** Ticket createdMs. */
            createdMs: number;

            /** Ticket expiresMs. */
            expiresMs: number;

            /** Ticket usedBy. */
            usedBy: string;

            /** Ticket usedMs. */
            usedMs: number;

            /** Ticket authoritySha256. */
            authoritySha256: Uint8Array;

            /**
             * Creates a new Ticket instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Ticket instance
             */
            static create(properties: shoal.v1.Ticket.$Shape): shoal.v1.Ticket & shoal.v1.Ticket.$Shape;
            static create(properties?: shoal.v1.Ticket.$Properties): shoal.v1.Ticket;

            /**
             * Encodes the specified Ticket message. Does not implicitly {@link shoal.v1.Ticket.verify|verify} messages.
             * @param message Ticket message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Ticket.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Ticket message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Ticket & shoal.v1.Ticket.$Shape} Ticket
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Ticket & shoal.v1.Ticket.$Shape;
        }

        namespace Ticket {

            /** Properties of a Ticket. */
            interface $Properties {

                /** Ticket id */
                id?: string;

                /** Ticket secretHash */
                secretHash?: Uint8Array;

                /** Ticket createdMs */
                createdMs?: number;

                /** Ticket expiresMs */
                expiresMs?: number;

                /** Ticket usedBy */
                usedBy?: string;

                /** Ticket usedMs */
                usedMs?: number;

                /** Ticket authoritySha256 */
                authoritySha256?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Ticket. */
            type $Shape = shoal.v1.Ticket.$Properties;
        }

        /**
         * Properties of a Domain.
         * @deprecated Use shoal.v1.Domain.$Properties instead.
         */
        interface IDomain extends shoal.v1.Domain.$Properties {
        }

        /** Represents a Domain. */
        class Domain {

            /**
             * Constructs a new Domain.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Domain.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Domain id. */
            id: string;

            /** Domain name. */
            name: string;

            /** Domain description. */
            description: string;

            /** Domain enabled. */
            enabled: boolean;

            /** Domain tokenEpoch. */
            tokenEpoch: number;

            /** Domain extras. */
            extras: { [k: string]: string };

            /**
             * Creates a new Domain instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Domain instance
             */
            static create(properties: shoal.v1.Domain.$Shape): shoal.v1.Domain & shoal.v1.Domain.$Shape;
            static create(properties?: shoal.v1.Domain.$Properties): shoal.v1.Domain;

            /**
             * Encodes the specified Domain message. Does not implicitly {@link shoal.v1.Domain.verify|verify} messages.
             * @param message Domain message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Domain.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Domain message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Domain & shoal.v1.Domain.$Shape} Domain
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Domain & shoal.v1.Domain.$Shape;
        }

        namespace Domain {

            /** Properties of a Domain. */
            interface $Properties {

                /** Domain id */
                id?: string;

                /** Domain name */
                name?: string;

                /** Domain description */
                description?: string;

                /** Domain enabled */
                enabled?: boolean;

                /** Domain tokenEpoch */
                tokenEpoch?: number;

                /** Domain extras */
                extras?: { [k: string]: string };

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Domain. */
            type $Shape = shoal.v1.Domain.$Properties;
        }

        /**
         * Properties of a Project.
         * @deprecated Use shoal.v1.Project.$Properties instead.
         */
        interface IProject extends shoal.v1.Project.$Properties {
        }

        /** Represents a Project. */
        class Project {

            /**
             * Constructs a new Project.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Project.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Project id. */
            id: string;

            /** Project name. */
            name: string;

            /** Project domainId. */
            domainId: string;

            /** Project description. */
            description: string;

            /** Project enabled. */
            enabled: boolean;

            /** Project tags. */
            tags: string[];

            /** Project tokenEpoch. */
            tokenEpoch: number;

            /** Project extras. */
            extras: { [k: string]: string };

            /**
             * Creates a new Project instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Project instance
             */
            static create(properties: shoal.v1.Project.$Shape): shoal.v1.Project & shoal.v1.Project.$Shape;
            static create(properties?: shoal.v1.Project.$Properties): shoal.v1.Project;

            /**
             * Encodes the specified Project message. Does not implicitly {@link shoal.v1.Project.verify|verify} messages.
             * @param message Project message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Project.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Project message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Project & shoal.v1.Project.$Shape} Project
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Project & shoal.v1.Project.$Shape;
        }

        namespace Project {

            /** Properties of a Project. */
            interface $Properties {

                /** Project id */
                id?: string;

                /** Project name */
                name?: string;

                /** Project domainId */
                domainId?: string;

                /** Project description */
                description?: string;

                /** Project enabled */
                enabled?: boolean;

                /** Project tags */
                tags?: string[];

                /** Project tokenEpoch */
                tokenEpoch?: number;

                /** Project extras */
                extras?: { [k: string]: string };

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Project. */
            type $Shape = shoal.v1.Project.$Properties;
        }

        /**
         * Properties of a User.
         * @deprecated Use shoal.v1.User.$Properties instead.
         */
        interface IUser extends shoal.v1.User.$Properties {
        }

        /** Represents a User. */
        class User {

            /**
             * Constructs a new User.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.User.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** User id. */
            id: string;

            /** User name. */
            name: string;

            /** User domainId. */
            domainId: string;

            /** User passwordHash. */
            passwordHash: string;

            /** User defaultProjectId. */
            defaultProjectId: string;

            /** User email. */
            email: string;

            /** User description. */
            description: string;

            /** User enabled. */
            enabled: boolean;

            /** User tokensValidAfterMs. */
            tokensValidAfterMs: number;

            /** User tokenEpoch. */
            tokenEpoch: number;

            /** User extras. */
            extras: { [k: string]: string };

            /** User formerPasswordHashes. */
            formerPasswordHashes: string[];

            /** User failedLogins. */
            failedLogins: number;

            /** User failedLoginMs. */
            failedLoginMs: number;

            /**
             * Creates a new User instance using the specified properties.
             * @param [properties] Properties to set
             * @returns User instance
             */
            static create(properties: shoal.v1.User.$Shape): shoal.v1.User & shoal.v1.User.$Shape;
            static create(properties?: shoal.v1.User.$Properties): shoal.v1.User;

            /**
             * Encodes the specified User message. Does not implicitly {@link shoal.v1.User.verify|verify} messages.
             * @param message User message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.User.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a User message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.User & shoal.v1.User.$Shape} User
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.User & shoal.v1.User.$Shape;
        }

        namespace User {

            /** Properties of a User. */
            interface $Properties {

                /** User id */
                id?: string;

                /** User name */
                name?: string;

                /** User domainId */
                domainId?: string;

                /** User passwordHash */
                passwordHash?: string;

                /** User defaultProjectId */
                defaultProjectId?: string;

                /** User email */
                email?: string;

                /** User description */
                description?: string;

                /** User enabled */
                enabled?: boolean;

                /** User tokensValidAfterMs */
                tokensValidAfterMs?: number;

                /** User tokenEpoch */
                tokenEpoch?: number;

                /** User extras */
                extras?: { [k: string]: string };

                /** User formerPasswordHashes */
                formerPasswordHashes?: string[];

                /** User failedLogins */
                failedLogins?: number;

                /** User failedLoginMs */
                failedLoginMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a User. */
            type $Shape = shoal.v1.User.$Properties;
        }

        /**
         * Properties of a Role.
         * @deprecated Use shoal.v1.Role.$Properties instead.
         */
        interface IRole extends shoal.v1.Role.$Properties {
        }

        /** Represents a Role. */
        class Role {

            /**
             * Constructs a new Role.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Role.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Role id. */
            id: string;

            /** Role name. */
            name: string;

            /** Role domainId. */
            domainId: string;

            /** Role description. */
            description: string;

            /** Role extras. */
            extras: { [k: string]: string };

            /**
             * Creates a new Role instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Role instance
             */
            static create(properties: shoal.v1.Role.$Shape): shoal.v1.Role & shoal.v1.Role.$Shape;
            static create(properties?: shoal.v1.Role.$Properties): shoal.v1.Role;

            /**
             * Encodes the specified Role message. Does not implicitly {@link shoal.v1.Role.verify|verify} messages.
             * @param message Role message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Role.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Role message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Role & shoal.v1.Role.$Shape} Role
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Role & shoal.v1.Role.$Shape;
        }

        namespace Role {

            /** Properties of a Role. */
            interface $Properties {

                /** Role id */
                id?: string;

                /** Role name */
                name?: string;

                /** Role domainId */
                domainId?: string;

                /** Role description */
                description?: string;

                /** Role extras */
                extras?: { [k: string]: string };

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Role. */
            type $Shape = shoal.v1.Role.$Properties;
        }

        /**
         * Properties of a RoleAssignment.
         * @deprecated Use shoal.v1.RoleAssignment.$Properties instead.
         */
        interface IRoleAssignment extends shoal.v1.RoleAssignment.$Properties {
        }

        /** Represents a RoleAssignment. */
        class RoleAssignment {

            /**
             * Constructs a new RoleAssignment.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RoleAssignment.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RoleAssignment id. */
            id: string;

            /** RoleAssignment userId. */
            userId: string;

            /** RoleAssignment projectId. */
            projectId: string;

            /** RoleAssignment domainId. */
            domainId: string;

            /** RoleAssignment roleId. */
            roleId: string;

            /** RoleAssignment system. */
            system: boolean;

            /**
             * Creates a new RoleAssignment instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RoleAssignment instance
             */
            static create(properties: shoal.v1.RoleAssignment.$Shape): shoal.v1.RoleAssignment & shoal.v1.RoleAssignment.$Shape;
            static create(properties?: shoal.v1.RoleAssignment.$Properties): shoal.v1.RoleAssignment;

            /**
             * Encodes the specified RoleAssignment message. Does not implicitly {@link shoal.v1.RoleAssignment.verify|verify} messages.
             * @param message RoleAssignment message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RoleAssignment.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RoleAssignment message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RoleAssignment & shoal.v1.RoleAssignment.$Shape} RoleAssignment
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RoleAssignment & shoal.v1.RoleAssignment.$Shape;
        }

        namespace RoleAssignment {

            /** Properties of a RoleAssignment. */
            interface $Properties {

                /** RoleAssignment id */
                id?: string;

                /** RoleAssignment userId */
                userId?: string;

                /** RoleAssignment projectId */
                projectId?: string;

                /** RoleAssignment domainId */
                domainId?: string;

                /** RoleAssignment roleId */
                roleId?: string;

                /** RoleAssignment system */
                system?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RoleAssignment. */
            type $Shape = shoal.v1.RoleAssignment.$Properties;
        }

        /**
         * Properties of a RevokedToken.
         * @deprecated Use shoal.v1.RevokedToken.$Properties instead.
         */
        interface IRevokedToken extends shoal.v1.RevokedToken.$Properties {
        }

        /** Represents a RevokedToken. */
        class RevokedToken {

            /**
             * Constructs a new RevokedToken.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RevokedToken.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RevokedToken id. */
            id: string;

            /** RevokedToken expiresMs. */
            expiresMs: number;

            /**
             * Creates a new RevokedToken instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RevokedToken instance
             */
            static create(properties: shoal.v1.RevokedToken.$Shape): shoal.v1.RevokedToken & shoal.v1.RevokedToken.$Shape;
            static create(properties?: shoal.v1.RevokedToken.$Properties): shoal.v1.RevokedToken;

            /**
             * Encodes the specified RevokedToken message. Does not implicitly {@link shoal.v1.RevokedToken.verify|verify} messages.
             * @param message RevokedToken message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RevokedToken.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RevokedToken message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RevokedToken & shoal.v1.RevokedToken.$Shape} RevokedToken
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RevokedToken & shoal.v1.RevokedToken.$Shape;
        }

        namespace RevokedToken {

            /** Properties of a RevokedToken. */
            interface $Properties {

                /** RevokedToken id */
                id?: string;

                /** RevokedToken expiresMs */
                expiresMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RevokedToken. */
            type $Shape = shoal.v1.RevokedToken.$Properties;
        }

        /**
         * Properties of a Flavor.
         * @deprecated Use shoal.v1.Flavor.$Properties instead.
         */
        interface IFlavor extends shoal.v1.Flavor.$Properties {
        }

        /** Represents a Flavor. */
        class Flavor {

            /**
             * Constructs a new Flavor.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Flavor.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Flavor id. */
            id: string;

            /** Flavor name. */
            name: string;

            /** Flavor vcpus. */
            vcpus: number;

            /** Flavor memoryMib. */
            memoryMib: number;

            /** Flavor diskGib. */
            diskGib: number;

            /** Flavor ephemeralGib. */
            ephemeralGib: number;

            /** Flavor swapMib. */
            swapMib: number;

            /** Flavor rxtxFactor. */
            rxtxFactor: number;

            /** Flavor isPublic. */
            isPublic: boolean;

            /** Flavor extraSpecs. */
            extraSpecs: { [k: string]: string };

            /** Flavor description. */
            description: string;

            /** Flavor disabled. */
            disabled: boolean;

            /** Flavor accessProjectIds. */
            accessProjectIds: string[];

            /**
             * Creates a new Flavor instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Flavor instance
             */
            static create(properties: shoal.v1.Flavor.$Shape): shoal.v1.Flavor & shoal.v1.Flavor.$Shape;
            static create(properties?: shoal.v1.Flavor.$Properties): shoal.v1.Flavor;

            /**
             * Encodes the specified Flavor message. Does not implicitly {@link shoal.v1.Flavor.verify|verify} messages.
             * @param message Flavor message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Flavor.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Flavor message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Flavor & shoal.v1.Flavor.$Shape} Flavor
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Flavor & shoal.v1.Flavor.$Shape;
        }

        namespace Flavor {

            /** Properties of a Flavor. */
            interface $Properties {

                /** Flavor id */
                id?: string;

                /** Flavor name */
                name?: string;

                /** Flavor vcpus */
                vcpus?: number;

                /** Flavor memoryMib */
                memoryMib?: number;

                /** Flavor diskGib */
                diskGib?: number;

                /** Flavor ephemeralGib */
                ephemeralGib?: number;

                /** Flavor swapMib */
                swapMib?: number;

                /** Flavor rxtxFactor */
                rxtxFactor?: number;

                /** Flavor isPublic */
                isPublic?: boolean;

                /** Flavor extraSpecs */
                extraSpecs?: { [k: string]: string };

                /** Flavor description */
                description?: string;

                /** Flavor disabled */
                disabled?: boolean;

                /** Flavor accessProjectIds */
                accessProjectIds?: string[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Flavor. */
            type $Shape = shoal.v1.Flavor.$Properties;
        }

        /** ImageStatus enum. */
        enum ImageStatus {

            /** IMAGE_STATUS_UNSPECIFIED value */
            IMAGE_STATUS_UNSPECIFIED = 0,

            /** IMAGE_STATUS_QUEUED value */
            IMAGE_STATUS_QUEUED = 1,

            /** IMAGE_STATUS_SAVING value */
            IMAGE_STATUS_SAVING = 2,

            /** IMAGE_STATUS_ACTIVE value */
            IMAGE_STATUS_ACTIVE = 3,

            /** IMAGE_STATUS_KILLED value */
            IMAGE_STATUS_KILLED = 4,

            /** IMAGE_STATUS_DEACTIVATED value */
            IMAGE_STATUS_DEACTIVATED = 5
        }

        /**
         * Properties of an Image.
         * @deprecated Use shoal.v1.Image.$Properties instead.
         */
        interface IImage extends shoal.v1.Image.$Properties {
        }

        /** Represents an Image. */
        class Image {

            /**
             * Constructs a new Image.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Image.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Image id. */
            id: string;

            /** Image name. */
            name: string;

            /** Image projectId. */
            projectId: string;

            /** Image visibility. */
            visibility: string;

            /** Image status. */
            status: shoal.v1.ImageStatus;

            /** Image diskFormat. */
            diskFormat: string;

            /** Image containerFormat. */
            containerFormat: string;

            /** Image sizeBytes. */
            sizeBytes: number;

            /** Image virtualSizeBytes. */
            virtualSizeBytes: number;

            /** Image md5. */
            md5: string;

            /** Image sha256. */
            sha256: string;

            /** Image sha512. */
            sha512: string;

            /** Image minDiskGib. */
            minDiskGib: number;

            /** Image minMemoryMib. */
            minMemoryMib: number;

            /** Image properties. */
            properties: { [k: string]: string };

            /** Image tags. */
            tags: string[];

            /** Image protected. */
            protected: boolean;

            /** Image hostIds. */
            hostIds: string[];

            /** Image createdMs. */
            createdMs: number;

            /** Image updatedMs. */
            updatedMs: number;

            /** Image deleting. */
            deleting: boolean;

            /** Image hidden. */
            hidden: boolean;

            /** Image members. */
            members: shoal.v1.ImageMember[];

            /** Image inert. */
            inert: boolean;

            /** Image charged. */
            charged: boolean;

            /** Image chargedMib. */
            chargedMib: number;

            /**
             * Creates a new Image instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Image instance
             */
            static create(properties: shoal.v1.Image.$Shape): shoal.v1.Image & shoal.v1.Image.$Shape;
            static create(properties?: shoal.v1.Image.$Properties): shoal.v1.Image;

            /**
             * Encodes the specified Image message. Does not implicitly {@link shoal.v1.Image.verify|verify} messages.
             * @param message Image message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Image.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Image message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Image & shoal.v1.Image.$Shape} Image
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Image & shoal.v1.Image.$Shape;
        }

        namespace Image {

            /** Properties of an Image. */
            interface $Properties {

                /** Image id */
                id?: string;

                /** Image name */
                name?: string;

                /** Image projectId */
                projectId?: string;

                /** Image visibility */
                visibility?: string;

                /** Image status */
                status?: shoal.v1.ImageStatus;

                /** Image diskFormat */
                diskFormat?: string;

                /** Image containerFormat */
                containerFormat?: string;

                /** Image sizeBytes */
                sizeBytes?: number;

                /** Image virtualSizeBytes */
                virtualSizeBytes?: number;

                /** Image md5 */
                md5?: string;

                /** Image sha256 */
                sha256?: string;

                /** Image sha512 */
                sha512?: string;

                /** Image minDiskGib */
                minDiskGib?: number;

                /** Image minMemoryMib */
                minMemoryMib?: number;

                /** Image properties */
                properties?: { [k: string]: string };

                /** Image tags */
                tags?: string[];

                /** Image protected */
                "protected"?: boolean;

                /** Image hostIds */
                hostIds?: string[];

                /** Image createdMs */
                createdMs?: number;

                /** Image updatedMs */
                updatedMs?: number;

                /** Image deleting */
                deleting?: boolean;

                /** Image hidden */
                hidden?: boolean;

                /** Image members */
                members?: shoal.v1.ImageMember.$Properties[];

                /** Image inert */
                inert?: boolean;

                /** Image charged */
                charged?: boolean;

                /** Image chargedMib */
                chargedMib?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Image. */
            type $Shape = shoal.v1.Image.$Properties;
        }

        /** ImageMemberStatus enum. */
        enum ImageMemberStatus {

            /** IMAGE_MEMBER_STATUS_UNSPECIFIED value */
            IMAGE_MEMBER_STATUS_UNSPECIFIED = 0,

            /** IMAGE_MEMBER_STATUS_PENDING value */
            IMAGE_MEMBER_STATUS_PENDING = 1,

            /** IMAGE_MEMBER_STATUS_ACCEPTED value */
            IMAGE_MEMBER_STATUS_ACCEPTED = 2,

            /** IMAGE_MEMBER_STATUS_REJECTED value */
            IMAGE_MEMBER_STATUS_REJECTED = 3
        }

        /**
         * Properties of an ImageMember.
         * @deprecated Use shoal.v1.ImageMember.$Properties instead.
         */
        interface IImageMember extends shoal.v1.ImageMember.$Properties {
        }

        /** Represents an ImageMember. */
        class ImageMember {

            /**
             * Constructs a new ImageMember.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ImageMember.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ImageMember projectId. */
            projectId: string;

            /** ImageMember status. */
            status: shoal.v1.ImageMemberStatus;

            /** ImageMember createdMs. */
            createdMs: number;

            /** ImageMember updatedMs. */
            updatedMs: number;

            /**
             * Creates a new ImageMember instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ImageMember instance
             */
            static create(properties: shoal.v1.ImageMember.$Shape): shoal.v1.ImageMember & shoal.v1.ImageMember.$Shape;
            static create(properties?: shoal.v1.ImageMember.$Properties): shoal.v1.ImageMember;

            /**
             * Encodes the specified ImageMember message. Does not implicitly {@link shoal.v1.ImageMember.verify|verify} messages.
             * @param message ImageMember message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ImageMember.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an ImageMember message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ImageMember & shoal.v1.ImageMember.$Shape} ImageMember
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ImageMember & shoal.v1.ImageMember.$Shape;
        }

        namespace ImageMember {

            /** Properties of an ImageMember. */
            interface $Properties {

                /** ImageMember projectId */
                projectId?: string;

                /** ImageMember status */
                status?: shoal.v1.ImageMemberStatus;

                /** ImageMember createdMs */
                createdMs?: number;

                /** ImageMember updatedMs */
                updatedMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an ImageMember. */
            type $Shape = shoal.v1.ImageMember.$Properties;
        }

        /**
         * Properties of a DeletedImage.
         * @deprecated Use shoal.v1.DeletedImage.$Properties instead.
         */
        interface IDeletedImage extends shoal.v1.DeletedImage.$Properties {
        }

        /** Represents a DeletedImage. */
        class DeletedImage {

            /**
             * Constructs a new DeletedImage.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.DeletedImage.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** DeletedImage id. */
            id: string;

            /** DeletedImage deletedMs. */
            deletedMs: number;

            /**
             * Creates a new DeletedImage instance using the specified properties.
             * @param [properties] Properties to set
             * @returns DeletedImage instance
             */
            static create(properties: shoal.v1.DeletedImage.$Shape): shoal.v1.DeletedImage & shoal.v1.DeletedImage.$Shape;
            static create(properties?: shoal.v1.DeletedImage.$Properties): shoal.v1.DeletedImage;

            /**
             * Encodes the specified DeletedImage message. Does not implicitly {@link shoal.v1.DeletedImage.verify|verify} messages.
             * @param message DeletedImage message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.DeletedImage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a DeletedImage message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.DeletedImage & shoal.v1.DeletedImage.$Shape} DeletedImage
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.DeletedImage & shoal.v1.DeletedImage.$Shape;
        }

        namespace DeletedImage {

            /** Properties of a DeletedImage. */
            interface $Properties {

                /** DeletedImage id */
                id?: string;

                /** DeletedImage deletedMs */
                deletedMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a DeletedImage. */
            type $Shape = shoal.v1.DeletedImage.$Properties;
        }

        /** ServerStatus enum. */
        enum ServerStatus {

            /** SERVER_STATUS_UNSPECIFIED value */
            SERVER_STATUS_UNSPECIFIED = 0,

            /** SERVER_STATUS_BUILD value */
            SERVER_STATUS_BUILD = 1,

            /** SERVER_STATUS_ACTIVE value */
            SERVER_STATUS_ACTIVE = 2,

            /** SERVER_STATUS_SHUTOFF value */
            SERVER_STATUS_SHUTOFF = 3,

            /** SERVER_STATUS_PAUSED value */
            SERVER_STATUS_PAUSED = 4,

            /** SERVER_STATUS_ERROR value */
            SERVER_STATUS_ERROR = 5,

            /** SERVER_STATUS_DELETING value */
            SERVER_STATUS_DELETING = 6,

            /** SERVER_STATUS_REBOOT value */
            SERVER_STATUS_REBOOT = 7,

            /** SERVER_STATUS_MIGRATING value */
            SERVER_STATUS_MIGRATING = 8
        }

        /** PowerWanted enum. */
        enum PowerWanted {

            /** POWER_WANTED_UNSPECIFIED value */
            POWER_WANTED_UNSPECIFIED = 0,

            /** POWER_WANTED_RUNNING value */
            POWER_WANTED_RUNNING = 1,

            /** POWER_WANTED_STOPPED value */
            POWER_WANTED_STOPPED = 2,

            /** POWER_WANTED_PAUSED value */
            POWER_WANTED_PAUSED = 3
        }

        /**
         * Properties of a ServerFault.
         * @deprecated Use shoal.v1.ServerFault.$Properties instead.
         */
        interface IServerFault extends shoal.v1.ServerFault.$Properties {
        }

        /** Represents a ServerFault. */
        class ServerFault {

            /**
             * Constructs a new ServerFault.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ServerFault.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ServerFault code. */
            code: number;

            /** ServerFault message. */
            message: string;

            /** ServerFault details. */
            details: string;

            /** ServerFault createdMs. */
            createdMs: number;

            /**
             * Creates a new ServerFault instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ServerFault instance
             */
            static create(properties: shoal.v1.ServerFault.$Shape): shoal.v1.ServerFault & shoal.v1.ServerFault.$Shape;
            static create(properties?: shoal.v1.ServerFault.$Properties): shoal.v1.ServerFault;

            /**
             * Encodes the specified ServerFault message. Does not implicitly {@link shoal.v1.ServerFault.verify|verify} messages.
             * @param message ServerFault message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ServerFault.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ServerFault message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ServerFault & shoal.v1.ServerFault.$Shape} ServerFault
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ServerFault & shoal.v1.ServerFault.$Shape;
        }

        namespace ServerFault {

            /** Properties of a ServerFault. */
            interface $Properties {

                /** ServerFault code */
                code?: number;

                /** ServerFault message */
                message?: string;

                /** ServerFault details */
                details?: string;

                /** ServerFault createdMs */
                createdMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ServerFault. */
            type $Shape = shoal.v1.ServerFault.$Properties;
        }

        /**
         * Properties of a Server.
         * @deprecated Use shoal.v1.Server.$Properties instead.
         */
        interface IServer extends shoal.v1.Server.$Properties {
        }

        /** Represents a Server. */
        class Server {

            /**
             * Constructs a new Server.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Server.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Server id. */
            id: string;

            /** Server name. */
            name: string;

            /** Server projectId. */
            projectId: string;

            /** Server userId. */
            userId: string;

            /** Server description. */
            description: string;

            /** Server flavor. */
            flavor: (shoal.v1.Flavor|null);

            /** Server imageId. */
            imageId: string;

            /** Server hostId. */
            hostId: string;

            /** Server generation. */
            generation: number;

            /** Server powerWanted. */
            powerWanted: shoal.v1.PowerWanted;

            /** Server status. */
            status: shoal.v1.ServerStatus;

            /** Server taskState. */
            taskState: string;

            /** Server rebootsWanted. */
            rebootsWanted: number;

            /** Server rebootsDone. */
            rebootsDone: number;

            /** Server rebootHard. */
            rebootHard: boolean;

            /** Server fault. */
            fault: (shoal.v1.ServerFault|null);

            /** Server keyName. */
            keyName: string;

            /** Server publicKey. */
            publicKey: string;

            /** Server userData. */
            userData: Uint8Array;

            /** Server metadata. */
            metadata: { [k: string]: string };

            /** Server portIds. */
            portIds: string[];

            /** Server zone. */
            zone: string;

            /** Server storage. */
            storage: string;

            /** Server rootVolumeId. */
            rootVolumeId: string;

            /** Server createdMs. */
            createdMs: number;

            /** Server updatedMs. */
            updatedMs: number;

            /** Server launchedMs. */
            launchedMs: number;

            /** Server previousHostId. */
            previousHostId: string;

            /** Server releasedGeneration. */
            releasedGeneration: number;

            /** Server configDrive. */
            configDrive: boolean;

            /** Server locked. */
            locked: boolean;

            /** Server powerState. */
            powerState: number;

            /** Server reservationId. */
            reservationId: string;

            /** Server serverGroupId. */
            serverGroupId: string;

            /** Server schedulerHints. */
            schedulerHints: { [k: string]: string };

            /** Server securityGroupNames. */
            securityGroupNames: string[];

            /** Server tags. */
            tags: string[];

            /** Server deleting. */
            deleting: boolean;

            /** Server hostname. */
            hostname: string;

            /** Server accessIpv4. */
            accessIpv4: string;

            /** Server accessIpv6. */
            accessIpv6: string;

            /** Server diskConfigAuto. */
            diskConfigAuto: boolean;

            /** Server injectedFiles. */
            injectedFiles: shoal.v1.InjectedFile[];

            /** Server keyType. */
            keyType: string;

            /** Server lockedReason. */
            lockedReason: string;

            /**
             * Creates a new Server instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Server instance
             */
            static create(properties: shoal.v1.Server.$Shape): shoal.v1.Server & shoal.v1.Server.$Shape;
            static create(properties?: shoal.v1.Server.$Properties): shoal.v1.Server;

            /**
             * Encodes the specified Server message. Does not implicitly {@link shoal.v1.Server.verify|verify} messages.
             * @param message Server message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Server.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Server message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Server & shoal.v1.Server.$Shape} Server
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Server & shoal.v1.Server.$Shape;
        }

        namespace Server {

            /** Properties of a Server. */
            interface $Properties {

                /** Server id */
                id?: string;

                /** Server name */
                name?: string;

                /** Server projectId */
                projectId?: string;

                /** Server userId */
                userId?: string;

                /** Server description */
                description?: string;

                /** Server flavor */
                flavor?: (shoal.v1.Flavor.$Properties|null);

                /** Server imageId */
                imageId?: string;

                /** Server hostId */
                hostId?: string;

                /** Server generation */
                generation?: number;

                /** Server powerWanted */
                powerWanted?: shoal.v1.PowerWanted;

                /** Server status */
                status?: shoal.v1.ServerStatus;

                /** Server taskState */
                taskState?: string;

                /** Server rebootsWanted */
                rebootsWanted?: number;

                /** Server rebootsDone */
                rebootsDone?: number;

                /** Server rebootHard */
                rebootHard?: boolean;

                /** Server fault */
                fault?: (shoal.v1.ServerFault.$Properties|null);

                /** Server keyName */
                keyName?: string;

                /** Server publicKey */
                publicKey?: string;

                /** Server userData */
                userData?: Uint8Array;

                /** Server metadata */
                metadata?: { [k: string]: string };

                /** Server portIds */
                portIds?: string[];

                /** Server zone */
                zone?: string;

                /** Server storage */
                storage?: string;

                /** Server rootVolumeId */
                rootVolumeId?: string;

                /** Server createdMs */
                createdMs?: number;

                /** Server updatedMs */
                updatedMs?: number;

                /** Server launchedMs */
                launchedMs?: number;

                /** Server previousHostId */
                previousHostId?: string;

                /** Server releasedGeneration */
                releasedGeneration?: number;

                /** Server configDrive */
                configDrive?: boolean;

                /** Server locked */
                locked?: boolean;

                /** Server powerState */
                powerState?: number;

                /** Server reservationId */
                reservationId?: string;

                /** Server serverGroupId */
                serverGroupId?: string;

                /** Server schedulerHints */
                schedulerHints?: { [k: string]: string };

                /** Server securityGroupNames */
                securityGroupNames?: string[];

                /** Server tags */
                tags?: string[];

                /** Server deleting */
                deleting?: boolean;

                /** Server hostname */
                hostname?: string;

                /** Server accessIpv4 */
                accessIpv4?: string;

                /** Server accessIpv6 */
                accessIpv6?: string;

                /** Server diskConfigAuto */
                diskConfigAuto?: boolean;

                /** Server injectedFiles */
                injectedFiles?: shoal.v1.InjectedFile.$Properties[];

                /** Server keyType */
                keyType?: string;

                /** Server lockedReason */
                lockedReason?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Server. */
            type $Shape = shoal.v1.Server.$Properties;
        }

        /**
         * Properties of an InjectedFile.
         * @deprecated Use shoal.v1.InjectedFile.$Properties instead.
         */
        interface IInjectedFile extends shoal.v1.InjectedFile.$Properties {
        }

        /** Represents an InjectedFile. */
        class InjectedFile {

            /**
             * Constructs a new InjectedFile.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.InjectedFile.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** InjectedFile path. */
            path: string;

            /** InjectedFile content. */
            content: Uint8Array;

            /**
             * Creates a new InjectedFile instance using the specified properties.
             * @param [properties] Properties to set
             * @returns InjectedFile instance
             */
            static create(properties: shoal.v1.InjectedFile.$Shape): shoal.v1.InjectedFile & shoal.v1.InjectedFile.$Shape;
            static create(properties?: shoal.v1.InjectedFile.$Properties): shoal.v1.InjectedFile;

            /**
             * Encodes the specified InjectedFile message. Does not implicitly {@link shoal.v1.InjectedFile.verify|verify} messages.
             * @param message InjectedFile message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.InjectedFile.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an InjectedFile message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.InjectedFile & shoal.v1.InjectedFile.$Shape} InjectedFile
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.InjectedFile & shoal.v1.InjectedFile.$Shape;
        }

        namespace InjectedFile {

            /** Properties of an InjectedFile. */
            interface $Properties {

                /** InjectedFile path */
                path?: string;

                /** InjectedFile content */
                content?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an InjectedFile. */
            type $Shape = shoal.v1.InjectedFile.$Properties;
        }

        /**
         * Properties of a ServerGroup.
         * @deprecated Use shoal.v1.ServerGroup.$Properties instead.
         */
        interface IServerGroup extends shoal.v1.ServerGroup.$Properties {
        }

        /** Represents a ServerGroup. */
        class ServerGroup {

            /**
             * Constructs a new ServerGroup.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ServerGroup.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ServerGroup id. */
            id: string;

            /** ServerGroup name. */
            name: string;

            /** ServerGroup projectId. */
            projectId: string;

            /** ServerGroup userId. */
            userId: string;

            /** ServerGroup policy. */
            policy: string;

            /** ServerGroup maxServerPerHost. */
            maxServerPerHost: number;

            /** ServerGroup memberIds. */
            memberIds: string[];

            /** ServerGroup createdMs. */
            createdMs: number;

            /**
             * Creates a new ServerGroup instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ServerGroup instance
             */
            static create(properties: shoal.v1.ServerGroup.$Shape): shoal.v1.ServerGroup & shoal.v1.ServerGroup.$Shape;
            static create(properties?: shoal.v1.ServerGroup.$Properties): shoal.v1.ServerGroup;

            /**
             * Encodes the specified ServerGroup message. Does not implicitly {@link shoal.v1.ServerGroup.verify|verify} messages.
             * @param message ServerGroup message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ServerGroup.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ServerGroup message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ServerGroup & shoal.v1.ServerGroup.$Shape} ServerGroup
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ServerGroup & shoal.v1.ServerGroup.$Shape;
        }

        namespace ServerGroup {

            /** Properties of a ServerGroup. */
            interface $Properties {

                /** ServerGroup id */
                id?: string;

                /** ServerGroup name */
                name?: string;

                /** ServerGroup projectId */
                projectId?: string;

                /** ServerGroup userId */
                userId?: string;

                /** ServerGroup policy */
                policy?: string;

                /** ServerGroup maxServerPerHost */
                maxServerPerHost?: number;

                /** ServerGroup memberIds */
                memberIds?: string[];

                /** ServerGroup createdMs */
                createdMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ServerGroup. */
            type $Shape = shoal.v1.ServerGroup.$Properties;
        }

        /**
         * Properties of a Keypair.
         * @deprecated Use shoal.v1.Keypair.$Properties instead.
         */
        interface IKeypair extends shoal.v1.Keypair.$Properties {
        }

        /** Represents a Keypair. */
        class Keypair {

            /**
             * Constructs a new Keypair.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Keypair.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Keypair id. */
            id: string;

            /** Keypair userId. */
            userId: string;

            /** Keypair name. */
            name: string;

            /** Keypair publicKey. */
            publicKey: string;

            /** Keypair fingerprint. */
            fingerprint: string;

            /** Keypair type. */
            type: string;

            /** Keypair createdMs. */
            createdMs: number;

            /**
             * Creates a new Keypair instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Keypair instance
             */
            static create(properties: shoal.v1.Keypair.$Shape): shoal.v1.Keypair & shoal.v1.Keypair.$Shape;
            static create(properties?: shoal.v1.Keypair.$Properties): shoal.v1.Keypair;

            /**
             * Encodes the specified Keypair message. Does not implicitly {@link shoal.v1.Keypair.verify|verify} messages.
             * @param message Keypair message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Keypair.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Keypair message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Keypair & shoal.v1.Keypair.$Shape} Keypair
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Keypair & shoal.v1.Keypair.$Shape;
        }

        namespace Keypair {

            /** Properties of a Keypair. */
            interface $Properties {

                /** Keypair id */
                id?: string;

                /** Keypair userId */
                userId?: string;

                /** Keypair name */
                name?: string;

                /** Keypair publicKey */
                publicKey?: string;

                /** Keypair fingerprint */
                fingerprint?: string;

                /** Keypair type */
                type?: string;

                /** Keypair createdMs */
                createdMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Keypair. */
            type $Shape = shoal.v1.Keypair.$Properties;
        }

        /**
         * Properties of a Network.
         * @deprecated Use shoal.v1.Network.$Properties instead.
         */
        interface INetwork extends shoal.v1.Network.$Properties {
        }

        /** Represents a Network. */
        class Network {

            /**
             * Constructs a new Network.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Network.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Network id. */
            id: string;

            /** Network name. */
            name: string;

            /** Network projectId. */
            projectId: string;

            /** Network adminStateUp. */
            adminStateUp: boolean;

            /** Network shared. */
            shared: boolean;

            /** Network external. */
            external: boolean;

            /** Network vni. */
            vni: number;

            /** Network mtu. */
            mtu: number;

            /** Network description. */
            description: string;

            /** Network createdMs. */
            createdMs: number;

            /** Network updatedMs. */
            updatedMs: number;

            /** Network tags. */
            tags: string[];

            /** Network portSecurityEnabled. */
            portSecurityEnabled: boolean;

            /** Network physicalNetwork. */
            physicalNetwork: string;

            /**
             * Creates a new Network instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Network instance
             */
            static create(properties: shoal.v1.Network.$Shape): shoal.v1.Network & shoal.v1.Network.$Shape;
            static create(properties?: shoal.v1.Network.$Properties): shoal.v1.Network;

            /**
             * Encodes the specified Network message. Does not implicitly {@link shoal.v1.Network.verify|verify} messages.
             * @param message Network message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Network.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Network message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Network & shoal.v1.Network.$Shape} Network
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Network & shoal.v1.Network.$Shape;
        }

        namespace Network {

            /** Properties of a Network. */
            interface $Properties {

                /** Network id */
                id?: string;

                /** Network name */
                name?: string;

                /** Network projectId */
                projectId?: string;

                /** Network adminStateUp */
                adminStateUp?: boolean;

                /** Network shared */
                shared?: boolean;

                /** Network external */
                external?: boolean;

                /** Network vni */
                vni?: number;

                /** Network mtu */
                mtu?: number;

                /** Network description */
                description?: string;

                /** Network createdMs */
                createdMs?: number;

                /** Network updatedMs */
                updatedMs?: number;

                /** Network tags */
                tags?: string[];

                /** Network portSecurityEnabled */
                portSecurityEnabled?: boolean;

                /** Network physicalNetwork */
                physicalNetwork?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Network. */
            type $Shape = shoal.v1.Network.$Properties;
        }

        /**
         * Properties of an AddressRange.
         * @deprecated Use shoal.v1.AddressRange.$Properties instead.
         */
        interface IAddressRange extends shoal.v1.AddressRange.$Properties {
        }

        /** Represents an AddressRange. */
        class AddressRange {

            /**
             * Constructs a new AddressRange.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.AddressRange.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** AddressRange start. */
            start: string;

            /** AddressRange end. */
            end: string;

            /**
             * Creates a new AddressRange instance using the specified properties.
             * @param [properties] Properties to set
             * @returns AddressRange instance
             */
            static create(properties: shoal.v1.AddressRange.$Shape): shoal.v1.AddressRange & shoal.v1.AddressRange.$Shape;
            static create(properties?: shoal.v1.AddressRange.$Properties): shoal.v1.AddressRange;

            /**
             * Encodes the specified AddressRange message. Does not implicitly {@link shoal.v1.AddressRange.verify|verify} messages.
             * @param message AddressRange message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.AddressRange.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an AddressRange message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.AddressRange & shoal.v1.AddressRange.$Shape} AddressRange
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.AddressRange & shoal.v1.AddressRange.$Shape;
        }

        namespace AddressRange {

            /** Properties of an AddressRange. */
            interface $Properties {

                /** AddressRange start */
                start?: string;

                /** AddressRange end */
                end?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an AddressRange. */
            type $Shape = shoal.v1.AddressRange.$Properties;
        }

        /**
         * Properties of a HostRoute.
         * @deprecated Use shoal.v1.HostRoute.$Properties instead.
         */
        interface IHostRoute extends shoal.v1.HostRoute.$Properties {
        }

        /** Represents a HostRoute. */
        class HostRoute {

            /**
             * Constructs a new HostRoute.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.HostRoute.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** HostRoute destination. */
            destination: string;

            /** HostRoute nextHop. */
            nextHop: string;

            /**
             * Creates a new HostRoute instance using the specified properties.
             * @param [properties] Properties to set
             * @returns HostRoute instance
             */
            static create(properties: shoal.v1.HostRoute.$Shape): shoal.v1.HostRoute & shoal.v1.HostRoute.$Shape;
            static create(properties?: shoal.v1.HostRoute.$Properties): shoal.v1.HostRoute;

            /**
             * Encodes the specified HostRoute message. Does not implicitly {@link shoal.v1.HostRoute.verify|verify} messages.
             * @param message HostRoute message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.HostRoute.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a HostRoute message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.HostRoute & shoal.v1.HostRoute.$Shape} HostRoute
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.HostRoute & shoal.v1.HostRoute.$Shape;
        }

        namespace HostRoute {

            /** Properties of a HostRoute. */
            interface $Properties {

                /** HostRoute destination */
                destination?: string;

                /** HostRoute nextHop */
                nextHop?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a HostRoute. */
            type $Shape = shoal.v1.HostRoute.$Properties;
        }

        /**
         * Properties of a Subnet.
         * @deprecated Use shoal.v1.Subnet.$Properties instead.
         */
        interface ISubnet extends shoal.v1.Subnet.$Properties {
        }

        /** Represents a Subnet. */
        class Subnet {

            /**
             * Constructs a new Subnet.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Subnet.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Subnet id. */
            id: string;

            /** Subnet name. */
            name: string;

            /** Subnet projectId. */
            projectId: string;

            /** Subnet networkId. */
            networkId: string;

            /** Subnet cidr. */
            cidr: string;

            /** Subnet gatewayIp. */
            gatewayIp: string;

            /** Subnet serviceIp. */
            serviceIp: string;

            /** Subnet dhcp. */
            dhcp: boolean;

            /** Subnet pools. */
            pools: shoal.v1.AddressRange[];

            /** Subnet dnsServers. */
            dnsServers: string[];

            /** Subnet hostRoutes. */
            hostRoutes: shoal.v1.HostRoute[];

            /** Subnet description. */
            description: string;

            /** Subnet createdMs. */
            createdMs: number;

            /** Subnet updatedMs. */
            updatedMs: number;

            /** Subnet tags. */
            tags: string[];

            /**
             * Creates a new Subnet instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Subnet instance
             */
            static create(properties: shoal.v1.Subnet.$Shape): shoal.v1.Subnet & shoal.v1.Subnet.$Shape;
            static create(properties?: shoal.v1.Subnet.$Properties): shoal.v1.Subnet;

            /**
             * Encodes the specified Subnet message. Does not implicitly {@link shoal.v1.Subnet.verify|verify} messages.
             * @param message Subnet message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Subnet.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Subnet message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Subnet & shoal.v1.Subnet.$Shape} Subnet
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Subnet & shoal.v1.Subnet.$Shape;
        }

        namespace Subnet {

            /** Properties of a Subnet. */
            interface $Properties {

                /** Subnet id */
                id?: string;

                /** Subnet name */
                name?: string;

                /** Subnet projectId */
                projectId?: string;

                /** Subnet networkId */
                networkId?: string;

                /** Subnet cidr */
                cidr?: string;

                /** Subnet gatewayIp */
                gatewayIp?: string;

                /** Subnet serviceIp */
                serviceIp?: string;

                /** Subnet dhcp */
                dhcp?: boolean;

                /** Subnet pools */
                pools?: shoal.v1.AddressRange.$Properties[];

                /** Subnet dnsServers */
                dnsServers?: string[];

                /** Subnet hostRoutes */
                hostRoutes?: shoal.v1.HostRoute.$Properties[];

                /** Subnet description */
                description?: string;

                /** Subnet createdMs */
                createdMs?: number;

                /** Subnet updatedMs */
                updatedMs?: number;

                /** Subnet tags */
                tags?: string[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Subnet. */
            type $Shape = shoal.v1.Subnet.$Properties;
        }

        /**
         * Properties of a FixedIp.
         * @deprecated Use shoal.v1.FixedIp.$Properties instead.
         */
        interface IFixedIp extends shoal.v1.FixedIp.$Properties {
        }

        /** Represents a FixedIp. */
        class FixedIp {

            /**
             * Constructs a new FixedIp.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.FixedIp.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** FixedIp subnetId. */
            subnetId: string;

            /** FixedIp ip. */
            ip: string;

            /**
             * Creates a new FixedIp instance using the specified properties.
             * @param [properties] Properties to set
             * @returns FixedIp instance
             */
            static create(properties: shoal.v1.FixedIp.$Shape): shoal.v1.FixedIp & shoal.v1.FixedIp.$Shape;
            static create(properties?: shoal.v1.FixedIp.$Properties): shoal.v1.FixedIp;

            /**
             * Encodes the specified FixedIp message. Does not implicitly {@link shoal.v1.FixedIp.verify|verify} messages.
             * @param message FixedIp message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.FixedIp.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a FixedIp message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.FixedIp & shoal.v1.FixedIp.$Shape} FixedIp
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.FixedIp & shoal.v1.FixedIp.$Shape;
        }

        namespace FixedIp {

            /** Properties of a FixedIp. */
            interface $Properties {

                /** FixedIp subnetId */
                subnetId?: string;

                /** FixedIp ip */
                ip?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a FixedIp. */
            type $Shape = shoal.v1.FixedIp.$Properties;
        }

        /**
         * Properties of an AddressPair.
         * @deprecated Use shoal.v1.AddressPair.$Properties instead.
         */
        interface IAddressPair extends shoal.v1.AddressPair.$Properties {
        }

        /** Represents an AddressPair. */
        class AddressPair {

            /**
             * Constructs a new AddressPair.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.AddressPair.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** AddressPair mac. */
            mac: string;

            /** AddressPair ip. */
            ip: string;

            /**
             * Creates a new AddressPair instance using the specified properties.
             * @param [properties] Properties to set
             * @returns AddressPair instance
             */
            static create(properties: shoal.v1.AddressPair.$Shape): shoal.v1.AddressPair & shoal.v1.AddressPair.$Shape;
            static create(properties?: shoal.v1.AddressPair.$Properties): shoal.v1.AddressPair;

            /**
             * Encodes the specified AddressPair message. Does not implicitly {@link shoal.v1.AddressPair.verify|verify} messages.
             * @param message AddressPair message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.AddressPair.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an AddressPair message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.AddressPair & shoal.v1.AddressPair.$Shape} AddressPair
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.AddressPair & shoal.v1.AddressPair.$Shape;
        }

        namespace AddressPair {

            /** Properties of an AddressPair. */
            interface $Properties {

                /** AddressPair mac */
                mac?: string;

                /** AddressPair ip */
                ip?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an AddressPair. */
            type $Shape = shoal.v1.AddressPair.$Properties;
        }

        /**
         * Properties of a Port.
         * @deprecated Use shoal.v1.Port.$Properties instead.
         */
        interface IPort extends shoal.v1.Port.$Properties {
        }

        /** Represents a Port. */
        class Port {

            /**
             * Constructs a new Port.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Port.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Port id. */
            id: string;

            /** Port name. */
            name: string;

            /** Port projectId. */
            projectId: string;

            /** Port networkId. */
            networkId: string;

            /** Port mac. */
            mac: string;

            /** Port fixedIps. */
            fixedIps: shoal.v1.FixedIp[];

            /** Port deviceId. */
            deviceId: string;

            /** Port deviceOwner. */
            deviceOwner: string;

            /** Port securityGroupIds. */
            securityGroupIds: string[];

            /** Port adminStateUp. */
            adminStateUp: boolean;

            /** Port portSecurityEnabled. */
            portSecurityEnabled: boolean;

            /** Port description. */
            description: string;

            /** Port createdMs. */
            createdMs: number;

            /** Port updatedMs. */
            updatedMs: number;

            /** Port status. */
            status: string;

            /** Port hostId. */
            hostId: string;

            /** Port allowedAddressPairs. */
            allowedAddressPairs: shoal.v1.AddressPair[];

            /** Port tags. */
            tags: string[];

            /** Port madeForServer. */
            madeForServer: boolean;

            /**
             * Creates a new Port instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Port instance
             */
            static create(properties: shoal.v1.Port.$Shape): shoal.v1.Port & shoal.v1.Port.$Shape;
            static create(properties?: shoal.v1.Port.$Properties): shoal.v1.Port;

            /**
             * Encodes the specified Port message. Does not implicitly {@link shoal.v1.Port.verify|verify} messages.
             * @param message Port message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Port.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Port message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Port & shoal.v1.Port.$Shape} Port
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Port & shoal.v1.Port.$Shape;
        }

        namespace Port {

            /** Properties of a Port. */
            interface $Properties {

                /** Port id */
                id?: string;

                /** Port name */
                name?: string;

                /** Port projectId */
                projectId?: string;

                /** Port networkId */
                networkId?: string;

                /** Port mac */
                mac?: string;

                /** Port fixedIps */
                fixedIps?: shoal.v1.FixedIp.$Properties[];

                /** Port deviceId */
                deviceId?: string;

                /** Port deviceOwner */
                deviceOwner?: string;

                /** Port securityGroupIds */
                securityGroupIds?: string[];

                /** Port adminStateUp */
                adminStateUp?: boolean;

                /** Port portSecurityEnabled */
                portSecurityEnabled?: boolean;

                /** Port description */
                description?: string;

                /** Port createdMs */
                createdMs?: number;

                /** Port updatedMs */
                updatedMs?: number;

                /** Port status */
                status?: string;

                /** Port hostId */
                hostId?: string;

                /** Port allowedAddressPairs */
                allowedAddressPairs?: shoal.v1.AddressPair.$Properties[];

                /** Port tags */
                tags?: string[];

                /** Port madeForServer */
                madeForServer?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Port. */
            type $Shape = shoal.v1.Port.$Properties;
        }

        /**
         * Properties of a Router.
         * @deprecated Use shoal.v1.Router.$Properties instead.
         */
        interface IRouter extends shoal.v1.Router.$Properties {
        }

        /** Represents a Router. */
        class Router {

            /**
             * Constructs a new Router.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Router.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Router id. */
            id: string;

            /** Router name. */
            name: string;

            /** Router projectId. */
            projectId: string;

            /** Router adminStateUp. */
            adminStateUp: boolean;

            /** Router description. */
            description: string;

            /** Router externalNetworkId. */
            externalNetworkId: string;

            /** Router externalSubnetId. */
            externalSubnetId: string;

            /** Router externalIp. */
            externalIp: string;

            /** Router snat. */
            snat: boolean;

            /** Router transitVni. */
            transitVni: number;

            /** Router snatHostId. */
            snatHostId: string;

            /** Router createdMs. */
            createdMs: number;

            /** Router updatedMs. */
            updatedMs: number;

            /** Router routes. */
            routes: shoal.v1.HostRoute[];

            /** Router tags. */
            tags: string[];

            /**
             * Creates a new Router instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Router instance
             */
            static create(properties: shoal.v1.Router.$Shape): shoal.v1.Router & shoal.v1.Router.$Shape;
            static create(properties?: shoal.v1.Router.$Properties): shoal.v1.Router;

            /**
             * Encodes the specified Router message. Does not implicitly {@link shoal.v1.Router.verify|verify} messages.
             * @param message Router message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Router.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Router message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Router & shoal.v1.Router.$Shape} Router
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Router & shoal.v1.Router.$Shape;
        }

        namespace Router {

            /** Properties of a Router. */
            interface $Properties {

                /** Router id */
                id?: string;

                /** Router name */
                name?: string;

                /** Router projectId */
                projectId?: string;

                /** Router adminStateUp */
                adminStateUp?: boolean;

                /** Router description */
                description?: string;

                /** Router externalNetworkId */
                externalNetworkId?: string;

                /** Router externalSubnetId */
                externalSubnetId?: string;

                /** Router externalIp */
                externalIp?: string;

                /** Router snat */
                snat?: boolean;

                /** Router transitVni */
                transitVni?: number;

                /** Router snatHostId */
                snatHostId?: string;

                /** Router createdMs */
                createdMs?: number;

                /** Router updatedMs */
                updatedMs?: number;

                /** Router routes */
                routes?: shoal.v1.HostRoute.$Properties[];

                /** Router tags */
                tags?: string[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Router. */
            type $Shape = shoal.v1.Router.$Properties;
        }

        /**
         * Properties of a FloatingIp.
         * @deprecated Use shoal.v1.FloatingIp.$Properties instead.
         */
        interface IFloatingIp extends shoal.v1.FloatingIp.$Properties {
        }

        /** Represents a FloatingIp. */
        class FloatingIp {

            /**
             * Constructs a new FloatingIp.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.FloatingIp.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** FloatingIp id. */
            id: string;

            /** FloatingIp projectId. */
            projectId: string;

            /** FloatingIp floatingNetworkId. */
            floatingNetworkId: string;

            /** FloatingIp subnetId. */
            subnetId: string;

            /** FloatingIp floatingIp. */
            floatingIp: string;

            /** FloatingIp portId. */
            portId: string;

            /** FloatingIp fixedIp. */
            fixedIp: string;

            /** FloatingIp routerId. */
            routerId: string;

            /** FloatingIp description. */
            description: string;

            /** FloatingIp createdMs. */
            createdMs: number;

            /** FloatingIp updatedMs. */
            updatedMs: number;

            /** FloatingIp tags. */
            tags: string[];

            /**
             * Creates a new FloatingIp instance using the specified properties.
             * @param [properties] Properties to set
             * @returns FloatingIp instance
             */
            static create(properties: shoal.v1.FloatingIp.$Shape): shoal.v1.FloatingIp & shoal.v1.FloatingIp.$Shape;
            static create(properties?: shoal.v1.FloatingIp.$Properties): shoal.v1.FloatingIp;

            /**
             * Encodes the specified FloatingIp message. Does not implicitly {@link shoal.v1.FloatingIp.verify|verify} messages.
             * @param message FloatingIp message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.FloatingIp.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a FloatingIp message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.FloatingIp & shoal.v1.FloatingIp.$Shape} FloatingIp
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.FloatingIp & shoal.v1.FloatingIp.$Shape;
        }

        namespace FloatingIp {

            /** Properties of a FloatingIp. */
            interface $Properties {

                /** FloatingIp id */
                id?: string;

                /** FloatingIp projectId */
                projectId?: string;

                /** FloatingIp floatingNetworkId */
                floatingNetworkId?: string;

                /** FloatingIp subnetId */
                subnetId?: string;

                /** FloatingIp floatingIp */
                floatingIp?: string;

                /** FloatingIp portId */
                portId?: string;

                /** FloatingIp fixedIp */
                fixedIp?: string;

                /** FloatingIp routerId */
                routerId?: string;

                /** FloatingIp description */
                description?: string;

                /** FloatingIp createdMs */
                createdMs?: number;

                /** FloatingIp updatedMs */
                updatedMs?: number;

                /** FloatingIp tags */
                tags?: string[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a FloatingIp. */
            type $Shape = shoal.v1.FloatingIp.$Properties;
        }

        /**
         * Properties of a SecurityGroupRule.
         * @deprecated Use shoal.v1.SecurityGroupRule.$Properties instead.
         */
        interface ISecurityGroupRule extends shoal.v1.SecurityGroupRule.$Properties {
        }

        /** Represents a SecurityGroupRule. */
        class SecurityGroupRule {

            /**
             * Constructs a new SecurityGroupRule.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.SecurityGroupRule.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SecurityGroupRule id. */
            id: string;

            /** SecurityGroupRule direction. */
            direction: string;

            /** SecurityGroupRule ethertype. */
            ethertype: string;

            /** SecurityGroupRule protocol. */
            protocol: string;

            /** SecurityGroupRule portMin. */
            portMin: number;

            /** SecurityGroupRule portMax. */
            portMax: number;

            /** SecurityGroupRule remotePrefix. */
            remotePrefix: string;

            /** SecurityGroupRule remoteGroupId. */
            remoteGroupId: string;

            /** SecurityGroupRule description. */
            description: string;

            /** SecurityGroupRule createdMs. */
            createdMs: number;

            /**
             * Creates a new SecurityGroupRule instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SecurityGroupRule instance
             */
            static create(properties: shoal.v1.SecurityGroupRule.$Shape): shoal.v1.SecurityGroupRule & shoal.v1.SecurityGroupRule.$Shape;
            static create(properties?: shoal.v1.SecurityGroupRule.$Properties): shoal.v1.SecurityGroupRule;

            /**
             * Encodes the specified SecurityGroupRule message. Does not implicitly {@link shoal.v1.SecurityGroupRule.verify|verify} messages.
             * @param message SecurityGroupRule message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.SecurityGroupRule.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SecurityGroupRule message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.SecurityGroupRule & shoal.v1.SecurityGroupRule.$Shape} SecurityGroupRule
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.SecurityGroupRule & shoal.v1.SecurityGroupRule.$Shape;
        }

        namespace SecurityGroupRule {

            /** Properties of a SecurityGroupRule. */
            interface $Properties {

                /** SecurityGroupRule id */
                id?: string;

                /** SecurityGroupRule direction */
                direction?: string;

                /** SecurityGroupRule ethertype */
                ethertype?: string;

                /** SecurityGroupRule protocol */
                protocol?: string;

                /** SecurityGroupRule portMin */
                portMin?: number;

                /** SecurityGroupRule portMax */
                portMax?: number;

                /** SecurityGroupRule remotePrefix */
                remotePrefix?: string;

                /** SecurityGroupRule remoteGroupId */
                remoteGroupId?: string;

                /** SecurityGroupRule description */
                description?: string;

                /** SecurityGroupRule createdMs */
                createdMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SecurityGroupRule. */
            type $Shape = shoal.v1.SecurityGroupRule.$Properties;
        }

        /**
         * Properties of a SecurityGroup.
         * @deprecated Use shoal.v1.SecurityGroup.$Properties instead.
         */
        interface ISecurityGroup extends shoal.v1.SecurityGroup.$Properties {
        }

        /** Represents a SecurityGroup. */
        class SecurityGroup {

            /**
             * Constructs a new SecurityGroup.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.SecurityGroup.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SecurityGroup id. */
            id: string;

            /** SecurityGroup name. */
            name: string;

            /** SecurityGroup projectId. */
            projectId: string;

            /** SecurityGroup description. */
            description: string;

            /** SecurityGroup rules. */
            rules: shoal.v1.SecurityGroupRule[];

            /** SecurityGroup createdMs. */
            createdMs: number;

            /** SecurityGroup updatedMs. */
            updatedMs: number;

            /** SecurityGroup stateful. */
            stateful: boolean;

            /** SecurityGroup tags. */
            tags: string[];

            /**
             * Creates a new SecurityGroup instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SecurityGroup instance
             */
            static create(properties: shoal.v1.SecurityGroup.$Shape): shoal.v1.SecurityGroup & shoal.v1.SecurityGroup.$Shape;
            static create(properties?: shoal.v1.SecurityGroup.$Properties): shoal.v1.SecurityGroup;

            /**
             * Encodes the specified SecurityGroup message. Does not implicitly {@link shoal.v1.SecurityGroup.verify|verify} messages.
             * @param message SecurityGroup message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.SecurityGroup.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SecurityGroup message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.SecurityGroup & shoal.v1.SecurityGroup.$Shape} SecurityGroup
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.SecurityGroup & shoal.v1.SecurityGroup.$Shape;
        }

        namespace SecurityGroup {

            /** Properties of a SecurityGroup. */
            interface $Properties {

                /** SecurityGroup id */
                id?: string;

                /** SecurityGroup name */
                name?: string;

                /** SecurityGroup projectId */
                projectId?: string;

                /** SecurityGroup description */
                description?: string;

                /** SecurityGroup rules */
                rules?: shoal.v1.SecurityGroupRule.$Properties[];

                /** SecurityGroup createdMs */
                createdMs?: number;

                /** SecurityGroup updatedMs */
                updatedMs?: number;

                /** SecurityGroup stateful */
                stateful?: boolean;

                /** SecurityGroup tags */
                tags?: string[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SecurityGroup. */
            type $Shape = shoal.v1.SecurityGroup.$Properties;
        }

        /**
         * Properties of a Quota.
         * @deprecated Use shoal.v1.Quota.$Properties instead.
         */
        interface IQuota extends shoal.v1.Quota.$Properties {
        }

        /** Represents a Quota. */
        class Quota {

            /**
             * Constructs a new Quota.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Quota.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Quota id. */
            id: string;

            /** Quota limits. */
            limits: { [k: string]: number };

            /**
             * Creates a new Quota instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Quota instance
             */
            static create(properties: shoal.v1.Quota.$Shape): shoal.v1.Quota & shoal.v1.Quota.$Shape;
            static create(properties?: shoal.v1.Quota.$Properties): shoal.v1.Quota;

            /**
             * Encodes the specified Quota message. Does not implicitly {@link shoal.v1.Quota.verify|verify} messages.
             * @param message Quota message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Quota.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Quota message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Quota & shoal.v1.Quota.$Shape} Quota
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Quota & shoal.v1.Quota.$Shape;
        }

        namespace Quota {

            /** Properties of a Quota. */
            interface $Properties {

                /** Quota id */
                id?: string;

                /** Quota limits */
                limits?: { [k: string]: number };

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Quota. */
            type $Shape = shoal.v1.Quota.$Properties;
        }

        /**
         * Properties of a HostAggregate.
         * @deprecated Use shoal.v1.HostAggregate.$Properties instead.
         */
        interface IHostAggregate extends shoal.v1.HostAggregate.$Properties {
        }

        /** Represents a HostAggregate. */
        class HostAggregate {

            /**
             * Constructs a new HostAggregate.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.HostAggregate.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** HostAggregate id. */
            id: string;

            /** HostAggregate number. */
            number: number;

            /** HostAggregate name. */
            name: string;

            /** HostAggregate metadata. */
            metadata: { [k: string]: string };

            /** HostAggregate hostIds. */
            hostIds: string[];

            /** HostAggregate createdMs. */
            createdMs: number;

            /** HostAggregate updatedMs. */
            updatedMs: number;

            /**
             * Creates a new HostAggregate instance using the specified properties.
             * @param [properties] Properties to set
             * @returns HostAggregate instance
             */
            static create(properties: shoal.v1.HostAggregate.$Shape): shoal.v1.HostAggregate & shoal.v1.HostAggregate.$Shape;
            static create(properties?: shoal.v1.HostAggregate.$Properties): shoal.v1.HostAggregate;

            /**
             * Encodes the specified HostAggregate message. Does not implicitly {@link shoal.v1.HostAggregate.verify|verify} messages.
             * @param message HostAggregate message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.HostAggregate.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a HostAggregate message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.HostAggregate & shoal.v1.HostAggregate.$Shape} HostAggregate
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.HostAggregate & shoal.v1.HostAggregate.$Shape;
        }

        namespace HostAggregate {

            /** Properties of a HostAggregate. */
            interface $Properties {

                /** HostAggregate id */
                id?: string;

                /** HostAggregate number */
                number?: number;

                /** HostAggregate name */
                name?: string;

                /** HostAggregate metadata */
                metadata?: { [k: string]: string };

                /** HostAggregate hostIds */
                hostIds?: string[];

                /** HostAggregate createdMs */
                createdMs?: number;

                /** HostAggregate updatedMs */
                updatedMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a HostAggregate. */
            type $Shape = shoal.v1.HostAggregate.$Properties;
        }

        /**
         * Properties of an Advert.
         * @deprecated Use shoal.v1.Advert.$Properties instead.
         */
        interface IAdvert extends shoal.v1.Advert.$Properties {
        }

        /** Represents an Advert. */
        class Advert {

            /**
             * Constructs a new Advert.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Advert.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Advert hostId. */
            hostId: string;

            /** Advert hostName. */
            hostName: string;

            /** Advert epoch. */
            epoch: number;

            /** Advert sequence. */
            sequence: number;

            /** Advert meshId. */
            meshId: string;

            /** Advert cell. */
            cell: string;

            /** Advert peerAddress. */
            peerAddress: string;

            /** Advert zone. */
            zone: string;

            /** Advert failureDomain. */
            failureDomain: string;

            /** Advert vcpus. */
            vcpus: number;

            /** Advert memoryMib. */
            memoryMib: number;

            /** Advert diskGib. */
            diskGib: number;

            /** Advert vcpusRatio. */
            vcpusRatio: number;

            /** Advert memoryRatio. */
            memoryRatio: number;

            /** Advert diskRatio. */
            diskRatio: number;

            /** Advert vcpusReserved. */
            vcpusReserved: number;

            /** Advert memoryMibReserved. */
            memoryMibReserved: number;

            /** Advert diskGibReserved. */
            diskGibReserved: number;

            /** Advert vcpusUsed. */
            vcpusUsed: number;

            /** Advert memoryMibUsed. */
            memoryMibUsed: number;

            /** Advert diskGibUsed. */
            diskGibUsed: number;

            /** Advert servers. */
            servers: number;

            /** Advert ioOps. */
            ioOps: number;

            /** Advert buildFailures. */
            buildFailures: number;

            /** Advert traits. */
            traits: string[];

            /** Advert storagePools. */
            storagePools: string[];

            /** Advert physicalNetworks. */
            physicalNetworks: string[];

            /** Advert enabled. */
            enabled: boolean;

            /** Advert disabledReason. */
            disabledReason: string;

            /** Advert hypervisorType. */
            hypervisorType: string;

            /** Advert hypervisorVersion. */
            hypervisorVersion: number;

            /** Advert architecture. */
            architecture: string;

            /** Advert featureLevel. */
            featureLevel: number;

            /** Advert cpuPercent. */
            cpuPercent: number;

            /** Advert load_1m. */
            load_1m: number;

            /** Advert publishedMs. */
            publishedMs: number;

            /** Advert aggregates. */
            aggregates: shoal.v1.Aggregate[];

            /** Advert agentVersion. */
            agentVersion: string;

            /** Advert hostIp. */
            hostIp: string;

            /** Advert metrics. */
            metrics: { [k: string]: number };

            /**
             * Creates a new Advert instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Advert instance
             */
            static create(properties: shoal.v1.Advert.$Shape): shoal.v1.Advert & shoal.v1.Advert.$Shape;
            static create(properties?: shoal.v1.Advert.$Properties): shoal.v1.Advert;

            /**
             * Encodes the specified Advert message. Does not implicitly {@link shoal.v1.Advert.verify|verify} messages.
             * @param message Advert message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Advert.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Advert message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Advert & shoal.v1.Advert.$Shape} Advert
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Advert & shoal.v1.Advert.$Shape;
        }

        namespace Advert {

            /** Properties of an Advert. */
            interface $Properties {

                /** Advert hostId */
                hostId?: string;

                /** Advert hostName */
                hostName?: string;

                /** Advert epoch */
                epoch?: number;

                /** Advert sequence */
                sequence?: number;

                /** Advert meshId */
                meshId?: string;

                /** Advert cell */
                cell?: string;

                /** Advert peerAddress */
                peerAddress?: string;

                /** Advert zone */
                zone?: string;

                /** Advert failureDomain */
                failureDomain?: string;

                /** Advert vcpus */
                vcpus?: number;

                /** Advert memoryMib */
                memoryMib?: number;

                /** Advert diskGib */
                diskGib?: number;

                /** Advert vcpusRatio */
                vcpusRatio?: number;

                /** Advert memoryRatio */
                memoryRatio?: number;

                /** Advert diskRatio */
                diskRatio?: number;

                /** Advert vcpusReserved */
                vcpusReserved?: number;

                /** Advert memoryMibReserved */
                memoryMibReserved?: number;

                /** Advert diskGibReserved */
                diskGibReserved?: number;

                /** Advert vcpusUsed */
                vcpusUsed?: number;

                /** Advert memoryMibUsed */
                memoryMibUsed?: number;

                /** Advert diskGibUsed */
                diskGibUsed?: number;

                /** Advert servers */
                servers?: number;

                /** Advert ioOps */
                ioOps?: number;

                /** Advert buildFailures */
                buildFailures?: number;

                /** Advert traits */
                traits?: string[];

                /** Advert storagePools */
                storagePools?: string[];

                /** Advert physicalNetworks */
                physicalNetworks?: string[];

                /** Advert enabled */
                enabled?: boolean;

                /** Advert disabledReason */
                disabledReason?: string;

                /** Advert hypervisorType */
                hypervisorType?: string;

                /** Advert hypervisorVersion */
                hypervisorVersion?: number;

                /** Advert architecture */
                architecture?: string;

                /** Advert featureLevel */
                featureLevel?: number;

                /** Advert cpuPercent */
                cpuPercent?: number;

                /** Advert load_1m */
                load_1m?: number;

                /** Advert publishedMs */
                publishedMs?: number;

                /** Advert aggregates */
                aggregates?: shoal.v1.Aggregate.$Properties[];

                /** Advert agentVersion */
                agentVersion?: string;

                /** Advert hostIp */
                hostIp?: string;

                /** Advert metrics */
                metrics?: { [k: string]: number };

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Advert. */
            type $Shape = shoal.v1.Advert.$Properties;
        }

        /**
         * Properties of an Aggregate.
         * @deprecated Use shoal.v1.Aggregate.$Properties instead.
         */
        interface IAggregate extends shoal.v1.Aggregate.$Properties {
        }

        /** Represents an Aggregate. */
        class Aggregate {

            /**
             * Constructs a new Aggregate.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Aggregate.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Aggregate name. */
            name: string;

            /** Aggregate metadata. */
            metadata: { [k: string]: string };

            /**
             * Creates a new Aggregate instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Aggregate instance
             */
            static create(properties: shoal.v1.Aggregate.$Shape): shoal.v1.Aggregate & shoal.v1.Aggregate.$Shape;
            static create(properties?: shoal.v1.Aggregate.$Properties): shoal.v1.Aggregate;

            /**
             * Encodes the specified Aggregate message. Does not implicitly {@link shoal.v1.Aggregate.verify|verify} messages.
             * @param message Aggregate message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Aggregate.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Aggregate message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Aggregate & shoal.v1.Aggregate.$Shape} Aggregate
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Aggregate & shoal.v1.Aggregate.$Shape;
        }

        namespace Aggregate {

            /** Properties of an Aggregate. */
            interface $Properties {

                /** Aggregate name */
                name?: string;

                /** Aggregate metadata */
                metadata?: { [k: string]: string };

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an Aggregate. */
            type $Shape = shoal.v1.Aggregate.$Properties;
        }

        /**
         * Properties of a SignedAdvert.
         * @deprecated Use shoal.v1.SignedAdvert.$Properties instead.
         */
        interface ISignedAdvert extends shoal.v1.SignedAdvert.$Properties {
        }

        /** Represents a SignedAdvert. */
        class SignedAdvert {

            /**
             * Constructs a new SignedAdvert.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.SignedAdvert.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SignedAdvert advert. */
            advert: Uint8Array;

            /** SignedAdvert signature. */
            signature: Uint8Array;

            /** SignedAdvert publicKey. */
            publicKey: Uint8Array;

            /**
             * Creates a new SignedAdvert instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SignedAdvert instance
             */
            static create(properties: shoal.v1.SignedAdvert.$Shape): shoal.v1.SignedAdvert & shoal.v1.SignedAdvert.$Shape;
            static create(properties?: shoal.v1.SignedAdvert.$Properties): shoal.v1.SignedAdvert;

            /**
             * Encodes the specified SignedAdvert message. Does not implicitly {@link shoal.v1.SignedAdvert.verify|verify} messages.
             * @param message SignedAdvert message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.SignedAdvert.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SignedAdvert message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.SignedAdvert & shoal.v1.SignedAdvert.$Shape} SignedAdvert
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.SignedAdvert & shoal.v1.SignedAdvert.$Shape;
        }

        namespace SignedAdvert {

            /** Properties of a SignedAdvert. */
            interface $Properties {

                /** SignedAdvert advert */
                advert?: Uint8Array;

                /** SignedAdvert signature */
                signature?: Uint8Array;

                /** SignedAdvert publicKey */
                publicKey?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SignedAdvert. */
            type $Shape = shoal.v1.SignedAdvert.$Properties;
        }

        /** RumourKind enum. */
        enum RumourKind {

            /** RUMOUR_KIND_UNSPECIFIED value */
            RUMOUR_KIND_UNSPECIFIED = 0,

            /** RUMOUR_KIND_SUSPECT value */
            RUMOUR_KIND_SUSPECT = 1,

            /** RUMOUR_KIND_ALIVE value */
            RUMOUR_KIND_ALIVE = 2,

            /** RUMOUR_KIND_DEAD value */
            RUMOUR_KIND_DEAD = 3
        }

        /**
         * Properties of a Rumour.
         * @deprecated Use shoal.v1.Rumour.$Properties instead.
         */
        interface IRumour extends shoal.v1.Rumour.$Properties {
        }

        /** Represents a Rumour. */
        class Rumour {

            /**
             * Constructs a new Rumour.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Rumour.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Rumour meshId. */
            meshId: string;

            /** Rumour aboutHostId. */
            aboutHostId: string;

            /** Rumour epoch. */
            epoch: number;

            /** Rumour incarnation. */
            incarnation: number;

            /** Rumour kind. */
            kind: shoal.v1.RumourKind;

            /** Rumour fromHostId. */
            fromHostId: string;

            /** Rumour publishedMs. */
            publishedMs: number;

            /**
             * Creates a new Rumour instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Rumour instance
             */
            static create(properties: shoal.v1.Rumour.$Shape): shoal.v1.Rumour & shoal.v1.Rumour.$Shape;
            static create(properties?: shoal.v1.Rumour.$Properties): shoal.v1.Rumour;

            /**
             * Encodes the specified Rumour message. Does not implicitly {@link shoal.v1.Rumour.verify|verify} messages.
             * @param message Rumour message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Rumour.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Rumour message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Rumour & shoal.v1.Rumour.$Shape} Rumour
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Rumour & shoal.v1.Rumour.$Shape;
        }

        namespace Rumour {

            /** Properties of a Rumour. */
            interface $Properties {

                /** Rumour meshId */
                meshId?: string;

                /** Rumour aboutHostId */
                aboutHostId?: string;

                /** Rumour epoch */
                epoch?: number;

                /** Rumour incarnation */
                incarnation?: number;

                /** Rumour kind */
                kind?: shoal.v1.RumourKind;

                /** Rumour fromHostId */
                fromHostId?: string;

                /** Rumour publishedMs */
                publishedMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Rumour. */
            type $Shape = shoal.v1.Rumour.$Properties;
        }

        /**
         * Properties of a SignedRumour.
         * @deprecated Use shoal.v1.SignedRumour.$Properties instead.
         */
        interface ISignedRumour extends shoal.v1.SignedRumour.$Properties {
        }

        /** Represents a SignedRumour. */
        class SignedRumour {

            /**
             * Constructs a new SignedRumour.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.SignedRumour.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SignedRumour rumour. */
            rumour: Uint8Array;

            /** SignedRumour signature. */
            signature: Uint8Array;

            /** SignedRumour publicKey. */
            publicKey: Uint8Array;

            /**
             * Creates a new SignedRumour instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SignedRumour instance
             */
            static create(properties: shoal.v1.SignedRumour.$Shape): shoal.v1.SignedRumour & shoal.v1.SignedRumour.$Shape;
            static create(properties?: shoal.v1.SignedRumour.$Properties): shoal.v1.SignedRumour;

            /**
             * Encodes the specified SignedRumour message. Does not implicitly {@link shoal.v1.SignedRumour.verify|verify} messages.
             * @param message SignedRumour message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.SignedRumour.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SignedRumour message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.SignedRumour & shoal.v1.SignedRumour.$Shape} SignedRumour
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.SignedRumour & shoal.v1.SignedRumour.$Shape;
        }

        namespace SignedRumour {

            /** Properties of a SignedRumour. */
            interface $Properties {

                /** SignedRumour rumour */
                rumour?: Uint8Array;

                /** SignedRumour signature */
                signature?: Uint8Array;

                /** SignedRumour publicKey */
                publicKey?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SignedRumour. */
            type $Shape = shoal.v1.SignedRumour.$Properties;
        }

        /**
         * Properties of a Command.
         * @deprecated Use shoal.v1.Command.$Properties instead.
         */
        interface ICommand extends shoal.v1.Command.$Properties {
        }

        /** Represents a Command. */
        class Command {

            /**
             * Constructs a new Command.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Command.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Command clientToken. */
            clientToken: string;

            /** Command transaction. */
            transaction: (shoal.v1.Transaction|null);

            /** Command body. */
            body?: "transaction";

            /**
             * Creates a new Command instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Command instance
             */
            static create(properties: shoal.v1.Command.$Shape): shoal.v1.Command & shoal.v1.Command.$Shape;
            static create(properties?: shoal.v1.Command.$Properties): shoal.v1.Command;

            /**
             * Encodes the specified Command message. Does not implicitly {@link shoal.v1.Command.verify|verify} messages.
             * @param message Command message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Command.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Command message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Command & shoal.v1.Command.$Shape} Command
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Command & shoal.v1.Command.$Shape;
        }

        namespace Command {

            /** Properties of a Command. */
            interface $Properties {

                /** Command clientToken */
                clientToken?: string;

                /** Command transaction */
                transaction?: (shoal.v1.Transaction.$Properties|null);

                /** Command body */
                body?: "transaction";

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Narrowed shape of a Command. */
            type $Shape = {
              clientToken?: string;
              transaction?: shoal.v1.Transaction.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ body?: undefined; transaction?: null }|{ body?: "transaction"; transaction: shoal.v1.Transaction.$Shape })
            );
        }

        /**
         * Properties of a Transaction.
         * @deprecated Use shoal.v1.Transaction.$Properties instead.
         */
        interface ITransaction extends shoal.v1.Transaction.$Properties {
        }

        /** Represents a Transaction. */
        class Transaction {

            /**
             * Constructs a new Transaction.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Transaction.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Transaction compares. */
            compares: shoal.v1.Compare[];

            /** Transaction thenOps. */
            thenOps: shoal.v1.Op[];

            /** Transaction elseOps. */
            elseOps: shoal.v1.Op[];

            /**
             * Creates a new Transaction instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Transaction instance
             */
            static create(properties: shoal.v1.Transaction.$Shape): shoal.v1.Transaction & shoal.v1.Transaction.$Shape;
            static create(properties?: shoal.v1.Transaction.$Properties): shoal.v1.Transaction;

            /**
             * Encodes the specified Transaction message. Does not implicitly {@link shoal.v1.Transaction.verify|verify} messages.
             * @param message Transaction message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Transaction.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Transaction message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Transaction & shoal.v1.Transaction.$Shape} Transaction
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Transaction & shoal.v1.Transaction.$Shape;
        }

        namespace Transaction {

            /** Properties of a Transaction. */
            interface $Properties {

                /** Transaction compares */
                compares?: shoal.v1.Compare.$Properties[];

                /** Transaction thenOps */
                thenOps?: shoal.v1.Op.$Properties[];

                /** Transaction elseOps */
                elseOps?: shoal.v1.Op.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a Transaction. */
            type $Shape = {
              compares?: shoal.v1.Compare.$Shape[];
              thenOps?: shoal.v1.Op.$Shape[];
              elseOps?: shoal.v1.Op.$Shape[];
              $unknowns?: Uint8Array[];
            };
        }

        /**
         * Properties of a Compare.
         * @deprecated Use shoal.v1.Compare.$Properties instead.
         */
        interface ICompare extends shoal.v1.Compare.$Properties {
        }

        /** Represents a Compare. */
        class Compare {

            /**
             * Constructs a new Compare.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Compare.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Compare key. */
            key: string;

            /** Compare revision. */
            revision: (number|null);

            /** Compare exists. */
            exists: (boolean|null);

            /** Compare value. */
            value: (Uint8Array|null);

            /** Compare condition. */
            condition?: ("revision"|"exists"|"value");

            /**
             * Creates a new Compare instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Compare instance
             */
            static create(properties: shoal.v1.Compare.$Shape): shoal.v1.Compare & shoal.v1.Compare.$Shape;
            static create(properties?: shoal.v1.Compare.$Properties): shoal.v1.Compare;

            /**
             * Encodes the specified Compare message. Does not implicitly {@link shoal.v1.Compare.verify|verify} messages.
             * @param message Compare message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Compare.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a Compare message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Compare & shoal.v1.Compare.$Shape} Compare
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Compare & shoal.v1.Compare.$Shape;
        }

        namespace Compare {

            /** Properties of a Compare. */
            interface $Properties {

                /** Compare key */
                key?: string;

                /** Compare revision */
                revision?: (number|null);

                /** Compare exists */
                exists?: (boolean|null);

                /** Compare value */
                value?: (Uint8Array|null);

                /** Compare condition */
                condition?: ("revision"|"exists"|"value");

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Narrowed shape of a Compare. */
            type $Shape = {
              key?: string;
              revision?: number|null;
              exists?: boolean|null;
              value?: Uint8Array|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ condition?: undefined; revision?: null; exists?: null; value?: null }|{ condition?: "revision"; revision: number; exists?: null; value?: null }|{ condition?: "exists"; revision?: null; exists: boolean; value?: null }|{ condition?: "value"; revision?: null; exists?: null; value: Uint8Array })
            );
        }

        /**
         * Properties of an Op.
         * @deprecated Use shoal.v1.Op.$Properties instead.
         */
        interface IOp extends shoal.v1.Op.$Properties {
        }

        /** Represents an Op. */
        class Op {

            /**
             * Constructs a new Op.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.Op.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** Op put. */
            put: (shoal.v1.PutOp|null);

            /** Op delete. */
            delete: (shoal.v1.DeleteOp|null);

            /** Op deleteRange. */
            deleteRange: (shoal.v1.DeleteRangeOp|null);

            /** Op add. */
            add: (shoal.v1.AddOp|null);

            /** Op op. */
            op?: ("put"|"delete"|"deleteRange"|"add");

            /**
             * Creates a new Op instance using the specified properties.
             * @param [properties] Properties to set
             * @returns Op instance
             */
            static create(properties: shoal.v1.Op.$Shape): shoal.v1.Op & shoal.v1.Op.$Shape;
            static create(properties?: shoal.v1.Op.$Properties): shoal.v1.Op;

            /**
             * Encodes the specified Op message. Does not implicitly {@link shoal.v1.Op.verify|verify} messages.
             * @param message Op message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.Op.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an Op message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.Op & shoal.v1.Op.$Shape} Op
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.Op & shoal.v1.Op.$Shape;
        }

        namespace Op {

            /** Properties of an Op. */
            interface $Properties {

                /** Op put */
                put?: (shoal.v1.PutOp.$Properties|null);

                /** Op delete */
                "delete"?: (shoal.v1.DeleteOp.$Properties|null);

                /** Op deleteRange */
                deleteRange?: (shoal.v1.DeleteRangeOp.$Properties|null);

                /** Op add */
                add?: (shoal.v1.AddOp.$Properties|null);

                /** Op op */
                op?: ("put"|"delete"|"deleteRange"|"add");

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Narrowed shape of an Op. */
            type $Shape = {
              put?: shoal.v1.PutOp.$Shape|null;
              "delete"?: shoal.v1.DeleteOp.$Shape|null;
              deleteRange?: shoal.v1.DeleteRangeOp.$Shape|null;
              add?: shoal.v1.AddOp.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ op?: undefined; put?: null; "delete"?: null; deleteRange?: null; add?: null }|{ op?: "put"; put: shoal.v1.PutOp.$Shape; "delete"?: null; deleteRange?: null; add?: null }|{ op?: "delete"; put?: null; "delete": shoal.v1.DeleteOp.$Shape; deleteRange?: null; add?: null }|{ op?: "deleteRange"; put?: null; "delete"?: null; deleteRange: shoal.v1.DeleteRangeOp.$Shape; add?: null }|{ op?: "add"; put?: null; "delete"?: null; deleteRange?: null; add: shoal.v1.AddOp.$Shape })
            );
        }

        /**
         * Properties of a PutOp.
         * @deprecated Use shoal.v1.PutOp.$Properties instead.
         */
        interface IPutOp extends shoal.v1.PutOp.$Properties {
        }

        /** Represents a PutOp. */
        class PutOp {

            /**
             * Constructs a new PutOp.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.PutOp.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** PutOp key. */
            key: string;

            /** PutOp value. */
            value: Uint8Array;

            /**
             * Creates a new PutOp instance using the specified properties.
             * @param [properties] Properties to set
             * @returns PutOp instance
             */
            static create(properties: shoal.v1.PutOp.$Shape): shoal.v1.PutOp & shoal.v1.PutOp.$Shape;
            static create(properties?: shoal.v1.PutOp.$Properties): shoal.v1.PutOp;

            /**
             * Encodes the specified PutOp message. Does not implicitly {@link shoal.v1.PutOp.verify|verify} messages.
             * @param message PutOp message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.PutOp.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a PutOp message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.PutOp & shoal.v1.PutOp.$Shape} PutOp
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.PutOp & shoal.v1.PutOp.$Shape;
        }

        namespace PutOp {

            /** Properties of a PutOp. */
            interface $Properties {

                /** PutOp key */
                key?: string;

                /** PutOp value */
                value?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a PutOp. */
            type $Shape = shoal.v1.PutOp.$Properties;
        }

        /**
         * Properties of a DeleteOp.
         * @deprecated Use shoal.v1.DeleteOp.$Properties instead.
         */
        interface IDeleteOp extends shoal.v1.DeleteOp.$Properties {
        }

        /** Represents a DeleteOp. */
        class DeleteOp {

            /**
             * Constructs a new DeleteOp.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.DeleteOp.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** DeleteOp key. */
            key: string;

            /**
             * Creates a new DeleteOp instance using the specified properties.
             * @param [properties] Properties to set
             * @returns DeleteOp instance
             */
            static create(properties: shoal.v1.DeleteOp.$Shape): shoal.v1.DeleteOp & shoal.v1.DeleteOp.$Shape;
            static create(properties?: shoal.v1.DeleteOp.$Properties): shoal.v1.DeleteOp;

            /**
             * Encodes the specified DeleteOp message. Does not implicitly {@link shoal.v1.DeleteOp.verify|verify} messages.
             * @param message DeleteOp message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.DeleteOp.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a DeleteOp message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.DeleteOp & shoal.v1.DeleteOp.$Shape} DeleteOp
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.DeleteOp & shoal.v1.DeleteOp.$Shape;
        }

        namespace DeleteOp {

            /** Properties of a DeleteOp. */
            interface $Properties {

                /** DeleteOp key */
                key?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a DeleteOp. */
            type $Shape = shoal.v1.DeleteOp.$Properties;
        }

        /**
         * Properties of a DeleteRangeOp.
         * @deprecated Use shoal.v1.DeleteRangeOp.$Properties instead.
         */
        interface IDeleteRangeOp extends shoal.v1.DeleteRangeOp.$Properties {
        }

        /** Represents a DeleteRangeOp. */
        class DeleteRangeOp {

            /**
             * Constructs a new DeleteRangeOp.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.DeleteRangeOp.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** DeleteRangeOp start. */
            start: string;

            /** DeleteRangeOp end. */
            end: string;

            /**
             * Creates a new DeleteRangeOp instance using the specified properties.
             * @param [properties] Properties to set
             * @returns DeleteRangeOp instance
             */
            static create(properties: shoal.v1.DeleteRangeOp.$Shape): shoal.v1.DeleteRangeOp & shoal.v1.DeleteRangeOp.$Shape;
            static create(properties?: shoal.v1.DeleteRangeOp.$Properties): shoal.v1.DeleteRangeOp;

            /**
             * Encodes the specified DeleteRangeOp message. Does not implicitly {@link shoal.v1.DeleteRangeOp.verify|verify} messages.
             * @param message DeleteRangeOp message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.DeleteRangeOp.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a DeleteRangeOp message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.DeleteRangeOp & shoal.v1.DeleteRangeOp.$Shape} DeleteRangeOp
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.DeleteRangeOp & shoal.v1.DeleteRangeOp.$Shape;
        }

        namespace DeleteRangeOp {

            /** Properties of a DeleteRangeOp. */
            interface $Properties {

                /** DeleteRangeOp start */
                start?: string;

                /** DeleteRangeOp end */
                end?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a DeleteRangeOp. */
            type $Shape = shoal.v1.DeleteRangeOp.$Properties;
        }

        /**
         * Properties of an AddOp.
         * @deprecated Use shoal.v1.AddOp.$Properties instead.
         */
        interface IAddOp extends shoal.v1.AddOp.$Properties {
        }

        /** Represents an AddOp. */
        class AddOp {

            /**
             * Constructs a new AddOp.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.AddOp.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** AddOp key. */
            key: string;

            /** AddOp delta. */
            delta: number;

            /** AddOp min. */
            min: number;

            /** AddOp max. */
            max: number;

            /**
             * Creates a new AddOp instance using the specified properties.
             * @param [properties] Properties to set
             * @returns AddOp instance
             */
            static create(properties: shoal.v1.AddOp.$Shape): shoal.v1.AddOp & shoal.v1.AddOp.$Shape;
            static create(properties?: shoal.v1.AddOp.$Properties): shoal.v1.AddOp;

            /**
             * Encodes the specified AddOp message. Does not implicitly {@link shoal.v1.AddOp.verify|verify} messages.
             * @param message AddOp message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.AddOp.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an AddOp message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.AddOp & shoal.v1.AddOp.$Shape} AddOp
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.AddOp & shoal.v1.AddOp.$Shape;
        }

        namespace AddOp {

            /** Properties of an AddOp. */
            interface $Properties {

                /** AddOp key */
                key?: string;

                /** AddOp delta */
                delta?: number;

                /** AddOp min */
                min?: number;

                /** AddOp max */
                max?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an AddOp. */
            type $Shape = shoal.v1.AddOp.$Properties;
        }

        /** Represents a ComputeService */
        class ComputeService extends $protobuf.rpc.Service {

            /**
             * Constructs a new ComputeService service.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             */
            constructor(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean);

            /**
             * Creates new ComputeService service using the specified rpc implementation.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             * @returns RPC service. Useful where requests and/or responses are streamed.
             */
            static create(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean): ComputeService;

            /** Calls CreateServer. */
            createServer: shoal.v1.ComputeService.CreateServer;

            /** Calls GetServer. */
            getServer: shoal.v1.ComputeService.GetServer;

            /** Calls ListServers. */
            listServers: shoal.v1.ComputeService.ListServers;

            /** Calls DeleteServer. */
            deleteServer: shoal.v1.ComputeService.DeleteServer;

            /** Calls StopServer. */
            stopServer: shoal.v1.ComputeService.StopServer;

            /** Calls StartServer. */
            startServer: shoal.v1.ComputeService.StartServer;

            /** Calls RebootServer. */
            rebootServer: shoal.v1.ComputeService.RebootServer;

            /** Calls MigrateServer. */
            migrateServer: shoal.v1.ComputeService.MigrateServer;

            /** Calls GetConsoleLog. */
            getConsoleLog: shoal.v1.ComputeService.GetConsoleLog;

            /** Calls WatchServers. */
            watchServers: shoal.v1.ComputeService.WatchServers;

            /** Calls ListFlavors. */
            listFlavors: shoal.v1.ComputeService.ListFlavors;
        }

        namespace ComputeService {

            /**
             * Callback as used by {@link shoal.v1.ComputeService#createServer}.
             * @param error Error, if any
             * @param [response] CreateServerResponse
             */
            type CreateServerCallback = (error: (Error|null), response?: shoal.v1.CreateServerResponse) => void;

            /** Calls CreateServer. */
            type CreateServer = {
              (request: shoal.v1.ICreateServerRequest, callback: shoal.v1.ComputeService.CreateServerCallback): void;
              (request: shoal.v1.ICreateServerRequest): Promise<shoal.v1.CreateServerResponse>;
              readonly name: "CreateServer";
              readonly path: "/shoal.v1.ComputeService/CreateServer";
              readonly requestType: "CreateServerRequest";
              readonly responseType: "CreateServerResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#getServer}.
             * @param error Error, if any
             * @param [response] GetServerResponse
             */
            type GetServerCallback = (error: (Error|null), response?: shoal.v1.GetServerResponse) => void;

            /** Calls GetServer. */
            type GetServer = {
              (request: shoal.v1.IGetServerRequest, callback: shoal.v1.ComputeService.GetServerCallback): void;
              (request: shoal.v1.IGetServerRequest): Promise<shoal.v1.GetServerResponse>;
              readonly name: "GetServer";
              readonly path: "/shoal.v1.ComputeService/GetServer";
              readonly requestType: "GetServerRequest";
              readonly responseType: "GetServerResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#listServers}.
             * @param error Error, if any
             * @param [response] ListServersResponse
             */
            type ListServersCallback = (error: (Error|null), response?: shoal.v1.ListServersResponse) => void;

            /** Calls ListServers. */
            type ListServers = {
              (request: shoal.v1.IListServersRequest, callback: shoal.v1.ComputeService.ListServersCallback): void;
              (request: shoal.v1.IListServersRequest): Promise<shoal.v1.ListServersResponse>;
              readonly name: "ListServers";
              readonly path: "/shoal.v1.ComputeService/ListServers";
              readonly requestType: "ListServersRequest";
              readonly responseType: "ListServersResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#deleteServer}.
             * @param error Error, if any
             * @param [response] DeleteServerResponse
             */
            type DeleteServerCallback = (error: (Error|null), response?: shoal.v1.DeleteServerResponse) => void;

            /** Calls DeleteServer. */
            type DeleteServer = {
              (request: shoal.v1.IDeleteServerRequest, callback: shoal.v1.ComputeService.DeleteServerCallback): void;
              (request: shoal.v1.IDeleteServerRequest): Promise<shoal.v1.DeleteServerResponse>;
              readonly name: "DeleteServer";
              readonly path: "/shoal.v1.ComputeService/DeleteServer";
              readonly requestType: "DeleteServerRequest";
              readonly responseType: "DeleteServerResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#stopServer}.
             * @param error Error, if any
             * @param [response] StopServerResponse
             */
            type StopServerCallback = (error: (Error|null), response?: shoal.v1.StopServerResponse) => void;

            /** Calls StopServer. */
            type StopServer = {
              (request: shoal.v1.IStopServerRequest, callback: shoal.v1.ComputeService.StopServerCallback): void;
              (request: shoal.v1.IStopServerRequest): Promise<shoal.v1.StopServerResponse>;
              readonly name: "StopServer";
              readonly path: "/shoal.v1.ComputeService/StopServer";
              readonly requestType: "StopServerRequest";
              readonly responseType: "StopServerResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#startServer}.
             * @param error Error, if any
             * @param [response] StartServerResponse
             */
            type StartServerCallback = (error: (Error|null), response?: shoal.v1.StartServerResponse) => void;

            /** Calls StartServer. */
            type StartServer = {
              (request: shoal.v1.IStartServerRequest, callback: shoal.v1.ComputeService.StartServerCallback): void;
              (request: shoal.v1.IStartServerRequest): Promise<shoal.v1.StartServerResponse>;
              readonly name: "StartServer";
              readonly path: "/shoal.v1.ComputeService/StartServer";
              readonly requestType: "StartServerRequest";
              readonly responseType: "StartServerResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#rebootServer}.
             * @param error Error, if any
             * @param [response] RebootServerResponse
             */
            type RebootServerCallback = (error: (Error|null), response?: shoal.v1.RebootServerResponse) => void;

            /** Calls RebootServer. */
            type RebootServer = {
              (request: shoal.v1.IRebootServerRequest, callback: shoal.v1.ComputeService.RebootServerCallback): void;
              (request: shoal.v1.IRebootServerRequest): Promise<shoal.v1.RebootServerResponse>;
              readonly name: "RebootServer";
              readonly path: "/shoal.v1.ComputeService/RebootServer";
              readonly requestType: "RebootServerRequest";
              readonly responseType: "RebootServerResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#migrateServer}.
             * @param error Error, if any
             * @param [response] MigrateServerResponse
             */
            type MigrateServerCallback = (error: (Error|null), response?: shoal.v1.MigrateServerResponse) => void;

            /** Calls MigrateServer. */
            type MigrateServer = {
              (request: shoal.v1.IMigrateServerRequest, callback: shoal.v1.ComputeService.MigrateServerCallback): void;
              (request: shoal.v1.IMigrateServerRequest): Promise<shoal.v1.MigrateServerResponse>;
              readonly name: "MigrateServer";
              readonly path: "/shoal.v1.ComputeService/MigrateServer";
              readonly requestType: "MigrateServerRequest";
              readonly responseType: "MigrateServerResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#getConsoleLog}.
             * @param error Error, if any
             * @param [response] GetConsoleLogResponse
             */
            type GetConsoleLogCallback = (error: (Error|null), response?: shoal.v1.GetConsoleLogResponse) => void;

            /** Calls GetConsoleLog. */
            type GetConsoleLog = {
              (request: shoal.v1.IGetConsoleLogRequest, callback: shoal.v1.ComputeService.GetConsoleLogCallback): void;
              (request: shoal.v1.IGetConsoleLogRequest): Promise<shoal.v1.GetConsoleLogResponse>;
              readonly name: "GetConsoleLog";
              readonly path: "/shoal.v1.ComputeService/GetConsoleLog";
              readonly requestType: "GetConsoleLogRequest";
              readonly responseType: "GetConsoleLogResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#watchServers}.
             * @param error Error, if any
             * @param [response] WatchServersResponse
             */
            type WatchServersCallback = (error: (Error|null), response?: shoal.v1.WatchServersResponse) => void;

            /** Calls WatchServers. */
            type WatchServers = {
              (request: shoal.v1.IWatchServersRequest, callback: shoal.v1.ComputeService.WatchServersCallback): void;
              (request: shoal.v1.IWatchServersRequest): Promise<shoal.v1.WatchServersResponse>;
              readonly name: "WatchServers";
              readonly path: "/shoal.v1.ComputeService/WatchServers";
              readonly requestType: "WatchServersRequest";
              readonly responseType: "WatchServersResponse";
              readonly requestStream: undefined;
              readonly responseStream: true;
            };

            /**
             * Callback as used by {@link shoal.v1.ComputeService#listFlavors}.
             * @param error Error, if any
             * @param [response] ListFlavorsResponse
             */
            type ListFlavorsCallback = (error: (Error|null), response?: shoal.v1.ListFlavorsResponse) => void;

            /** Calls ListFlavors. */
            type ListFlavors = {
              (request: shoal.v1.IListFlavorsRequest, callback: shoal.v1.ComputeService.ListFlavorsCallback): void;
              (request: shoal.v1.IListFlavorsRequest): Promise<shoal.v1.ListFlavorsResponse>;
              readonly name: "ListFlavors";
              readonly path: "/shoal.v1.ComputeService/ListFlavors";
              readonly requestType: "ListFlavorsRequest";
              readonly responseType: "ListFlavorsResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };
        }

        /**
         * Properties of a CreateServerRequest.
         * @deprecated Use shoal.v1.CreateServerRequest.$Properties instead.
         */
        interface ICreateServerRequest extends shoal.v1.CreateServerRequest.$Properties {
        }

        /** Represents a CreateServerRequest. */
        class CreateServerRequest {

            /**
             * Constructs a new CreateServerRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.CreateServerRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** CreateServerRequest name. */
            name: string;

            /** CreateServerRequest flavorId. */
            flavorId: string;

            /** CreateServerRequest imageId. */
            imageId: string;

            /** CreateServerRequest networkIds. */
            networkIds: string[];

            /** CreateServerRequest keyName. */
            keyName: string;

            /** CreateServerRequest userData. */
            userData: Uint8Array;

            /** CreateServerRequest metadata. */
            metadata: { [k: string]: string };

            /** CreateServerRequest zone. */
            zone: string;

            /** CreateServerRequest securityGroupNames. */
            securityGroupNames: string[];

            /** CreateServerRequest schedulerHints. */
            schedulerHints: { [k: string]: string };

            /** CreateServerRequest clientToken. */
            clientToken: string;

            /** CreateServerRequest minCount. */
            minCount: number;

            /** CreateServerRequest maxCount. */
            maxCount: number;

            /** CreateServerRequest idsOnly. */
            idsOnly: boolean;

            /**
             * Creates a new CreateServerRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns CreateServerRequest instance
             */
            static create(properties: shoal.v1.CreateServerRequest.$Shape): shoal.v1.CreateServerRequest & shoal.v1.CreateServerRequest.$Shape;
            static create(properties?: shoal.v1.CreateServerRequest.$Properties): shoal.v1.CreateServerRequest;

            /**
             * Encodes the specified CreateServerRequest message. Does not implicitly {@link shoal.v1.CreateServerRequest.verify|verify} messages.
             * @param message CreateServerRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.CreateServerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a CreateServerRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.CreateServerRequest & shoal.v1.CreateServerRequest.$Shape} CreateServerRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.CreateServerRequest & shoal.v1.CreateServerRequest.$Shape;
        }

        namespace CreateServerRequest {

            /** Properties of a CreateServerRequest. */
            interface $Properties {

                /** CreateServerRequest name */
                name?: string;

                /** CreateServerRequest flavorId */
                flavorId?: string;

                /** CreateServerRequest imageId */
                imageId?: string;

                /** CreateServerRequest networkIds */
                networkIds?: string[];

                /** CreateServerRequest keyName */
                keyName?: string;

                /** CreateServerRequest userData */
                userData?: Uint8Array;

                /** CreateServerRequest metadata */
                metadata?: { [k: string]: string };

                /** CreateServerRequest zone */
                zone?: string;

                /** CreateServerRequest securityGroupNames */
                securityGroupNames?: string[];

                /** CreateServerRequest schedulerHints */
                schedulerHints?: { [k: string]: string };

                /** CreateServerRequest clientToken */
                clientToken?: string;

                /** CreateServerRequest minCount */
                minCount?: number;

                /** CreateServerRequest maxCount */
                maxCount?: number;

                /** CreateServerRequest idsOnly */
                idsOnly?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a CreateServerRequest. */
            type $Shape = shoal.v1.CreateServerRequest.$Properties;
        }

        /**
         * Properties of a CreateServerResponse.
         * @deprecated Use shoal.v1.CreateServerResponse.$Properties instead.
         */
        interface ICreateServerResponse extends shoal.v1.CreateServerResponse.$Properties {
        }

        /** Represents a CreateServerResponse. */
        class CreateServerResponse {

            /**
             * Constructs a new CreateServerResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.CreateServerResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** CreateServerResponse server. */
            server: (shoal.v1.Server|null);

            /** CreateServerResponse servers. */
            servers: shoal.v1.Server[];

            /** CreateServerResponse serverIds. */
            serverIds: string[];

            /** CreateServerResponse reservationId. */
            reservationId: string;

            /**
             * Creates a new CreateServerResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns CreateServerResponse instance
             */
            static create(properties: shoal.v1.CreateServerResponse.$Shape): shoal.v1.CreateServerResponse & shoal.v1.CreateServerResponse.$Shape;
            static create(properties?: shoal.v1.CreateServerResponse.$Properties): shoal.v1.CreateServerResponse;

            /**
             * Encodes the specified CreateServerResponse message. Does not implicitly {@link shoal.v1.CreateServerResponse.verify|verify} messages.
             * @param message CreateServerResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.CreateServerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a CreateServerResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.CreateServerResponse & shoal.v1.CreateServerResponse.$Shape} CreateServerResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.CreateServerResponse & shoal.v1.CreateServerResponse.$Shape;
        }

        namespace CreateServerResponse {

            /** Properties of a CreateServerResponse. */
            interface $Properties {

                /** CreateServerResponse server */
                server?: (shoal.v1.Server.$Properties|null);

                /** CreateServerResponse servers */
                servers?: shoal.v1.Server.$Properties[];

                /** CreateServerResponse serverIds */
                serverIds?: string[];

                /** CreateServerResponse reservationId */
                reservationId?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a CreateServerResponse. */
            type $Shape = shoal.v1.CreateServerResponse.$Properties;
        }

        /**
         * Properties of a GetServerRequest.
         * @deprecated Use shoal.v1.GetServerRequest.$Properties instead.
         */
        interface IGetServerRequest extends shoal.v1.GetServerRequest.$Properties {
        }

        /** Represents a GetServerRequest. */
        class GetServerRequest {

            /**
             * Constructs a new GetServerRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.GetServerRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GetServerRequest serverId. */
            serverId: string;

            /**
             * Creates a new GetServerRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GetServerRequest instance
             */
            static create(properties: shoal.v1.GetServerRequest.$Shape): shoal.v1.GetServerRequest & shoal.v1.GetServerRequest.$Shape;
            static create(properties?: shoal.v1.GetServerRequest.$Properties): shoal.v1.GetServerRequest;

            /**
             * Encodes the specified GetServerRequest message. Does not implicitly {@link shoal.v1.GetServerRequest.verify|verify} messages.
             * @param message GetServerRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.GetServerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GetServerRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.GetServerRequest & shoal.v1.GetServerRequest.$Shape} GetServerRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.GetServerRequest & shoal.v1.GetServerRequest.$Shape;
        }

        namespace GetServerRequest {

            /** Properties of a GetServerRequest. */
            interface $Properties {

                /** GetServerRequest serverId */
                serverId?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GetServerRequest. */
            type $Shape = shoal.v1.GetServerRequest.$Properties;
        }

        /**
         * Properties of a GetServerResponse.
         * @deprecated Use shoal.v1.GetServerResponse.$Properties instead.
         */
        interface IGetServerResponse extends shoal.v1.GetServerResponse.$Properties {
        }

        /** Represents a GetServerResponse. */
        class GetServerResponse {

            /**
             * Constructs a new GetServerResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.GetServerResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GetServerResponse server. */
            server: (shoal.v1.Server|null);

            /** GetServerResponse stale. */
            stale: boolean;

            /**
             * Creates a new GetServerResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GetServerResponse instance
             */
            static create(properties: shoal.v1.GetServerResponse.$Shape): shoal.v1.GetServerResponse & shoal.v1.GetServerResponse.$Shape;
            static create(properties?: shoal.v1.GetServerResponse.$Properties): shoal.v1.GetServerResponse;

            /**
             * Encodes the specified GetServerResponse message. Does not implicitly {@link shoal.v1.GetServerResponse.verify|verify} messages.
             * @param message GetServerResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.GetServerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GetServerResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.GetServerResponse & shoal.v1.GetServerResponse.$Shape} GetServerResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.GetServerResponse & shoal.v1.GetServerResponse.$Shape;
        }

        namespace GetServerResponse {

            /** Properties of a GetServerResponse. */
            interface $Properties {

                /** GetServerResponse server */
                server?: (shoal.v1.Server.$Properties|null);

                /** GetServerResponse stale */
                stale?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GetServerResponse. */
            type $Shape = shoal.v1.GetServerResponse.$Properties;
        }

        /**
         * Properties of a ListServersRequest.
         * @deprecated Use shoal.v1.ListServersRequest.$Properties instead.
         */
        interface IListServersRequest extends shoal.v1.ListServersRequest.$Properties {
        }

        /** Represents a ListServersRequest. */
        class ListServersRequest {

            /**
             * Constructs a new ListServersRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ListServersRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ListServersRequest allProjects. */
            allProjects: boolean;

            /** ListServersRequest pageSize. */
            pageSize: number;

            /** ListServersRequest pageToken. */
            pageToken: string;

            /**
             * Creates a new ListServersRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListServersRequest instance
             */
            static create(properties: shoal.v1.ListServersRequest.$Shape): shoal.v1.ListServersRequest & shoal.v1.ListServersRequest.$Shape;
            static create(properties?: shoal.v1.ListServersRequest.$Properties): shoal.v1.ListServersRequest;

            /**
             * Encodes the specified ListServersRequest message. Does not implicitly {@link shoal.v1.ListServersRequest.verify|verify} messages.
             * @param message ListServersRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ListServersRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListServersRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ListServersRequest & shoal.v1.ListServersRequest.$Shape} ListServersRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ListServersRequest & shoal.v1.ListServersRequest.$Shape;
        }

        namespace ListServersRequest {

            /** Properties of a ListServersRequest. */
            interface $Properties {

                /** ListServersRequest allProjects */
                allProjects?: boolean;

                /** ListServersRequest pageSize */
                pageSize?: number;

                /** ListServersRequest pageToken */
                pageToken?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListServersRequest. */
            type $Shape = shoal.v1.ListServersRequest.$Properties;
        }

        /**
         * Properties of a ListServersResponse.
         * @deprecated Use shoal.v1.ListServersResponse.$Properties instead.
         */
        interface IListServersResponse extends shoal.v1.ListServersResponse.$Properties {
        }

        /** Represents a ListServersResponse. */
        class ListServersResponse {

            /**
             * Constructs a new ListServersResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ListServersResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ListServersResponse servers. */
            servers: shoal.v1.Server[];

            /** ListServersResponse nextPageToken. */
            nextPageToken: string;

            /** ListServersResponse stale. */
            stale: boolean;

            /** ListServersResponse revision. */
            revision: number;

            /**
             * Creates a new ListServersResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListServersResponse instance
             */
            static create(properties: shoal.v1.ListServersResponse.$Shape): shoal.v1.ListServersResponse & shoal.v1.ListServersResponse.$Shape;
            static create(properties?: shoal.v1.ListServersResponse.$Properties): shoal.v1.ListServersResponse;

            /**
             * Encodes the specified ListServersResponse message. Does not implicitly {@link shoal.v1.ListServersResponse.verify|verify} messages.
             * @param message ListServersResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ListServersResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListServersResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ListServersResponse & shoal.v1.ListServersResponse.$Shape} ListServersResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ListServersResponse & shoal.v1.ListServersResponse.$Shape;
        }

        namespace ListServersResponse {

            /** Properties of a ListServersResponse. */
            interface $Properties {

                /** ListServersResponse servers */
                servers?: shoal.v1.Server.$Properties[];

                /** ListServersResponse nextPageToken */
                nextPageToken?: string;

                /** ListServersResponse stale */
                stale?: boolean;

                /** ListServersResponse revision */
                revision?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListServersResponse. */
            type $Shape = shoal.v1.ListServersResponse.$Properties;
        }

        /**
         * Properties of a DeleteServerRequest.
         * @deprecated Use shoal.v1.DeleteServerRequest.$Properties instead.
         */
        interface IDeleteServerRequest extends shoal.v1.DeleteServerRequest.$Properties {
        }

        /** Represents a DeleteServerRequest. */
        class DeleteServerRequest {

            /**
             * Constructs a new DeleteServerRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.DeleteServerRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** DeleteServerRequest serverId. */
            serverId: string;

            /**
             * Creates a new DeleteServerRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns DeleteServerRequest instance
             */
            static create(properties: shoal.v1.DeleteServerRequest.$Shape): shoal.v1.DeleteServerRequest & shoal.v1.DeleteServerRequest.$Shape;
            static create(properties?: shoal.v1.DeleteServerRequest.$Properties): shoal.v1.DeleteServerRequest;

            /**
             * Encodes the specified DeleteServerRequest message. Does not implicitly {@link shoal.v1.DeleteServerRequest.verify|verify} messages.
             * @param message DeleteServerRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.DeleteServerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a DeleteServerRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.DeleteServerRequest & shoal.v1.DeleteServerRequest.$Shape} DeleteServerRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.DeleteServerRequest & shoal.v1.DeleteServerRequest.$Shape;
        }

        namespace DeleteServerRequest {

            /** Properties of a DeleteServerRequest. */
            interface $Properties {

                /** DeleteServerRequest serverId */
                serverId?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a DeleteServerRequest. */
            type $Shape = shoal.v1.DeleteServerRequest.$Properties;
        }

        /**
         * Properties of a DeleteServerResponse.
         * @deprecated Use shoal.v1.DeleteServerResponse.$Properties instead.
         */
        interface IDeleteServerResponse extends shoal.v1.DeleteServerResponse.$Properties {
        }

        /** Represents a DeleteServerResponse. */
        class DeleteServerResponse {

            /**
             * Constructs a new DeleteServerResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.DeleteServerResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new DeleteServerResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns DeleteServerResponse instance
             */
            static create(properties: shoal.v1.DeleteServerResponse.$Shape): shoal.v1.DeleteServerResponse & shoal.v1.DeleteServerResponse.$Shape;
            static create(properties?: shoal.v1.DeleteServerResponse.$Properties): shoal.v1.DeleteServerResponse;

            /**
             * Encodes the specified DeleteServerResponse message. Does not implicitly {@link shoal.v1.DeleteServerResponse.verify|verify} messages.
             * @param message DeleteServerResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.DeleteServerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a DeleteServerResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.DeleteServerResponse & shoal.v1.DeleteServerResponse.$Shape} DeleteServerResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.DeleteServerResponse & shoal.v1.DeleteServerResponse.$Shape;
        }

        namespace DeleteServerResponse {

            /** Properties of a DeleteServerResponse. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a DeleteServerResponse. */
            type $Shape = shoal.v1.DeleteServerResponse.$Properties;
        }

        /**
         * Properties of a StopServerRequest.
         * @deprecated Use shoal.v1.StopServerRequest.$Properties instead.
         */
        interface IStopServerRequest extends shoal.v1.StopServerRequest.$Properties {
        }

        /** Represents a StopServerRequest. */
        class StopServerRequest {

            /**
             * Constructs a new StopServerRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.StopServerRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** StopServerRequest serverId. */
            serverId: string;

            /**
             * Creates a new StopServerRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns StopServerRequest instance
             */
            static create(properties: shoal.v1.StopServerRequest.$Shape): shoal.v1.StopServerRequest & shoal.v1.StopServerRequest.$Shape;
            static create(properties?: shoal.v1.StopServerRequest.$Properties): shoal.v1.StopServerRequest;

            /**
             * Encodes the specified StopServerRequest message. Does not implicitly {@link shoal.v1.StopServerRequest.verify|verify} messages.
             * @param message StopServerRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.StopServerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StopServerRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.StopServerRequest & shoal.v1.StopServerRequest.$Shape} StopServerRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.StopServerRequest & shoal.v1.StopServerRequest.$Shape;
        }

        namespace StopServerRequest {

            /** Properties of a StopServerRequest. */
            interface $Properties {

                /** StopServerRequest serverId */
                serverId?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StopServerRequest. */
            type $Shape = shoal.v1.StopServerRequest.$Properties;
        }

        /**
         * Properties of a StopServerResponse.
         * @deprecated Use shoal.v1.StopServerResponse.$Properties instead.
         */
        interface IStopServerResponse extends shoal.v1.StopServerResponse.$Properties {
        }

        /** Represents a StopServerResponse. */
        class StopServerResponse {

            /**
             * Constructs a new StopServerResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.StopServerResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new StopServerResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns StopServerResponse instance
             */
            static create(properties: shoal.v1.StopServerResponse.$Shape): shoal.v1.StopServerResponse & shoal.v1.StopServerResponse.$Shape;
            static create(properties?: shoal.v1.StopServerResponse.$Properties): shoal.v1.StopServerResponse;

            /**
             * Encodes the specified StopServerResponse message. Does not implicitly {@link shoal.v1.StopServerResponse.verify|verify} messages.
             * @param message StopServerResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.StopServerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StopServerResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.StopServerResponse & shoal.v1.StopServerResponse.$Shape} StopServerResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.StopServerResponse & shoal.v1.StopServerResponse.$Shape;
        }

        namespace StopServerResponse {

            /** Properties of a StopServerResponse. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StopServerResponse. */
            type $Shape = shoal.v1.StopServerResponse.$Properties;
        }

        /**
         * Properties of a StartServerRequest.
         * @deprecated Use shoal.v1.StartServerRequest.$Properties instead.
         */
        interface IStartServerRequest extends shoal.v1.StartServerRequest.$Properties {
        }

        /** Represents a StartServerRequest. */
        class StartServerRequest {

            /**
             * Constructs a new StartServerRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.StartServerRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** StartServerRequest serverId. */
            serverId: string;

            /**
             * Creates a new StartServerRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns StartServerRequest instance
             */
            static create(properties: shoal.v1.StartServerRequest.$Shape): shoal.v1.StartServerRequest & shoal.v1.StartServerRequest.$Shape;
            static create(properties?: shoal.v1.StartServerRequest.$Properties): shoal.v1.StartServerRequest;

            /**
             * Encodes the specified StartServerRequest message. Does not implicitly {@link shoal.v1.StartServerRequest.verify|verify} messages.
             * @param message StartServerRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.StartServerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StartServerRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.StartServerRequest & shoal.v1.StartServerRequest.$Shape} StartServerRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.StartServerRequest & shoal.v1.StartServerRequest.$Shape;
        }

        namespace StartServerRequest {

            /** Properties of a StartServerRequest. */
            interface $Properties {

                /** StartServerRequest serverId */
                serverId?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StartServerRequest. */
            type $Shape = shoal.v1.StartServerRequest.$Properties;
        }

        /**
         * Properties of a StartServerResponse.
         * @deprecated Use shoal.v1.StartServerResponse.$Properties instead.
         */
        interface IStartServerResponse extends shoal.v1.StartServerResponse.$Properties {
        }

        /** Represents a StartServerResponse. */
        class StartServerResponse {

            /**
             * Constructs a new StartServerResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.StartServerResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new StartServerResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns StartServerResponse instance
             */
            static create(properties: shoal.v1.StartServerResponse.$Shape): shoal.v1.StartServerResponse & shoal.v1.StartServerResponse.$Shape;
            static create(properties?: shoal.v1.StartServerResponse.$Properties): shoal.v1.StartServerResponse;

            /**
             * Encodes the specified StartServerResponse message. Does not implicitly {@link shoal.v1.StartServerResponse.verify|verify} messages.
             * @param message StartServerResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.StartServerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StartServerResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.StartServerResponse & shoal.v1.StartServerResponse.$Shape} StartServerResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.StartServerResponse & shoal.v1.StartServerResponse.$Shape;
        }

        namespace StartServerResponse {

            /** Properties of a StartServerResponse. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StartServerResponse. */
            type $Shape = shoal.v1.StartServerResponse.$Properties;
        }

        /**
         * Properties of a RebootServerRequest.
         * @deprecated Use shoal.v1.RebootServerRequest.$Properties instead.
         */
        interface IRebootServerRequest extends shoal.v1.RebootServerRequest.$Properties {
        }

        /** Represents a RebootServerRequest. */
        class RebootServerRequest {

            /**
             * Constructs a new RebootServerRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RebootServerRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RebootServerRequest serverId. */
            serverId: string;

            /** RebootServerRequest hard. */
            hard: boolean;

            /**
             * Creates a new RebootServerRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RebootServerRequest instance
             */
            static create(properties: shoal.v1.RebootServerRequest.$Shape): shoal.v1.RebootServerRequest & shoal.v1.RebootServerRequest.$Shape;
            static create(properties?: shoal.v1.RebootServerRequest.$Properties): shoal.v1.RebootServerRequest;

            /**
             * Encodes the specified RebootServerRequest message. Does not implicitly {@link shoal.v1.RebootServerRequest.verify|verify} messages.
             * @param message RebootServerRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RebootServerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RebootServerRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RebootServerRequest & shoal.v1.RebootServerRequest.$Shape} RebootServerRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RebootServerRequest & shoal.v1.RebootServerRequest.$Shape;
        }

        namespace RebootServerRequest {

            /** Properties of a RebootServerRequest. */
            interface $Properties {

                /** RebootServerRequest serverId */
                serverId?: string;

                /** RebootServerRequest hard */
                hard?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RebootServerRequest. */
            type $Shape = shoal.v1.RebootServerRequest.$Properties;
        }

        /**
         * Properties of a RebootServerResponse.
         * @deprecated Use shoal.v1.RebootServerResponse.$Properties instead.
         */
        interface IRebootServerResponse extends shoal.v1.RebootServerResponse.$Properties {
        }

        /** Represents a RebootServerResponse. */
        class RebootServerResponse {

            /**
             * Constructs a new RebootServerResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RebootServerResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new RebootServerResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RebootServerResponse instance
             */
            static create(properties: shoal.v1.RebootServerResponse.$Shape): shoal.v1.RebootServerResponse & shoal.v1.RebootServerResponse.$Shape;
            static create(properties?: shoal.v1.RebootServerResponse.$Properties): shoal.v1.RebootServerResponse;

            /**
             * Encodes the specified RebootServerResponse message. Does not implicitly {@link shoal.v1.RebootServerResponse.verify|verify} messages.
             * @param message RebootServerResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RebootServerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RebootServerResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RebootServerResponse & shoal.v1.RebootServerResponse.$Shape} RebootServerResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RebootServerResponse & shoal.v1.RebootServerResponse.$Shape;
        }

        namespace RebootServerResponse {

            /** Properties of a RebootServerResponse. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RebootServerResponse. */
            type $Shape = shoal.v1.RebootServerResponse.$Properties;
        }

        /**
         * Properties of a MigrateServerRequest.
         * @deprecated Use shoal.v1.MigrateServerRequest.$Properties instead.
         */
        interface IMigrateServerRequest extends shoal.v1.MigrateServerRequest.$Properties {
        }

        /** Represents a MigrateServerRequest. */
        class MigrateServerRequest {

            /**
             * Constructs a new MigrateServerRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.MigrateServerRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** MigrateServerRequest serverId. */
            serverId: string;

            /** MigrateServerRequest hostName. */
            hostName: string;

            /**
             * Creates a new MigrateServerRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns MigrateServerRequest instance
             */
            static create(properties: shoal.v1.MigrateServerRequest.$Shape): shoal.v1.MigrateServerRequest & shoal.v1.MigrateServerRequest.$Shape;
            static create(properties?: shoal.v1.MigrateServerRequest.$Properties): shoal.v1.MigrateServerRequest;

            /**
             * Encodes the specified MigrateServerRequest message. Does not implicitly {@link shoal.v1.MigrateServerRequest.verify|verify} messages.
             * @param message MigrateServerRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.MigrateServerRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a MigrateServerRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.MigrateServerRequest & shoal.v1.MigrateServerRequest.$Shape} MigrateServerRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.MigrateServerRequest & shoal.v1.MigrateServerRequest.$Shape;
        }

        namespace MigrateServerRequest {

            /** Properties of a MigrateServerRequest. */
            interface $Properties {

                /** MigrateServerRequest serverId */
                serverId?: string;

                /** MigrateServerRequest hostName */
                hostName?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a MigrateServerRequest. */
            type $Shape = shoal.v1.MigrateServerRequest.$Properties;
        }

        /**
         * Properties of a MigrateServerResponse.
         * @deprecated Use shoal.v1.MigrateServerResponse.$Properties instead.
         */
        interface IMigrateServerResponse extends shoal.v1.MigrateServerResponse.$Properties {
        }

        /** Represents a MigrateServerResponse. */
        class MigrateServerResponse {

            /**
             * Constructs a new MigrateServerResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.MigrateServerResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new MigrateServerResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns MigrateServerResponse instance
             */
            static create(properties: shoal.v1.MigrateServerResponse.$Shape): shoal.v1.MigrateServerResponse & shoal.v1.MigrateServerResponse.$Shape;
            static create(properties?: shoal.v1.MigrateServerResponse.$Properties): shoal.v1.MigrateServerResponse;

            /**
             * Encodes the specified MigrateServerResponse message. Does not implicitly {@link shoal.v1.MigrateServerResponse.verify|verify} messages.
             * @param message MigrateServerResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.MigrateServerResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a MigrateServerResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.MigrateServerResponse & shoal.v1.MigrateServerResponse.$Shape} MigrateServerResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.MigrateServerResponse & shoal.v1.MigrateServerResponse.$Shape;
        }

        namespace MigrateServerResponse {

            /** Properties of a MigrateServerResponse. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a MigrateServerResponse. */
            type $Shape = shoal.v1.MigrateServerResponse.$Properties;
        }

        /**
         * Properties of a GetConsoleLogRequest.
         * @deprecated Use shoal.v1.GetConsoleLogRequest.$Properties instead.
         */
        interface IGetConsoleLogRequest extends shoal.v1.GetConsoleLogRequest.$Properties {
        }

        /** Represents a GetConsoleLogRequest. */
        class GetConsoleLogRequest {

            /**
             * Constructs a new GetConsoleLogRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.GetConsoleLogRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GetConsoleLogRequest serverId. */
            serverId: string;

            /** GetConsoleLogRequest linesMax. */
            linesMax: number;

            /**
             * Creates a new GetConsoleLogRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GetConsoleLogRequest instance
             */
            static create(properties: shoal.v1.GetConsoleLogRequest.$Shape): shoal.v1.GetConsoleLogRequest & shoal.v1.GetConsoleLogRequest.$Shape;
            static create(properties?: shoal.v1.GetConsoleLogRequest.$Properties): shoal.v1.GetConsoleLogRequest;

            /**
             * Encodes the specified GetConsoleLogRequest message. Does not implicitly {@link shoal.v1.GetConsoleLogRequest.verify|verify} messages.
             * @param message GetConsoleLogRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.GetConsoleLogRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GetConsoleLogRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.GetConsoleLogRequest & shoal.v1.GetConsoleLogRequest.$Shape} GetConsoleLogRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.GetConsoleLogRequest & shoal.v1.GetConsoleLogRequest.$Shape;
        }

        namespace GetConsoleLogRequest {

            /** Properties of a GetConsoleLogRequest. */
            interface $Properties {

                /** GetConsoleLogRequest serverId */
                serverId?: string;

                /** GetConsoleLogRequest linesMax */
                linesMax?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GetConsoleLogRequest. */
            type $Shape = shoal.v1.GetConsoleLogRequest.$Properties;
        }

        /**
         * Properties of a GetConsoleLogResponse.
         * @deprecated Use shoal.v1.GetConsoleLogResponse.$Properties instead.
         */
        interface IGetConsoleLogResponse extends shoal.v1.GetConsoleLogResponse.$Properties {
        }

        /** Represents a GetConsoleLogResponse. */
        class GetConsoleLogResponse {

            /**
             * Constructs a new GetConsoleLogResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.GetConsoleLogResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** GetConsoleLogResponse output. */
            output: string;

            /**
             * Creates a new GetConsoleLogResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns GetConsoleLogResponse instance
             */
            static create(properties: shoal.v1.GetConsoleLogResponse.$Shape): shoal.v1.GetConsoleLogResponse & shoal.v1.GetConsoleLogResponse.$Shape;
            static create(properties?: shoal.v1.GetConsoleLogResponse.$Properties): shoal.v1.GetConsoleLogResponse;

            /**
             * Encodes the specified GetConsoleLogResponse message. Does not implicitly {@link shoal.v1.GetConsoleLogResponse.verify|verify} messages.
             * @param message GetConsoleLogResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.GetConsoleLogResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a GetConsoleLogResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.GetConsoleLogResponse & shoal.v1.GetConsoleLogResponse.$Shape} GetConsoleLogResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.GetConsoleLogResponse & shoal.v1.GetConsoleLogResponse.$Shape;
        }

        namespace GetConsoleLogResponse {

            /** Properties of a GetConsoleLogResponse. */
            interface $Properties {

                /** GetConsoleLogResponse output */
                output?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a GetConsoleLogResponse. */
            type $Shape = shoal.v1.GetConsoleLogResponse.$Properties;
        }

        /**
         * Properties of a WatchServersRequest.
         * @deprecated Use shoal.v1.WatchServersRequest.$Properties instead.
         */
        interface IWatchServersRequest extends shoal.v1.WatchServersRequest.$Properties {
        }

        /** Represents a WatchServersRequest. */
        class WatchServersRequest {

            /**
             * Constructs a new WatchServersRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.WatchServersRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WatchServersRequest fromRevision. */
            fromRevision: number;

            /**
             * Creates a new WatchServersRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WatchServersRequest instance
             */
            static create(properties: shoal.v1.WatchServersRequest.$Shape): shoal.v1.WatchServersRequest & shoal.v1.WatchServersRequest.$Shape;
            static create(properties?: shoal.v1.WatchServersRequest.$Properties): shoal.v1.WatchServersRequest;

            /**
             * Encodes the specified WatchServersRequest message. Does not implicitly {@link shoal.v1.WatchServersRequest.verify|verify} messages.
             * @param message WatchServersRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.WatchServersRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WatchServersRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.WatchServersRequest & shoal.v1.WatchServersRequest.$Shape} WatchServersRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.WatchServersRequest & shoal.v1.WatchServersRequest.$Shape;
        }

        namespace WatchServersRequest {

            /** Properties of a WatchServersRequest. */
            interface $Properties {

                /** WatchServersRequest fromRevision */
                fromRevision?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WatchServersRequest. */
            type $Shape = shoal.v1.WatchServersRequest.$Properties;
        }

        /**
         * Properties of a WatchServersResponse.
         * @deprecated Use shoal.v1.WatchServersResponse.$Properties instead.
         */
        interface IWatchServersResponse extends shoal.v1.WatchServersResponse.$Properties {
        }

        /** Represents a WatchServersResponse. */
        class WatchServersResponse {

            /**
             * Constructs a new WatchServersResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.WatchServersResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WatchServersResponse revision. */
            revision: number;

            /** WatchServersResponse serverId. */
            serverId: string;

            /** WatchServersResponse server. */
            server: (shoal.v1.Server|null);

            /**
             * Creates a new WatchServersResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WatchServersResponse instance
             */
            static create(properties: shoal.v1.WatchServersResponse.$Shape): shoal.v1.WatchServersResponse & shoal.v1.WatchServersResponse.$Shape;
            static create(properties?: shoal.v1.WatchServersResponse.$Properties): shoal.v1.WatchServersResponse;

            /**
             * Encodes the specified WatchServersResponse message. Does not implicitly {@link shoal.v1.WatchServersResponse.verify|verify} messages.
             * @param message WatchServersResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.WatchServersResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WatchServersResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.WatchServersResponse & shoal.v1.WatchServersResponse.$Shape} WatchServersResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.WatchServersResponse & shoal.v1.WatchServersResponse.$Shape;
        }

        namespace WatchServersResponse {

            /** Properties of a WatchServersResponse. */
            interface $Properties {

                /** WatchServersResponse revision */
                revision?: number;

                /** WatchServersResponse serverId */
                serverId?: string;

                /** WatchServersResponse server */
                server?: (shoal.v1.Server.$Properties|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WatchServersResponse. */
            type $Shape = shoal.v1.WatchServersResponse.$Properties;
        }

        /**
         * Properties of a ListFlavorsRequest.
         * @deprecated Use shoal.v1.ListFlavorsRequest.$Properties instead.
         */
        interface IListFlavorsRequest extends shoal.v1.ListFlavorsRequest.$Properties {
        }

        /** Represents a ListFlavorsRequest. */
        class ListFlavorsRequest {

            /**
             * Constructs a new ListFlavorsRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ListFlavorsRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new ListFlavorsRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListFlavorsRequest instance
             */
            static create(properties: shoal.v1.ListFlavorsRequest.$Shape): shoal.v1.ListFlavorsRequest & shoal.v1.ListFlavorsRequest.$Shape;
            static create(properties?: shoal.v1.ListFlavorsRequest.$Properties): shoal.v1.ListFlavorsRequest;

            /**
             * Encodes the specified ListFlavorsRequest message. Does not implicitly {@link shoal.v1.ListFlavorsRequest.verify|verify} messages.
             * @param message ListFlavorsRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ListFlavorsRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListFlavorsRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ListFlavorsRequest & shoal.v1.ListFlavorsRequest.$Shape} ListFlavorsRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ListFlavorsRequest & shoal.v1.ListFlavorsRequest.$Shape;
        }

        namespace ListFlavorsRequest {

            /** Properties of a ListFlavorsRequest. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListFlavorsRequest. */
            type $Shape = shoal.v1.ListFlavorsRequest.$Properties;
        }

        /**
         * Properties of a ListFlavorsResponse.
         * @deprecated Use shoal.v1.ListFlavorsResponse.$Properties instead.
         */
        interface IListFlavorsResponse extends shoal.v1.ListFlavorsResponse.$Properties {
        }

        /** Represents a ListFlavorsResponse. */
        class ListFlavorsResponse {

            /**
             * Constructs a new ListFlavorsResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ListFlavorsResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ListFlavorsResponse flavors. */
            flavors: shoal.v1.Flavor[];

            /**
             * Creates a new ListFlavorsResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ListFlavorsResponse instance
             */
            static create(properties: shoal.v1.ListFlavorsResponse.$Shape): shoal.v1.ListFlavorsResponse & shoal.v1.ListFlavorsResponse.$Shape;
            static create(properties?: shoal.v1.ListFlavorsResponse.$Properties): shoal.v1.ListFlavorsResponse;

            /**
             * Encodes the specified ListFlavorsResponse message. Does not implicitly {@link shoal.v1.ListFlavorsResponse.verify|verify} messages.
             * @param message ListFlavorsResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ListFlavorsResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ListFlavorsResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ListFlavorsResponse & shoal.v1.ListFlavorsResponse.$Shape} ListFlavorsResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ListFlavorsResponse & shoal.v1.ListFlavorsResponse.$Shape;
        }

        namespace ListFlavorsResponse {

            /** Properties of a ListFlavorsResponse. */
            interface $Properties {

                /** ListFlavorsResponse flavors */
                flavors?: shoal.v1.Flavor.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ListFlavorsResponse. */
            type $Shape = shoal.v1.ListFlavorsResponse.$Properties;
        }

        /** Represents a JoinService */
        class JoinService extends $protobuf.rpc.Service {

            /**
             * Constructs a new JoinService service.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             */
            constructor(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean);

            /**
             * Creates new JoinService service using the specified rpc implementation.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             * @returns RPC service. Useful where requests and/or responses are streamed.
             */
            static create(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean): JoinService;

            /** Calls Join. */
            join: shoal.v1.JoinService.Join;
        }

        namespace JoinService {

            /**
             * Callback as used by {@link shoal.v1.JoinService#join}.
             * @param error Error, if any
             * @param [response] JoinResponse
             */
            type JoinCallback = (error: (Error|null), response?: shoal.v1.JoinResponse) => void;

            /** Calls Join. */
            type Join = {
              (request: shoal.v1.IJoinRequest, callback: shoal.v1.JoinService.JoinCallback): void;
              (request: shoal.v1.IJoinRequest): Promise<shoal.v1.JoinResponse>;
              readonly name: "Join";
              readonly path: "/shoal.v1.JoinService/Join";
              readonly requestType: "JoinRequest";
              readonly responseType: "JoinResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };
        }

        /**
         * Properties of a JoinRequest.
         * @deprecated Use shoal.v1.JoinRequest.$Properties instead.
         */
        interface IJoinRequest extends shoal.v1.JoinRequest.$Properties {
        }

        /** Represents a JoinRequest. */
        class JoinRequest {

            /**
             * Constructs a new JoinRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.JoinRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** JoinRequest meshId. */
            meshId: string;

            /** JoinRequest ticketId. */
            ticketId: string;

            /** JoinRequest secret. */
            secret: Uint8Array;

            /** JoinRequest host. */
            host: (shoal.v1.Host|null);

            /** JoinRequest tlsPublicKey. */
            tlsPublicKey: Uint8Array;

            /** JoinRequest proof. */
            proof: Uint8Array;

            /**
             * Creates a new JoinRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns JoinRequest instance
             */
            static create(properties: shoal.v1.JoinRequest.$Shape): shoal.v1.JoinRequest & shoal.v1.JoinRequest.$Shape;
            static create(properties?: shoal.v1.JoinRequest.$Properties): shoal.v1.JoinRequest;

            /**
             * Encodes the specified JoinRequest message. Does not implicitly {@link shoal.v1.JoinRequest.verify|verify} messages.
             * @param message JoinRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.JoinRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a JoinRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.JoinRequest & shoal.v1.JoinRequest.$Shape} JoinRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.JoinRequest & shoal.v1.JoinRequest.$Shape;
        }

        namespace JoinRequest {

            /** Properties of a JoinRequest. */
            interface $Properties {

                /** JoinRequest meshId */
                meshId?: string;

                /** JoinRequest ticketId */
                ticketId?: string;

                /** JoinRequest secret */
                secret?: Uint8Array;

                /** JoinRequest host */
                host?: (shoal.v1.Host.$Properties|null);

                /** JoinRequest tlsPublicKey */
                tlsPublicKey?: Uint8Array;

                /** JoinRequest proof */
                proof?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a JoinRequest. */
            type $Shape = shoal.v1.JoinRequest.$Properties;
        }

        /**
         * Properties of a JoinResponse.
         * @deprecated Use shoal.v1.JoinResponse.$Properties instead.
         */
        interface IJoinResponse extends shoal.v1.JoinResponse.$Properties {
        }

        /** Represents a JoinResponse. */
        class JoinResponse {

            /**
             * Constructs a new JoinResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.JoinResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** JoinResponse host. */
            host: (shoal.v1.Host|null);

            /** JoinResponse certificatePem. */
            certificatePem: string;

            /** JoinResponse authorityCertificatePem. */
            authorityCertificatePem: string;

            /** JoinResponse meshKey. */
            meshKey: Uint8Array;

            /** JoinResponse hosts. */
            hosts: shoal.v1.Host[];

            /**
             * Creates a new JoinResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns JoinResponse instance
             */
            static create(properties: shoal.v1.JoinResponse.$Shape): shoal.v1.JoinResponse & shoal.v1.JoinResponse.$Shape;
            static create(properties?: shoal.v1.JoinResponse.$Properties): shoal.v1.JoinResponse;

            /**
             * Encodes the specified JoinResponse message. Does not implicitly {@link shoal.v1.JoinResponse.verify|verify} messages.
             * @param message JoinResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.JoinResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a JoinResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.JoinResponse & shoal.v1.JoinResponse.$Shape} JoinResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.JoinResponse & shoal.v1.JoinResponse.$Shape;
        }

        namespace JoinResponse {

            /** Properties of a JoinResponse. */
            interface $Properties {

                /** JoinResponse host */
                host?: (shoal.v1.Host.$Properties|null);

                /** JoinResponse certificatePem */
                certificatePem?: string;

                /** JoinResponse authorityCertificatePem */
                authorityCertificatePem?: string;

                /** JoinResponse meshKey */
                meshKey?: Uint8Array;

                /** JoinResponse hosts */
                hosts?: shoal.v1.Host.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a JoinResponse. */
            type $Shape = shoal.v1.JoinResponse.$Properties;
        }

        /** Represents a PeerService */
        class PeerService extends $protobuf.rpc.Service {

            /**
             * Constructs a new PeerService service.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             */
            constructor(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean);

            /**
             * Creates new PeerService service using the specified rpc implementation.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             * @returns RPC service. Useful where requests and/or responses are streamed.
             */
            static create(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean): PeerService;

            /** Calls Raft. */
            raft: shoal.v1.PeerService.Raft;

            /** Calls Forward. */
            forward: shoal.v1.PeerService.Forward;

            /** Calls Propose. */
            propose: shoal.v1.PeerService.Propose;

            /** Calls ReadIndex. */
            readIndex: shoal.v1.PeerService.ReadIndex;

            /** Calls FetchSnapshot. */
            fetchSnapshot: shoal.v1.PeerService.FetchSnapshot;

            /** Calls Claim. */
            claim: shoal.v1.PeerService.Claim;

            /** Calls ClaimBatch. */
            claimBatch: shoal.v1.PeerService.ClaimBatch;

            /** Calls ReleaseClaim. */
            releaseClaim: shoal.v1.PeerService.ReleaseClaim;

            /** Calls FetchBlob. */
            fetchBlob: shoal.v1.PeerService.FetchBlob;

            /** Calls PullView. */
            pullView: shoal.v1.PeerService.PullView;

            /** Calls ConsoleLog. */
            consoleLog: shoal.v1.PeerService.ConsoleLog;

            /** Calls Probe. */
            probe: shoal.v1.PeerService.Probe;

            /** Calls WatchState. */
            watchState: shoal.v1.PeerService.WatchState;

            /** Calls Announce. */
            announce: shoal.v1.PeerService.Announce;
        }

        namespace PeerService {

            /**
             * Callback as used by {@link shoal.v1.PeerService#raft}.
             * @param error Error, if any
             * @param [response] RaftStreamEnd
             */
            type RaftCallback = (error: (Error|null), response?: shoal.v1.RaftStreamEnd) => void;

            /** Calls Raft. */
            type Raft = {
              (request: shoal.v1.IRaftMessage, callback: shoal.v1.PeerService.RaftCallback): void;
              (request: shoal.v1.IRaftMessage): Promise<shoal.v1.RaftStreamEnd>;
              readonly name: "Raft";
              readonly path: "/shoal.v1.PeerService/Raft";
              readonly requestType: "RaftMessage";
              readonly responseType: "RaftStreamEnd";
              readonly requestStream: true;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#forward}.
             * @param error Error, if any
             * @param [response] ForwardAnswers
             */
            type ForwardCallback = (error: (Error|null), response?: shoal.v1.ForwardAnswers) => void;

            /** Calls Forward. */
            type Forward = {
              (request: shoal.v1.IForwardRequests, callback: shoal.v1.PeerService.ForwardCallback): void;
              (request: shoal.v1.IForwardRequests): Promise<shoal.v1.ForwardAnswers>;
              readonly name: "Forward";
              readonly path: "/shoal.v1.PeerService/Forward";
              readonly requestType: "ForwardRequests";
              readonly responseType: "ForwardAnswers";
              readonly requestStream: true;
              readonly responseStream: true;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#propose}.
             * @param error Error, if any
             * @param [response] ProposeResponse
             */
            type ProposeCallback = (error: (Error|null), response?: shoal.v1.ProposeResponse) => void;

            /** Calls Propose. */
            type Propose = {
              (request: shoal.v1.IProposeRequest, callback: shoal.v1.PeerService.ProposeCallback): void;
              (request: shoal.v1.IProposeRequest): Promise<shoal.v1.ProposeResponse>;
              readonly name: "Propose";
              readonly path: "/shoal.v1.PeerService/Propose";
              readonly requestType: "ProposeRequest";
              readonly responseType: "ProposeResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#readIndex}.
             * @param error Error, if any
             * @param [response] ReadIndexResponse
             */
            type ReadIndexCallback = (error: (Error|null), response?: shoal.v1.ReadIndexResponse) => void;

            /** Calls ReadIndex. */
            type ReadIndex = {
              (request: shoal.v1.IReadIndexRequest, callback: shoal.v1.PeerService.ReadIndexCallback): void;
              (request: shoal.v1.IReadIndexRequest): Promise<shoal.v1.ReadIndexResponse>;
              readonly name: "ReadIndex";
              readonly path: "/shoal.v1.PeerService/ReadIndex";
              readonly requestType: "ReadIndexRequest";
              readonly responseType: "ReadIndexResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#fetchSnapshot}.
             * @param error Error, if any
             * @param [response] SnapshotChunk
             */
            type FetchSnapshotCallback = (error: (Error|null), response?: shoal.v1.SnapshotChunk) => void;

            /** Calls FetchSnapshot. */
            type FetchSnapshot = {
              (request: shoal.v1.IFetchSnapshotRequest, callback: shoal.v1.PeerService.FetchSnapshotCallback): void;
              (request: shoal.v1.IFetchSnapshotRequest): Promise<shoal.v1.SnapshotChunk>;
              readonly name: "FetchSnapshot";
              readonly path: "/shoal.v1.PeerService/FetchSnapshot";
              readonly requestType: "FetchSnapshotRequest";
              readonly responseType: "SnapshotChunk";
              readonly requestStream: undefined;
              readonly responseStream: true;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#claim}.
             * @param error Error, if any
             * @param [response] ClaimResponse
             */
            type ClaimCallback = (error: (Error|null), response?: shoal.v1.ClaimResponse) => void;

            /** Calls Claim. */
            type Claim = {
              (request: shoal.v1.IClaimRequest, callback: shoal.v1.PeerService.ClaimCallback): void;
              (request: shoal.v1.IClaimRequest): Promise<shoal.v1.ClaimResponse>;
              readonly name: "Claim";
              readonly path: "/shoal.v1.PeerService/Claim";
              readonly requestType: "ClaimRequest";
              readonly responseType: "ClaimResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#claimBatch}.
             * @param error Error, if any
             * @param [response] ClaimBatchResponse
             */
            type ClaimBatchCallback = (error: (Error|null), response?: shoal.v1.ClaimBatchResponse) => void;

            /** Calls ClaimBatch. */
            type ClaimBatch = {
              (request: shoal.v1.IClaimBatchRequest, callback: shoal.v1.PeerService.ClaimBatchCallback): void;
              (request: shoal.v1.IClaimBatchRequest): Promise<shoal.v1.ClaimBatchResponse>;
              readonly name: "ClaimBatch";
              readonly path: "/shoal.v1.PeerService/ClaimBatch";
              readonly requestType: "ClaimBatchRequest";
              readonly responseType: "ClaimBatchResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#releaseClaim}.
             * @param error Error, if any
             * @param [response] ReleaseClaimResponse
             */
            type ReleaseClaimCallback = (error: (Error|null), response?: shoal.v1.ReleaseClaimResponse) => void;

            /** Calls ReleaseClaim. */
            type ReleaseClaim = {
              (request: shoal.v1.IReleaseClaimRequest, callback: shoal.v1.PeerService.ReleaseClaimCallback): void;
              (request: shoal.v1.IReleaseClaimRequest): Promise<shoal.v1.ReleaseClaimResponse>;
              readonly name: "ReleaseClaim";
              readonly path: "/shoal.v1.PeerService/ReleaseClaim";
              readonly requestType: "ReleaseClaimRequest";
              readonly responseType: "ReleaseClaimResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#fetchBlob}.
             * @param error Error, if any
             * @param [response] BlobChunk
             */
            type FetchBlobCallback = (error: (Error|null), response?: shoal.v1.BlobChunk) => void;

            /** Calls FetchBlob. */
            type FetchBlob = {
              (request: shoal.v1.IFetchBlobRequest, callback: shoal.v1.PeerService.FetchBlobCallback): void;
              (request: shoal.v1.IFetchBlobRequest): Promise<shoal.v1.BlobChunk>;
              readonly name: "FetchBlob";
              readonly path: "/shoal.v1.PeerService/FetchBlob";
              readonly requestType: "FetchBlobRequest";
              readonly responseType: "BlobChunk";
              readonly requestStream: undefined;
              readonly responseStream: true;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#pullView}.
             * @param error Error, if any
             * @param [response] PullViewResponse
             */
            type PullViewCallback = (error: (Error|null), response?: shoal.v1.PullViewResponse) => void;

            /** Calls PullView. */
            type PullView = {
              (request: shoal.v1.IPullViewRequest, callback: shoal.v1.PeerService.PullViewCallback): void;
              (request: shoal.v1.IPullViewRequest): Promise<shoal.v1.PullViewResponse>;
              readonly name: "PullView";
              readonly path: "/shoal.v1.PeerService/PullView";
              readonly requestType: "PullViewRequest";
              readonly responseType: "PullViewResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#consoleLog}.
             * @param error Error, if any
             * @param [response] ConsoleLogResponse
             */
            type ConsoleLogCallback = (error: (Error|null), response?: shoal.v1.ConsoleLogResponse) => void;

            /** Calls ConsoleLog. */
            type ConsoleLog = {
              (request: shoal.v1.IConsoleLogRequest, callback: shoal.v1.PeerService.ConsoleLogCallback): void;
              (request: shoal.v1.IConsoleLogRequest): Promise<shoal.v1.ConsoleLogResponse>;
              readonly name: "ConsoleLog";
              readonly path: "/shoal.v1.PeerService/ConsoleLog";
              readonly requestType: "ConsoleLogRequest";
              readonly responseType: "ConsoleLogResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#probe}.
             * @param error Error, if any
             * @param [response] ProbeResponse
             */
            type ProbeCallback = (error: (Error|null), response?: shoal.v1.ProbeResponse) => void;

            /** Calls Probe. */
            type Probe = {
              (request: shoal.v1.IProbeRequest, callback: shoal.v1.PeerService.ProbeCallback): void;
              (request: shoal.v1.IProbeRequest): Promise<shoal.v1.ProbeResponse>;
              readonly name: "Probe";
              readonly path: "/shoal.v1.PeerService/Probe";
              readonly requestType: "ProbeRequest";
              readonly responseType: "ProbeResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#watchState}.
             * @param error Error, if any
             * @param [response] StateChanges
             */
            type WatchStateCallback = (error: (Error|null), response?: shoal.v1.StateChanges) => void;

            /** Calls WatchState. */
            type WatchState = {
              (request: shoal.v1.IWatchStateRequest, callback: shoal.v1.PeerService.WatchStateCallback): void;
              (request: shoal.v1.IWatchStateRequest): Promise<shoal.v1.StateChanges>;
              readonly name: "WatchState";
              readonly path: "/shoal.v1.PeerService/WatchState";
              readonly requestType: "WatchStateRequest";
              readonly responseType: "StateChanges";
              readonly requestStream: undefined;
              readonly responseStream: true;
            };

            /**
             * Callback as used by {@link shoal.v1.PeerService#announce}.
             * @param error Error, if any
             * @param [response] AnnounceResponse
             */
            type AnnounceCallback = (error: (Error|null), response?: shoal.v1.AnnounceResponse) => void;

            /** Calls Announce. */
            type Announce = {
              (request: shoal.v1.IAnnounceRequest, callback: shoal.v1.PeerService.AnnounceCallback): void;
              (request: shoal.v1.IAnnounceRequest): Promise<shoal.v1.AnnounceResponse>;
              readonly name: "Announce";
              readonly path: "/shoal.v1.PeerService/Announce";
              readonly requestType: "AnnounceRequest";
              readonly responseType: "AnnounceResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };
        }

        /**
         * Properties of an AnnounceRequest.
         * @deprecated Use shoal.v1.AnnounceRequest.$Properties instead.
         */
        interface IAnnounceRequest extends shoal.v1.AnnounceRequest.$Properties {
        }

        /** Represents an AnnounceRequest. */
        class AnnounceRequest {

            /**
             * Constructs a new AnnounceRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.AnnounceRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** AnnounceRequest host. */
            host: (shoal.v1.Host|null);

            /**
             * Creates a new AnnounceRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns AnnounceRequest instance
             */
            static create(properties: shoal.v1.AnnounceRequest.$Shape): shoal.v1.AnnounceRequest & shoal.v1.AnnounceRequest.$Shape;
            static create(properties?: shoal.v1.AnnounceRequest.$Properties): shoal.v1.AnnounceRequest;

            /**
             * Encodes the specified AnnounceRequest message. Does not implicitly {@link shoal.v1.AnnounceRequest.verify|verify} messages.
             * @param message AnnounceRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.AnnounceRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an AnnounceRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.AnnounceRequest & shoal.v1.AnnounceRequest.$Shape} AnnounceRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.AnnounceRequest & shoal.v1.AnnounceRequest.$Shape;
        }

        namespace AnnounceRequest {

            /** Properties of an AnnounceRequest. */
            interface $Properties {

                /** AnnounceRequest host */
                host?: (shoal.v1.Host.$Properties|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an AnnounceRequest. */
            type $Shape = shoal.v1.AnnounceRequest.$Properties;
        }

        /**
         * Properties of an AnnounceResponse.
         * @deprecated Use shoal.v1.AnnounceResponse.$Properties instead.
         */
        interface IAnnounceResponse extends shoal.v1.AnnounceResponse.$Properties {
        }

        /** Represents an AnnounceResponse. */
        class AnnounceResponse {

            /**
             * Constructs a new AnnounceResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.AnnounceResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** AnnounceResponse recorded. */
            recorded: boolean;

            /**
             * Creates a new AnnounceResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns AnnounceResponse instance
             */
            static create(properties: shoal.v1.AnnounceResponse.$Shape): shoal.v1.AnnounceResponse & shoal.v1.AnnounceResponse.$Shape;
            static create(properties?: shoal.v1.AnnounceResponse.$Properties): shoal.v1.AnnounceResponse;

            /**
             * Encodes the specified AnnounceResponse message. Does not implicitly {@link shoal.v1.AnnounceResponse.verify|verify} messages.
             * @param message AnnounceResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.AnnounceResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an AnnounceResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.AnnounceResponse & shoal.v1.AnnounceResponse.$Shape} AnnounceResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.AnnounceResponse & shoal.v1.AnnounceResponse.$Shape;
        }

        namespace AnnounceResponse {

            /** Properties of an AnnounceResponse. */
            interface $Properties {

                /** AnnounceResponse recorded */
                recorded?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an AnnounceResponse. */
            type $Shape = shoal.v1.AnnounceResponse.$Properties;
        }

        /**
         * Properties of a RaftStreamEnd.
         * @deprecated Use shoal.v1.RaftStreamEnd.$Properties instead.
         */
        interface IRaftStreamEnd extends shoal.v1.RaftStreamEnd.$Properties {
        }

        /** Represents a RaftStreamEnd. */
        class RaftStreamEnd {

            /**
             * Constructs a new RaftStreamEnd.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RaftStreamEnd.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new RaftStreamEnd instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RaftStreamEnd instance
             */
            static create(properties: shoal.v1.RaftStreamEnd.$Shape): shoal.v1.RaftStreamEnd & shoal.v1.RaftStreamEnd.$Shape;
            static create(properties?: shoal.v1.RaftStreamEnd.$Properties): shoal.v1.RaftStreamEnd;

            /**
             * Encodes the specified RaftStreamEnd message. Does not implicitly {@link shoal.v1.RaftStreamEnd.verify|verify} messages.
             * @param message RaftStreamEnd message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RaftStreamEnd.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RaftStreamEnd message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RaftStreamEnd & shoal.v1.RaftStreamEnd.$Shape} RaftStreamEnd
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RaftStreamEnd & shoal.v1.RaftStreamEnd.$Shape;
        }

        namespace RaftStreamEnd {

            /** Properties of a RaftStreamEnd. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RaftStreamEnd. */
            type $Shape = shoal.v1.RaftStreamEnd.$Properties;
        }

        /**
         * Properties of a ForwardRequests.
         * @deprecated Use shoal.v1.ForwardRequests.$Properties instead.
         */
        interface IForwardRequests extends shoal.v1.ForwardRequests.$Properties {
        }

        /** Represents a ForwardRequests. */
        class ForwardRequests {

            /**
             * Constructs a new ForwardRequests.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ForwardRequests.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ForwardRequests requests. */
            requests: shoal.v1.ForwardRequest[];

            /** ForwardRequests timeoutMs. */
            timeoutMs: number;

            /**
             * Creates a new ForwardRequests instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ForwardRequests instance
             */
            static create(properties: shoal.v1.ForwardRequests.$Shape): shoal.v1.ForwardRequests & shoal.v1.ForwardRequests.$Shape;
            static create(properties?: shoal.v1.ForwardRequests.$Properties): shoal.v1.ForwardRequests;

            /**
             * Encodes the specified ForwardRequests message. Does not implicitly {@link shoal.v1.ForwardRequests.verify|verify} messages.
             * @param message ForwardRequests message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ForwardRequests.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ForwardRequests message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ForwardRequests & shoal.v1.ForwardRequests.$Shape} ForwardRequests
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ForwardRequests & shoal.v1.ForwardRequests.$Shape;
        }

        namespace ForwardRequests {

            /** Properties of a ForwardRequests. */
            interface $Properties {

                /** ForwardRequests requests */
                requests?: shoal.v1.ForwardRequest.$Properties[];

                /** ForwardRequests timeoutMs */
                timeoutMs?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ForwardRequests. */
            type $Shape = {
              requests?: shoal.v1.ForwardRequest.$Shape[];
              timeoutMs?: number;
              $unknowns?: Uint8Array[];
            };
        }

        /**
         * Properties of a ForwardRequest.
         * @deprecated Use shoal.v1.ForwardRequest.$Properties instead.
         */
        interface IForwardRequest extends shoal.v1.ForwardRequest.$Properties {
        }

        /** Represents a ForwardRequest. */
        class ForwardRequest {

            /**
             * Constructs a new ForwardRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ForwardRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ForwardRequest id. */
            id: number;

            /** ForwardRequest command. */
            command: (Uint8Array|null);

            /** ForwardRequest readIndex. */
            readIndex: (shoal.v1.ReadIndexRequest|null);

            /** ForwardRequest body. */
            body?: ("command"|"readIndex");

            /**
             * Creates a new ForwardRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ForwardRequest instance
             */
            static create(properties: shoal.v1.ForwardRequest.$Shape): shoal.v1.ForwardRequest & shoal.v1.ForwardRequest.$Shape;
            static create(properties?: shoal.v1.ForwardRequest.$Properties): shoal.v1.ForwardRequest;

            /**
             * Encodes the specified ForwardRequest message. Does not implicitly {@link shoal.v1.ForwardRequest.verify|verify} messages.
             * @param message ForwardRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ForwardRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ForwardRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ForwardRequest & shoal.v1.ForwardRequest.$Shape} ForwardRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ForwardRequest & shoal.v1.ForwardRequest.$Shape;
        }

        namespace ForwardRequest {

            /** Properties of a ForwardRequest. */
            interface $Properties {

                /** ForwardRequest id */
                id?: number;

                /** ForwardRequest command */
                command?: (Uint8Array|null);

                /** ForwardRequest readIndex */
                readIndex?: (shoal.v1.ReadIndexRequest.$Properties|null);

                /** ForwardRequest body */
                body?: ("command"|"readIndex");

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Narrowed shape of a ForwardRequest. */
            type $Shape = {
              id?: number;
              command?: Uint8Array|null;
              readIndex?: shoal.v1.ReadIndexRequest.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ body?: undefined; command?: null; readIndex?: null }|{ body?: "command"; command: Uint8Array; readIndex?: null }|{ body?: "readIndex"; command?: null; readIndex: shoal.v1.ReadIndexRequest.$Shape })
            );
        }

        /**
         * Properties of a ForwardAnswers.
         * @deprecated Use shoal.v1.ForwardAnswers.$Properties instead.
         */
        interface IForwardAnswers extends shoal.v1.ForwardAnswers.$Properties {
        }

        /** Represents a ForwardAnswers. */
        class ForwardAnswers {

            /**
             * Constructs a new ForwardAnswers.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ForwardAnswers.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ForwardAnswers answers. */
            answers: shoal.v1.ForwardAnswer[];

            /**
             * Creates a new ForwardAnswers instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ForwardAnswers instance
             */
            static create(properties: shoal.v1.ForwardAnswers.$Shape): shoal.v1.ForwardAnswers & shoal.v1.ForwardAnswers.$Shape;
            static create(properties?: shoal.v1.ForwardAnswers.$Properties): shoal.v1.ForwardAnswers;

            /**
             * Encodes the specified ForwardAnswers message. Does not implicitly {@link shoal.v1.ForwardAnswers.verify|verify} messages.
             * @param message ForwardAnswers message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ForwardAnswers.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ForwardAnswers message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ForwardAnswers & shoal.v1.ForwardAnswers.$Shape} ForwardAnswers
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ForwardAnswers & shoal.v1.ForwardAnswers.$Shape;
        }

        namespace ForwardAnswers {

            /** Properties of a ForwardAnswers. */
            interface $Properties {

                /** ForwardAnswers answers */
                answers?: shoal.v1.ForwardAnswer.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ForwardAnswers. */
            type $Shape = {
              answers?: shoal.v1.ForwardAnswer.$Shape[];
              $unknowns?: Uint8Array[];
            };
        }

        /**
         * Properties of a ForwardAnswer.
         * @deprecated Use shoal.v1.ForwardAnswer.$Properties instead.
         */
        interface IForwardAnswer extends shoal.v1.ForwardAnswer.$Properties {
        }

        /** Represents a ForwardAnswer. */
        class ForwardAnswer {

            /**
             * Constructs a new ForwardAnswer.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ForwardAnswer.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ForwardAnswer id. */
            id: number;

            /** ForwardAnswer outcome. */
            outcome: (shoal.v1.ProposeResponse|null);

            /** ForwardAnswer readIndex. */
            readIndex: (shoal.v1.ReadIndexResponse|null);

            /** ForwardAnswer error. */
            error: (shoal.v1.ForwardError|null);

            /** ForwardAnswer body. */
            body?: ("outcome"|"readIndex"|"error");

            /**
             * Creates a new ForwardAnswer instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ForwardAnswer instance
             */
            static create(properties: shoal.v1.ForwardAnswer.$Shape): shoal.v1.ForwardAnswer & shoal.v1.ForwardAnswer.$Shape;
            static create(properties?: shoal.v1.ForwardAnswer.$Properties): shoal.v1.ForwardAnswer;

            /**
             * Encodes the specified ForwardAnswer message. Does not implicitly {@link shoal.v1.ForwardAnswer.verify|verify} messages.
             * @param message ForwardAnswer message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ForwardAnswer.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ForwardAnswer message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ForwardAnswer & shoal.v1.ForwardAnswer.$Shape} ForwardAnswer
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ForwardAnswer & shoal.v1.ForwardAnswer.$Shape;
        }

        namespace ForwardAnswer {

            /** Properties of a ForwardAnswer. */
            interface $Properties {

                /** ForwardAnswer id */
                id?: number;

                /** ForwardAnswer outcome */
                outcome?: (shoal.v1.ProposeResponse.$Properties|null);

                /** ForwardAnswer readIndex */
                readIndex?: (shoal.v1.ReadIndexResponse.$Properties|null);

                /** ForwardAnswer error */
                error?: (shoal.v1.ForwardError.$Properties|null);

                /** ForwardAnswer body */
                body?: ("outcome"|"readIndex"|"error");

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Narrowed shape of a ForwardAnswer. */
            type $Shape = {
              id?: number;
              outcome?: shoal.v1.ProposeResponse.$Shape|null;
              readIndex?: shoal.v1.ReadIndexResponse.$Shape|null;
              error?: shoal.v1.ForwardError.$Shape|null;
              $unknowns?: Uint8Array[];
            } & (
              ({ body?: undefined; outcome?: null; readIndex?: null; error?: null }|{ body?: "outcome"; outcome: shoal.v1.ProposeResponse.$Shape; readIndex?: null; error?: null }|{ body?: "readIndex"; outcome?: null; readIndex: shoal.v1.ReadIndexResponse.$Shape; error?: null }|{ body?: "error"; outcome?: null; readIndex?: null; error: shoal.v1.ForwardError.$Shape })
            );
        }

        /**
         * Properties of a ForwardError.
         * @deprecated Use shoal.v1.ForwardError.$Properties instead.
         */
        interface IForwardError extends shoal.v1.ForwardError.$Properties {
        }

        /** Represents a ForwardError. */
        class ForwardError {

            /**
             * Constructs a new ForwardError.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ForwardError.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ForwardError code. */
            code: string;

            /** ForwardError message. */
            message: string;

            /** ForwardError facts. */
            facts: Uint8Array;

            /**
             * Creates a new ForwardError instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ForwardError instance
             */
            static create(properties: shoal.v1.ForwardError.$Shape): shoal.v1.ForwardError & shoal.v1.ForwardError.$Shape;
            static create(properties?: shoal.v1.ForwardError.$Properties): shoal.v1.ForwardError;

            /**
             * Encodes the specified ForwardError message. Does not implicitly {@link shoal.v1.ForwardError.verify|verify} messages.
             * @param message ForwardError message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ForwardError.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ForwardError message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ForwardError & shoal.v1.ForwardError.$Shape} ForwardError
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ForwardError & shoal.v1.ForwardError.$Shape;
        }

        namespace ForwardError {

            /** Properties of a ForwardError. */
            interface $Properties {

                /** ForwardError code */
                code?: string;

                /** ForwardError message */
                message?: string;

                /** ForwardError facts */
                facts?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ForwardError. */
            type $Shape = shoal.v1.ForwardError.$Properties;
        }

        /**
         * Properties of a ProposeRequest.
         * @deprecated Use shoal.v1.ProposeRequest.$Properties instead.
         */
        interface IProposeRequest extends shoal.v1.ProposeRequest.$Properties {
        }

        /** Represents a ProposeRequest. */
        class ProposeRequest {

            /**
             * Constructs a new ProposeRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ProposeRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ProposeRequest command. */
            command: (shoal.v1.Command|null);

            /**
             * Creates a new ProposeRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ProposeRequest instance
             */
            static create(properties: shoal.v1.ProposeRequest.$Shape): shoal.v1.ProposeRequest & shoal.v1.ProposeRequest.$Shape;
            static create(properties?: shoal.v1.ProposeRequest.$Properties): shoal.v1.ProposeRequest;

            /**
             * Encodes the specified ProposeRequest message. Does not implicitly {@link shoal.v1.ProposeRequest.verify|verify} messages.
             * @param message ProposeRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ProposeRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ProposeRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ProposeRequest & shoal.v1.ProposeRequest.$Shape} ProposeRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ProposeRequest & shoal.v1.ProposeRequest.$Shape;
        }

        namespace ProposeRequest {

            /** Properties of a ProposeRequest. */
            interface $Properties {

                /** ProposeRequest command */
                command?: (shoal.v1.Command.$Properties|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ProposeRequest. */
            type $Shape = {
              command?: shoal.v1.Command.$Shape|null;
              $unknowns?: Uint8Array[];
            };
        }

        /**
         * Properties of a ProposeResponse.
         * @deprecated Use shoal.v1.ProposeResponse.$Properties instead.
         */
        interface IProposeResponse extends shoal.v1.ProposeResponse.$Properties {
        }

        /** Represents a ProposeResponse. */
        class ProposeResponse {

            /**
             * Constructs a new ProposeResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ProposeResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ProposeResponse revision. */
            revision: number;

            /** ProposeResponse succeeded. */
            succeeded: boolean;

            /** ProposeResponse failedKey. */
            failedKey: string;

            /** ProposeResponse refused. */
            refused: boolean;

            /** ProposeResponse refusal. */
            refusal: string;

            /** ProposeResponse counters. */
            counters: number[];

            /**
             * Creates a new ProposeResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ProposeResponse instance
             */
            static create(properties: shoal.v1.ProposeResponse.$Shape): shoal.v1.ProposeResponse & shoal.v1.ProposeResponse.$Shape;
            static create(properties?: shoal.v1.ProposeResponse.$Properties): shoal.v1.ProposeResponse;

            /**
             * Encodes the specified ProposeResponse message. Does not implicitly {@link shoal.v1.ProposeResponse.verify|verify} messages.
             * @param message ProposeResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ProposeResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ProposeResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ProposeResponse & shoal.v1.ProposeResponse.$Shape} ProposeResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ProposeResponse & shoal.v1.ProposeResponse.$Shape;
        }

        namespace ProposeResponse {

            /** Properties of a ProposeResponse. */
            interface $Properties {

                /** ProposeResponse revision */
                revision?: number;

                /** ProposeResponse succeeded */
                succeeded?: boolean;

                /** ProposeResponse failedKey */
                failedKey?: string;

                /** ProposeResponse refused */
                refused?: boolean;

                /** ProposeResponse refusal */
                refusal?: string;

                /** ProposeResponse counters */
                counters?: number[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ProposeResponse. */
            type $Shape = shoal.v1.ProposeResponse.$Properties;
        }

        /**
         * Properties of a ReadIndexRequest.
         * @deprecated Use shoal.v1.ReadIndexRequest.$Properties instead.
         */
        interface IReadIndexRequest extends shoal.v1.ReadIndexRequest.$Properties {
        }

        /** Represents a ReadIndexRequest. */
        class ReadIndexRequest {

            /**
             * Constructs a new ReadIndexRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ReadIndexRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new ReadIndexRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ReadIndexRequest instance
             */
            static create(properties: shoal.v1.ReadIndexRequest.$Shape): shoal.v1.ReadIndexRequest & shoal.v1.ReadIndexRequest.$Shape;
            static create(properties?: shoal.v1.ReadIndexRequest.$Properties): shoal.v1.ReadIndexRequest;

            /**
             * Encodes the specified ReadIndexRequest message. Does not implicitly {@link shoal.v1.ReadIndexRequest.verify|verify} messages.
             * @param message ReadIndexRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ReadIndexRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ReadIndexRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ReadIndexRequest & shoal.v1.ReadIndexRequest.$Shape} ReadIndexRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ReadIndexRequest & shoal.v1.ReadIndexRequest.$Shape;
        }

        namespace ReadIndexRequest {

            /** Properties of a ReadIndexRequest. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ReadIndexRequest. */
            type $Shape = shoal.v1.ReadIndexRequest.$Properties;
        }

        /**
         * Properties of a ReadIndexResponse.
         * @deprecated Use shoal.v1.ReadIndexResponse.$Properties instead.
         */
        interface IReadIndexResponse extends shoal.v1.ReadIndexResponse.$Properties {
        }

        /** Represents a ReadIndexResponse. */
        class ReadIndexResponse {

            /**
             * Constructs a new ReadIndexResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ReadIndexResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ReadIndexResponse index. */
            index: number;

            /**
             * Creates a new ReadIndexResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ReadIndexResponse instance
             */
            static create(properties: shoal.v1.ReadIndexResponse.$Shape): shoal.v1.ReadIndexResponse & shoal.v1.ReadIndexResponse.$Shape;
            static create(properties?: shoal.v1.ReadIndexResponse.$Properties): shoal.v1.ReadIndexResponse;

            /**
             * Encodes the specified ReadIndexResponse message. Does not implicitly {@link shoal.v1.ReadIndexResponse.verify|verify} messages.
             * @param message ReadIndexResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ReadIndexResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ReadIndexResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ReadIndexResponse & shoal.v1.ReadIndexResponse.$Shape} ReadIndexResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ReadIndexResponse & shoal.v1.ReadIndexResponse.$Shape;
        }

        namespace ReadIndexResponse {

            /** Properties of a ReadIndexResponse. */
            interface $Properties {

                /** ReadIndexResponse index */
                index?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ReadIndexResponse. */
            type $Shape = shoal.v1.ReadIndexResponse.$Properties;
        }

        /**
         * Properties of a FetchSnapshotRequest.
         * @deprecated Use shoal.v1.FetchSnapshotRequest.$Properties instead.
         */
        interface IFetchSnapshotRequest extends shoal.v1.FetchSnapshotRequest.$Properties {
        }

        /** Represents a FetchSnapshotRequest. */
        class FetchSnapshotRequest {

            /**
             * Constructs a new FetchSnapshotRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.FetchSnapshotRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** FetchSnapshotRequest indexMin. */
            indexMin: number;

            /** FetchSnapshotRequest offsetBytes. */
            offsetBytes: number;

            /** FetchSnapshotRequest snapshotIndex. */
            snapshotIndex: number;

            /**
             * Creates a new FetchSnapshotRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns FetchSnapshotRequest instance
             */
            static create(properties: shoal.v1.FetchSnapshotRequest.$Shape): shoal.v1.FetchSnapshotRequest & shoal.v1.FetchSnapshotRequest.$Shape;
            static create(properties?: shoal.v1.FetchSnapshotRequest.$Properties): shoal.v1.FetchSnapshotRequest;

            /**
             * Encodes the specified FetchSnapshotRequest message. Does not implicitly {@link shoal.v1.FetchSnapshotRequest.verify|verify} messages.
             * @param message FetchSnapshotRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.FetchSnapshotRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a FetchSnapshotRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.FetchSnapshotRequest & shoal.v1.FetchSnapshotRequest.$Shape} FetchSnapshotRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.FetchSnapshotRequest & shoal.v1.FetchSnapshotRequest.$Shape;
        }

        namespace FetchSnapshotRequest {

            /** Properties of a FetchSnapshotRequest. */
            interface $Properties {

                /** FetchSnapshotRequest indexMin */
                indexMin?: number;

                /** FetchSnapshotRequest offsetBytes */
                offsetBytes?: number;

                /** FetchSnapshotRequest snapshotIndex */
                snapshotIndex?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a FetchSnapshotRequest. */
            type $Shape = shoal.v1.FetchSnapshotRequest.$Properties;
        }

        /**
         * Properties of a SnapshotChunk.
         * @deprecated Use shoal.v1.SnapshotChunk.$Properties instead.
         */
        interface ISnapshotChunk extends shoal.v1.SnapshotChunk.$Properties {
        }

        /** Represents a SnapshotChunk. */
        class SnapshotChunk {

            /**
             * Constructs a new SnapshotChunk.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.SnapshotChunk.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** SnapshotChunk meta. */
            meta: (shoal.v1.RaftSnapshotMeta|null);

            /** SnapshotChunk offsetBytes. */
            offsetBytes: number;

            /** SnapshotChunk totalBytes. */
            totalBytes: number;

            /** SnapshotChunk data. */
            data: Uint8Array;

            /** SnapshotChunk crc32c. */
            crc32c: number;

            /** SnapshotChunk stateDigest. */
            stateDigest: Uint8Array;

            /**
             * Creates a new SnapshotChunk instance using the specified properties.
             * @param [properties] Properties to set
             * @returns SnapshotChunk instance
             */
            static create(properties: shoal.v1.SnapshotChunk.$Shape): shoal.v1.SnapshotChunk & shoal.v1.SnapshotChunk.$Shape;
            static create(properties?: shoal.v1.SnapshotChunk.$Properties): shoal.v1.SnapshotChunk;

            /**
             * Encodes the specified SnapshotChunk message. Does not implicitly {@link shoal.v1.SnapshotChunk.verify|verify} messages.
             * @param message SnapshotChunk message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.SnapshotChunk.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a SnapshotChunk message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.SnapshotChunk & shoal.v1.SnapshotChunk.$Shape} SnapshotChunk
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.SnapshotChunk & shoal.v1.SnapshotChunk.$Shape;
        }

        namespace SnapshotChunk {

            /** Properties of a SnapshotChunk. */
            interface $Properties {

                /** SnapshotChunk meta */
                meta?: (shoal.v1.RaftSnapshotMeta.$Properties|null);

                /** SnapshotChunk offsetBytes */
                offsetBytes?: number;

                /** SnapshotChunk totalBytes */
                totalBytes?: number;

                /** SnapshotChunk data */
                data?: Uint8Array;

                /** SnapshotChunk crc32c */
                crc32c?: number;

                /** SnapshotChunk stateDigest */
                stateDigest?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a SnapshotChunk. */
            type $Shape = shoal.v1.SnapshotChunk.$Properties;
        }

        /**
         * Properties of a ResourceAmounts.
         * @deprecated Use shoal.v1.ResourceAmounts.$Properties instead.
         */
        interface IResourceAmounts extends shoal.v1.ResourceAmounts.$Properties {
        }

        /** Represents a ResourceAmounts. */
        class ResourceAmounts {

            /**
             * Constructs a new ResourceAmounts.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ResourceAmounts.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ResourceAmounts vcpus. */
            vcpus: number;

            /** ResourceAmounts memoryMib. */
            memoryMib: number;

            /** ResourceAmounts diskGib. */
            diskGib: number;

            /**
             * Creates a new ResourceAmounts instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ResourceAmounts instance
             */
            static create(properties: shoal.v1.ResourceAmounts.$Shape): shoal.v1.ResourceAmounts & shoal.v1.ResourceAmounts.$Shape;
            static create(properties?: shoal.v1.ResourceAmounts.$Properties): shoal.v1.ResourceAmounts;

            /**
             * Encodes the specified ResourceAmounts message. Does not implicitly {@link shoal.v1.ResourceAmounts.verify|verify} messages.
             * @param message ResourceAmounts message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ResourceAmounts.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ResourceAmounts message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ResourceAmounts & shoal.v1.ResourceAmounts.$Shape} ResourceAmounts
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ResourceAmounts & shoal.v1.ResourceAmounts.$Shape;
        }

        namespace ResourceAmounts {

            /** Properties of a ResourceAmounts. */
            interface $Properties {

                /** ResourceAmounts vcpus */
                vcpus?: number;

                /** ResourceAmounts memoryMib */
                memoryMib?: number;

                /** ResourceAmounts diskGib */
                diskGib?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ResourceAmounts. */
            type $Shape = shoal.v1.ResourceAmounts.$Properties;
        }

        /**
         * Properties of a ClaimRequest.
         * @deprecated Use shoal.v1.ClaimRequest.$Properties instead.
         */
        interface IClaimRequest extends shoal.v1.ClaimRequest.$Properties {
        }

        /** Represents a ClaimRequest. */
        class ClaimRequest {

            /**
             * Constructs a new ClaimRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ClaimRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ClaimRequest serverId. */
            serverId: string;

            /** ClaimRequest generation. */
            generation: number;

            /** ClaimRequest resources. */
            resources: (shoal.v1.ResourceAmounts|null);

            /** ClaimRequest storage. */
            storage: string;

            /** ClaimRequest projectId. */
            projectId: string;

            /** ClaimRequest ttlMs. */
            ttlMs: number;

            /** ClaimRequest hostId. */
            hostId: string;

            /** ClaimRequest attempt. */
            attempt: number;

            /**
             * Creates a new ClaimRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ClaimRequest instance
             */
            static create(properties: shoal.v1.ClaimRequest.$Shape): shoal.v1.ClaimRequest & shoal.v1.ClaimRequest.$Shape;
            static create(properties?: shoal.v1.ClaimRequest.$Properties): shoal.v1.ClaimRequest;

            /**
             * Encodes the specified ClaimRequest message. Does not implicitly {@link shoal.v1.ClaimRequest.verify|verify} messages.
             * @param message ClaimRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ClaimRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ClaimRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ClaimRequest & shoal.v1.ClaimRequest.$Shape} ClaimRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ClaimRequest & shoal.v1.ClaimRequest.$Shape;
        }

        namespace ClaimRequest {

            /** Properties of a ClaimRequest. */
            interface $Properties {

                /** ClaimRequest serverId */
                serverId?: string;

                /** ClaimRequest generation */
                generation?: number;

                /** ClaimRequest resources */
                resources?: (shoal.v1.ResourceAmounts.$Properties|null);

                /** ClaimRequest storage */
                storage?: string;

                /** ClaimRequest projectId */
                projectId?: string;

                /** ClaimRequest ttlMs */
                ttlMs?: number;

                /** ClaimRequest hostId */
                hostId?: string;

                /** ClaimRequest attempt */
                attempt?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ClaimRequest. */
            type $Shape = shoal.v1.ClaimRequest.$Properties;
        }

        /**
         * Properties of a ClaimResponse.
         * @deprecated Use shoal.v1.ClaimResponse.$Properties instead.
         */
        interface IClaimResponse extends shoal.v1.ClaimResponse.$Properties {
        }

        /** Represents a ClaimResponse. */
        class ClaimResponse {

            /**
             * Constructs a new ClaimResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ClaimResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ClaimResponse admitted. */
            admitted: boolean;

            /** ClaimResponse reason. */
            reason: string;

            /** ClaimResponse advert. */
            advert: (shoal.v1.SignedAdvert|null);

            /** ClaimResponse countedEpoch. */
            countedEpoch: number;

            /** ClaimResponse countedSequence. */
            countedSequence: number;

            /**
             * Creates a new ClaimResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ClaimResponse instance
             */
            static create(properties: shoal.v1.ClaimResponse.$Shape): shoal.v1.ClaimResponse & shoal.v1.ClaimResponse.$Shape;
            static create(properties?: shoal.v1.ClaimResponse.$Properties): shoal.v1.ClaimResponse;

            /**
             * Encodes the specified ClaimResponse message. Does not implicitly {@link shoal.v1.ClaimResponse.verify|verify} messages.
             * @param message ClaimResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ClaimResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ClaimResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ClaimResponse & shoal.v1.ClaimResponse.$Shape} ClaimResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ClaimResponse & shoal.v1.ClaimResponse.$Shape;
        }

        namespace ClaimResponse {

            /** Properties of a ClaimResponse. */
            interface $Properties {

                /** ClaimResponse admitted */
                admitted?: boolean;

                /** ClaimResponse reason */
                reason?: string;

                /** ClaimResponse advert */
                advert?: (shoal.v1.SignedAdvert.$Properties|null);

                /** ClaimResponse countedEpoch */
                countedEpoch?: number;

                /** ClaimResponse countedSequence */
                countedSequence?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ClaimResponse. */
            type $Shape = shoal.v1.ClaimResponse.$Properties;
        }

        /**
         * Properties of a ClaimBatchRequest.
         * @deprecated Use shoal.v1.ClaimBatchRequest.$Properties instead.
         */
        interface IClaimBatchRequest extends shoal.v1.ClaimBatchRequest.$Properties {
        }

        /** Represents a ClaimBatchRequest. */
        class ClaimBatchRequest {

            /**
             * Constructs a new ClaimBatchRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ClaimBatchRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ClaimBatchRequest claims. */
            claims: shoal.v1.ClaimRequest[];

            /**
             * Creates a new ClaimBatchRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ClaimBatchRequest instance
             */
            static create(properties: shoal.v1.ClaimBatchRequest.$Shape): shoal.v1.ClaimBatchRequest & shoal.v1.ClaimBatchRequest.$Shape;
            static create(properties?: shoal.v1.ClaimBatchRequest.$Properties): shoal.v1.ClaimBatchRequest;

            /**
             * Encodes the specified ClaimBatchRequest message. Does not implicitly {@link shoal.v1.ClaimBatchRequest.verify|verify} messages.
             * @param message ClaimBatchRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ClaimBatchRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ClaimBatchRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ClaimBatchRequest & shoal.v1.ClaimBatchRequest.$Shape} ClaimBatchRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ClaimBatchRequest & shoal.v1.ClaimBatchRequest.$Shape;
        }

        namespace ClaimBatchRequest {

            /** Properties of a ClaimBatchRequest. */
            interface $Properties {

                /** ClaimBatchRequest claims */
                claims?: shoal.v1.ClaimRequest.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ClaimBatchRequest. */
            type $Shape = shoal.v1.ClaimBatchRequest.$Properties;
        }

        /**
         * Properties of a ClaimBatchResponse.
         * @deprecated Use shoal.v1.ClaimBatchResponse.$Properties instead.
         */
        interface IClaimBatchResponse extends shoal.v1.ClaimBatchResponse.$Properties {
        }

        /** Represents a ClaimBatchResponse. */
        class ClaimBatchResponse {

            /**
             * Constructs a new ClaimBatchResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ClaimBatchResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ClaimBatchResponse answers. */
            answers: shoal.v1.ClaimResponse[];

            /** ClaimBatchResponse adverts. */
            adverts: shoal.v1.SignedAdvert[];

            /**
             * Creates a new ClaimBatchResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ClaimBatchResponse instance
             */
            static create(properties: shoal.v1.ClaimBatchResponse.$Shape): shoal.v1.ClaimBatchResponse & shoal.v1.ClaimBatchResponse.$Shape;
            static create(properties?: shoal.v1.ClaimBatchResponse.$Properties): shoal.v1.ClaimBatchResponse;

            /**
             * Encodes the specified ClaimBatchResponse message. Does not implicitly {@link shoal.v1.ClaimBatchResponse.verify|verify} messages.
             * @param message ClaimBatchResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ClaimBatchResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ClaimBatchResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ClaimBatchResponse & shoal.v1.ClaimBatchResponse.$Shape} ClaimBatchResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ClaimBatchResponse & shoal.v1.ClaimBatchResponse.$Shape;
        }

        namespace ClaimBatchResponse {

            /** Properties of a ClaimBatchResponse. */
            interface $Properties {

                /** ClaimBatchResponse answers */
                answers?: shoal.v1.ClaimResponse.$Properties[];

                /** ClaimBatchResponse adverts */
                adverts?: shoal.v1.SignedAdvert.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ClaimBatchResponse. */
            type $Shape = shoal.v1.ClaimBatchResponse.$Properties;
        }

        /**
         * Properties of a ReleaseClaimRequest.
         * @deprecated Use shoal.v1.ReleaseClaimRequest.$Properties instead.
         */
        interface IReleaseClaimRequest extends shoal.v1.ReleaseClaimRequest.$Properties {
        }

        /** Represents a ReleaseClaimRequest. */
        class ReleaseClaimRequest {

            /**
             * Constructs a new ReleaseClaimRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ReleaseClaimRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ReleaseClaimRequest serverId. */
            serverId: string;

            /** ReleaseClaimRequest generation. */
            generation: number;

            /** ReleaseClaimRequest hostId. */
            hostId: string;

            /** ReleaseClaimRequest attempt. */
            attempt: number;

            /**
             * Creates a new ReleaseClaimRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ReleaseClaimRequest instance
             */
            static create(properties: shoal.v1.ReleaseClaimRequest.$Shape): shoal.v1.ReleaseClaimRequest & shoal.v1.ReleaseClaimRequest.$Shape;
            static create(properties?: shoal.v1.ReleaseClaimRequest.$Properties): shoal.v1.ReleaseClaimRequest;

            /**
             * Encodes the specified ReleaseClaimRequest message. Does not implicitly {@link shoal.v1.ReleaseClaimRequest.verify|verify} messages.
             * @param message ReleaseClaimRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ReleaseClaimRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ReleaseClaimRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ReleaseClaimRequest & shoal.v1.ReleaseClaimRequest.$Shape} ReleaseClaimRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ReleaseClaimRequest & shoal.v1.ReleaseClaimRequest.$Shape;
        }

        namespace ReleaseClaimRequest {

            /** Properties of a ReleaseClaimRequest. */
            interface $Properties {

                /** ReleaseClaimRequest serverId */
                serverId?: string;

                /** ReleaseClaimRequest generation */
                generation?: number;

                /** ReleaseClaimRequest hostId */
                hostId?: string;

                /** ReleaseClaimRequest attempt */
                attempt?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ReleaseClaimRequest. */
            type $Shape = shoal.v1.ReleaseClaimRequest.$Properties;
        }

        /**
         * Properties of a ReleaseClaimResponse.
         * @deprecated Use shoal.v1.ReleaseClaimResponse.$Properties instead.
         */
        interface IReleaseClaimResponse extends shoal.v1.ReleaseClaimResponse.$Properties {
        }

        /** Represents a ReleaseClaimResponse. */
        class ReleaseClaimResponse {

            /**
             * Constructs a new ReleaseClaimResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ReleaseClaimResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new ReleaseClaimResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ReleaseClaimResponse instance
             */
            static create(properties: shoal.v1.ReleaseClaimResponse.$Shape): shoal.v1.ReleaseClaimResponse & shoal.v1.ReleaseClaimResponse.$Shape;
            static create(properties?: shoal.v1.ReleaseClaimResponse.$Properties): shoal.v1.ReleaseClaimResponse;

            /**
             * Encodes the specified ReleaseClaimResponse message. Does not implicitly {@link shoal.v1.ReleaseClaimResponse.verify|verify} messages.
             * @param message ReleaseClaimResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ReleaseClaimResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ReleaseClaimResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ReleaseClaimResponse & shoal.v1.ReleaseClaimResponse.$Shape} ReleaseClaimResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ReleaseClaimResponse & shoal.v1.ReleaseClaimResponse.$Shape;
        }

        namespace ReleaseClaimResponse {

            /** Properties of a ReleaseClaimResponse. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ReleaseClaimResponse. */
            type $Shape = shoal.v1.ReleaseClaimResponse.$Properties;
        }

        /**
         * Properties of a FetchBlobRequest.
         * @deprecated Use shoal.v1.FetchBlobRequest.$Properties instead.
         */
        interface IFetchBlobRequest extends shoal.v1.FetchBlobRequest.$Properties {
        }

        /** Represents a FetchBlobRequest. */
        class FetchBlobRequest {

            /**
             * Constructs a new FetchBlobRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.FetchBlobRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** FetchBlobRequest sha256. */
            sha256: string;

            /** FetchBlobRequest offsetBytes. */
            offsetBytes: number;

            /**
             * Creates a new FetchBlobRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns FetchBlobRequest instance
             */
            static create(properties: shoal.v1.FetchBlobRequest.$Shape): shoal.v1.FetchBlobRequest & shoal.v1.FetchBlobRequest.$Shape;
            static create(properties?: shoal.v1.FetchBlobRequest.$Properties): shoal.v1.FetchBlobRequest;

            /**
             * Encodes the specified FetchBlobRequest message. Does not implicitly {@link shoal.v1.FetchBlobRequest.verify|verify} messages.
             * @param message FetchBlobRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.FetchBlobRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a FetchBlobRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.FetchBlobRequest & shoal.v1.FetchBlobRequest.$Shape} FetchBlobRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.FetchBlobRequest & shoal.v1.FetchBlobRequest.$Shape;
        }

        namespace FetchBlobRequest {

            /** Properties of a FetchBlobRequest. */
            interface $Properties {

                /** FetchBlobRequest sha256 */
                sha256?: string;

                /** FetchBlobRequest offsetBytes */
                offsetBytes?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a FetchBlobRequest. */
            type $Shape = shoal.v1.FetchBlobRequest.$Properties;
        }

        /**
         * Properties of a BlobChunk.
         * @deprecated Use shoal.v1.BlobChunk.$Properties instead.
         */
        interface IBlobChunk extends shoal.v1.BlobChunk.$Properties {
        }

        /** Represents a BlobChunk. */
        class BlobChunk {

            /**
             * Constructs a new BlobChunk.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.BlobChunk.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** BlobChunk totalBytes. */
            totalBytes: number;

            /** BlobChunk data. */
            data: Uint8Array;

            /**
             * Creates a new BlobChunk instance using the specified properties.
             * @param [properties] Properties to set
             * @returns BlobChunk instance
             */
            static create(properties: shoal.v1.BlobChunk.$Shape): shoal.v1.BlobChunk & shoal.v1.BlobChunk.$Shape;
            static create(properties?: shoal.v1.BlobChunk.$Properties): shoal.v1.BlobChunk;

            /**
             * Encodes the specified BlobChunk message. Does not implicitly {@link shoal.v1.BlobChunk.verify|verify} messages.
             * @param message BlobChunk message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.BlobChunk.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a BlobChunk message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.BlobChunk & shoal.v1.BlobChunk.$Shape} BlobChunk
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.BlobChunk & shoal.v1.BlobChunk.$Shape;
        }

        namespace BlobChunk {

            /** Properties of a BlobChunk. */
            interface $Properties {

                /** BlobChunk totalBytes */
                totalBytes?: number;

                /** BlobChunk data */
                data?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a BlobChunk. */
            type $Shape = shoal.v1.BlobChunk.$Properties;
        }

        /**
         * Properties of a PullViewRequest.
         * @deprecated Use shoal.v1.PullViewRequest.$Properties instead.
         */
        interface IPullViewRequest extends shoal.v1.PullViewRequest.$Properties {
        }

        /** Represents a PullViewRequest. */
        class PullViewRequest {

            /**
             * Constructs a new PullViewRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.PullViewRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /**
             * Creates a new PullViewRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns PullViewRequest instance
             */
            static create(properties: shoal.v1.PullViewRequest.$Shape): shoal.v1.PullViewRequest & shoal.v1.PullViewRequest.$Shape;
            static create(properties?: shoal.v1.PullViewRequest.$Properties): shoal.v1.PullViewRequest;

            /**
             * Encodes the specified PullViewRequest message. Does not implicitly {@link shoal.v1.PullViewRequest.verify|verify} messages.
             * @param message PullViewRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.PullViewRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a PullViewRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.PullViewRequest & shoal.v1.PullViewRequest.$Shape} PullViewRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.PullViewRequest & shoal.v1.PullViewRequest.$Shape;
        }

        namespace PullViewRequest {

            /** Properties of a PullViewRequest. */
            interface $Properties {

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a PullViewRequest. */
            type $Shape = shoal.v1.PullViewRequest.$Properties;
        }

        /**
         * Properties of a PullViewResponse.
         * @deprecated Use shoal.v1.PullViewResponse.$Properties instead.
         */
        interface IPullViewResponse extends shoal.v1.PullViewResponse.$Properties {
        }

        /** Represents a PullViewResponse. */
        class PullViewResponse {

            /**
             * Constructs a new PullViewResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.PullViewResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** PullViewResponse adverts. */
            adverts: shoal.v1.SignedAdvert[];

            /** PullViewResponse agesMs. */
            agesMs: number[];

            /**
             * Creates a new PullViewResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns PullViewResponse instance
             */
            static create(properties: shoal.v1.PullViewResponse.$Shape): shoal.v1.PullViewResponse & shoal.v1.PullViewResponse.$Shape;
            static create(properties?: shoal.v1.PullViewResponse.$Properties): shoal.v1.PullViewResponse;

            /**
             * Encodes the specified PullViewResponse message. Does not implicitly {@link shoal.v1.PullViewResponse.verify|verify} messages.
             * @param message PullViewResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.PullViewResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a PullViewResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.PullViewResponse & shoal.v1.PullViewResponse.$Shape} PullViewResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.PullViewResponse & shoal.v1.PullViewResponse.$Shape;
        }

        namespace PullViewResponse {

            /** Properties of a PullViewResponse. */
            interface $Properties {

                /** PullViewResponse adverts */
                adverts?: shoal.v1.SignedAdvert.$Properties[];

                /** PullViewResponse agesMs */
                agesMs?: number[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a PullViewResponse. */
            type $Shape = shoal.v1.PullViewResponse.$Properties;
        }

        /**
         * Properties of a ConsoleLogRequest.
         * @deprecated Use shoal.v1.ConsoleLogRequest.$Properties instead.
         */
        interface IConsoleLogRequest extends shoal.v1.ConsoleLogRequest.$Properties {
        }

        /** Represents a ConsoleLogRequest. */
        class ConsoleLogRequest {

            /**
             * Constructs a new ConsoleLogRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ConsoleLogRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ConsoleLogRequest serverId. */
            serverId: string;

            /** ConsoleLogRequest bytesMax. */
            bytesMax: number;

            /**
             * Creates a new ConsoleLogRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ConsoleLogRequest instance
             */
            static create(properties: shoal.v1.ConsoleLogRequest.$Shape): shoal.v1.ConsoleLogRequest & shoal.v1.ConsoleLogRequest.$Shape;
            static create(properties?: shoal.v1.ConsoleLogRequest.$Properties): shoal.v1.ConsoleLogRequest;

            /**
             * Encodes the specified ConsoleLogRequest message. Does not implicitly {@link shoal.v1.ConsoleLogRequest.verify|verify} messages.
             * @param message ConsoleLogRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ConsoleLogRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ConsoleLogRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ConsoleLogRequest & shoal.v1.ConsoleLogRequest.$Shape} ConsoleLogRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ConsoleLogRequest & shoal.v1.ConsoleLogRequest.$Shape;
        }

        namespace ConsoleLogRequest {

            /** Properties of a ConsoleLogRequest. */
            interface $Properties {

                /** ConsoleLogRequest serverId */
                serverId?: string;

                /** ConsoleLogRequest bytesMax */
                bytesMax?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ConsoleLogRequest. */
            type $Shape = shoal.v1.ConsoleLogRequest.$Properties;
        }

        /**
         * Properties of a ConsoleLogResponse.
         * @deprecated Use shoal.v1.ConsoleLogResponse.$Properties instead.
         */
        interface IConsoleLogResponse extends shoal.v1.ConsoleLogResponse.$Properties {
        }

        /** Represents a ConsoleLogResponse. */
        class ConsoleLogResponse {

            /**
             * Constructs a new ConsoleLogResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ConsoleLogResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ConsoleLogResponse data. */
            data: Uint8Array;

            /**
             * Creates a new ConsoleLogResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ConsoleLogResponse instance
             */
            static create(properties: shoal.v1.ConsoleLogResponse.$Shape): shoal.v1.ConsoleLogResponse & shoal.v1.ConsoleLogResponse.$Shape;
            static create(properties?: shoal.v1.ConsoleLogResponse.$Properties): shoal.v1.ConsoleLogResponse;

            /**
             * Encodes the specified ConsoleLogResponse message. Does not implicitly {@link shoal.v1.ConsoleLogResponse.verify|verify} messages.
             * @param message ConsoleLogResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ConsoleLogResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ConsoleLogResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ConsoleLogResponse & shoal.v1.ConsoleLogResponse.$Shape} ConsoleLogResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ConsoleLogResponse & shoal.v1.ConsoleLogResponse.$Shape;
        }

        namespace ConsoleLogResponse {

            /** Properties of a ConsoleLogResponse. */
            interface $Properties {

                /** ConsoleLogResponse data */
                data?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ConsoleLogResponse. */
            type $Shape = shoal.v1.ConsoleLogResponse.$Properties;
        }

        /**
         * Properties of a ProbeRequest.
         * @deprecated Use shoal.v1.ProbeRequest.$Properties instead.
         */
        interface IProbeRequest extends shoal.v1.ProbeRequest.$Properties {
        }

        /** Represents a ProbeRequest. */
        class ProbeRequest {

            /**
             * Constructs a new ProbeRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ProbeRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ProbeRequest targetHostId. */
            targetHostId: string;

            /** ProbeRequest suspicion. */
            suspicion: (shoal.v1.SignedRumour|null);

            /**
             * Creates a new ProbeRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ProbeRequest instance
             */
            static create(properties: shoal.v1.ProbeRequest.$Shape): shoal.v1.ProbeRequest & shoal.v1.ProbeRequest.$Shape;
            static create(properties?: shoal.v1.ProbeRequest.$Properties): shoal.v1.ProbeRequest;

            /**
             * Encodes the specified ProbeRequest message. Does not implicitly {@link shoal.v1.ProbeRequest.verify|verify} messages.
             * @param message ProbeRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ProbeRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ProbeRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ProbeRequest & shoal.v1.ProbeRequest.$Shape} ProbeRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ProbeRequest & shoal.v1.ProbeRequest.$Shape;
        }

        namespace ProbeRequest {

            /** Properties of a ProbeRequest. */
            interface $Properties {

                /** ProbeRequest targetHostId */
                targetHostId?: string;

                /** ProbeRequest suspicion */
                suspicion?: (shoal.v1.SignedRumour.$Properties|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ProbeRequest. */
            type $Shape = shoal.v1.ProbeRequest.$Properties;
        }

        /**
         * Properties of a ProbeResponse.
         * @deprecated Use shoal.v1.ProbeResponse.$Properties instead.
         */
        interface IProbeResponse extends shoal.v1.ProbeResponse.$Properties {
        }

        /** Represents a ProbeResponse. */
        class ProbeResponse {

            /**
             * Constructs a new ProbeResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ProbeResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ProbeResponse reached. */
            reached: boolean;

            /** ProbeResponse alive. */
            alive: (shoal.v1.SignedRumour|null);

            /**
             * Creates a new ProbeResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ProbeResponse instance
             */
            static create(properties: shoal.v1.ProbeResponse.$Shape): shoal.v1.ProbeResponse & shoal.v1.ProbeResponse.$Shape;
            static create(properties?: shoal.v1.ProbeResponse.$Properties): shoal.v1.ProbeResponse;

            /**
             * Encodes the specified ProbeResponse message. Does not implicitly {@link shoal.v1.ProbeResponse.verify|verify} messages.
             * @param message ProbeResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ProbeResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a ProbeResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ProbeResponse & shoal.v1.ProbeResponse.$Shape} ProbeResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ProbeResponse & shoal.v1.ProbeResponse.$Shape;
        }

        namespace ProbeResponse {

            /** Properties of a ProbeResponse. */
            interface $Properties {

                /** ProbeResponse reached */
                reached?: boolean;

                /** ProbeResponse alive */
                alive?: (shoal.v1.SignedRumour.$Properties|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a ProbeResponse. */
            type $Shape = shoal.v1.ProbeResponse.$Properties;
        }

        /**
         * Properties of a WatchStateRequest.
         * @deprecated Use shoal.v1.WatchStateRequest.$Properties instead.
         */
        interface IWatchStateRequest extends shoal.v1.WatchStateRequest.$Properties {
        }

        /** Represents a WatchStateRequest. */
        class WatchStateRequest {

            /**
             * Constructs a new WatchStateRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.WatchStateRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WatchStateRequest prefix. */
            prefix: string;

            /** WatchStateRequest afterRevision. */
            afterRevision: number;

            /**
             * Creates a new WatchStateRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WatchStateRequest instance
             */
            static create(properties: shoal.v1.WatchStateRequest.$Shape): shoal.v1.WatchStateRequest & shoal.v1.WatchStateRequest.$Shape;
            static create(properties?: shoal.v1.WatchStateRequest.$Properties): shoal.v1.WatchStateRequest;

            /**
             * Encodes the specified WatchStateRequest message. Does not implicitly {@link shoal.v1.WatchStateRequest.verify|verify} messages.
             * @param message WatchStateRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.WatchStateRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WatchStateRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.WatchStateRequest & shoal.v1.WatchStateRequest.$Shape} WatchStateRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.WatchStateRequest & shoal.v1.WatchStateRequest.$Shape;
        }

        namespace WatchStateRequest {

            /** Properties of a WatchStateRequest. */
            interface $Properties {

                /** WatchStateRequest prefix */
                prefix?: string;

                /** WatchStateRequest afterRevision */
                afterRevision?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WatchStateRequest. */
            type $Shape = shoal.v1.WatchStateRequest.$Properties;
        }

        /**
         * Properties of a StateChanges.
         * @deprecated Use shoal.v1.StateChanges.$Properties instead.
         */
        interface IStateChanges extends shoal.v1.StateChanges.$Properties {
        }

        /** Represents a StateChanges. */
        class StateChanges {

            /**
             * Constructs a new StateChanges.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.StateChanges.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** StateChanges revision. */
            revision: number;

            /** StateChanges changes. */
            changes: shoal.v1.StateChange[];

            /**
             * Creates a new StateChanges instance using the specified properties.
             * @param [properties] Properties to set
             * @returns StateChanges instance
             */
            static create(properties: shoal.v1.StateChanges.$Shape): shoal.v1.StateChanges & shoal.v1.StateChanges.$Shape;
            static create(properties?: shoal.v1.StateChanges.$Properties): shoal.v1.StateChanges;

            /**
             * Encodes the specified StateChanges message. Does not implicitly {@link shoal.v1.StateChanges.verify|verify} messages.
             * @param message StateChanges message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.StateChanges.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StateChanges message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.StateChanges & shoal.v1.StateChanges.$Shape} StateChanges
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.StateChanges & shoal.v1.StateChanges.$Shape;
        }

        namespace StateChanges {

            /** Properties of a StateChanges. */
            interface $Properties {

                /** StateChanges revision */
                revision?: number;

                /** StateChanges changes */
                changes?: shoal.v1.StateChange.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StateChanges. */
            type $Shape = shoal.v1.StateChanges.$Properties;
        }

        /**
         * Properties of a StateChange.
         * @deprecated Use shoal.v1.StateChange.$Properties instead.
         */
        interface IStateChange extends shoal.v1.StateChange.$Properties {
        }

        /** Represents a StateChange. */
        class StateChange {

            /**
             * Constructs a new StateChange.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.StateChange.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** StateChange key. */
            key: string;

            /** StateChange value. */
            value: (Uint8Array|null);

            /**
             * Creates a new StateChange instance using the specified properties.
             * @param [properties] Properties to set
             * @returns StateChange instance
             */
            static create(properties: shoal.v1.StateChange.$Shape): shoal.v1.StateChange & shoal.v1.StateChange.$Shape;
            static create(properties?: shoal.v1.StateChange.$Properties): shoal.v1.StateChange;

            /**
             * Encodes the specified StateChange message. Does not implicitly {@link shoal.v1.StateChange.verify|verify} messages.
             * @param message StateChange message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.StateChange.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a StateChange message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.StateChange & shoal.v1.StateChange.$Shape} StateChange
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.StateChange & shoal.v1.StateChange.$Shape;
        }

        namespace StateChange {

            /** Properties of a StateChange. */
            interface $Properties {

                /** StateChange key */
                key?: string;

                /** StateChange value */
                value?: (Uint8Array|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a StateChange. */
            type $Shape = shoal.v1.StateChange.$Properties;
        }

        /** RaftEntryType enum. */
        enum RaftEntryType {

            /** RAFT_ENTRY_TYPE_NORMAL value */
            RAFT_ENTRY_TYPE_NORMAL = 0,

            /** RAFT_ENTRY_TYPE_CONF_CHANGE value */
            RAFT_ENTRY_TYPE_CONF_CHANGE = 1,

            /** RAFT_ENTRY_TYPE_CONF_CHANGE_V2 value */
            RAFT_ENTRY_TYPE_CONF_CHANGE_V2 = 2
        }

        /**
         * Properties of a RaftEntry.
         * @deprecated Use shoal.v1.RaftEntry.$Properties instead.
         */
        interface IRaftEntry extends shoal.v1.RaftEntry.$Properties {
        }

        /** Represents a RaftEntry. */
        class RaftEntry {

            /**
             * Constructs a new RaftEntry.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RaftEntry.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RaftEntry term. */
            term: number;

            /** RaftEntry index. */
            index: number;

            /** RaftEntry type. */
            type: shoal.v1.RaftEntryType;

            /** RaftEntry data. */
            data: Uint8Array;

            /**
             * Creates a new RaftEntry instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RaftEntry instance
             */
            static create(properties: shoal.v1.RaftEntry.$Shape): shoal.v1.RaftEntry & shoal.v1.RaftEntry.$Shape;
            static create(properties?: shoal.v1.RaftEntry.$Properties): shoal.v1.RaftEntry;

            /**
             * Encodes the specified RaftEntry message. Does not implicitly {@link shoal.v1.RaftEntry.verify|verify} messages.
             * @param message RaftEntry message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RaftEntry.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RaftEntry message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RaftEntry & shoal.v1.RaftEntry.$Shape} RaftEntry
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RaftEntry & shoal.v1.RaftEntry.$Shape;
        }

        namespace RaftEntry {

            /** Properties of a RaftEntry. */
            interface $Properties {

                /** RaftEntry term */
                term?: number;

                /** RaftEntry index */
                index?: number;

                /** RaftEntry type */
                type?: shoal.v1.RaftEntryType;

                /** RaftEntry data */
                data?: Uint8Array;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RaftEntry. */
            type $Shape = shoal.v1.RaftEntry.$Properties;
        }

        /**
         * Properties of a RaftConfState.
         * @deprecated Use shoal.v1.RaftConfState.$Properties instead.
         */
        interface IRaftConfState extends shoal.v1.RaftConfState.$Properties {
        }

        /** Represents a RaftConfState. */
        class RaftConfState {

            /**
             * Constructs a new RaftConfState.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RaftConfState.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RaftConfState voters. */
            voters: number[];

            /** RaftConfState learners. */
            learners: number[];

            /** RaftConfState votersOutgoing. */
            votersOutgoing: number[];

            /** RaftConfState learnersNext. */
            learnersNext: number[];

            /** RaftConfState autoLeave. */
            autoLeave: boolean;

            /**
             * Creates a new RaftConfState instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RaftConfState instance
             */
            static create(properties: shoal.v1.RaftConfState.$Shape): shoal.v1.RaftConfState & shoal.v1.RaftConfState.$Shape;
            static create(properties?: shoal.v1.RaftConfState.$Properties): shoal.v1.RaftConfState;

            /**
             * Encodes the specified RaftConfState message. Does not implicitly {@link shoal.v1.RaftConfState.verify|verify} messages.
             * @param message RaftConfState message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RaftConfState.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RaftConfState message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RaftConfState & shoal.v1.RaftConfState.$Shape} RaftConfState
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RaftConfState & shoal.v1.RaftConfState.$Shape;
        }

        namespace RaftConfState {

            /** Properties of a RaftConfState. */
            interface $Properties {

                /** RaftConfState voters */
                voters?: number[];

                /** RaftConfState learners */
                learners?: number[];

                /** RaftConfState votersOutgoing */
                votersOutgoing?: number[];

                /** RaftConfState learnersNext */
                learnersNext?: number[];

                /** RaftConfState autoLeave */
                autoLeave?: boolean;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RaftConfState. */
            type $Shape = shoal.v1.RaftConfState.$Properties;
        }

        /**
         * Properties of a RaftSnapshotMeta.
         * @deprecated Use shoal.v1.RaftSnapshotMeta.$Properties instead.
         */
        interface IRaftSnapshotMeta extends shoal.v1.RaftSnapshotMeta.$Properties {
        }

        /** Represents a RaftSnapshotMeta. */
        class RaftSnapshotMeta {

            /**
             * Constructs a new RaftSnapshotMeta.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RaftSnapshotMeta.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RaftSnapshotMeta index. */
            index: number;

            /** RaftSnapshotMeta term. */
            term: number;

            /** RaftSnapshotMeta confState. */
            confState: (shoal.v1.RaftConfState|null);

            /**
             * Creates a new RaftSnapshotMeta instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RaftSnapshotMeta instance
             */
            static create(properties: shoal.v1.RaftSnapshotMeta.$Shape): shoal.v1.RaftSnapshotMeta & shoal.v1.RaftSnapshotMeta.$Shape;
            static create(properties?: shoal.v1.RaftSnapshotMeta.$Properties): shoal.v1.RaftSnapshotMeta;

            /**
             * Encodes the specified RaftSnapshotMeta message. Does not implicitly {@link shoal.v1.RaftSnapshotMeta.verify|verify} messages.
             * @param message RaftSnapshotMeta message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RaftSnapshotMeta.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RaftSnapshotMeta message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RaftSnapshotMeta & shoal.v1.RaftSnapshotMeta.$Shape} RaftSnapshotMeta
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RaftSnapshotMeta & shoal.v1.RaftSnapshotMeta.$Shape;
        }

        namespace RaftSnapshotMeta {

            /** Properties of a RaftSnapshotMeta. */
            interface $Properties {

                /** RaftSnapshotMeta index */
                index?: number;

                /** RaftSnapshotMeta term */
                term?: number;

                /** RaftSnapshotMeta confState */
                confState?: (shoal.v1.RaftConfState.$Properties|null);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RaftSnapshotMeta. */
            type $Shape = shoal.v1.RaftSnapshotMeta.$Properties;
        }

        /**
         * Properties of a RaftMessage.
         * @deprecated Use shoal.v1.RaftMessage.$Properties instead.
         */
        interface IRaftMessage extends shoal.v1.RaftMessage.$Properties {
        }

        /** Represents a RaftMessage. */
        class RaftMessage {

            /**
             * Constructs a new RaftMessage.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RaftMessage.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RaftMessage type. */
            type: number;

            /** RaftMessage to. */
            to: number;

            /** RaftMessage from. */
            from: number;

            /** RaftMessage term. */
            term: number;

            /** RaftMessage logTerm. */
            logTerm: number;

            /** RaftMessage index. */
            index: number;

            /** RaftMessage entries. */
            entries: shoal.v1.RaftEntry[];

            /** RaftMessage commit. */
            commit: number;

            /** RaftMessage vote. */
            vote: number;

            /** RaftMessage snapshot. */
            snapshot: (shoal.v1.RaftSnapshotMeta|null);

            /** RaftMessage reject. */
            reject: boolean;

            /** RaftMessage rejectHint. */
            rejectHint: number;

            /** RaftMessage context. */
            context: Uint8Array;

            /** RaftMessage durableIndex. */
            durableIndex: number;

            /**
             * Creates a new RaftMessage instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RaftMessage instance
             */
            static create(properties: shoal.v1.RaftMessage.$Shape): shoal.v1.RaftMessage & shoal.v1.RaftMessage.$Shape;
            static create(properties?: shoal.v1.RaftMessage.$Properties): shoal.v1.RaftMessage;

            /**
             * Encodes the specified RaftMessage message. Does not implicitly {@link shoal.v1.RaftMessage.verify|verify} messages.
             * @param message RaftMessage message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RaftMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RaftMessage message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RaftMessage & shoal.v1.RaftMessage.$Shape} RaftMessage
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RaftMessage & shoal.v1.RaftMessage.$Shape;
        }

        namespace RaftMessage {

            /** Properties of a RaftMessage. */
            interface $Properties {

                /** RaftMessage type */
                type?: number;

                /** RaftMessage to */
                to?: number;

                /** RaftMessage from */
                from?: number;

                /** RaftMessage term */
                term?: number;

                /** RaftMessage logTerm */
                logTerm?: number;

                /** RaftMessage index */
                index?: number;

                /** RaftMessage entries */
                entries?: shoal.v1.RaftEntry.$Properties[];

                /** RaftMessage commit */
                commit?: number;

                /** RaftMessage vote */
                vote?: number;

                /** RaftMessage snapshot */
                snapshot?: (shoal.v1.RaftSnapshotMeta.$Properties|null);

                /** RaftMessage reject */
                reject?: boolean;

                /** RaftMessage rejectHint */
                rejectHint?: number;

                /** RaftMessage context */
                context?: Uint8Array;

                /** RaftMessage durableIndex */
                durableIndex?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RaftMessage. */
            type $Shape = shoal.v1.RaftMessage.$Properties;
        }

        /**
         * Properties of a RaftHardState.
         * @deprecated Use shoal.v1.RaftHardState.$Properties instead.
         */
        interface IRaftHardState extends shoal.v1.RaftHardState.$Properties {
        }

        /** Represents a RaftHardState. */
        class RaftHardState {

            /**
             * Constructs a new RaftHardState.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.RaftHardState.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** RaftHardState term. */
            term: number;

            /** RaftHardState vote. */
            vote: number;

            /** RaftHardState commit. */
            commit: number;

            /**
             * Creates a new RaftHardState instance using the specified properties.
             * @param [properties] Properties to set
             * @returns RaftHardState instance
             */
            static create(properties: shoal.v1.RaftHardState.$Shape): shoal.v1.RaftHardState & shoal.v1.RaftHardState.$Shape;
            static create(properties?: shoal.v1.RaftHardState.$Properties): shoal.v1.RaftHardState;

            /**
             * Encodes the specified RaftHardState message. Does not implicitly {@link shoal.v1.RaftHardState.verify|verify} messages.
             * @param message RaftHardState message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.RaftHardState.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a RaftHardState message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.RaftHardState & shoal.v1.RaftHardState.$Shape} RaftHardState
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.RaftHardState & shoal.v1.RaftHardState.$Shape;
        }

        namespace RaftHardState {

            /** Properties of a RaftHardState. */
            interface $Properties {

                /** RaftHardState term */
                term?: number;

                /** RaftHardState vote */
                vote?: number;

                /** RaftHardState commit */
                commit?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a RaftHardState. */
            type $Shape = shoal.v1.RaftHardState.$Properties;
        }

        /** Represents a PlacementService */
        class PlacementService extends $protobuf.rpc.Service {

            /**
             * Constructs a new PlacementService service.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             */
            constructor(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean);

            /**
             * Creates new PlacementService service using the specified rpc implementation.
             * @param rpcImpl RPC implementation
             * @param [requestDelimited=false] Whether requests are length-delimited
             * @param [responseDelimited=false] Whether responses are length-delimited
             * @returns RPC service. Useful where requests and/or responses are streamed.
             */
            static create(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean): PlacementService;

            /** Calls Explain. */
            explain: shoal.v1.PlacementService.Explain;

            /** Calls WhatIf. */
            whatIf: shoal.v1.PlacementService.WhatIf;
        }

        namespace PlacementService {

            /**
             * Callback as used by {@link shoal.v1.PlacementService#explain}.
             * @param error Error, if any
             * @param [response] ExplainResponse
             */
            type ExplainCallback = (error: (Error|null), response?: shoal.v1.ExplainResponse) => void;

            /** Calls Explain. */
            type Explain = {
              (request: shoal.v1.IExplainRequest, callback: shoal.v1.PlacementService.ExplainCallback): void;
              (request: shoal.v1.IExplainRequest): Promise<shoal.v1.ExplainResponse>;
              readonly name: "Explain";
              readonly path: "/shoal.v1.PlacementService/Explain";
              readonly requestType: "ExplainRequest";
              readonly responseType: "ExplainResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };

            /**
             * Callback as used by {@link shoal.v1.PlacementService#whatIf}.
             * @param error Error, if any
             * @param [response] WhatIfResponse
             */
            type WhatIfCallback = (error: (Error|null), response?: shoal.v1.WhatIfResponse) => void;

            /** Calls WhatIf. */
            type WhatIf = {
              (request: shoal.v1.IWhatIfRequest, callback: shoal.v1.PlacementService.WhatIfCallback): void;
              (request: shoal.v1.IWhatIfRequest): Promise<shoal.v1.WhatIfResponse>;
              readonly name: "WhatIf";
              readonly path: "/shoal.v1.PlacementService/WhatIf";
              readonly requestType: "WhatIfRequest";
              readonly responseType: "WhatIfResponse";
              readonly requestStream: undefined;
              readonly responseStream: undefined;
            };
        }

        /**
         * Properties of an ExplainRequest.
         * @deprecated Use shoal.v1.ExplainRequest.$Properties instead.
         */
        interface IExplainRequest extends shoal.v1.ExplainRequest.$Properties {
        }

        /** Represents an ExplainRequest. */
        class ExplainRequest {

            /**
             * Constructs a new ExplainRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ExplainRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ExplainRequest flavorId. */
            flavorId: string;

            /** ExplainRequest imageId. */
            imageId: string;

            /** ExplainRequest zone. */
            zone: string;

            /** ExplainRequest schedulerHints. */
            schedulerHints: { [k: string]: string };

            /**
             * Creates a new ExplainRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ExplainRequest instance
             */
            static create(properties: shoal.v1.ExplainRequest.$Shape): shoal.v1.ExplainRequest & shoal.v1.ExplainRequest.$Shape;
            static create(properties?: shoal.v1.ExplainRequest.$Properties): shoal.v1.ExplainRequest;

            /**
             * Encodes the specified ExplainRequest message. Does not implicitly {@link shoal.v1.ExplainRequest.verify|verify} messages.
             * @param message ExplainRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ExplainRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an ExplainRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ExplainRequest & shoal.v1.ExplainRequest.$Shape} ExplainRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ExplainRequest & shoal.v1.ExplainRequest.$Shape;
        }

        namespace ExplainRequest {

            /** Properties of an ExplainRequest. */
            interface $Properties {

                /** ExplainRequest flavorId */
                flavorId?: string;

                /** ExplainRequest imageId */
                imageId?: string;

                /** ExplainRequest zone */
                zone?: string;

                /** ExplainRequest schedulerHints */
                schedulerHints?: { [k: string]: string };

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an ExplainRequest. */
            type $Shape = shoal.v1.ExplainRequest.$Properties;
        }

        /**
         * Properties of a FilterCount.
         * @deprecated Use shoal.v1.FilterCount.$Properties instead.
         */
        interface IFilterCount extends shoal.v1.FilterCount.$Properties {
        }

        /** Represents a FilterCount. */
        class FilterCount {

            /**
             * Constructs a new FilterCount.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.FilterCount.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** FilterCount filter. */
            filter: string;

            /** FilterCount removed. */
            removed: number;

            /** FilterCount left. */
            left: number;

            /** FilterCount reason. */
            reason: string;

            /**
             * Creates a new FilterCount instance using the specified properties.
             * @param [properties] Properties to set
             * @returns FilterCount instance
             */
            static create(properties: shoal.v1.FilterCount.$Shape): shoal.v1.FilterCount & shoal.v1.FilterCount.$Shape;
            static create(properties?: shoal.v1.FilterCount.$Properties): shoal.v1.FilterCount;

            /**
             * Encodes the specified FilterCount message. Does not implicitly {@link shoal.v1.FilterCount.verify|verify} messages.
             * @param message FilterCount message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.FilterCount.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a FilterCount message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.FilterCount & shoal.v1.FilterCount.$Shape} FilterCount
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.FilterCount & shoal.v1.FilterCount.$Shape;
        }

        namespace FilterCount {

            /** Properties of a FilterCount. */
            interface $Properties {

                /** FilterCount filter */
                filter?: string;

                /** FilterCount removed */
                removed?: number;

                /** FilterCount left */
                left?: number;

                /** FilterCount reason */
                reason?: string;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a FilterCount. */
            type $Shape = shoal.v1.FilterCount.$Properties;
        }

        /**
         * Properties of a HostReason.
         * @deprecated Use shoal.v1.HostReason.$Properties instead.
         */
        interface IHostReason extends shoal.v1.HostReason.$Properties {
        }

        /** Represents a HostReason. */
        class HostReason {

            /**
             * Constructs a new HostReason.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.HostReason.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** HostReason hostId. */
            hostId: string;

            /** HostReason hostName. */
            hostName: string;

            /** HostReason filter. */
            filter: string;

            /** HostReason reason. */
            reason: string;

            /** HostReason weight. */
            weight: number;

            /**
             * Creates a new HostReason instance using the specified properties.
             * @param [properties] Properties to set
             * @returns HostReason instance
             */
            static create(properties: shoal.v1.HostReason.$Shape): shoal.v1.HostReason & shoal.v1.HostReason.$Shape;
            static create(properties?: shoal.v1.HostReason.$Properties): shoal.v1.HostReason;

            /**
             * Encodes the specified HostReason message. Does not implicitly {@link shoal.v1.HostReason.verify|verify} messages.
             * @param message HostReason message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.HostReason.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a HostReason message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.HostReason & shoal.v1.HostReason.$Shape} HostReason
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.HostReason & shoal.v1.HostReason.$Shape;
        }

        namespace HostReason {

            /** Properties of a HostReason. */
            interface $Properties {

                /** HostReason hostId */
                hostId?: string;

                /** HostReason hostName */
                hostName?: string;

                /** HostReason filter */
                filter?: string;

                /** HostReason reason */
                reason?: string;

                /** HostReason weight */
                weight?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a HostReason. */
            type $Shape = shoal.v1.HostReason.$Properties;
        }

        /**
         * Properties of an ExplainResponse.
         * @deprecated Use shoal.v1.ExplainResponse.$Properties instead.
         */
        interface IExplainResponse extends shoal.v1.ExplainResponse.$Properties {
        }

        /** Represents an ExplainResponse. */
        class ExplainResponse {

            /**
             * Constructs a new ExplainResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.ExplainResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** ExplainResponse filters. */
            filters: shoal.v1.FilterCount[];

            /** ExplainResponse hosts. */
            hosts: shoal.v1.HostReason[];

            /**
             * Creates a new ExplainResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns ExplainResponse instance
             */
            static create(properties: shoal.v1.ExplainResponse.$Shape): shoal.v1.ExplainResponse & shoal.v1.ExplainResponse.$Shape;
            static create(properties?: shoal.v1.ExplainResponse.$Properties): shoal.v1.ExplainResponse;

            /**
             * Encodes the specified ExplainResponse message. Does not implicitly {@link shoal.v1.ExplainResponse.verify|verify} messages.
             * @param message ExplainResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.ExplainResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes an ExplainResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.ExplainResponse & shoal.v1.ExplainResponse.$Shape} ExplainResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.ExplainResponse & shoal.v1.ExplainResponse.$Shape;
        }

        namespace ExplainResponse {

            /** Properties of an ExplainResponse. */
            interface $Properties {

                /** ExplainResponse filters */
                filters?: shoal.v1.FilterCount.$Properties[];

                /** ExplainResponse hosts */
                hosts?: shoal.v1.HostReason.$Properties[];

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of an ExplainResponse. */
            type $Shape = shoal.v1.ExplainResponse.$Properties;
        }

        /**
         * Properties of a WhatIfRequest.
         * @deprecated Use shoal.v1.WhatIfRequest.$Properties instead.
         */
        interface IWhatIfRequest extends shoal.v1.WhatIfRequest.$Properties {
        }

        /** Represents a WhatIfRequest. */
        class WhatIfRequest {

            /**
             * Constructs a new WhatIfRequest.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.WhatIfRequest.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WhatIfRequest flavorId. */
            flavorId: string;

            /** WhatIfRequest imageId. */
            imageId: string;

            /** WhatIfRequest zone. */
            zone: string;

            /** WhatIfRequest countMax. */
            countMax: number;

            /** WhatIfRequest schedulerHints. */
            schedulerHints: { [k: string]: string };

            /**
             * Creates a new WhatIfRequest instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WhatIfRequest instance
             */
            static create(properties: shoal.v1.WhatIfRequest.$Shape): shoal.v1.WhatIfRequest & shoal.v1.WhatIfRequest.$Shape;
            static create(properties?: shoal.v1.WhatIfRequest.$Properties): shoal.v1.WhatIfRequest;

            /**
             * Encodes the specified WhatIfRequest message. Does not implicitly {@link shoal.v1.WhatIfRequest.verify|verify} messages.
             * @param message WhatIfRequest message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.WhatIfRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WhatIfRequest message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.WhatIfRequest & shoal.v1.WhatIfRequest.$Shape} WhatIfRequest
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.WhatIfRequest & shoal.v1.WhatIfRequest.$Shape;
        }

        namespace WhatIfRequest {

            /** Properties of a WhatIfRequest. */
            interface $Properties {

                /** WhatIfRequest flavorId */
                flavorId?: string;

                /** WhatIfRequest imageId */
                imageId?: string;

                /** WhatIfRequest zone */
                zone?: string;

                /** WhatIfRequest countMax */
                countMax?: number;

                /** WhatIfRequest schedulerHints */
                schedulerHints?: { [k: string]: string };

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WhatIfRequest. */
            type $Shape = shoal.v1.WhatIfRequest.$Properties;
        }

        /**
         * Properties of a WhatIfResponse.
         * @deprecated Use shoal.v1.WhatIfResponse.$Properties instead.
         */
        interface IWhatIfResponse extends shoal.v1.WhatIfResponse.$Properties {
        }

        /** Represents a WhatIfResponse. */
        class WhatIfResponse {

            /**
             * Constructs a new WhatIfResponse.
             * @param [properties] Properties to set
             */
            constructor(properties?: shoal.v1.WhatIfResponse.$Properties);

            /** Unknown fields preserved while decoding when enabled */
            $unknowns?: Uint8Array[];

            /** WhatIfResponse count. */
            count: number;

            /**
             * Creates a new WhatIfResponse instance using the specified properties.
             * @param [properties] Properties to set
             * @returns WhatIfResponse instance
             */
            static create(properties: shoal.v1.WhatIfResponse.$Shape): shoal.v1.WhatIfResponse & shoal.v1.WhatIfResponse.$Shape;
            static create(properties?: shoal.v1.WhatIfResponse.$Properties): shoal.v1.WhatIfResponse;

            /**
             * Encodes the specified WhatIfResponse message. Does not implicitly {@link shoal.v1.WhatIfResponse.verify|verify} messages.
             * @param message WhatIfResponse message or plain object to encode
             * @param [writer] Writer to encode to
             * @returns Writer
             */
            static encode(message: shoal.v1.WhatIfResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

            /**
             * Decodes a WhatIfResponse message from the specified reader or buffer.
             * @param reader Reader or buffer to decode from
             * @param [length] Message length if known beforehand
             * @returns {shoal.v1.WhatIfResponse & shoal.v1.WhatIfResponse.$Shape} WhatIfResponse
             * @throws {Error} If the payload is not a reader or valid buffer
             * @throws {$protobuf.util.ProtocolError} If required fields are missing
             */
            static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): shoal.v1.WhatIfResponse & shoal.v1.WhatIfResponse.$Shape;
        }

        namespace WhatIfResponse {

            /** Properties of a WhatIfResponse. */
            interface $Properties {

                /** WhatIfResponse count */
                count?: number;

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];
            }

            /** Shape of a WhatIfResponse. */
            type $Shape = shoal.v1.WhatIfResponse.$Properties;
        }
    }
}

/** Namespace grpc. */
export namespace grpc {

    /** Namespace health. */
    namespace health {

        /** Namespace v1. */
        namespace v1 {

            /** Represents a Health */
            class Health extends $protobuf.rpc.Service {

                /**
                 * Constructs a new Health service.
                 * @param rpcImpl RPC implementation
                 * @param [requestDelimited=false] Whether requests are length-delimited
                 * @param [responseDelimited=false] Whether responses are length-delimited
                 */
                constructor(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean);

                /**
                 * Creates new Health service using the specified rpc implementation.
                 * @param rpcImpl RPC implementation
                 * @param [requestDelimited=false] Whether requests are length-delimited
                 * @param [responseDelimited=false] Whether responses are length-delimited
                 * @returns RPC service. Useful where requests and/or responses are streamed.
                 */
                static create(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean): Health;

                /** Calls Check. */
                check: grpc.health.v1.Health.Check;

                /** Calls List. */
                list: grpc.health.v1.Health.List;

                /** Calls Watch. */
                watch: grpc.health.v1.Health.Watch;
            }

            namespace Health {

                /**
                 * Callback as used by {@link grpc.health.v1.Health#check}.
                 * @param error Error, if any
                 * @param [response] HealthCheckResponse
                 */
                type CheckCallback = (error: (Error|null), response?: grpc.health.v1.HealthCheckResponse) => void;

                /** Calls Check. */
                type Check = {
                  (request: grpc.health.v1.IHealthCheckRequest, callback: grpc.health.v1.Health.CheckCallback): void;
                  (request: grpc.health.v1.IHealthCheckRequest): Promise<grpc.health.v1.HealthCheckResponse>;
                  readonly name: "Check";
                  readonly path: "/grpc.health.v1.Health/Check";
                  readonly requestType: "HealthCheckRequest";
                  readonly responseType: "HealthCheckResponse";
                  readonly requestStream: undefined;
                  readonly responseStream: undefined;
                };

                /**
                 * Callback as used by {@link grpc.health.v1.Health#list}.
                 * @param error Error, if any
                 * @param [response] HealthListResponse
                 */
                type ListCallback = (error: (Error|null), response?: grpc.health.v1.HealthListResponse) => void;

                /** Calls List. */
                type List = {
                  (request: grpc.health.v1.IHealthListRequest, callback: grpc.health.v1.Health.ListCallback): void;
                  (request: grpc.health.v1.IHealthListRequest): Promise<grpc.health.v1.HealthListResponse>;
                  readonly name: "List";
                  readonly path: "/grpc.health.v1.Health/List";
                  readonly requestType: "HealthListRequest";
                  readonly responseType: "HealthListResponse";
                  readonly requestStream: undefined;
                  readonly responseStream: undefined;
                };

                /**
                 * Callback as used by {@link grpc.health.v1.Health#watch}.
                 * @param error Error, if any
                 * @param [response] HealthCheckResponse
                 */
                type WatchCallback = (error: (Error|null), response?: grpc.health.v1.HealthCheckResponse) => void;

                /** Calls Watch. */
                type Watch = {
                  (request: grpc.health.v1.IHealthCheckRequest, callback: grpc.health.v1.Health.WatchCallback): void;
                  (request: grpc.health.v1.IHealthCheckRequest): Promise<grpc.health.v1.HealthCheckResponse>;
                  readonly name: "Watch";
                  readonly path: "/grpc.health.v1.Health/Watch";
                  readonly requestType: "HealthCheckRequest";
                  readonly responseType: "HealthCheckResponse";
                  readonly requestStream: undefined;
                  readonly responseStream: true;
                };
            }

            /**
             * Properties of a HealthCheckRequest.
             * @deprecated Use grpc.health.v1.HealthCheckRequest.$Properties instead.
             */
            interface IHealthCheckRequest extends grpc.health.v1.HealthCheckRequest.$Properties {
            }

            /** Represents a HealthCheckRequest. */
            class HealthCheckRequest {

                /**
                 * Constructs a new HealthCheckRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.health.v1.HealthCheckRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HealthCheckRequest service. */
                service: string;

                /**
                 * Creates a new HealthCheckRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns HealthCheckRequest instance
                 */
                static create(properties: grpc.health.v1.HealthCheckRequest.$Shape): grpc.health.v1.HealthCheckRequest & grpc.health.v1.HealthCheckRequest.$Shape;
                static create(properties?: grpc.health.v1.HealthCheckRequest.$Properties): grpc.health.v1.HealthCheckRequest;

                /**
                 * Encodes the specified HealthCheckRequest message. Does not implicitly {@link grpc.health.v1.HealthCheckRequest.verify|verify} messages.
                 * @param message HealthCheckRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.health.v1.HealthCheckRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HealthCheckRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.health.v1.HealthCheckRequest & grpc.health.v1.HealthCheckRequest.$Shape} HealthCheckRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.health.v1.HealthCheckRequest & grpc.health.v1.HealthCheckRequest.$Shape;
            }

            namespace HealthCheckRequest {

                /** Properties of a HealthCheckRequest. */
                interface $Properties {

                    /** HealthCheckRequest service */
                    service?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HealthCheckRequest. */
                type $Shape = grpc.health.v1.HealthCheckRequest.$Properties;
            }

            /**
             * Properties of a HealthCheckResponse.
             * @deprecated Use grpc.health.v1.HealthCheckResponse.$Properties instead.
             */
            interface IHealthCheckResponse extends grpc.health.v1.HealthCheckResponse.$Properties {
            }

            /** Represents a HealthCheckResponse. */
            class HealthCheckResponse {

                /**
                 * Constructs a new HealthCheckResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.health.v1.HealthCheckResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HealthCheckResponse status. */
                status: grpc.health.v1.HealthCheckResponse.ServingStatus;

                /**
                 * Creates a new HealthCheckResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns HealthCheckResponse instance
                 */
                static create(properties: grpc.health.v1.HealthCheckResponse.$Shape): grpc.health.v1.HealthCheckResponse & grpc.health.v1.HealthCheckResponse.$Shape;
                static create(properties?: grpc.health.v1.HealthCheckResponse.$Properties): grpc.health.v1.HealthCheckResponse;

                /**
                 * Encodes the specified HealthCheckResponse message. Does not implicitly {@link grpc.health.v1.HealthCheckResponse.verify|verify} messages.
                 * @param message HealthCheckResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.health.v1.HealthCheckResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HealthCheckResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.health.v1.HealthCheckResponse & grpc.health.v1.HealthCheckResponse.$Shape} HealthCheckResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.health.v1.HealthCheckResponse & grpc.health.v1.HealthCheckResponse.$Shape;
            }

            namespace HealthCheckResponse {

                /** Properties of a HealthCheckResponse. */
                interface $Properties {

                    /** HealthCheckResponse status */
                    status?: grpc.health.v1.HealthCheckResponse.ServingStatus;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HealthCheckResponse. */
                type $Shape = grpc.health.v1.HealthCheckResponse.$Properties;

                /** ServingStatus enum. */
                enum ServingStatus {

                    /** UNKNOWN value */
                    UNKNOWN = 0,

                    /** SERVING value */
                    SERVING = 1,

                    /** NOT_SERVING value */
                    NOT_SERVING = 2,

                    /** SERVICE_UNKNOWN value */
                    SERVICE_UNKNOWN = 3
                }
            }

            /**
             * Properties of a HealthListRequest.
             * @deprecated Use grpc.health.v1.HealthListRequest.$Properties instead.
             */
            interface IHealthListRequest extends grpc.health.v1.HealthListRequest.$Properties {
            }

            /** Represents a HealthListRequest. */
            class HealthListRequest {

                /**
                 * Constructs a new HealthListRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.health.v1.HealthListRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Creates a new HealthListRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns HealthListRequest instance
                 */
                static create(properties: grpc.health.v1.HealthListRequest.$Shape): grpc.health.v1.HealthListRequest & grpc.health.v1.HealthListRequest.$Shape;
                static create(properties?: grpc.health.v1.HealthListRequest.$Properties): grpc.health.v1.HealthListRequest;

                /**
                 * Encodes the specified HealthListRequest message. Does not implicitly {@link grpc.health.v1.HealthListRequest.verify|verify} messages.
                 * @param message HealthListRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.health.v1.HealthListRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HealthListRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.health.v1.HealthListRequest & grpc.health.v1.HealthListRequest.$Shape} HealthListRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.health.v1.HealthListRequest & grpc.health.v1.HealthListRequest.$Shape;
            }

            namespace HealthListRequest {

                /** Properties of a HealthListRequest. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HealthListRequest. */
                type $Shape = grpc.health.v1.HealthListRequest.$Properties;
            }

            /**
             * Properties of a HealthListResponse.
             * @deprecated Use grpc.health.v1.HealthListResponse.$Properties instead.
             */
            interface IHealthListResponse extends grpc.health.v1.HealthListResponse.$Properties {
            }

            /** Represents a HealthListResponse. */
            class HealthListResponse {

                /**
                 * Constructs a new HealthListResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.health.v1.HealthListResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HealthListResponse statuses. */
                statuses: { [k: string]: grpc.health.v1.HealthCheckResponse };

                /**
                 * Creates a new HealthListResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns HealthListResponse instance
                 */
                static create(properties: grpc.health.v1.HealthListResponse.$Shape): grpc.health.v1.HealthListResponse & grpc.health.v1.HealthListResponse.$Shape;
                static create(properties?: grpc.health.v1.HealthListResponse.$Properties): grpc.health.v1.HealthListResponse;

                /**
                 * Encodes the specified HealthListResponse message. Does not implicitly {@link grpc.health.v1.HealthListResponse.verify|verify} messages.
                 * @param message HealthListResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.health.v1.HealthListResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HealthListResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.health.v1.HealthListResponse & grpc.health.v1.HealthListResponse.$Shape} HealthListResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.health.v1.HealthListResponse & grpc.health.v1.HealthListResponse.$Shape;
            }

            namespace HealthListResponse {

                /** Properties of a HealthListResponse. */
                interface $Properties {

                    /** HealthListResponse statuses */
                    statuses?: { [k: string]: grpc.health.v1.HealthCheckResponse.$Properties };

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a HealthListResponse. */
                type $Shape = grpc.health.v1.HealthListResponse.$Properties;
            }
        }
    }

    /** Namespace reflection. */
    namespace reflection {

        /** Namespace v1. */
        namespace v1 {

            /** Represents a ServerReflection */
            class ServerReflection extends $protobuf.rpc.Service {

                /**
                 * Constructs a new ServerReflection service.
                 * @param rpcImpl RPC implementation
                 * @param [requestDelimited=false] Whether requests are length-delimited
                 * @param [responseDelimited=false] Whether responses are length-delimited
                 */
                constructor(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean);

                /**
                 * Creates new ServerReflection service using the specified rpc implementation.
                 * @param rpcImpl RPC implementation
                 * @param [requestDelimited=false] Whether requests are length-delimited
                 * @param [responseDelimited=false] Whether responses are length-delimited
                 * @returns RPC service. Useful where requests and/or responses are streamed.
                 */
                static create(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean): ServerReflection;

                /** Calls ServerReflectionInfo. */
                serverReflectionInfo: grpc.reflection.v1.ServerReflection.ServerReflectionInfo;
            }

            namespace ServerReflection {

                /**
                 * Callback as used by {@link grpc.reflection.v1.ServerReflection#serverReflectionInfo}.
                 * @param error Error, if any
                 * @param [response] ServerReflectionResponse
                 */
                type ServerReflectionInfoCallback = (error: (Error|null), response?: grpc.reflection.v1.ServerReflectionResponse) => void;

                /** Calls ServerReflectionInfo. */
                type ServerReflectionInfo = {
                  (request: grpc.reflection.v1.IServerReflectionRequest, callback: grpc.reflection.v1.ServerReflection.ServerReflectionInfoCallback): void;
                  (request: grpc.reflection.v1.IServerReflectionRequest): Promise<grpc.reflection.v1.ServerReflectionResponse>;
                  readonly name: "ServerReflectionInfo";
                  readonly path: "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
                  readonly requestType: "ServerReflectionRequest";
                  readonly responseType: "ServerReflectionResponse";
                  readonly requestStream: true;
                  readonly responseStream: true;
                };
            }

            /**
             * Properties of a ServerReflectionRequest.
             * @deprecated Use grpc.reflection.v1.ServerReflectionRequest.$Properties instead.
             */
            interface IServerReflectionRequest extends grpc.reflection.v1.ServerReflectionRequest.$Properties {
            }

            /** Represents a ServerReflectionRequest. */
            class ServerReflectionRequest {

                /**
                 * Constructs a new ServerReflectionRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1.ServerReflectionRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ServerReflectionRequest host. */
                host: string;

                /** ServerReflectionRequest fileByFilename. */
                fileByFilename: (string|null);

                /** ServerReflectionRequest fileContainingSymbol. */
                fileContainingSymbol: (string|null);

                /** ServerReflectionRequest fileContainingExtension. */
                fileContainingExtension: (grpc.reflection.v1.ExtensionRequest|null);

                /** ServerReflectionRequest allExtensionNumbersOfType. */
                allExtensionNumbersOfType: (string|null);

                /** ServerReflectionRequest listServices. */
                listServices: (string|null);

                /** ServerReflectionRequest messageRequest. */
                messageRequest?: ("fileByFilename"|"fileContainingSymbol"|"fileContainingExtension"|"allExtensionNumbersOfType"|"listServices");

                /**
                 * Creates a new ServerReflectionRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ServerReflectionRequest instance
                 */
                static create(properties: grpc.reflection.v1.ServerReflectionRequest.$Shape): grpc.reflection.v1.ServerReflectionRequest & grpc.reflection.v1.ServerReflectionRequest.$Shape;
                static create(properties?: grpc.reflection.v1.ServerReflectionRequest.$Properties): grpc.reflection.v1.ServerReflectionRequest;

                /**
                 * Encodes the specified ServerReflectionRequest message. Does not implicitly {@link grpc.reflection.v1.ServerReflectionRequest.verify|verify} messages.
                 * @param message ServerReflectionRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1.ServerReflectionRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ServerReflectionRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1.ServerReflectionRequest & grpc.reflection.v1.ServerReflectionRequest.$Shape} ServerReflectionRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1.ServerReflectionRequest & grpc.reflection.v1.ServerReflectionRequest.$Shape;
            }

            namespace ServerReflectionRequest {

                /** Properties of a ServerReflectionRequest. */
                interface $Properties {

                    /** ServerReflectionRequest host */
                    host?: string;

                    /** ServerReflectionRequest fileByFilename */
                    fileByFilename?: (string|null);

                    /** ServerReflectionRequest fileContainingSymbol */
                    fileContainingSymbol?: (string|null);

                    /** ServerReflectionRequest fileContainingExtension */
                    fileContainingExtension?: (grpc.reflection.v1.ExtensionRequest.$Properties|null);

                    /** ServerReflectionRequest allExtensionNumbersOfType */
                    allExtensionNumbersOfType?: (string|null);

                    /** ServerReflectionRequest listServices */
                    listServices?: (string|null);

                    /** ServerReflectionRequest messageRequest */
                    messageRequest?: ("fileByFilename"|"fileContainingSymbol"|"fileContainingExtension"|"allExtensionNumbersOfType"|"listServices");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a ServerReflectionRequest. */
                type $Shape = {
                  host?: string;
                  fileByFilename?: string|null;
                  fileContainingSymbol?: string|null;
                  fileContainingExtension?: grpc.reflection.v1.ExtensionRequest.$Shape|null;
                  allExtensionNumbersOfType?: string|null;
                  listServices?: string|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ messageRequest?: undefined; fileByFilename?: null; fileContainingSymbol?: null; fileContainingExtension?: null; allExtensionNumbersOfType?: null; listServices?: null }|{ messageRequest?: "fileByFilename"; fileByFilename: string; fileContainingSymbol?: null; fileContainingExtension?: null; allExtensionNumbersOfType?: null; listServices?: null }|{ messageRequest?: "fileContainingSymbol"; fileByFilename?: null; fileContainingSymbol: string; fileContainingExtension?: null; allExtensionNumbersOfType?: null; listServices?: null }|{ messageRequest?: "fileContainingExtension"; fileByFilename?: null; fileContainingSymbol?: null; fileContainingExtension: grpc.reflection.v1.ExtensionRequest.$Shape; allExtensionNumbersOfType?: null; listServices?: null }|{ messageRequest?: "allExtensionNumbersOfType"; fileByFilename?: null; fileContainingSymbol?: null; fileContainingExtension?: null; allExtensionNumbersOfType: string; listServices?: null }|{ messageRequest?: "listServices"; fileByFilename?: null; fileContainingSymbol?: null; fileContainingExtension?: null; allExtensionNumbersOfType?: null; listServices: string })
                );
            }

            /**
             * Properties of an ExtensionRequest.
             * @deprecated Use grpc.reflection.v1.ExtensionRequest.$Properties instead.
             */
            interface IExtensionRequest extends grpc.reflection.v1.ExtensionRequest.$Properties {
            }

            /** Represents an ExtensionRequest. */
            class ExtensionRequest {

                /**
                 * Constructs a new ExtensionRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1.ExtensionRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ExtensionRequest containingType. */
                containingType: string;

                /** ExtensionRequest extensionNumber. */
                extensionNumber: number;

                /**
                 * Creates a new ExtensionRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ExtensionRequest instance
                 */
                static create(properties: grpc.reflection.v1.ExtensionRequest.$Shape): grpc.reflection.v1.ExtensionRequest & grpc.reflection.v1.ExtensionRequest.$Shape;
                static create(properties?: grpc.reflection.v1.ExtensionRequest.$Properties): grpc.reflection.v1.ExtensionRequest;

                /**
                 * Encodes the specified ExtensionRequest message. Does not implicitly {@link grpc.reflection.v1.ExtensionRequest.verify|verify} messages.
                 * @param message ExtensionRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1.ExtensionRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ExtensionRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1.ExtensionRequest & grpc.reflection.v1.ExtensionRequest.$Shape} ExtensionRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1.ExtensionRequest & grpc.reflection.v1.ExtensionRequest.$Shape;
            }

            namespace ExtensionRequest {

                /** Properties of an ExtensionRequest. */
                interface $Properties {

                    /** ExtensionRequest containingType */
                    containingType?: string;

                    /** ExtensionRequest extensionNumber */
                    extensionNumber?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ExtensionRequest. */
                type $Shape = grpc.reflection.v1.ExtensionRequest.$Properties;
            }

            /**
             * Properties of a ServerReflectionResponse.
             * @deprecated Use grpc.reflection.v1.ServerReflectionResponse.$Properties instead.
             */
            interface IServerReflectionResponse extends grpc.reflection.v1.ServerReflectionResponse.$Properties {
            }

            /** Represents a ServerReflectionResponse. */
            class ServerReflectionResponse {

                /**
                 * Constructs a new ServerReflectionResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1.ServerReflectionResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ServerReflectionResponse validHost. */
                validHost: string;

                /** ServerReflectionResponse originalRequest. */
                originalRequest: grpc.reflection.v1.ServerReflectionRequest;

                /** ServerReflectionResponse fileDescriptorResponse. */
                fileDescriptorResponse: (grpc.reflection.v1.FileDescriptorResponse|null);

                /** ServerReflectionResponse allExtensionNumbersResponse. */
                allExtensionNumbersResponse: (grpc.reflection.v1.ExtensionNumberResponse|null);

                /** ServerReflectionResponse listServicesResponse. */
                listServicesResponse: (grpc.reflection.v1.ListServiceResponse|null);

                /** ServerReflectionResponse errorResponse. */
                errorResponse: (grpc.reflection.v1.ErrorResponse|null);

                /** ServerReflectionResponse messageResponse. */
                messageResponse?: ("fileDescriptorResponse"|"allExtensionNumbersResponse"|"listServicesResponse"|"errorResponse");

                /**
                 * Creates a new ServerReflectionResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ServerReflectionResponse instance
                 */
                static create(properties: grpc.reflection.v1.ServerReflectionResponse.$Shape): grpc.reflection.v1.ServerReflectionResponse & grpc.reflection.v1.ServerReflectionResponse.$Shape;
                static create(properties?: grpc.reflection.v1.ServerReflectionResponse.$Properties): grpc.reflection.v1.ServerReflectionResponse;

                /**
                 * Encodes the specified ServerReflectionResponse message. Does not implicitly {@link grpc.reflection.v1.ServerReflectionResponse.verify|verify} messages.
                 * @param message ServerReflectionResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1.ServerReflectionResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ServerReflectionResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1.ServerReflectionResponse & grpc.reflection.v1.ServerReflectionResponse.$Shape} ServerReflectionResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1.ServerReflectionResponse & grpc.reflection.v1.ServerReflectionResponse.$Shape;
            }

            namespace ServerReflectionResponse {

                /** Properties of a ServerReflectionResponse. */
                interface $Properties {

                    /** ServerReflectionResponse validHost */
                    validHost?: string;

                    /** ServerReflectionResponse originalRequest */
                    originalRequest?: grpc.reflection.v1.ServerReflectionRequest.$Properties;

                    /** ServerReflectionResponse fileDescriptorResponse */
                    fileDescriptorResponse?: (grpc.reflection.v1.FileDescriptorResponse.$Properties|null);

                    /** ServerReflectionResponse allExtensionNumbersResponse */
                    allExtensionNumbersResponse?: (grpc.reflection.v1.ExtensionNumberResponse.$Properties|null);

                    /** ServerReflectionResponse listServicesResponse */
                    listServicesResponse?: (grpc.reflection.v1.ListServiceResponse.$Properties|null);

                    /** ServerReflectionResponse errorResponse */
                    errorResponse?: (grpc.reflection.v1.ErrorResponse.$Properties|null);

                    /** ServerReflectionResponse messageResponse */
                    messageResponse?: ("fileDescriptorResponse"|"allExtensionNumbersResponse"|"listServicesResponse"|"errorResponse");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a ServerReflectionResponse. */
                type $Shape = {
                  validHost?: string;
                  originalRequest?: grpc.reflection.v1.ServerReflectionRequest.$Shape;
                  fileDescriptorResponse?: grpc.reflection.v1.FileDescriptorResponse.$Shape|null;
                  allExtensionNumbersResponse?: grpc.reflection.v1.ExtensionNumberResponse.$Shape|null;
                  listServicesResponse?: grpc.reflection.v1.ListServiceResponse.$Shape|null;
                  errorResponse?: grpc.reflection.v1.ErrorResponse.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ messageResponse?: undefined; fileDescriptorResponse?: null; allExtensionNumbersResponse?: null; listServicesResponse?: null; errorResponse?: null }|{ messageResponse?: "fileDescriptorResponse"; fileDescriptorResponse: grpc.reflection.v1.FileDescriptorResponse.$Shape; allExtensionNumbersResponse?: null; listServicesResponse?: null; errorResponse?: null }|{ messageResponse?: "allExtensionNumbersResponse"; fileDescriptorResponse?: null; allExtensionNumbersResponse: grpc.reflection.v1.ExtensionNumberResponse.$Shape; listServicesResponse?: null; errorResponse?: null }|{ messageResponse?: "listServicesResponse"; fileDescriptorResponse?: null; allExtensionNumbersResponse?: null; listServicesResponse: grpc.reflection.v1.ListServiceResponse.$Shape; errorResponse?: null }|{ messageResponse?: "errorResponse"; fileDescriptorResponse?: null; allExtensionNumbersResponse?: null; listServicesResponse?: null; errorResponse: grpc.reflection.v1.ErrorResponse.$Shape })
                );
            }

            /**
             * Properties of a FileDescriptorResponse.
             * @deprecated Use grpc.reflection.v1.FileDescriptorResponse.$Properties instead.
             */
            interface IFileDescriptorResponse extends grpc.reflection.v1.FileDescriptorResponse.$Properties {
            }

            /** Represents a FileDescriptorResponse. */
            class FileDescriptorResponse {

                /**
                 * Constructs a new FileDescriptorResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1.FileDescriptorResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** FileDescriptorResponse fileDescriptorProto. */
                fileDescriptorProto: Uint8Array[];

                /**
                 * Creates a new FileDescriptorResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns FileDescriptorResponse instance
                 */
                static create(properties: grpc.reflection.v1.FileDescriptorResponse.$Shape): grpc.reflection.v1.FileDescriptorResponse & grpc.reflection.v1.FileDescriptorResponse.$Shape;
                static create(properties?: grpc.reflection.v1.FileDescriptorResponse.$Properties): grpc.reflection.v1.FileDescriptorResponse;

                /**
                 * Encodes the specified FileDescriptorResponse message. Does not implicitly {@link grpc.reflection.v1.FileDescriptorResponse.verify|verify} messages.
                 * @param message FileDescriptorResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1.FileDescriptorResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a FileDescriptorResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1.FileDescriptorResponse & grpc.reflection.v1.FileDescriptorResponse.$Shape} FileDescriptorResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1.FileDescriptorResponse & grpc.reflection.v1.FileDescriptorResponse.$Shape;
            }

            namespace FileDescriptorResponse {

                /** Properties of a FileDescriptorResponse. */
                interface $Properties {

                    /** FileDescriptorResponse fileDescriptorProto */
                    fileDescriptorProto?: Uint8Array[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a FileDescriptorResponse. */
                type $Shape = grpc.reflection.v1.FileDescriptorResponse.$Properties;
            }

            /**
             * Properties of an ExtensionNumberResponse.
             * @deprecated Use grpc.reflection.v1.ExtensionNumberResponse.$Properties instead.
             */
            interface IExtensionNumberResponse extends grpc.reflection.v1.ExtensionNumberResponse.$Properties {
            }

            /** Represents an ExtensionNumberResponse. */
            class ExtensionNumberResponse {

                /**
                 * Constructs a new ExtensionNumberResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1.ExtensionNumberResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ExtensionNumberResponse baseTypeName. */
                baseTypeName: string;

                /** ExtensionNumberResponse extensionNumber. */
                extensionNumber: number[];

                /**
                 * Creates a new ExtensionNumberResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ExtensionNumberResponse instance
                 */
                static create(properties: grpc.reflection.v1.ExtensionNumberResponse.$Shape): grpc.reflection.v1.ExtensionNumberResponse & grpc.reflection.v1.ExtensionNumberResponse.$Shape;
                static create(properties?: grpc.reflection.v1.ExtensionNumberResponse.$Properties): grpc.reflection.v1.ExtensionNumberResponse;

                /**
                 * Encodes the specified ExtensionNumberResponse message. Does not implicitly {@link grpc.reflection.v1.ExtensionNumberResponse.verify|verify} messages.
                 * @param message ExtensionNumberResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1.ExtensionNumberResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ExtensionNumberResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1.ExtensionNumberResponse & grpc.reflection.v1.ExtensionNumberResponse.$Shape} ExtensionNumberResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1.ExtensionNumberResponse & grpc.reflection.v1.ExtensionNumberResponse.$Shape;
            }

            namespace ExtensionNumberResponse {

                /** Properties of an ExtensionNumberResponse. */
                interface $Properties {

                    /** ExtensionNumberResponse baseTypeName */
                    baseTypeName?: string;

                    /** ExtensionNumberResponse extensionNumber */
                    extensionNumber?: number[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ExtensionNumberResponse. */
                type $Shape = grpc.reflection.v1.ExtensionNumberResponse.$Properties;
            }

            /**
             * Properties of a ListServiceResponse.
             * @deprecated Use grpc.reflection.v1.ListServiceResponse.$Properties instead.
             */
            interface IListServiceResponse extends grpc.reflection.v1.ListServiceResponse.$Properties {
            }

            /** Represents a ListServiceResponse. */
            class ListServiceResponse {

                /**
                 * Constructs a new ListServiceResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1.ListServiceResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListServiceResponse service. */
                service: grpc.reflection.v1.ServiceResponse[];

                /**
                 * Creates a new ListServiceResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ListServiceResponse instance
                 */
                static create(properties: grpc.reflection.v1.ListServiceResponse.$Shape): grpc.reflection.v1.ListServiceResponse & grpc.reflection.v1.ListServiceResponse.$Shape;
                static create(properties?: grpc.reflection.v1.ListServiceResponse.$Properties): grpc.reflection.v1.ListServiceResponse;

                /**
                 * Encodes the specified ListServiceResponse message. Does not implicitly {@link grpc.reflection.v1.ListServiceResponse.verify|verify} messages.
                 * @param message ListServiceResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1.ListServiceResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListServiceResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1.ListServiceResponse & grpc.reflection.v1.ListServiceResponse.$Shape} ListServiceResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1.ListServiceResponse & grpc.reflection.v1.ListServiceResponse.$Shape;
            }

            namespace ListServiceResponse {

                /** Properties of a ListServiceResponse. */
                interface $Properties {

                    /** ListServiceResponse service */
                    service?: grpc.reflection.v1.ServiceResponse.$Properties[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListServiceResponse. */
                type $Shape = grpc.reflection.v1.ListServiceResponse.$Properties;
            }

            /**
             * Properties of a ServiceResponse.
             * @deprecated Use grpc.reflection.v1.ServiceResponse.$Properties instead.
             */
            interface IServiceResponse extends grpc.reflection.v1.ServiceResponse.$Properties {
            }

            /** Represents a ServiceResponse. */
            class ServiceResponse {

                /**
                 * Constructs a new ServiceResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1.ServiceResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ServiceResponse name. */
                name: string;

                /**
                 * Creates a new ServiceResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ServiceResponse instance
                 */
                static create(properties: grpc.reflection.v1.ServiceResponse.$Shape): grpc.reflection.v1.ServiceResponse & grpc.reflection.v1.ServiceResponse.$Shape;
                static create(properties?: grpc.reflection.v1.ServiceResponse.$Properties): grpc.reflection.v1.ServiceResponse;

                /**
                 * Encodes the specified ServiceResponse message. Does not implicitly {@link grpc.reflection.v1.ServiceResponse.verify|verify} messages.
                 * @param message ServiceResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1.ServiceResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ServiceResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1.ServiceResponse & grpc.reflection.v1.ServiceResponse.$Shape} ServiceResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1.ServiceResponse & grpc.reflection.v1.ServiceResponse.$Shape;
            }

            namespace ServiceResponse {

                /** Properties of a ServiceResponse. */
                interface $Properties {

                    /** ServiceResponse name */
                    name?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ServiceResponse. */
                type $Shape = grpc.reflection.v1.ServiceResponse.$Properties;
            }

            /**
             * Properties of an ErrorResponse.
             * @deprecated Use grpc.reflection.v1.ErrorResponse.$Properties instead.
             */
            interface IErrorResponse extends grpc.reflection.v1.ErrorResponse.$Properties {
            }

            /** Represents an ErrorResponse. */
            class ErrorResponse {

                /**
                 * Constructs a new ErrorResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1.ErrorResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ErrorResponse errorCode. */
                errorCode: number;

                /** ErrorResponse errorMessage. */
                errorMessage: string;

                /**
                 * Creates a new ErrorResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ErrorResponse instance
                 */
                static create(properties: grpc.reflection.v1.ErrorResponse.$Shape): grpc.reflection.v1.ErrorResponse & grpc.reflection.v1.ErrorResponse.$Shape;
                static create(properties?: grpc.reflection.v1.ErrorResponse.$Properties): grpc.reflection.v1.ErrorResponse;

                /**
                 * Encodes the specified ErrorResponse message. Does not implicitly {@link grpc.reflection.v1.ErrorResponse.verify|verify} messages.
                 * @param message ErrorResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1.ErrorResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ErrorResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1.ErrorResponse & grpc.reflection.v1.ErrorResponse.$Shape} ErrorResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1.ErrorResponse & grpc.reflection.v1.ErrorResponse.$Shape;
            }

            namespace ErrorResponse {

                /** Properties of an ErrorResponse. */
                interface $Properties {

                    /** ErrorResponse errorCode */
                    errorCode?: number;

                    /** ErrorResponse errorMessage */
                    errorMessage?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ErrorResponse. */
                type $Shape = grpc.reflection.v1.ErrorResponse.$Properties;
            }
        }

        /** Namespace v1alpha. */
        namespace v1alpha {

            /** Represents a ServerReflection */
            class ServerReflection extends $protobuf.rpc.Service {

                /**
                 * Constructs a new ServerReflection service.
                 * @param rpcImpl RPC implementation
                 * @param [requestDelimited=false] Whether requests are length-delimited
                 * @param [responseDelimited=false] Whether responses are length-delimited
                 */
                constructor(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean);

                /**
                 * Creates new ServerReflection service using the specified rpc implementation.
                 * @param rpcImpl RPC implementation
                 * @param [requestDelimited=false] Whether requests are length-delimited
                 * @param [responseDelimited=false] Whether responses are length-delimited
                 * @returns RPC service. Useful where requests and/or responses are streamed.
                 */
                static create(rpcImpl: $protobuf.RPCImpl, requestDelimited?: boolean, responseDelimited?: boolean): ServerReflection;

                /** Calls ServerReflectionInfo. */
                serverReflectionInfo: grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfo;
            }

            namespace ServerReflection {

                /**
                 * Callback as used by {@link grpc.reflection.v1alpha.ServerReflection#serverReflectionInfo}.
                 * @param error Error, if any
                 * @param [response] ServerReflectionResponse
                 */
                type ServerReflectionInfoCallback = (error: (Error|null), response?: grpc.reflection.v1alpha.ServerReflectionResponse) => void;

                /** Calls ServerReflectionInfo. */
                type ServerReflectionInfo = {
                  (request: grpc.reflection.v1alpha.IServerReflectionRequest, callback: grpc.reflection.v1alpha.ServerReflection.ServerReflectionInfoCallback): void;
                  (request: grpc.reflection.v1alpha.IServerReflectionRequest): Promise<grpc.reflection.v1alpha.ServerReflectionResponse>;
                  readonly name: "ServerReflectionInfo";
                  readonly path: "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
                  readonly requestType: "ServerReflectionRequest";
                  readonly responseType: "ServerReflectionResponse";
                  readonly requestStream: true;
                  readonly responseStream: true;
                };
            }

            /**
             * Properties of a ServerReflectionRequest.
             * @deprecated Use grpc.reflection.v1alpha.ServerReflectionRequest.$Properties instead.
             */
            interface IServerReflectionRequest extends grpc.reflection.v1alpha.ServerReflectionRequest.$Properties {
            }

            /** Represents a ServerReflectionRequest. */
            class ServerReflectionRequest {

                /**
                 * Constructs a new ServerReflectionRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1alpha.ServerReflectionRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ServerReflectionRequest host. */
                host: string;

                /** ServerReflectionRequest fileByFilename. */
                fileByFilename: (string|null);

                /** ServerReflectionRequest fileContainingSymbol. */
                fileContainingSymbol: (string|null);

                /** ServerReflectionRequest fileContainingExtension. */
                fileContainingExtension: (grpc.reflection.v1alpha.ExtensionRequest|null);

                /** ServerReflectionRequest allExtensionNumbersOfType. */
                allExtensionNumbersOfType: (string|null);

                /** ServerReflectionRequest listServices. */
                listServices: (string|null);

                /** ServerReflectionRequest messageRequest. */
                messageRequest?: ("fileByFilename"|"fileContainingSymbol"|"fileContainingExtension"|"allExtensionNumbersOfType"|"listServices");

                /**
                 * Creates a new ServerReflectionRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ServerReflectionRequest instance
                 */
                static create(properties: grpc.reflection.v1alpha.ServerReflectionRequest.$Shape): grpc.reflection.v1alpha.ServerReflectionRequest & grpc.reflection.v1alpha.ServerReflectionRequest.$Shape;
                static create(properties?: grpc.reflection.v1alpha.ServerReflectionRequest.$Properties): grpc.reflection.v1alpha.ServerReflectionRequest;

                /**
                 * Encodes the specified ServerReflectionRequest message. Does not implicitly {@link grpc.reflection.v1alpha.ServerReflectionRequest.verify|verify} messages.
                 * @param message ServerReflectionRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1alpha.ServerReflectionRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ServerReflectionRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1alpha.ServerReflectionRequest & grpc.reflection.v1alpha.ServerReflectionRequest.$Shape} ServerReflectionRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1alpha.ServerReflectionRequest & grpc.reflection.v1alpha.ServerReflectionRequest.$Shape;
            }

            namespace ServerReflectionRequest {

                /** Properties of a ServerReflectionRequest. */
                interface $Properties {

                    /** ServerReflectionRequest host */
                    host?: string;

                    /** ServerReflectionRequest fileByFilename */
                    fileByFilename?: (string|null);

                    /** ServerReflectionRequest fileContainingSymbol */
                    fileContainingSymbol?: (string|null);

                    /** ServerReflectionRequest fileContainingExtension */
                    fileContainingExtension?: (grpc.reflection.v1alpha.ExtensionRequest.$Properties|null);

                    /** ServerReflectionRequest allExtensionNumbersOfType */
                    allExtensionNumbersOfType?: (string|null);

                    /** ServerReflectionRequest listServices */
                    listServices?: (string|null);

                    /** ServerReflectionRequest messageRequest */
                    messageRequest?: ("fileByFilename"|"fileContainingSymbol"|"fileContainingExtension"|"allExtensionNumbersOfType"|"listServices");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a ServerReflectionRequest. */
                type $Shape = {
                  host?: string;
                  fileByFilename?: string|null;
                  fileContainingSymbol?: string|null;
                  fileContainingExtension?: grpc.reflection.v1alpha.ExtensionRequest.$Shape|null;
                  allExtensionNumbersOfType?: string|null;
                  listServices?: string|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ messageRequest?: undefined; fileByFilename?: null; fileContainingSymbol?: null; fileContainingExtension?: null; allExtensionNumbersOfType?: null; listServices?: null }|{ messageRequest?: "fileByFilename"; fileByFilename: string; fileContainingSymbol?: null; fileContainingExtension?: null; allExtensionNumbersOfType?: null; listServices?: null }|{ messageRequest?: "fileContainingSymbol"; fileByFilename?: null; fileContainingSymbol: string; fileContainingExtension?: null; allExtensionNumbersOfType?: null; listServices?: null }|{ messageRequest?: "fileContainingExtension"; fileByFilename?: null; fileContainingSymbol?: null; fileContainingExtension: grpc.reflection.v1alpha.ExtensionRequest.$Shape; allExtensionNumbersOfType?: null; listServices?: null }|{ messageRequest?: "allExtensionNumbersOfType"; fileByFilename?: null; fileContainingSymbol?: null; fileContainingExtension?: null; allExtensionNumbersOfType: string; listServices?: null }|{ messageRequest?: "listServices"; fileByFilename?: null; fileContainingSymbol?: null; fileContainingExtension?: null; allExtensionNumbersOfType?: null; listServices: string })
                );
            }

            /**
             * Properties of an ExtensionRequest.
             * @deprecated Use grpc.reflection.v1alpha.ExtensionRequest.$Properties instead.
             */
            interface IExtensionRequest extends grpc.reflection.v1alpha.ExtensionRequest.$Properties {
            }

            /** Represents an ExtensionRequest. */
            class ExtensionRequest {

                /**
                 * Constructs a new ExtensionRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1alpha.ExtensionRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ExtensionRequest containingType. */
                containingType: string;

                /** ExtensionRequest extensionNumber. */
                extensionNumber: number;

                /**
                 * Creates a new ExtensionRequest instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ExtensionRequest instance
                 */
                static create(properties: grpc.reflection.v1alpha.ExtensionRequest.$Shape): grpc.reflection.v1alpha.ExtensionRequest & grpc.reflection.v1alpha.ExtensionRequest.$Shape;
                static create(properties?: grpc.reflection.v1alpha.ExtensionRequest.$Properties): grpc.reflection.v1alpha.ExtensionRequest;

                /**
                 * Encodes the specified ExtensionRequest message. Does not implicitly {@link grpc.reflection.v1alpha.ExtensionRequest.verify|verify} messages.
                 * @param message ExtensionRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1alpha.ExtensionRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ExtensionRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1alpha.ExtensionRequest & grpc.reflection.v1alpha.ExtensionRequest.$Shape} ExtensionRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1alpha.ExtensionRequest & grpc.reflection.v1alpha.ExtensionRequest.$Shape;
            }

            namespace ExtensionRequest {

                /** Properties of an ExtensionRequest. */
                interface $Properties {

                    /** ExtensionRequest containingType */
                    containingType?: string;

                    /** ExtensionRequest extensionNumber */
                    extensionNumber?: number;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ExtensionRequest. */
                type $Shape = grpc.reflection.v1alpha.ExtensionRequest.$Properties;
            }

            /**
             * Properties of a ServerReflectionResponse.
             * @deprecated Use grpc.reflection.v1alpha.ServerReflectionResponse.$Properties instead.
             */
            interface IServerReflectionResponse extends grpc.reflection.v1alpha.ServerReflectionResponse.$Properties {
            }

            /** Represents a ServerReflectionResponse. */
            class ServerReflectionResponse {

                /**
                 * Constructs a new ServerReflectionResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1alpha.ServerReflectionResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ServerReflectionResponse validHost. */
                validHost: string;

                /** ServerReflectionResponse originalRequest. */
                originalRequest: grpc.reflection.v1alpha.ServerReflectionRequest;

                /** ServerReflectionResponse fileDescriptorResponse. */
                fileDescriptorResponse: (grpc.reflection.v1alpha.FileDescriptorResponse|null);

                /** ServerReflectionResponse allExtensionNumbersResponse. */
                allExtensionNumbersResponse: (grpc.reflection.v1alpha.ExtensionNumberResponse|null);

                /** ServerReflectionResponse listServicesResponse. */
                listServicesResponse: (grpc.reflection.v1alpha.ListServiceResponse|null);

                /** ServerReflectionResponse errorResponse. */
                errorResponse: (grpc.reflection.v1alpha.ErrorResponse|null);

                /** ServerReflectionResponse messageResponse. */
                messageResponse?: ("fileDescriptorResponse"|"allExtensionNumbersResponse"|"listServicesResponse"|"errorResponse");

                /**
                 * Creates a new ServerReflectionResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ServerReflectionResponse instance
                 */
                static create(properties: grpc.reflection.v1alpha.ServerReflectionResponse.$Shape): grpc.reflection.v1alpha.ServerReflectionResponse & grpc.reflection.v1alpha.ServerReflectionResponse.$Shape;
                static create(properties?: grpc.reflection.v1alpha.ServerReflectionResponse.$Properties): grpc.reflection.v1alpha.ServerReflectionResponse;

                /**
                 * Encodes the specified ServerReflectionResponse message. Does not implicitly {@link grpc.reflection.v1alpha.ServerReflectionResponse.verify|verify} messages.
                 * @param message ServerReflectionResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1alpha.ServerReflectionResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ServerReflectionResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1alpha.ServerReflectionResponse & grpc.reflection.v1alpha.ServerReflectionResponse.$Shape} ServerReflectionResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1alpha.ServerReflectionResponse & grpc.reflection.v1alpha.ServerReflectionResponse.$Shape;
            }

            namespace ServerReflectionResponse {

                /** Properties of a ServerReflectionResponse. */
                interface $Properties {

                    /** ServerReflectionResponse validHost */
                    validHost?: string;

                    /** ServerReflectionResponse originalRequest */
                    originalRequest?: grpc.reflection.v1alpha.ServerReflectionRequest.$Properties;

                    /** ServerReflectionResponse fileDescriptorResponse */
                    fileDescriptorResponse?: (grpc.reflection.v1alpha.FileDescriptorResponse.$Properties|null);

                    /** ServerReflectionResponse allExtensionNumbersResponse */
                    allExtensionNumbersResponse?: (grpc.reflection.v1alpha.ExtensionNumberResponse.$Properties|null);

                    /** ServerReflectionResponse listServicesResponse */
                    listServicesResponse?: (grpc.reflection.v1alpha.ListServiceResponse.$Properties|null);

                    /** ServerReflectionResponse errorResponse */
                    errorResponse?: (grpc.reflection.v1alpha.ErrorResponse.$Properties|null);

                    /** ServerReflectionResponse messageResponse */
                    messageResponse?: ("fileDescriptorResponse"|"allExtensionNumbersResponse"|"listServicesResponse"|"errorResponse");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a ServerReflectionResponse. */
                type $Shape = {
                  validHost?: string;
                  originalRequest?: grpc.reflection.v1alpha.ServerReflectionRequest.$Shape;
                  fileDescriptorResponse?: grpc.reflection.v1alpha.FileDescriptorResponse.$Shape|null;
                  allExtensionNumbersResponse?: grpc.reflection.v1alpha.ExtensionNumberResponse.$Shape|null;
                  listServicesResponse?: grpc.reflection.v1alpha.ListServiceResponse.$Shape|null;
                  errorResponse?: grpc.reflection.v1alpha.ErrorResponse.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ messageResponse?: undefined; fileDescriptorResponse?: null; allExtensionNumbersResponse?: null; listServicesResponse?: null; errorResponse?: null }|{ messageResponse?: "fileDescriptorResponse"; fileDescriptorResponse: grpc.reflection.v1alpha.FileDescriptorResponse.$Shape; allExtensionNumbersResponse?: null; listServicesResponse?: null; errorResponse?: null }|{ messageResponse?: "allExtensionNumbersResponse"; fileDescriptorResponse?: null; allExtensionNumbersResponse: grpc.reflection.v1alpha.ExtensionNumberResponse.$Shape; listServicesResponse?: null; errorResponse?: null }|{ messageResponse?: "listServicesResponse"; fileDescriptorResponse?: null; allExtensionNumbersResponse?: null; listServicesResponse: grpc.reflection.v1alpha.ListServiceResponse.$Shape; errorResponse?: null }|{ messageResponse?: "errorResponse"; fileDescriptorResponse?: null; allExtensionNumbersResponse?: null; listServicesResponse?: null; errorResponse: grpc.reflection.v1alpha.ErrorResponse.$Shape })
                );
            }

            /**
             * Properties of a FileDescriptorResponse.
             * @deprecated Use grpc.reflection.v1alpha.FileDescriptorResponse.$Properties instead.
             */
            interface IFileDescriptorResponse extends grpc.reflection.v1alpha.FileDescriptorResponse.$Properties {
            }

            /** Represents a FileDescriptorResponse. */
            class FileDescriptorResponse {

                /**
                 * Constructs a new FileDescriptorResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1alpha.FileDescriptorResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** FileDescriptorResponse fileDescriptorProto. */
                fileDescriptorProto: Uint8Array[];

                /**
                 * Creates a new FileDescriptorResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns FileDescriptorResponse instance
                 */
                static create(properties: grpc.reflection.v1alpha.FileDescriptorResponse.$Shape): grpc.reflection.v1alpha.FileDescriptorResponse & grpc.reflection.v1alpha.FileDescriptorResponse.$Shape;
                static create(properties?: grpc.reflection.v1alpha.FileDescriptorResponse.$Properties): grpc.reflection.v1alpha.FileDescriptorResponse;

                /**
                 * Encodes the specified FileDescriptorResponse message. Does not implicitly {@link grpc.reflection.v1alpha.FileDescriptorResponse.verify|verify} messages.
                 * @param message FileDescriptorResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1alpha.FileDescriptorResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a FileDescriptorResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1alpha.FileDescriptorResponse & grpc.reflection.v1alpha.FileDescriptorResponse.$Shape} FileDescriptorResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1alpha.FileDescriptorResponse & grpc.reflection.v1alpha.FileDescriptorResponse.$Shape;
            }

            namespace FileDescriptorResponse {

                /** Properties of a FileDescriptorResponse. */
                interface $Properties {

                    /** FileDescriptorResponse fileDescriptorProto */
                    fileDescriptorProto?: Uint8Array[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a FileDescriptorResponse. */
                type $Shape = grpc.reflection.v1alpha.FileDescriptorResponse.$Properties;
            }

            /**
             * Properties of an ExtensionNumberResponse.
             * @deprecated Use grpc.reflection.v1alpha.ExtensionNumberResponse.$Properties instead.
             */
            interface IExtensionNumberResponse extends grpc.reflection.v1alpha.ExtensionNumberResponse.$Properties {
            }

            /** Represents an ExtensionNumberResponse. */
            class ExtensionNumberResponse {

                /**
                 * Constructs a new ExtensionNumberResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1alpha.ExtensionNumberResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ExtensionNumberResponse baseTypeName. */
                baseTypeName: string;

                /** ExtensionNumberResponse extensionNumber. */
                extensionNumber: number[];

                /**
                 * Creates a new ExtensionNumberResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ExtensionNumberResponse instance
                 */
                static create(properties: grpc.reflection.v1alpha.ExtensionNumberResponse.$Shape): grpc.reflection.v1alpha.ExtensionNumberResponse & grpc.reflection.v1alpha.ExtensionNumberResponse.$Shape;
                static create(properties?: grpc.reflection.v1alpha.ExtensionNumberResponse.$Properties): grpc.reflection.v1alpha.ExtensionNumberResponse;

                /**
                 * Encodes the specified ExtensionNumberResponse message. Does not implicitly {@link grpc.reflection.v1alpha.ExtensionNumberResponse.verify|verify} messages.
                 * @param message ExtensionNumberResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1alpha.ExtensionNumberResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ExtensionNumberResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1alpha.ExtensionNumberResponse & grpc.reflection.v1alpha.ExtensionNumberResponse.$Shape} ExtensionNumberResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1alpha.ExtensionNumberResponse & grpc.reflection.v1alpha.ExtensionNumberResponse.$Shape;
            }

            namespace ExtensionNumberResponse {

                /** Properties of an ExtensionNumberResponse. */
                interface $Properties {

                    /** ExtensionNumberResponse baseTypeName */
                    baseTypeName?: string;

                    /** ExtensionNumberResponse extensionNumber */
                    extensionNumber?: number[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ExtensionNumberResponse. */
                type $Shape = grpc.reflection.v1alpha.ExtensionNumberResponse.$Properties;
            }

            /**
             * Properties of a ListServiceResponse.
             * @deprecated Use grpc.reflection.v1alpha.ListServiceResponse.$Properties instead.
             */
            interface IListServiceResponse extends grpc.reflection.v1alpha.ListServiceResponse.$Properties {
            }

            /** Represents a ListServiceResponse. */
            class ListServiceResponse {

                /**
                 * Constructs a new ListServiceResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1alpha.ListServiceResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ListServiceResponse service. */
                service: grpc.reflection.v1alpha.ServiceResponse[];

                /**
                 * Creates a new ListServiceResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ListServiceResponse instance
                 */
                static create(properties: grpc.reflection.v1alpha.ListServiceResponse.$Shape): grpc.reflection.v1alpha.ListServiceResponse & grpc.reflection.v1alpha.ListServiceResponse.$Shape;
                static create(properties?: grpc.reflection.v1alpha.ListServiceResponse.$Properties): grpc.reflection.v1alpha.ListServiceResponse;

                /**
                 * Encodes the specified ListServiceResponse message. Does not implicitly {@link grpc.reflection.v1alpha.ListServiceResponse.verify|verify} messages.
                 * @param message ListServiceResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1alpha.ListServiceResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ListServiceResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1alpha.ListServiceResponse & grpc.reflection.v1alpha.ListServiceResponse.$Shape} ListServiceResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1alpha.ListServiceResponse & grpc.reflection.v1alpha.ListServiceResponse.$Shape;
            }

            namespace ListServiceResponse {

                /** Properties of a ListServiceResponse. */
                interface $Properties {

                    /** ListServiceResponse service */
                    service?: grpc.reflection.v1alpha.ServiceResponse.$Properties[];

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ListServiceResponse. */
                type $Shape = grpc.reflection.v1alpha.ListServiceResponse.$Properties;
            }

            /**
             * Properties of a ServiceResponse.
             * @deprecated Use grpc.reflection.v1alpha.ServiceResponse.$Properties instead.
             */
            interface IServiceResponse extends grpc.reflection.v1alpha.ServiceResponse.$Properties {
            }

            /** Represents a ServiceResponse. */
            class ServiceResponse {

                /**
                 * Constructs a new ServiceResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1alpha.ServiceResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ServiceResponse name. */
                name: string;

                /**
                 * Creates a new ServiceResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ServiceResponse instance
                 */
                static create(properties: grpc.reflection.v1alpha.ServiceResponse.$Shape): grpc.reflection.v1alpha.ServiceResponse & grpc.reflection.v1alpha.ServiceResponse.$Shape;
                static create(properties?: grpc.reflection.v1alpha.ServiceResponse.$Properties): grpc.reflection.v1alpha.ServiceResponse;

                /**
                 * Encodes the specified ServiceResponse message. Does not implicitly {@link grpc.reflection.v1alpha.ServiceResponse.verify|verify} messages.
                 * @param message ServiceResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1alpha.ServiceResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ServiceResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1alpha.ServiceResponse & grpc.reflection.v1alpha.ServiceResponse.$Shape} ServiceResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1alpha.ServiceResponse & grpc.reflection.v1alpha.ServiceResponse.$Shape;
            }

            namespace ServiceResponse {

                /** Properties of a ServiceResponse. */
                interface $Properties {

                    /** ServiceResponse name */
                    name?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ServiceResponse. */
                type $Shape = grpc.reflection.v1alpha.ServiceResponse.$Properties;
            }

            /**
             * Properties of an ErrorResponse.
             * @deprecated Use grpc.reflection.v1alpha.ErrorResponse.$Properties instead.
             */
            interface IErrorResponse extends grpc.reflection.v1alpha.ErrorResponse.$Properties {
            }

            /** Represents an ErrorResponse. */
            class ErrorResponse {

                /**
                 * Constructs a new ErrorResponse.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: grpc.reflection.v1alpha.ErrorResponse.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ErrorResponse errorCode. */
                errorCode: number;

                /** ErrorResponse errorMessage. */
                errorMessage: string;

                /**
                 * Creates a new ErrorResponse instance using the specified properties.
                 * @param [properties] Properties to set
                 * @returns ErrorResponse instance
                 */
                static create(properties: grpc.reflection.v1alpha.ErrorResponse.$Shape): grpc.reflection.v1alpha.ErrorResponse & grpc.reflection.v1alpha.ErrorResponse.$Shape;
                static create(properties?: grpc.reflection.v1alpha.ErrorResponse.$Properties): grpc.reflection.v1alpha.ErrorResponse;

                /**
                 * Encodes the specified ErrorResponse message. Does not implicitly {@link grpc.reflection.v1alpha.ErrorResponse.verify|verify} messages.
                 * @param message ErrorResponse message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: grpc.reflection.v1alpha.ErrorResponse.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an ErrorResponse message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {grpc.reflection.v1alpha.ErrorResponse & grpc.reflection.v1alpha.ErrorResponse.$Shape} ErrorResponse
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): grpc.reflection.v1alpha.ErrorResponse & grpc.reflection.v1alpha.ErrorResponse.$Shape;
            }

            namespace ErrorResponse {

                /** Properties of an ErrorResponse. */
                interface $Properties {

                    /** ErrorResponse errorCode */
                    errorCode?: number;

                    /** ErrorResponse errorMessage */
                    errorMessage?: string;

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an ErrorResponse. */
                type $Shape = grpc.reflection.v1alpha.ErrorResponse.$Properties;
            }
        }
    }
}
