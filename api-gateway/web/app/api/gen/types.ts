/* Written by test/api-gateway/openapi/write-client.ts from the OpenAPI document: change nothing here. */

/** Methods of the native API: `POST /shoal/v1/SERVICE/METHOD`. */

export interface NativeMethods {
  'ClusterService/CreateCloudBackup': { request: CreateCloudBackupRequest; answer: CreateCloudBackupResponse };
  'ClusterService/CreateTicket': { request: CreateTicketRequest; answer: CreateTicketResponse };
  'ClusterService/FinalizeUpgrade': { request: FinalizeUpgradeRequest; answer: FinalizeUpgradeResponse };
  'ClusterService/GetStatus': { request: GetStatusRequest; answer: GetStatusResponse };
  'ClusterService/GetUpgrade': { request: GetUpgradeRequest; answer: GetUpgradeResponse };
  'ClusterService/ListCloudBackups': { request: ListCloudBackupsRequest; answer: ListCloudBackupsResponse };
  'ClusterService/ListHosts': { request: ListHostsRequest; answer: ListHostsResponse };
  'ClusterService/ListStoragePools': { request: ListStoragePoolsRequest; answer: ListStoragePoolsResponse };
  'ClusterService/ListUnreadableRecords': { request: ListUnreadableRecordsRequest; answer: ListUnreadableRecordsResponse };
  'ClusterService/Rekey': { request: RekeyRequest; answer: RekeyResponse };
  'ClusterService/RemoveHost': { request: RemoveHostRequest; answer: RemoveHostResponse };
  'ClusterService/RemoveUnreadableRecord': { request: RemoveUnreadableRecordRequest; answer: RemoveUnreadableRecordResponse };
  'ClusterService/ResetPassword': { request: ResetPasswordRequest; answer: ResetPasswordResponse };
  'ClusterService/SetCloudBackups': { request: SetCloudBackupsRequest; answer: SetCloudBackupsResponse };
  'ClusterService/SetHostEnabled': { request: SetHostEnabledRequest; answer: SetHostEnabledResponse };
  'ClusterService/VerifyCloudBackup': { request: VerifyCloudBackupRequest; answer: VerifyCloudBackupResponse };
  'ComputeService/AbortServerMigration': { request: AbortServerMigrationRequest; answer: AbortServerMigrationResponse };
  'ComputeService/AttachInterface': { request: AttachInterfaceRequest; answer: AttachInterfaceResponse };
  'ComputeService/ConfirmServerResize': { request: ConfirmServerResizeRequest; answer: ConfirmServerResizeResponse };
  'ComputeService/CreateKeypair': { request: CreateKeypairRequest; answer: CreateKeypairResponse };
  'ComputeService/CreateServer': { request: CreateServerRequest; answer: CreateServerResponse };
  'ComputeService/CreateServerBackup': { request: CreateServerBackupRequest; answer: CreateServerBackupResponse };
  'ComputeService/CreateServerImage': { request: CreateServerImageRequest; answer: CreateServerImageResponse };
  'ComputeService/DeleteKeypair': { request: DeleteKeypairRequest; answer: DeleteKeypairResponse };
  'ComputeService/DeleteServer': { request: DeleteServerRequest; answer: DeleteServerResponse };
  'ComputeService/DetachInterface': { request: DetachInterfaceRequest; answer: DetachInterfaceResponse };
  'ComputeService/EvacuateServer': { request: EvacuateServerRequest; answer: EvacuateServerResponse };
  'ComputeService/ForceCompleteServerMigration': { request: ForceCompleteServerMigrationRequest; answer: ForceCompleteServerMigrationResponse };
  'ComputeService/GetConsoleLog': { request: GetConsoleLogRequest; answer: GetConsoleLogResponse };
  'ComputeService/GetKeypair': { request: GetKeypairRequest; answer: GetKeypairResponse };
  'ComputeService/GetServer': { request: GetServerRequest; answer: GetServerResponse };
  'ComputeService/GetServerDiagnostics': { request: GetServerDiagnosticsRequest; answer: GetServerDiagnosticsResponse };
  'ComputeService/ListFlavors': { request: ListFlavorsRequest; answer: ListFlavorsResponse };
  'ComputeService/ListInterfaces': { request: ListInterfacesRequest; answer: ListInterfacesResponse };
  'ComputeService/ListKeypairs': { request: ListKeypairsRequest; answer: ListKeypairsResponse };
  'ComputeService/ListMigrations': { request: ListMigrationsRequest; answer: ListMigrationsResponse };
  'ComputeService/ListServerActions': { request: ListServerActionsRequest; answer: ListServerActionsResponse };
  'ComputeService/ListServers': { request: ListServersRequest; answer: ListServersResponse };
  'ComputeService/LockServer': { request: LockServerRequest; answer: LockServerResponse };
  'ComputeService/MigrateServer': { request: MigrateServerRequest; answer: MigrateServerResponse };
  'ComputeService/MigrateServerLive': { request: MigrateServerLiveRequest; answer: MigrateServerLiveResponse };
  'ComputeService/OffloadServer': { request: OffloadServerRequest; answer: OffloadServerResponse };
  'ComputeService/OpenConsole': { request: OpenConsoleRequest; answer: OpenConsoleResponse };
  'ComputeService/PauseServer': { request: PauseServerRequest; answer: PauseServerResponse };
  'ComputeService/RebootServer': { request: RebootServerRequest; answer: RebootServerResponse };
  'ComputeService/RebuildServer': { request: RebuildServerRequest; answer: RebuildServerResponse };
  'ComputeService/RescueServer': { request: RescueServerRequest; answer: RescueServerResponse };
  'ComputeService/ResetServerState': { request: ResetServerStateRequest; answer: ResetServerStateResponse };
  'ComputeService/ResizeServer': { request: ResizeServerRequest; answer: ResizeServerResponse };
  'ComputeService/ResumeServer': { request: ResumeServerRequest; answer: ResumeServerResponse };
  'ComputeService/RevertServerResize': { request: RevertServerResizeRequest; answer: RevertServerResizeResponse };
  'ComputeService/SetServerPassword': { request: SetServerPasswordRequest; answer: SetServerPasswordResponse };
  'ComputeService/ShelveServer': { request: ShelveServerRequest; answer: ShelveServerResponse };
  'ComputeService/StartServer': { request: StartServerRequest; answer: StartServerResponse };
  'ComputeService/StopServer': { request: StopServerRequest; answer: StopServerResponse };
  'ComputeService/SuspendServer': { request: SuspendServerRequest; answer: SuspendServerResponse };
  'ComputeService/TriggerServerCrashDump': { request: TriggerServerCrashDumpRequest; answer: TriggerServerCrashDumpResponse };
  'ComputeService/UnlockServer': { request: UnlockServerRequest; answer: UnlockServerResponse };
  'ComputeService/UnpauseServer': { request: UnpauseServerRequest; answer: UnpauseServerResponse };
  'ComputeService/UnrescueServer': { request: UnrescueServerRequest; answer: UnrescueServerResponse };
  'ComputeService/UnshelveServer': { request: UnshelveServerRequest; answer: UnshelveServerResponse };
  'IdentityService/Authenticate': { request: AuthenticateRequest; answer: AuthenticateResponse };
  'IdentityService/CreateProject': { request: CreateProjectRequest; answer: CreateProjectResponse };
  'IdentityService/CreateRole': { request: CreateRoleRequest; answer: CreateRoleResponse };
  'IdentityService/CreateRoleAssignment': { request: CreateRoleAssignmentRequest; answer: CreateRoleAssignmentResponse };
  'IdentityService/CreateUser': { request: CreateUserRequest; answer: CreateUserResponse };
  'IdentityService/DeleteProject': { request: DeleteProjectRequest; answer: DeleteProjectResponse };
  'IdentityService/DeleteRole': { request: DeleteRoleRequest; answer: DeleteRoleResponse };
  'IdentityService/DeleteRoleAssignment': { request: DeleteRoleAssignmentRequest; answer: DeleteRoleAssignmentResponse };
  'IdentityService/DeleteUser': { request: DeleteUserRequest; answer: DeleteUserResponse };
  'IdentityService/GetProject': { request: GetProjectRequest; answer: GetProjectResponse };
  'IdentityService/GetRole': { request: GetRoleRequest; answer: GetRoleResponse };
  'IdentityService/GetUser': { request: GetUserRequest; answer: GetUserResponse };
  'IdentityService/ListProjects': { request: ListProjectsRequest; answer: ListProjectsResponse };
  'IdentityService/ListRoleAssignments': { request: ListRoleAssignmentsRequest; answer: ListRoleAssignmentsResponse };
  'IdentityService/ListRoles': { request: ListRolesRequest; answer: ListRolesResponse };
  'IdentityService/ListUserProjects': { request: ListUserProjectsRequest; answer: ListUserProjectsResponse };
  'IdentityService/ListUsers': { request: ListUsersRequest; answer: ListUsersResponse };
  'IdentityService/RevokeToken': { request: RevokeTokenRequest; answer: RevokeTokenResponse };
  'IdentityService/UpdateProject': { request: UpdateProjectRequest; answer: UpdateProjectResponse };
  'IdentityService/UpdateRole': { request: UpdateRoleRequest; answer: UpdateRoleResponse };
  'IdentityService/UpdateUser': { request: UpdateUserRequest; answer: UpdateUserResponse };
  'IdentityService/ValidateToken': { request: ValidateTokenRequest; answer: ValidateTokenResponse };
  'ImageService/CreateImage': { request: CreateImageRequest; answer: CreateImageResponse };
  'ImageService/DeleteImage': { request: DeleteImageRequest; answer: DeleteImageResponse };
  'ImageService/GetImage': { request: GetImageRequest; answer: GetImageResponse };
  'ImageService/ListImages': { request: ListImagesRequest; answer: ListImagesResponse };
  'ImageService/UpdateImage': { request: UpdateImageRequest; answer: UpdateImageResponse };
  'JobService/CancelJob': { request: CancelJobRequest; answer: CancelJobResponse };
  'JobService/DrainHost': { request: DrainHostRequest; answer: DrainHostResponse };
  'JobService/GetJob': { request: GetJobRequest; answer: GetJobResponse };
  'JobService/ListJobs': { request: ListJobsRequest; answer: ListJobsResponse };
  'JobService/PauseJob': { request: PauseJobRequest; answer: PauseJobResponse };
  'JobService/PlanDrain': { request: PlanDrainRequest; answer: PlanDrainResponse };
  'JobService/ResumeJob': { request: ResumeJobRequest; answer: ResumeJobResponse };
  'JobService/RotateAuthority': { request: RotateAuthorityRequest; answer: RotateAuthorityResponse };
  'JobService/UndrainHost': { request: UndrainHostRequest; answer: UndrainHostResponse };
  'NetworkService/AddRouterInterface': { request: AddRouterInterfaceRequest; answer: AddRouterInterfaceResponse };
  'NetworkService/CreateFloatingIp': { request: CreateFloatingIpRequest; answer: CreateFloatingIpResponse };
  'NetworkService/CreateNetwork': { request: CreateNetworkRequest; answer: CreateNetworkResponse };
  'NetworkService/CreatePort': { request: CreatePortRequest; answer: CreatePortResponse };
  'NetworkService/CreateRouter': { request: CreateRouterRequest; answer: CreateRouterResponse };
  'NetworkService/CreateSecurityGroup': { request: CreateSecurityGroupRequest; answer: CreateSecurityGroupResponse };
  'NetworkService/CreateSecurityGroupRule': { request: CreateSecurityGroupRuleRequest; answer: CreateSecurityGroupRuleResponse };
  'NetworkService/CreateSubnet': { request: CreateSubnetRequest; answer: CreateSubnetResponse };
  'NetworkService/DeleteFloatingIp': { request: DeleteFloatingIpRequest; answer: DeleteFloatingIpResponse };
  'NetworkService/DeleteNetwork': { request: DeleteNetworkRequest; answer: DeleteNetworkResponse };
  'NetworkService/DeletePort': { request: DeletePortRequest; answer: DeletePortResponse };
  'NetworkService/DeleteRouter': { request: DeleteRouterRequest; answer: DeleteRouterResponse };
  'NetworkService/DeleteSecurityGroup': { request: DeleteSecurityGroupRequest; answer: DeleteSecurityGroupResponse };
  'NetworkService/DeleteSecurityGroupRule': { request: DeleteSecurityGroupRuleRequest; answer: DeleteSecurityGroupRuleResponse };
  'NetworkService/DeleteSubnet': { request: DeleteSubnetRequest; answer: DeleteSubnetResponse };
  'NetworkService/GetFloatingIp': { request: GetFloatingIpRequest; answer: GetFloatingIpResponse };
  'NetworkService/GetNetwork': { request: GetNetworkRequest; answer: GetNetworkResponse };
  'NetworkService/GetPort': { request: GetPortRequest; answer: GetPortResponse };
  'NetworkService/GetRouter': { request: GetRouterRequest; answer: GetRouterResponse };
  'NetworkService/GetSecurityGroup': { request: GetSecurityGroupRequest; answer: GetSecurityGroupResponse };
  'NetworkService/GetSecurityGroupRule': { request: GetSecurityGroupRuleRequest; answer: GetSecurityGroupRuleResponse };
  'NetworkService/GetSubnet': { request: GetSubnetRequest; answer: GetSubnetResponse };
  'NetworkService/ListFloatingIps': { request: ListFloatingIpsRequest; answer: ListFloatingIpsResponse };
  'NetworkService/ListNetworks': { request: ListNetworksRequest; answer: ListNetworksResponse };
  'NetworkService/ListPorts': { request: ListPortsRequest; answer: ListPortsResponse };
  'NetworkService/ListRouters': { request: ListRoutersRequest; answer: ListRoutersResponse };
  'NetworkService/ListSecurityGroupRules': { request: ListSecurityGroupRulesRequest; answer: ListSecurityGroupRulesResponse };
  'NetworkService/ListSecurityGroups': { request: ListSecurityGroupsRequest; answer: ListSecurityGroupsResponse };
  'NetworkService/ListSubnets': { request: ListSubnetsRequest; answer: ListSubnetsResponse };
  'NetworkService/RemoveRouterInterface': { request: RemoveRouterInterfaceRequest; answer: RemoveRouterInterfaceResponse };
  'NetworkService/TracePacket': { request: TracePacketRequest; answer: TracePacketResponse };
  'NetworkService/UpdateFloatingIp': { request: UpdateFloatingIpRequest; answer: UpdateFloatingIpResponse };
  'NetworkService/UpdateNetwork': { request: UpdateNetworkRequest; answer: UpdateNetworkResponse };
  'NetworkService/UpdatePort': { request: UpdatePortRequest; answer: UpdatePortResponse };
  'NetworkService/UpdateRouter': { request: UpdateRouterRequest; answer: UpdateRouterResponse };
  'NetworkService/UpdateSecurityGroup': { request: UpdateSecurityGroupRequest; answer: UpdateSecurityGroupResponse };
  'NetworkService/UpdateSubnet': { request: UpdateSubnetRequest; answer: UpdateSubnetResponse };
  'PlacementService/Explain': { request: ExplainRequest; answer: ExplainResponse };
  'PlacementService/WhatIf': { request: WhatIfRequest; answer: WhatIfResponse };
  'VolumeService/AcceptVolumeTransfer': { request: AcceptVolumeTransferRequest; answer: AcceptVolumeTransferResponse };
  'VolumeService/AttachVolume': { request: AttachVolumeRequest; answer: AttachVolumeResponse };
  'VolumeService/CreateQosSpecs': { request: CreateQosSpecsRequest; answer: CreateQosSpecsResponse };
  'VolumeService/CreateVolume': { request: CreateVolumeRequest; answer: CreateVolumeResponse };
  'VolumeService/CreateVolumeBackup': { request: CreateVolumeBackupRequest; answer: CreateVolumeBackupResponse };
  'VolumeService/CreateVolumeGroup': { request: CreateVolumeGroupRequest; answer: CreateVolumeGroupResponse };
  'VolumeService/CreateVolumeGroupSnapshot': { request: CreateVolumeGroupSnapshotRequest; answer: CreateVolumeGroupSnapshotResponse };
  'VolumeService/CreateVolumeSnapshot': { request: CreateVolumeSnapshotRequest; answer: CreateVolumeSnapshotResponse };
  'VolumeService/CreateVolumeTransfer': { request: CreateVolumeTransferRequest; answer: CreateVolumeTransferResponse };
  'VolumeService/CreateVolumeType': { request: CreateVolumeTypeRequest; answer: CreateVolumeTypeResponse };
  'VolumeService/DeleteQosSpecs': { request: DeleteQosSpecsRequest; answer: DeleteQosSpecsResponse };
  'VolumeService/DeleteVolume': { request: DeleteVolumeRequest; answer: DeleteVolumeResponse };
  'VolumeService/DeleteVolumeBackup': { request: DeleteVolumeBackupRequest; answer: DeleteVolumeBackupResponse };
  'VolumeService/DeleteVolumeGroup': { request: DeleteVolumeGroupRequest; answer: DeleteVolumeGroupResponse };
  'VolumeService/DeleteVolumeGroupSnapshot': { request: DeleteVolumeGroupSnapshotRequest; answer: DeleteVolumeGroupSnapshotResponse };
  'VolumeService/DeleteVolumeSnapshot': { request: DeleteVolumeSnapshotRequest; answer: DeleteVolumeSnapshotResponse };
  'VolumeService/DeleteVolumeTransfer': { request: DeleteVolumeTransferRequest; answer: DeleteVolumeTransferResponse };
  'VolumeService/DeleteVolumeType': { request: DeleteVolumeTypeRequest; answer: DeleteVolumeTypeResponse };
  'VolumeService/DetachVolume': { request: DetachVolumeRequest; answer: DetachVolumeResponse };
  'VolumeService/ExpireVolumeBackups': { request: ExpireVolumeBackupsRequest; answer: ExpireVolumeBackupsResponse };
  'VolumeService/ExportVolumeBackup': { request: ExportVolumeBackupRequest; answer: ExportVolumeBackupResponse };
  'VolumeService/ExtendVolume': { request: ExtendVolumeRequest; answer: ExtendVolumeResponse };
  'VolumeService/GetVolume': { request: GetVolumeRequest; answer: GetVolumeResponse };
  'VolumeService/GetVolumeBackup': { request: GetVolumeBackupRequest; answer: GetVolumeBackupResponse };
  'VolumeService/GetVolumeGroup': { request: GetVolumeGroupRequest; answer: GetVolumeGroupResponse };
  'VolumeService/GetVolumeGroupSnapshot': { request: GetVolumeGroupSnapshotRequest; answer: GetVolumeGroupSnapshotResponse };
  'VolumeService/GetVolumeSnapshot': { request: GetVolumeSnapshotRequest; answer: GetVolumeSnapshotResponse };
  'VolumeService/ImportVolumeBackup': { request: ImportVolumeBackupRequest; answer: ImportVolumeBackupResponse };
  'VolumeService/ListQosSpecs': { request: ListQosSpecsRequest; answer: ListQosSpecsResponse };
  'VolumeService/ListVolumeBackups': { request: ListVolumeBackupsRequest; answer: ListVolumeBackupsResponse };
  'VolumeService/ListVolumeGroupSnapshots': { request: ListVolumeGroupSnapshotsRequest; answer: ListVolumeGroupSnapshotsResponse };
  'VolumeService/ListVolumeGroups': { request: ListVolumeGroupsRequest; answer: ListVolumeGroupsResponse };
  'VolumeService/ListVolumeSnapshots': { request: ListVolumeSnapshotsRequest; answer: ListVolumeSnapshotsResponse };
  'VolumeService/ListVolumeTransfers': { request: ListVolumeTransfersRequest; answer: ListVolumeTransfersResponse };
  'VolumeService/ListVolumeTypes': { request: ListVolumeTypesRequest; answer: ListVolumeTypesResponse };
  'VolumeService/ListVolumes': { request: ListVolumesRequest; answer: ListVolumesResponse };
  'VolumeService/ReimageVolume': { request: ReimageVolumeRequest; answer: ReimageVolumeResponse };
  'VolumeService/RemoveQosSpecsKeys': { request: RemoveQosSpecsKeysRequest; answer: RemoveQosSpecsKeysResponse };
  'VolumeService/RemoveVolumeTypeEncryption': { request: RemoveVolumeTypeEncryptionRequest; answer: RemoveVolumeTypeEncryptionResponse };
  'VolumeService/RemoveVolumeTypeExtraSpec': { request: RemoveVolumeTypeExtraSpecRequest; answer: RemoveVolumeTypeExtraSpecResponse };
  'VolumeService/RestoreVolumeBackup': { request: RestoreVolumeBackupRequest; answer: RestoreVolumeBackupResponse };
  'VolumeService/RevertVolume': { request: RevertVolumeRequest; answer: RevertVolumeResponse };
  'VolumeService/SetVolumeTypeAccess': { request: SetVolumeTypeAccessRequest; answer: SetVolumeTypeAccessResponse };
  'VolumeService/SetVolumeTypeEncryption': { request: SetVolumeTypeEncryptionRequest; answer: SetVolumeTypeEncryptionResponse };
  'VolumeService/SetVolumeTypeQos': { request: SetVolumeTypeQosRequest; answer: SetVolumeTypeQosResponse };
  'VolumeService/UpdateQosSpecs': { request: UpdateQosSpecsRequest; answer: UpdateQosSpecsResponse };
  'VolumeService/UpdateVolume': { request: UpdateVolumeRequest; answer: UpdateVolumeResponse };
  'VolumeService/UpdateVolumeGroup': { request: UpdateVolumeGroupRequest; answer: UpdateVolumeGroupResponse };
  'VolumeService/UpdateVolumeType': { request: UpdateVolumeTypeRequest; answer: UpdateVolumeTypeResponse };
  'VolumeService/VerifyVolumeBackup': { request: VerifyVolumeBackupRequest; answer: VerifyVolumeBackupResponse };
}

/** Routes of the other services, and what their bodies are. */

export interface RestBodies {
  'DELETE /compute/v2.1/flavors/{id}': undefined;
  'DELETE /compute/v2.1/flavors/{id}/os-extra_specs/{key}': undefined;
  'DELETE /compute/v2.1/images/{id}': undefined;
  'DELETE /compute/v2.1/images/{id}/metadata/{key}': undefined;
  'DELETE /compute/v2.1/os-aggregates/{id}': undefined;
  'DELETE /compute/v2.1/os-floating-ips/{id}': undefined;
  'DELETE /compute/v2.1/os-keypairs/{name}': undefined;
  'DELETE /compute/v2.1/os-quota-sets/{project}': undefined;
  'DELETE /compute/v2.1/os-security-group-rules/{id}': undefined;
  'DELETE /compute/v2.1/os-security-groups/{id}': undefined;
  'DELETE /compute/v2.1/os-server-groups/{id}': undefined;
  'DELETE /compute/v2.1/os-services/{id}': undefined;
  'DELETE /compute/v2.1/os-snapshots/{id}': undefined;
  'DELETE /compute/v2.1/os-volumes/{id}': undefined;
  'DELETE /compute/v2.1/servers/{id}': undefined;
  'DELETE /compute/v2.1/servers/{id}/metadata/{key}': undefined;
  'DELETE /compute/v2.1/servers/{id}/migrations/{key}': undefined;
  'DELETE /compute/v2.1/servers/{id}/os-interface/{key}': undefined;
  'DELETE /compute/v2.1/servers/{id}/os-server-password': undefined;
  'DELETE /compute/v2.1/servers/{id}/os-volume_attachments/{key}': undefined;
  'DELETE /compute/v2.1/servers/{id}/tags': undefined;
  'DELETE /compute/v2.1/servers/{id}/tags/{key}': undefined;
  'DELETE /identity/v3/auth/tokens': undefined;
  'DELETE /identity/v3/domains/{id}': undefined;
  'DELETE /identity/v3/domains/{scope}/users/{user}/roles/{role}': undefined;
  'DELETE /identity/v3/projects/{id}': undefined;
  'DELETE /identity/v3/projects/{id}/tags': undefined;
  'DELETE /identity/v3/projects/{id}/tags/{tag}': undefined;
  'DELETE /identity/v3/projects/{scope}/users/{user}/roles/{role}': undefined;
  'DELETE /identity/v3/roles/{id}': undefined;
  'DELETE /identity/v3/system/users/{user}/roles/{role}': undefined;
  'DELETE /identity/v3/users/{id}': undefined;
  'DELETE /image/v2/images/{id}': undefined;
  'DELETE /image/v2/images/{id}/members/{member}': undefined;
  'DELETE /image/v2/images/{id}/tags/{tag}': undefined;
  'DELETE /networking/v2.0/address-groups/{id}': undefined;
  'DELETE /networking/v2.0/default-security-group-rules/{id}': undefined;
  'DELETE /networking/v2.0/floatingips/{id}': undefined;
  'DELETE /networking/v2.0/floatingips/{id}/port_forwardings/{forwarding}': undefined;
  'DELETE /networking/v2.0/floatingips/{id}/tags': undefined;
  'DELETE /networking/v2.0/floatingips/{id}/tags/{tag}': undefined;
  'DELETE /networking/v2.0/networks/{id}': undefined;
  'DELETE /networking/v2.0/networks/{id}/tags': undefined;
  'DELETE /networking/v2.0/networks/{id}/tags/{tag}': undefined;
  'DELETE /networking/v2.0/ports/{id}': undefined;
  'DELETE /networking/v2.0/ports/{id}/tags': undefined;
  'DELETE /networking/v2.0/ports/{id}/tags/{tag}': undefined;
  'DELETE /networking/v2.0/quotas/{project}': undefined;
  'DELETE /networking/v2.0/rbac-policies/{id}': undefined;
  'DELETE /networking/v2.0/routers/{id}': undefined;
  'DELETE /networking/v2.0/routers/{id}/tags': undefined;
  'DELETE /networking/v2.0/routers/{id}/tags/{tag}': undefined;
  'DELETE /networking/v2.0/security-group-rules/{id}': undefined;
  'DELETE /networking/v2.0/security-groups/{id}': undefined;
  'DELETE /networking/v2.0/security-groups/{id}/tags': undefined;
  'DELETE /networking/v2.0/security-groups/{id}/tags/{tag}': undefined;
  'DELETE /networking/v2.0/subnetpools/{id}': undefined;
  'DELETE /networking/v2.0/subnetpools/{id}/tags': undefined;
  'DELETE /networking/v2.0/subnetpools/{id}/tags/{tag}': undefined;
  'DELETE /networking/v2.0/subnets/{id}': undefined;
  'DELETE /networking/v2.0/subnets/{id}/tags': undefined;
  'DELETE /networking/v2.0/subnets/{id}/tags/{tag}': undefined;
  'DELETE /v3/auth/tokens': undefined;
  'DELETE /v3/domains/{id}': undefined;
  'DELETE /v3/domains/{scope}/users/{user}/roles/{role}': undefined;
  'DELETE /v3/projects/{id}': undefined;
  'DELETE /v3/projects/{id}/tags': undefined;
  'DELETE /v3/projects/{id}/tags/{tag}': undefined;
  'DELETE /v3/projects/{scope}/users/{user}/roles/{role}': undefined;
  'DELETE /v3/roles/{id}': undefined;
  'DELETE /v3/system/users/{user}/roles/{role}': undefined;
  'DELETE /v3/users/{id}': undefined;
  'DELETE /volume/v3/attachments/{id}': undefined;
  'DELETE /volume/v3/backups/{id}': undefined;
  'DELETE /volume/v3/default-types/{project}': undefined;
  'DELETE /volume/v3/group_snapshots/{id}': undefined;
  'DELETE /volume/v3/group_types/{id}': undefined;
  'DELETE /volume/v3/group_types/{id}/group_specs/{key}': undefined;
  'DELETE /volume/v3/messages/{id}': undefined;
  'DELETE /volume/v3/os-quota-sets/{project}': undefined;
  'DELETE /volume/v3/os-volume-transfer/{id}': undefined;
  'DELETE /volume/v3/qos-specs/{id}': undefined;
  'DELETE /volume/v3/snapshots/{id}': undefined;
  'DELETE /volume/v3/snapshots/{id}/metadata/{key}': undefined;
  'DELETE /volume/v3/types/{id}': undefined;
  'DELETE /volume/v3/types/{id}/encryption/{key}': undefined;
  'DELETE /volume/v3/types/{id}/extra_specs/{key}': undefined;
  'DELETE /volume/v3/volume-transfers/{id}': undefined;
  'DELETE /volume/v3/volumes/{id}': undefined;
  'DELETE /volume/v3/volumes/{id}/metadata/{key}': undefined;
  'GET /': undefined;
  'GET /compute': undefined;
  'GET /compute/v2.1': undefined;
  'GET /compute/v2.1/extensions': undefined;
  'GET /compute/v2.1/extensions/{alias}': undefined;
  'GET /compute/v2.1/flavors': undefined;
  'GET /compute/v2.1/flavors/detail': undefined;
  'GET /compute/v2.1/flavors/{id}': undefined;
  'GET /compute/v2.1/flavors/{id}/os-extra_specs': undefined;
  'GET /compute/v2.1/flavors/{id}/os-extra_specs/{key}': undefined;
  'GET /compute/v2.1/flavors/{id}/os-flavor-access': undefined;
  'GET /compute/v2.1/images': undefined;
  'GET /compute/v2.1/images/detail': undefined;
  'GET /compute/v2.1/images/{id}': undefined;
  'GET /compute/v2.1/images/{id}/metadata': undefined;
  'GET /compute/v2.1/images/{id}/metadata/{key}': undefined;
  'GET /compute/v2.1/limits': undefined;
  'GET /compute/v2.1/os-aggregates': undefined;
  'GET /compute/v2.1/os-aggregates/{id}': undefined;
  'GET /compute/v2.1/os-availability-zone': undefined;
  'GET /compute/v2.1/os-availability-zone/detail': undefined;
  'GET /compute/v2.1/os-console-auth-tokens/{token}': undefined;
  'GET /compute/v2.1/os-floating-ip-pools': undefined;
  'GET /compute/v2.1/os-floating-ips': undefined;
  'GET /compute/v2.1/os-floating-ips/{id}': undefined;
  'GET /compute/v2.1/os-hosts': undefined;
  'GET /compute/v2.1/os-hosts/{id}': undefined;
  'GET /compute/v2.1/os-hosts/{id}/reboot': undefined;
  'GET /compute/v2.1/os-hosts/{id}/shutdown': undefined;
  'GET /compute/v2.1/os-hosts/{id}/startup': undefined;
  'GET /compute/v2.1/os-hypervisors': undefined;
  'GET /compute/v2.1/os-hypervisors/detail': undefined;
  'GET /compute/v2.1/os-hypervisors/statistics': undefined;
  'GET /compute/v2.1/os-hypervisors/{id}': undefined;
  'GET /compute/v2.1/os-hypervisors/{id}/search': undefined;
  'GET /compute/v2.1/os-hypervisors/{id}/servers': undefined;
  'GET /compute/v2.1/os-hypervisors/{id}/uptime': undefined;
  'GET /compute/v2.1/os-instance_usage_audit_log': undefined;
  'GET /compute/v2.1/os-instance_usage_audit_log/{before}': undefined;
  'GET /compute/v2.1/os-keypairs': undefined;
  'GET /compute/v2.1/os-keypairs/{name}': undefined;
  'GET /compute/v2.1/os-migrations': undefined;
  'GET /compute/v2.1/os-networks': undefined;
  'GET /compute/v2.1/os-networks/{id}': undefined;
  'GET /compute/v2.1/os-quota-class-sets/{id}': undefined;
  'GET /compute/v2.1/os-quota-sets/{project}': undefined;
  'GET /compute/v2.1/os-quota-sets/{project}/defaults': undefined;
  'GET /compute/v2.1/os-quota-sets/{project}/detail': undefined;
  'GET /compute/v2.1/os-security-groups': undefined;
  'GET /compute/v2.1/os-security-groups/{id}': undefined;
  'GET /compute/v2.1/os-server-groups': undefined;
  'GET /compute/v2.1/os-server-groups/{id}': undefined;
  'GET /compute/v2.1/os-services': undefined;
  'GET /compute/v2.1/os-simple-tenant-usage': undefined;
  'GET /compute/v2.1/os-simple-tenant-usage/{project}': undefined;
  'GET /compute/v2.1/os-snapshots': undefined;
  'GET /compute/v2.1/os-snapshots/detail': undefined;
  'GET /compute/v2.1/os-snapshots/{id}': undefined;
  'GET /compute/v2.1/os-tenant-networks': undefined;
  'GET /compute/v2.1/os-tenant-networks/{id}': undefined;
  'GET /compute/v2.1/os-volumes': undefined;
  'GET /compute/v2.1/os-volumes/detail': undefined;
  'GET /compute/v2.1/os-volumes/{id}': undefined;
  'GET /compute/v2.1/servers': undefined;
  'GET /compute/v2.1/servers/detail': undefined;
  'GET /compute/v2.1/servers/{id}': undefined;
  'GET /compute/v2.1/servers/{id}/diagnostics': undefined;
  'GET /compute/v2.1/servers/{id}/ips': undefined;
  'GET /compute/v2.1/servers/{id}/ips/{key}': undefined;
  'GET /compute/v2.1/servers/{id}/metadata': undefined;
  'GET /compute/v2.1/servers/{id}/metadata/{key}': undefined;
  'GET /compute/v2.1/servers/{id}/migrations': undefined;
  'GET /compute/v2.1/servers/{id}/migrations/{key}': undefined;
  'GET /compute/v2.1/servers/{id}/os-instance-actions': undefined;
  'GET /compute/v2.1/servers/{id}/os-instance-actions/{key}': undefined;
  'GET /compute/v2.1/servers/{id}/os-interface': undefined;
  'GET /compute/v2.1/servers/{id}/os-interface/{key}': undefined;
  'GET /compute/v2.1/servers/{id}/os-security-groups': undefined;
  'GET /compute/v2.1/servers/{id}/os-server-password': undefined;
  'GET /compute/v2.1/servers/{id}/os-volume_attachments': undefined;
  'GET /compute/v2.1/servers/{id}/os-volume_attachments/{key}': undefined;
  'GET /compute/v2.1/servers/{id}/tags': undefined;
  'GET /compute/v2.1/servers/{id}/tags/{key}': undefined;
  'GET /healthz': undefined;
  'GET /identity': undefined;
  'GET /identity/v3': undefined;
  'GET /identity/v3/auth/catalog': undefined;
  'GET /identity/v3/auth/domains': undefined;
  'GET /identity/v3/auth/projects': undefined;
  'GET /identity/v3/auth/system': undefined;
  'GET /identity/v3/auth/tokens': undefined;
  'GET /identity/v3/domains': undefined;
  'GET /identity/v3/domains/{id}': undefined;
  'GET /identity/v3/domains/{scope}/users/{user}/roles': undefined;
  'GET /identity/v3/domains/{scope}/users/{user}/roles/{role}': undefined;
  'GET /identity/v3/endpoints': undefined;
  'GET /identity/v3/endpoints/{id}': undefined;
  'GET /identity/v3/projects': undefined;
  'GET /identity/v3/projects/{id}': undefined;
  'GET /identity/v3/projects/{id}/tags': undefined;
  'GET /identity/v3/projects/{id}/tags/{tag}': undefined;
  'GET /identity/v3/projects/{scope}/users/{user}/roles': undefined;
  'GET /identity/v3/projects/{scope}/users/{user}/roles/{role}': undefined;
  'GET /identity/v3/regions': undefined;
  'GET /identity/v3/regions/{id}': undefined;
  'GET /identity/v3/role_assignments': undefined;
  'GET /identity/v3/roles': undefined;
  'GET /identity/v3/roles/{id}': undefined;
  'GET /identity/v3/services': undefined;
  'GET /identity/v3/services/{id}': undefined;
  'GET /identity/v3/system/users/{user}/roles': undefined;
  'GET /identity/v3/system/users/{user}/roles/{role}': undefined;
  'GET /identity/v3/users': undefined;
  'GET /identity/v3/users/{id}': undefined;
  'GET /identity/v3/users/{id}/groups': undefined;
  'GET /identity/v3/users/{id}/projects': undefined;
  'GET /image': undefined;
  'GET /image/v2': undefined;
  'GET /image/v2/images': undefined;
  'GET /image/v2/images/{id}': undefined;
  'GET /image/v2/images/{id}/file': undefined;
  'GET /image/v2/images/{id}/members': undefined;
  'GET /image/v2/images/{id}/members/{member}': undefined;
  'GET /image/v2/images/{id}/tasks': undefined;
  'GET /image/v2/info/import': undefined;
  'GET /image/v2/info/stores': undefined;
  'GET /image/v2/info/usage': undefined;
  'GET /image/v2/info/usage/{project}': undefined;
  'GET /image/v2/schemas/{name}': undefined;
  'GET /image/v2/tasks': undefined;
  'GET /image/v2/tasks/{id}': undefined;
  'GET /image/versions': undefined;
  'GET /metrics': undefined;
  'GET /networking': undefined;
  'GET /networking/v2.0': undefined;
  'GET /networking/v2.0/address-groups': undefined;
  'GET /networking/v2.0/address-groups/{id}': undefined;
  'GET /networking/v2.0/agents': undefined;
  'GET /networking/v2.0/agents/{id}': undefined;
  'GET /networking/v2.0/availability_zones': undefined;
  'GET /networking/v2.0/default-security-group-rules': undefined;
  'GET /networking/v2.0/default-security-group-rules/{id}': undefined;
  'GET /networking/v2.0/extensions': undefined;
  'GET /networking/v2.0/extensions/{alias}': undefined;
  'GET /networking/v2.0/floatingips': undefined;
  'GET /networking/v2.0/floatingips/{id}': undefined;
  'GET /networking/v2.0/floatingips/{id}/port_forwardings': undefined;
  'GET /networking/v2.0/floatingips/{id}/port_forwardings/{forwarding}': undefined;
  'GET /networking/v2.0/floatingips/{id}/tags': undefined;
  'GET /networking/v2.0/floatingips/{id}/tags/{tag}': undefined;
  'GET /networking/v2.0/network-ip-availabilities': undefined;
  'GET /networking/v2.0/network-ip-availabilities/{id}': undefined;
  'GET /networking/v2.0/networks': undefined;
  'GET /networking/v2.0/networks/{id}': undefined;
  'GET /networking/v2.0/networks/{id}/tags': undefined;
  'GET /networking/v2.0/networks/{id}/tags/{tag}': undefined;
  'GET /networking/v2.0/ports': undefined;
  'GET /networking/v2.0/ports/{id}': undefined;
  'GET /networking/v2.0/ports/{id}/tags': undefined;
  'GET /networking/v2.0/ports/{id}/tags/{tag}': undefined;
  'GET /networking/v2.0/quotas': undefined;
  'GET /networking/v2.0/quotas/project': undefined;
  'GET /networking/v2.0/quotas/tenant': undefined;
  'GET /networking/v2.0/quotas/{project}': undefined;
  'GET /networking/v2.0/quotas/{project}/default': undefined;
  'GET /networking/v2.0/quotas/{project}/details': undefined;
  'GET /networking/v2.0/quotas/{project}/details.json': undefined;
  'GET /networking/v2.0/rbac-policies': undefined;
  'GET /networking/v2.0/rbac-policies/{id}': undefined;
  'GET /networking/v2.0/routers': undefined;
  'GET /networking/v2.0/routers/{id}': undefined;
  'GET /networking/v2.0/routers/{id}/tags': undefined;
  'GET /networking/v2.0/routers/{id}/tags/{tag}': undefined;
  'GET /networking/v2.0/security-group-rules': undefined;
  'GET /networking/v2.0/security-group-rules/{id}': undefined;
  'GET /networking/v2.0/security-groups': undefined;
  'GET /networking/v2.0/security-groups/{id}': undefined;
  'GET /networking/v2.0/security-groups/{id}/tags': undefined;
  'GET /networking/v2.0/security-groups/{id}/tags/{tag}': undefined;
  'GET /networking/v2.0/service-providers': undefined;
  'GET /networking/v2.0/subnetpools': undefined;
  'GET /networking/v2.0/subnetpools/{id}': undefined;
  'GET /networking/v2.0/subnetpools/{id}/tags': undefined;
  'GET /networking/v2.0/subnetpools/{id}/tags/{tag}': undefined;
  'GET /networking/v2.0/subnets': undefined;
  'GET /networking/v2.0/subnets/{id}': undefined;
  'GET /networking/v2.0/subnets/{id}/tags': undefined;
  'GET /networking/v2.0/subnets/{id}/tags/{tag}': undefined;
  'GET /openapi.json': undefined;
  'GET /placement': undefined;
  'GET /readyz': undefined;
  'GET /v3': undefined;
  'GET /v3/auth/catalog': undefined;
  'GET /v3/auth/domains': undefined;
  'GET /v3/auth/projects': undefined;
  'GET /v3/auth/system': undefined;
  'GET /v3/auth/tokens': undefined;
  'GET /v3/domains': undefined;
  'GET /v3/domains/{id}': undefined;
  'GET /v3/domains/{scope}/users/{user}/roles': undefined;
  'GET /v3/domains/{scope}/users/{user}/roles/{role}': undefined;
  'GET /v3/endpoints': undefined;
  'GET /v3/endpoints/{id}': undefined;
  'GET /v3/projects': undefined;
  'GET /v3/projects/{id}': undefined;
  'GET /v3/projects/{id}/tags': undefined;
  'GET /v3/projects/{id}/tags/{tag}': undefined;
  'GET /v3/projects/{scope}/users/{user}/roles': undefined;
  'GET /v3/projects/{scope}/users/{user}/roles/{role}': undefined;
  'GET /v3/regions': undefined;
  'GET /v3/regions/{id}': undefined;
  'GET /v3/role_assignments': undefined;
  'GET /v3/roles': undefined;
  'GET /v3/roles/{id}': undefined;
  'GET /v3/services': undefined;
  'GET /v3/services/{id}': undefined;
  'GET /v3/system/users/{user}/roles': undefined;
  'GET /v3/system/users/{user}/roles/{role}': undefined;
  'GET /v3/users': undefined;
  'GET /v3/users/{id}': undefined;
  'GET /v3/users/{id}/groups': undefined;
  'GET /v3/users/{id}/projects': undefined;
  'GET /volume': undefined;
  'GET /volume/v3': undefined;
  'GET /volume/v3/attachments': undefined;
  'GET /volume/v3/attachments/detail': undefined;
  'GET /volume/v3/attachments/{id}': undefined;
  'GET /volume/v3/backups': undefined;
  'GET /volume/v3/backups/detail': undefined;
  'GET /volume/v3/backups/{id}': undefined;
  'GET /volume/v3/backups/{id}/export_record': undefined;
  'GET /volume/v3/capabilities/{host}': undefined;
  'GET /volume/v3/clusters': undefined;
  'GET /volume/v3/clusters/detail': undefined;
  'GET /volume/v3/clusters/{id}': undefined;
  'GET /volume/v3/default-types': undefined;
  'GET /volume/v3/default-types/{project}': undefined;
  'GET /volume/v3/extensions': undefined;
  'GET /volume/v3/extensions/{alias}': undefined;
  'GET /volume/v3/group_snapshots': undefined;
  'GET /volume/v3/group_snapshots/detail': undefined;
  'GET /volume/v3/group_snapshots/{id}': undefined;
  'GET /volume/v3/group_types': undefined;
  'GET /volume/v3/group_types/{id}': undefined;
  'GET /volume/v3/group_types/{id}/group_specs': undefined;
  'GET /volume/v3/group_types/{id}/group_specs/{key}': undefined;
  'GET /volume/v3/groups': undefined;
  'GET /volume/v3/groups/detail': undefined;
  'GET /volume/v3/groups/{id}': undefined;
  'GET /volume/v3/limits': undefined;
  'GET /volume/v3/messages': undefined;
  'GET /volume/v3/messages/{id}': undefined;
  'GET /volume/v3/os-availability-zone': undefined;
  'GET /volume/v3/os-hosts': undefined;
  'GET /volume/v3/os-hosts/{id}': undefined;
  'GET /volume/v3/os-quota-class-sets/{id}': undefined;
  'GET /volume/v3/os-quota-sets/{project}': undefined;
  'GET /volume/v3/os-quota-sets/{project}/defaults': undefined;
  'GET /volume/v3/os-services': undefined;
  'GET /volume/v3/os-volume-transfer': undefined;
  'GET /volume/v3/os-volume-transfer/detail': undefined;
  'GET /volume/v3/os-volume-transfer/{id}': undefined;
  'GET /volume/v3/qos-specs': undefined;
  'GET /volume/v3/qos-specs/{id}': undefined;
  'GET /volume/v3/qos-specs/{id}/associate': undefined;
  'GET /volume/v3/qos-specs/{id}/associations': undefined;
  'GET /volume/v3/qos-specs/{id}/disassociate': undefined;
  'GET /volume/v3/qos-specs/{id}/disassociate_all': undefined;
  'GET /volume/v3/resource_filters': undefined;
  'GET /volume/v3/scheduler-stats/get_pools': undefined;
  'GET /volume/v3/snapshots': undefined;
  'GET /volume/v3/snapshots/detail': undefined;
  'GET /volume/v3/snapshots/{id}': undefined;
  'GET /volume/v3/snapshots/{id}/metadata': undefined;
  'GET /volume/v3/snapshots/{id}/metadata/{key}': undefined;
  'GET /volume/v3/types': undefined;
  'GET /volume/v3/types/{id}': undefined;
  'GET /volume/v3/types/{id}/encryption': undefined;
  'GET /volume/v3/types/{id}/encryption/{key}': undefined;
  'GET /volume/v3/types/{id}/extra_specs': undefined;
  'GET /volume/v3/types/{id}/extra_specs/{key}': undefined;
  'GET /volume/v3/types/{id}/os-volume-type-access': undefined;
  'GET /volume/v3/volume-transfers': undefined;
  'GET /volume/v3/volume-transfers/detail': undefined;
  'GET /volume/v3/volume-transfers/{id}': undefined;
  'GET /volume/v3/volumes': undefined;
  'GET /volume/v3/volumes/detail': undefined;
  'GET /volume/v3/volumes/summary': undefined;
  'GET /volume/v3/volumes/{id}': undefined;
  'GET /volume/v3/volumes/{id}/encryption': undefined;
  'GET /volume/v3/volumes/{id}/encryption/{key}': undefined;
  'GET /volume/v3/volumes/{id}/metadata': undefined;
  'GET /volume/v3/volumes/{id}/metadata/{key}': undefined;
  'PATCH /identity/v3/domains/{id}': { readonly domain: { readonly name?: string; readonly description?: string | null; readonly enabled?: boolean; }; };
  'PATCH /identity/v3/projects/{id}': { readonly project: { readonly name?: string; readonly domain_id?: string; readonly description?: string | null; readonly enabled?: boolean; readonly tags?: readonly (string)[]; readonly is_domain?: boolean; readonly parent_id?: string | null; }; };
  'PATCH /identity/v3/roles/{id}': { readonly role: { readonly name?: string; readonly description?: string | null; }; };
  'PATCH /identity/v3/users/{id}': { readonly user: { readonly name?: string; readonly domain_id?: string; readonly default_project_id?: string | null; readonly description?: string | null; readonly email?: string | null; readonly enabled?: boolean; readonly password?: string | null; }; };
  'PATCH /image/v2/images/{id}': readonly ({ readonly op: "add" | "replace" | "remove"; readonly path: string; readonly value?: unknown; })[];
  'PATCH /v3/domains/{id}': { readonly domain: { readonly name?: string; readonly description?: string | null; readonly enabled?: boolean; }; };
  'PATCH /v3/projects/{id}': { readonly project: { readonly name?: string; readonly domain_id?: string; readonly description?: string | null; readonly enabled?: boolean; readonly tags?: readonly (string)[]; readonly is_domain?: boolean; readonly parent_id?: string | null; }; };
  'PATCH /v3/roles/{id}': { readonly role: { readonly name?: string; readonly description?: string | null; }; };
  'PATCH /v3/users/{id}': { readonly user: { readonly name?: string; readonly domain_id?: string; readonly default_project_id?: string | null; readonly description?: string | null; readonly email?: string | null; readonly enabled?: boolean; readonly password?: string | null; }; };
  'POST /compute/v2.1/flavors': { readonly flavor: { readonly name: string; readonly id?: string | number | null; readonly ram: number | string; readonly vcpus: number | string; readonly disk: number | string; readonly 'OS-FLV-EXT-DATA:ephemeral'?: number | string; readonly swap?: number | string; readonly rxtx_factor?: number | string; readonly 'os-flavor-access:is_public'?: boolean | string; readonly description?: string | null; }; };
  'POST /compute/v2.1/flavors/{id}/action': { readonly addTenantAccess: { readonly tenant: string; }; } | { readonly removeTenantAccess: { readonly tenant: string; }; };
  'POST /compute/v2.1/flavors/{id}/os-extra_specs': { readonly extra_specs: { readonly [name: string]: string | number }; };
  'POST /compute/v2.1/images/{id}/metadata': { readonly metadata: { readonly [name: string]: string }; };
  'POST /compute/v2.1/os-aggregates': { readonly aggregate: { readonly name: string; readonly availability_zone?: string | null; }; };
  'POST /compute/v2.1/os-aggregates/{id}/action': { readonly add_host: { readonly host: string; }; } | { readonly remove_host: { readonly host: string; }; } | { readonly set_metadata: { readonly metadata: { readonly [name: string]: string | null }; }; };
  'POST /compute/v2.1/os-floating-ips': { readonly pool?: string | null; };
  'POST /compute/v2.1/os-keypairs': { readonly keypair: { readonly name: string; readonly public_key?: string; readonly type?: "ssh" | "x509"; readonly user_id?: string; }; };
  'POST /compute/v2.1/os-security-group-rules': { readonly security_group_rule: { readonly parent_group_id: string; readonly group_id?: string | null; readonly ip_protocol?: string | null; readonly from_port?: number | string | null; readonly to_port?: number | string | null; readonly cidr?: string | null; }; };
  'POST /compute/v2.1/os-security-groups': { readonly security_group: { readonly name: string; readonly description?: string | null; }; };
  'POST /compute/v2.1/os-server-external-events': { readonly events: readonly ({ readonly server_uuid: string; readonly name: string; readonly status?: "failed" | "completed" | "in-progress"; readonly tag?: string; })[]; };
  'POST /compute/v2.1/os-server-groups': { readonly server_group: { readonly name: string; readonly policies?: readonly ("affinity" | "anti-affinity" | "soft-affinity" | "soft-anti-affinity")[]; readonly policy?: "affinity" | "anti-affinity" | "soft-affinity" | "soft-anti-affinity"; readonly rules?: { readonly max_server_per_host?: number | string; }; }; };
  'POST /compute/v2.1/os-snapshots': { readonly snapshot: { readonly volume_id: string; readonly force?: boolean | string; readonly display_name?: string; readonly display_description?: string; }; };
  'POST /compute/v2.1/os-volumes': { readonly volume: { readonly size: number | string; readonly volume_type?: string; readonly metadata?: { readonly [name: string]: string }; readonly snapshot_id?: string; readonly availability_zone?: string; readonly display_name?: string; readonly display_description?: string; }; };
  'POST /compute/v2.1/servers': { readonly server: { readonly name: string; readonly flavorRef: string | number; readonly imageRef?: string; readonly adminPass?: string; readonly metadata?: { readonly [name: string]: string }; readonly networks?: readonly ({ readonly uuid?: string; readonly port?: string | null; readonly fixed_ip?: string; readonly tag?: string; })[] | "auto" | "none"; readonly 'OS-DCF:diskConfig'?: "AUTO" | "MANUAL"; readonly accessIPv4?: string; readonly accessIPv6?: string; readonly personality?: readonly ({ readonly path: string; readonly contents: string; })[]; readonly availability_zone?: string; readonly config_drive?: boolean | string; readonly key_name?: string; readonly min_count?: number | string; readonly max_count?: number | string; readonly return_reservation_id?: boolean | string; readonly security_groups?: readonly ({ readonly name?: string; })[]; readonly user_data?: string | null; readonly block_device_mapping?: readonly ({ readonly [name: string]: unknown })[]; readonly block_device_mapping_v2?: readonly ({ readonly boot_index?: number | string | null; readonly uuid?: string | null; readonly source_type?: "volume" | "image" | "snapshot" | "blank"; readonly destination_type?: "local" | "volume"; readonly delete_on_termination?: boolean | string; readonly device_name?: string | null; readonly device_type?: string | null; readonly disk_bus?: string | null; readonly guest_format?: string | null; readonly volume_size?: number | string; readonly volume_type?: string | null; readonly tag?: string; readonly no_device?: unknown; })[]; readonly description?: string | null; readonly tags?: readonly (string)[]; readonly trusted_image_certificates?: readonly (string)[] | null; readonly host?: string; readonly hypervisor_hostname?: string; readonly hostname?: string; }; readonly 'os:scheduler_hints'?: { readonly [name: string]: unknown }; readonly 'OS-SCH-HNT:scheduler_hints'?: { readonly [name: string]: unknown }; };
  'POST /compute/v2.1/servers/{id}/action': { readonly createImage?: unknown; readonly createBackup?: unknown; readonly rebuild?: unknown; readonly rescue?: unknown; readonly unrescue?: unknown; readonly shelve?: unknown; readonly shelveOffload?: unknown; readonly unshelve?: unknown; readonly 'os-start'?: unknown; readonly 'os-stop'?: unknown; readonly pause?: unknown; readonly unpause?: unknown; readonly suspend?: unknown; readonly resume?: unknown; readonly unlock?: unknown; readonly revertResize?: unknown; readonly confirmResize?: unknown; readonly resize?: unknown; readonly restore?: unknown; readonly injectNetworkInfo?: unknown; readonly forceDelete?: unknown; readonly lock?: unknown; readonly 'os-resetState'?: unknown; readonly trigger_crash_dump?: unknown; readonly changePassword?: unknown; readonly reboot?: unknown; readonly migrate?: unknown; readonly 'os-migrateLive'?: unknown; readonly evacuate?: unknown; readonly 'os-getConsoleOutput'?: unknown; readonly addFloatingIp?: unknown; readonly removeFloatingIp?: unknown; readonly addFixedIp?: unknown; readonly removeFixedIp?: unknown; readonly 'os-getVNCConsole'?: unknown; readonly 'os-getSPICEConsole'?: unknown; readonly 'os-getRDPConsole'?: unknown; readonly 'os-getSerialConsole'?: unknown; readonly addSecurityGroup?: unknown; readonly removeSecurityGroup?: unknown; };
  'POST /compute/v2.1/servers/{id}/metadata': { readonly metadata: { readonly [name: string]: string }; };
  'POST /compute/v2.1/servers/{id}/migrations/{key}/action': { readonly force_complete: null; };
  'POST /compute/v2.1/servers/{id}/os-interface': { readonly interfaceAttachment?: { readonly port_id?: string; readonly net_id?: string; readonly fixed_ips?: readonly ({ readonly ip_address: string; })[]; readonly tag?: string; }; };
  'POST /compute/v2.1/servers/{id}/os-volume_attachments': { readonly volumeAttachment: { readonly volumeId: string; readonly device?: string | null; readonly tag?: string; readonly delete_on_termination?: boolean | string; }; };
  'POST /compute/v2.1/servers/{id}/remote-consoles': { readonly remote_console: { readonly protocol: "vnc" | "spice" | "rdp" | "serial" | "mks"; readonly type: "novnc" | "xvpvnc" | "rdp-html5" | "spice-html5" | "serial" | "webmks" | "spice-direct"; }; };
  'POST /identity/v3/auth/tokens': { readonly auth: { readonly identity: { readonly methods: readonly (string)[]; readonly password?: { readonly user: { readonly id?: string; readonly name?: string; readonly domain?: { readonly id?: string; readonly name?: string; }; readonly password: string; }; }; readonly token?: { readonly id: string; }; }; readonly scope?: "unscoped" | { readonly project?: { readonly id?: string; readonly name?: string; readonly domain?: { readonly id?: string; readonly name?: string; }; }; readonly domain?: { readonly id?: string; readonly name?: string; }; readonly system?: { readonly all: true; }; readonly unscoped?: { readonly [name: string]: unknown }; }; }; };
  'POST /identity/v3/domains': { readonly domain: { readonly name: string; readonly description?: string | null; readonly enabled?: boolean; }; };
  'POST /identity/v3/projects': { readonly project: { readonly name: string; readonly domain_id?: string | null; readonly description?: string | null; readonly enabled?: boolean; readonly tags?: readonly (string)[]; readonly is_domain?: boolean; readonly parent_id?: string | null; }; };
  'POST /identity/v3/roles': { readonly role: { readonly name: string; readonly description?: string | null; readonly domain_id?: string | null; }; };
  'POST /identity/v3/users': { readonly user: { readonly name: string; readonly domain_id?: string | null; readonly default_project_id?: string | null; readonly description?: string | null; readonly email?: string | null; readonly enabled?: boolean; readonly password?: string | null; }; };
  'POST /identity/v3/users/{id}/password': { readonly user: { readonly password: string; readonly original_password: string; }; };
  'POST /image/v2/images': { readonly [name: string]: unknown };
  'POST /image/v2/images/{id}/actions/deactivate': undefined;
  'POST /image/v2/images/{id}/actions/reactivate': undefined;
  'POST /image/v2/images/{id}/members': { readonly member: string; };
  'POST /networking/v2.0/address-groups': { readonly address_group: { readonly tenant_id?: string; readonly project_id?: string; readonly name?: string; readonly description?: string; readonly addresses?: readonly (string)[]; }; };
  'POST /networking/v2.0/default-security-group-rules': { readonly default_security_group_rule: { readonly direction: "ingress" | "egress"; readonly ethertype?: string; readonly protocol?: number | string | null; readonly port_range_min?: number | null; readonly port_range_max?: number | null; readonly remote_ip_prefix?: string | null; readonly remote_group_id?: string | null; readonly description?: string; readonly used_in_default_sg?: boolean; readonly used_in_non_default_sg?: boolean; }; };
  'POST /networking/v2.0/floatingips': { readonly floatingip: { readonly tenant_id?: string; readonly project_id?: string; readonly description?: string; readonly floating_network_id: string; readonly subnet_id?: string | null; readonly floating_ip_address?: string | null; readonly port_id?: string | null; readonly fixed_ip_address?: string | null; }; } | { readonly floatingips: readonly ({ readonly tenant_id?: string; readonly project_id?: string; readonly description?: string; readonly floating_network_id: string; readonly subnet_id?: string | null; readonly floating_ip_address?: string | null; readonly port_id?: string | null; readonly fixed_ip_address?: string | null; })[]; };
  'POST /networking/v2.0/floatingips/{id}/port_forwardings': { readonly port_forwarding: { readonly internal_ip_address?: string; readonly description?: string; readonly protocol: string; readonly external_port: number; readonly internal_port: number; readonly internal_port_id: string; }; };
  'POST /networking/v2.0/networks': { readonly network: { readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly shared?: boolean; readonly 'router:external'?: boolean; readonly mtu?: number; readonly port_security_enabled?: boolean; readonly is_default?: false; readonly tenant_id?: string; readonly project_id?: string; readonly 'provider:network_type'?: string; readonly 'provider:physical_network'?: string; readonly 'provider:segmentation_id'?: number; readonly availability_zone_hints?: readonly (unknown)[]; }; } | { readonly networks: readonly ({ readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly shared?: boolean; readonly 'router:external'?: boolean; readonly mtu?: number; readonly port_security_enabled?: boolean; readonly is_default?: false; readonly tenant_id?: string; readonly project_id?: string; readonly 'provider:network_type'?: string; readonly 'provider:physical_network'?: string; readonly 'provider:segmentation_id'?: number; readonly availability_zone_hints?: readonly (unknown)[]; })[]; };
  'POST /networking/v2.0/ports': { readonly port: { readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly mac_address?: string; readonly fixed_ips?: readonly ({ readonly subnet_id?: string; readonly ip_address?: string; })[]; readonly device_id?: string; readonly device_owner?: string; readonly security_groups?: readonly (string)[] | null; readonly port_security_enabled?: boolean; readonly allowed_address_pairs?: readonly ({ readonly ip_address?: string; readonly mac_address?: string; })[] | null; readonly extra_dhcp_opts?: readonly (unknown)[] | null; readonly 'binding:vnic_type'?: "normal"; readonly 'binding:profile'?: { readonly [name: string]: never } | null; readonly 'binding:host_id'?: "" | null; readonly tenant_id?: string; readonly project_id?: string; readonly network_id: string; }; } | { readonly ports: readonly ({ readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly mac_address?: string; readonly fixed_ips?: readonly ({ readonly subnet_id?: string; readonly ip_address?: string; })[]; readonly device_id?: string; readonly device_owner?: string; readonly security_groups?: readonly (string)[] | null; readonly port_security_enabled?: boolean; readonly allowed_address_pairs?: readonly ({ readonly ip_address?: string; readonly mac_address?: string; })[] | null; readonly extra_dhcp_opts?: readonly (unknown)[] | null; readonly 'binding:vnic_type'?: "normal"; readonly 'binding:profile'?: { readonly [name: string]: never } | null; readonly 'binding:host_id'?: "" | null; readonly tenant_id?: string; readonly project_id?: string; readonly network_id: string; })[]; };
  'POST /networking/v2.0/rbac-policies': { readonly rbac_policy: { readonly tenant_id?: string; readonly project_id?: string; readonly object_type: string; readonly object_id: string; readonly action: string; readonly target_tenant: string; }; };
  'POST /networking/v2.0/routers': { readonly router: { readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly external_gateway_info?: { readonly network_id?: string; readonly enable_snat?: boolean; readonly external_fixed_ips?: readonly ({ readonly subnet_id?: string; readonly ip_address?: string; })[]; } | null; readonly distributed?: true | null; readonly ha?: false | null; readonly tenant_id?: string; readonly project_id?: string; readonly availability_zone_hints?: readonly (unknown)[]; }; } | { readonly routers: readonly ({ readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly external_gateway_info?: { readonly network_id?: string; readonly enable_snat?: boolean; readonly external_fixed_ips?: readonly ({ readonly subnet_id?: string; readonly ip_address?: string; })[]; } | null; readonly distributed?: true | null; readonly ha?: false | null; readonly tenant_id?: string; readonly project_id?: string; readonly availability_zone_hints?: readonly (unknown)[]; })[]; };
  'POST /networking/v2.0/security-group-rules': { readonly security_group_rule: { readonly tenant_id?: string; readonly project_id?: string; readonly security_group_id: string; readonly direction: "ingress" | "egress"; readonly ethertype?: string; readonly protocol?: number | string | null; readonly port_range_min?: number | null; readonly port_range_max?: number | null; readonly remote_ip_prefix?: string | null; readonly remote_group_id?: string | null; readonly remote_address_group_id?: string | null; readonly description?: string; }; } | { readonly security_group_rules: readonly ({ readonly tenant_id?: string; readonly project_id?: string; readonly security_group_id: string; readonly direction: "ingress" | "egress"; readonly ethertype?: string; readonly protocol?: number | string | null; readonly port_range_min?: number | null; readonly port_range_max?: number | null; readonly remote_ip_prefix?: string | null; readonly remote_group_id?: string | null; readonly remote_address_group_id?: string | null; readonly description?: string; })[]; };
  'POST /networking/v2.0/security-groups': { readonly security_group: { readonly tenant_id?: string; readonly project_id?: string; readonly name?: string; readonly description?: string; readonly stateful?: boolean; }; } | { readonly security_groups: readonly ({ readonly tenant_id?: string; readonly project_id?: string; readonly name?: string; readonly description?: string; readonly stateful?: boolean; })[]; };
  'POST /networking/v2.0/subnetpools': { readonly subnetpool: { readonly description?: string; readonly min_prefixlen?: number | null; readonly max_prefixlen?: number | null; readonly default_prefixlen?: number | null; readonly default_quota?: number | null; readonly is_default?: boolean; readonly address_scope_id?: "" | null; readonly tenant_id?: string; readonly project_id?: string; readonly name: string; readonly prefixes: readonly (string)[]; readonly shared?: boolean; }; } | { readonly subnetpools: readonly ({ readonly description?: string; readonly min_prefixlen?: number | null; readonly max_prefixlen?: number | null; readonly default_prefixlen?: number | null; readonly default_quota?: number | null; readonly is_default?: boolean; readonly address_scope_id?: "" | null; readonly tenant_id?: string; readonly project_id?: string; readonly name: string; readonly prefixes: readonly (string)[]; readonly shared?: boolean; })[]; };
  'POST /networking/v2.0/subnets': { readonly subnet: { readonly name?: string; readonly description?: string; readonly gateway_ip?: string | null; readonly enable_dhcp?: boolean; readonly allocation_pools?: readonly ({ readonly start: string; readonly end: string; })[]; readonly dns_nameservers?: readonly (string)[] | null; readonly host_routes?: readonly ({ readonly destination: string; readonly nexthop: string; })[] | null; readonly service_types?: readonly (unknown)[]; readonly tenant_id?: string; readonly project_id?: string; readonly network_id: string; readonly cidr?: string | null; readonly ip_version?: 4 | 6; readonly subnetpool_id?: string | null; readonly prefixlen?: number; readonly use_default_subnetpool?: boolean; readonly ipv6_ra_mode?: string | null; readonly ipv6_address_mode?: string | null; }; } | { readonly subnets: readonly ({ readonly name?: string; readonly description?: string; readonly gateway_ip?: string | null; readonly enable_dhcp?: boolean; readonly allocation_pools?: readonly ({ readonly start: string; readonly end: string; })[]; readonly dns_nameservers?: readonly (string)[] | null; readonly host_routes?: readonly ({ readonly destination: string; readonly nexthop: string; })[] | null; readonly service_types?: readonly (unknown)[]; readonly tenant_id?: string; readonly project_id?: string; readonly network_id: string; readonly cidr?: string | null; readonly ip_version?: 4 | 6; readonly subnetpool_id?: string | null; readonly prefixlen?: number; readonly use_default_subnetpool?: boolean; readonly ipv6_ra_mode?: string | null; readonly ipv6_address_mode?: string | null; })[]; };
  'POST /placement/shoal/v1/explain': { readonly flavor_id: string; readonly image_id?: string; readonly availability_zone?: string; readonly host?: string; readonly scheduler_hints?: { readonly [name: string]: unknown }; };
  'POST /placement/shoal/v1/what-if': { readonly flavor_id: string; readonly image_id?: string; readonly availability_zone?: string; readonly host?: string; readonly scheduler_hints?: { readonly [name: string]: unknown }; readonly count_max?: number; };
  'POST /v3/auth/tokens': { readonly auth: { readonly identity: { readonly methods: readonly (string)[]; readonly password?: { readonly user: { readonly id?: string; readonly name?: string; readonly domain?: { readonly id?: string; readonly name?: string; }; readonly password: string; }; }; readonly token?: { readonly id: string; }; }; readonly scope?: "unscoped" | { readonly project?: { readonly id?: string; readonly name?: string; readonly domain?: { readonly id?: string; readonly name?: string; }; }; readonly domain?: { readonly id?: string; readonly name?: string; }; readonly system?: { readonly all: true; }; readonly unscoped?: { readonly [name: string]: unknown }; }; }; };
  'POST /v3/domains': { readonly domain: { readonly name: string; readonly description?: string | null; readonly enabled?: boolean; }; };
  'POST /v3/projects': { readonly project: { readonly name: string; readonly domain_id?: string | null; readonly description?: string | null; readonly enabled?: boolean; readonly tags?: readonly (string)[]; readonly is_domain?: boolean; readonly parent_id?: string | null; }; };
  'POST /v3/roles': { readonly role: { readonly name: string; readonly description?: string | null; readonly domain_id?: string | null; }; };
  'POST /v3/users': { readonly user: { readonly name: string; readonly domain_id?: string | null; readonly default_project_id?: string | null; readonly description?: string | null; readonly email?: string | null; readonly enabled?: boolean; readonly password?: string | null; }; };
  'POST /v3/users/{id}/password': { readonly user: { readonly password: string; readonly original_password: string; }; };
  'POST /volume/v3/attachments': { readonly attachment: { readonly volume_uuid: string; readonly instance_uuid?: string | null; readonly connector?: { readonly [name: string]: unknown } | null; readonly mode?: "rw" | "ro"; }; };
  'POST /volume/v3/attachments/{id}/action': { readonly 'os-complete'?: unknown; };
  'POST /volume/v3/backups': { readonly backup: { readonly volume_id: string; readonly container?: string | null; readonly name?: string | null; readonly description?: string | null; readonly incremental?: boolean | number | string; readonly force?: boolean | number | string; readonly snapshot_id?: string | null; readonly metadata?: { readonly [name: string]: string } | null; readonly availability_zone?: string | null; }; };
  'POST /volume/v3/backups/import_record': { readonly 'backup-record': { readonly backup_service: string; readonly backup_url: string; }; };
  'POST /volume/v3/backups/{id}/action': { readonly 'os-reset_status'?: unknown; readonly 'os-force_delete'?: unknown; };
  'POST /volume/v3/backups/{id}/restore': { readonly restore: { readonly name?: string | null; readonly volume_id?: string | null; }; };
  'POST /volume/v3/group_snapshots': { readonly group_snapshot: { readonly group_id: string; readonly name?: string | null; readonly description?: string | null; }; };
  'POST /volume/v3/group_snapshots/{id}/action': { readonly reset_status?: unknown; };
  'POST /volume/v3/group_types': { readonly group_type: { readonly name: string; readonly description?: string | null; readonly is_public?: boolean | number | string; readonly group_specs?: { readonly [name: string]: string } | null; }; };
  'POST /volume/v3/group_types/{id}/group_specs': { readonly group_specs: { readonly [name: string]: string }; };
  'POST /volume/v3/groups': { readonly group: { readonly name?: string | null; readonly description?: string | null; readonly group_type: string; readonly volume_types: readonly (string)[]; readonly availability_zone?: string | null; }; };
  'POST /volume/v3/groups/action': { readonly 'create-from-src'?: unknown; };
  'POST /volume/v3/groups/{id}/action': { readonly delete?: unknown; readonly reset_status?: unknown; };
  'POST /volume/v3/manageable_volumes': { readonly volume: { readonly host?: string; readonly cluster?: string | null; readonly ref: string | { readonly [name: string]: string }; readonly name?: string | null; readonly description?: string | null; readonly volume_type?: string | null; readonly availability_zone?: string | null; readonly bootable?: boolean | number | string; readonly metadata?: { readonly [name: string]: string } | null; }; };
  'POST /volume/v3/os-volume-manage': { readonly volume: { readonly host?: string; readonly cluster?: string | null; readonly ref: string | { readonly [name: string]: string }; readonly name?: string | null; readonly description?: string | null; readonly volume_type?: string | null; readonly availability_zone?: string | null; readonly bootable?: boolean | number | string; readonly metadata?: { readonly [name: string]: string } | null; }; };
  'POST /volume/v3/os-volume-transfer': { readonly transfer: { readonly volume_id: string; readonly name?: string | null; readonly no_snapshots?: boolean | number | string; }; };
  'POST /volume/v3/os-volume-transfer/{id}/accept': { readonly accept: { readonly auth_key: string; }; };
  'POST /volume/v3/qos-specs': { readonly qos_specs: { readonly name: string; readonly consumer?: "front-end" | "back-end" | "both"; }; };
  'POST /volume/v3/snapshots': { readonly snapshot: { readonly volume_id: string | null; readonly name?: string | null; readonly display_name?: string | null; readonly description?: string | null; readonly display_description?: string | null; readonly force?: boolean | number | string | null; readonly metadata?: { readonly [name: string]: string } | null; }; };
  'POST /volume/v3/snapshots/{id}/action': { readonly 'os-reset_status'?: unknown; readonly 'os-force_delete'?: unknown; readonly 'os-update_snapshot_status'?: unknown; readonly 'os-unmanage'?: unknown; };
  'POST /volume/v3/snapshots/{id}/metadata': { readonly metadata: { readonly [name: string]: string }; };
  'POST /volume/v3/types': { readonly volume_type: { readonly name: string; readonly description?: string | null; readonly extra_specs?: { readonly [name: string]: string } | null; readonly 'os-volume-type-access:is_public'?: boolean | number | string; }; };
  'POST /volume/v3/types/{id}/action': { readonly addProjectAccess?: unknown; readonly removeProjectAccess?: unknown; };
  'POST /volume/v3/types/{id}/encryption': { readonly encryption: { readonly provider: string; readonly control_location?: "front-end" | "back-end"; readonly cipher?: string | null; readonly key_size?: number | null; }; };
  'POST /volume/v3/types/{id}/extra_specs': { readonly extra_specs: { readonly [name: string]: string }; };
  'POST /volume/v3/volume-transfers': { readonly transfer: { readonly volume_id: string; readonly name?: string | null; readonly no_snapshots?: boolean | number | string; }; };
  'POST /volume/v3/volume-transfers/{id}/accept': { readonly accept: { readonly auth_key: string; }; };
  'POST /volume/v3/volumes': { readonly volume: { readonly size?: number | string | null; readonly name?: string | null; readonly display_name?: string | null; readonly description?: string | null; readonly display_description?: string | null; readonly volume_type?: string | null; readonly metadata?: { readonly [name: string]: string } | null; readonly availability_zone?: string | null; readonly snapshot_id?: string | null; readonly source_volid?: string | null; readonly imageRef?: string | null; readonly image_id?: string | null; readonly backup_id?: string | null; readonly group_id?: string | null; readonly consistencygroup_id?: string | null; readonly multiattach?: boolean | number | string | null; }; readonly 'OS-SCH-HNT:scheduler_hints'?: { readonly [name: string]: unknown } | null; };
  'POST /volume/v3/volumes/{id}/action': { readonly 'os-extend'?: unknown; readonly 'os-reset_status'?: unknown; readonly 'os-force_delete'?: unknown; readonly 'os-set_bootable'?: unknown; readonly 'os-update_readonly_flag'?: unknown; readonly 'os-extend_volume_completion'?: unknown; readonly 'os-show_image_metadata'?: unknown; readonly revert?: unknown; readonly 'os-set_image_metadata'?: unknown; readonly 'os-unset_image_metadata'?: unknown; readonly 'os-reserve'?: unknown; readonly 'os-unreserve'?: unknown; readonly 'os-begin_detaching'?: unknown; readonly 'os-roll_detaching'?: unknown; readonly 'os-attach'?: unknown; readonly 'os-detach'?: unknown; readonly 'os-force_detach'?: unknown; readonly 'os-initialize_connection'?: unknown; readonly 'os-terminate_connection'?: unknown; readonly 'os-retype'?: unknown; readonly 'os-migrate_volume'?: unknown; readonly 'os-unmanage'?: unknown; readonly 'os-volume_upload_image'?: unknown; readonly 'os-reimage'?: unknown; };
  'POST /volume/v3/volumes/{id}/metadata': { readonly metadata: { readonly [name: string]: string }; };
  'POST /volume/v3/workers/cleanup': undefined;
  'PUT /compute/v2.1/flavors/{id}': { readonly flavor: { readonly description: string | null; }; };
  'PUT /compute/v2.1/flavors/{id}/os-extra_specs/{key}': { readonly [name: string]: string | number };
  'PUT /compute/v2.1/images/{id}/metadata': { readonly metadata: { readonly [name: string]: string }; };
  'PUT /compute/v2.1/images/{id}/metadata/{key}': { readonly meta: { readonly [name: string]: string }; };
  'PUT /compute/v2.1/os-aggregates/{id}': { readonly aggregate: { readonly name?: string; readonly availability_zone?: string | null; }; };
  'PUT /compute/v2.1/os-hosts/{id}': { readonly status?: string; readonly maintenance_mode?: string; };
  'PUT /compute/v2.1/os-quota-class-sets/{id}': { readonly quota_class_set: { readonly instances?: number | string; readonly cores?: number | string; readonly ram?: number | string; readonly metadata_items?: number | string; readonly key_pairs?: number | string; readonly server_groups?: number | string; readonly server_group_members?: number | string; readonly floating_ips?: number | string; readonly fixed_ips?: number | string; readonly security_groups?: number | string; readonly security_group_rules?: number | string; readonly injected_files?: number | string; readonly injected_file_content_bytes?: number | string; readonly injected_file_path_bytes?: number | string; }; };
  'PUT /compute/v2.1/os-quota-sets/{project}': { readonly quota_set: { readonly instances?: number | string; readonly cores?: number | string; readonly ram?: number | string; readonly metadata_items?: number | string; readonly key_pairs?: number | string; readonly server_groups?: number | string; readonly server_group_members?: number | string; readonly floating_ips?: number | string; readonly fixed_ips?: number | string; readonly security_groups?: number | string; readonly security_group_rules?: number | string; readonly injected_files?: number | string; readonly injected_file_content_bytes?: number | string; readonly injected_file_path_bytes?: number | string; readonly force?: boolean | string; }; };
  'PUT /compute/v2.1/os-security-groups/{id}': { readonly security_group: { readonly name: string; readonly description?: string | null; }; };
  'PUT /compute/v2.1/os-services/disable': { readonly host: string; readonly binary: string; readonly disabled_reason?: string; };
  'PUT /compute/v2.1/os-services/disable-log-reason': { readonly host: string; readonly binary: string; readonly disabled_reason?: string; };
  'PUT /compute/v2.1/os-services/enable': { readonly host: string; readonly binary: string; readonly disabled_reason?: string; };
  'PUT /compute/v2.1/os-services/force-down': { readonly host: string; readonly binary: string; readonly forced_down: boolean | string; };
  'PUT /compute/v2.1/os-services/{id}': { readonly forced_down?: boolean | string; readonly status?: "enabled" | "disabled"; readonly disabled_reason?: string; };
  'PUT /compute/v2.1/servers/{id}': { readonly server: { readonly name?: string; readonly description?: string | null; readonly 'OS-DCF:diskConfig'?: "AUTO" | "MANUAL"; readonly accessIPv4?: string; readonly accessIPv6?: string; readonly hostname?: string; readonly pinned_availability_zone?: string | null; }; };
  'PUT /compute/v2.1/servers/{id}/metadata': { readonly metadata: { readonly [name: string]: string }; };
  'PUT /compute/v2.1/servers/{id}/metadata/{key}': { readonly meta: { readonly [name: string]: string }; };
  'PUT /compute/v2.1/servers/{id}/os-volume_attachments/{key}': { readonly volumeAttachment: { readonly volumeId: string; readonly id?: string; readonly serverId?: string; readonly device?: string | null; readonly tag?: string | null; readonly delete_on_termination?: boolean | string; }; };
  'PUT /compute/v2.1/servers/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /compute/v2.1/servers/{id}/tags/{key}': undefined;
  'PUT /identity/v3/domains/{scope}/users/{user}/roles/{role}': undefined;
  'PUT /identity/v3/projects/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /identity/v3/projects/{id}/tags/{tag}': undefined;
  'PUT /identity/v3/projects/{scope}/users/{user}/roles/{role}': undefined;
  'PUT /identity/v3/system/users/{user}/roles/{role}': undefined;
  'PUT /image/v2/images/{id}/file': string;
  'PUT /image/v2/images/{id}/members/{member}': { readonly status: "pending" | "accepted" | "rejected"; };
  'PUT /image/v2/images/{id}/tags/{tag}': undefined;
  'PUT /image/v2/info/usage/{project}': { readonly limits: { readonly image_count_total?: number; readonly image_size_total?: number; }; };
  'PUT /networking/v2.0/address-groups/{id}': { readonly address_group: { readonly name?: string; readonly description?: string; }; };
  'PUT /networking/v2.0/address-groups/{id}/add_addresses': { readonly addresses: readonly (string)[]; };
  'PUT /networking/v2.0/address-groups/{id}/remove_addresses': { readonly addresses: readonly (string)[]; };
  'PUT /networking/v2.0/floatingips/{id}': { readonly floatingip: { readonly description?: string; readonly port_id?: string | null; readonly fixed_ip_address?: string | null; }; };
  'PUT /networking/v2.0/floatingips/{id}/port_forwardings/{forwarding}': { readonly port_forwarding: { readonly internal_ip_address?: string; readonly description?: string; readonly protocol?: string; readonly external_port?: number; readonly internal_port?: number; readonly internal_port_id?: string; }; };
  'PUT /networking/v2.0/floatingips/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /networking/v2.0/floatingips/{id}/tags/{tag}': undefined;
  'PUT /networking/v2.0/networks/{id}': { readonly network: { readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly shared?: boolean; readonly 'router:external'?: boolean; readonly mtu?: number; readonly port_security_enabled?: boolean; readonly is_default?: false; }; };
  'PUT /networking/v2.0/networks/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /networking/v2.0/networks/{id}/tags/{tag}': undefined;
  'PUT /networking/v2.0/ports/{id}': { readonly port: { readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly mac_address?: string; readonly fixed_ips?: readonly ({ readonly subnet_id?: string; readonly ip_address?: string; })[]; readonly device_id?: string; readonly device_owner?: string; readonly security_groups?: readonly (string)[] | null; readonly port_security_enabled?: boolean; readonly allowed_address_pairs?: readonly ({ readonly ip_address?: string; readonly mac_address?: string; })[] | null; readonly extra_dhcp_opts?: readonly (unknown)[] | null; readonly 'binding:vnic_type'?: "normal"; readonly 'binding:profile'?: { readonly [name: string]: never } | null; readonly 'binding:host_id'?: "" | null; }; };
  'PUT /networking/v2.0/ports/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /networking/v2.0/ports/{id}/tags/{tag}': undefined;
  'PUT /networking/v2.0/quotas/{project}': { readonly quota: { readonly network?: number; readonly subnet?: number; readonly subnetpool?: number; readonly port?: number; readonly router?: number; readonly floatingip?: number; readonly security_group?: number; readonly security_group_rule?: number; readonly rbac_policy?: number; readonly address_group?: number; readonly force?: boolean; readonly check_limit?: boolean; }; };
  'PUT /networking/v2.0/rbac-policies/{id}': { readonly rbac_policy: { readonly target_tenant?: string; }; };
  'PUT /networking/v2.0/routers/{id}': { readonly router: { readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly external_gateway_info?: { readonly network_id?: string; readonly enable_snat?: boolean; readonly external_fixed_ips?: readonly ({ readonly subnet_id?: string; readonly ip_address?: string; })[]; } | null; readonly distributed?: true | null; readonly ha?: false | null; readonly routes?: readonly ({ readonly destination: string; readonly nexthop: string; })[] | null; }; };
  'PUT /networking/v2.0/routers/{id}/add_extraroutes': { readonly router: { readonly routes: readonly ({ readonly destination: string; readonly nexthop: string; })[]; }; };
  'PUT /networking/v2.0/routers/{id}/add_router_interface': { readonly subnet_id?: string | null; readonly port_id?: string | null; };
  'PUT /networking/v2.0/routers/{id}/remove_extraroutes': { readonly router: { readonly routes: readonly ({ readonly destination: string; readonly nexthop: string; })[]; }; };
  'PUT /networking/v2.0/routers/{id}/remove_router_interface': { readonly subnet_id?: string | null; readonly port_id?: string | null; };
  'PUT /networking/v2.0/routers/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /networking/v2.0/routers/{id}/tags/{tag}': undefined;
  'PUT /networking/v2.0/security-groups/{id}': { readonly security_group: { readonly name?: string; readonly description?: string; readonly stateful?: boolean; }; };
  'PUT /networking/v2.0/security-groups/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /networking/v2.0/security-groups/{id}/tags/{tag}': undefined;
  'PUT /networking/v2.0/subnetpools/{id}': { readonly subnetpool: { readonly description?: string; readonly min_prefixlen?: number | null; readonly max_prefixlen?: number | null; readonly default_prefixlen?: number | null; readonly default_quota?: number | null; readonly is_default?: boolean; readonly address_scope_id?: "" | null; readonly name?: string; readonly prefixes?: readonly (string)[]; }; };
  'PUT /networking/v2.0/subnetpools/{id}/add_prefixes': { readonly prefixes: readonly (string)[]; };
  'PUT /networking/v2.0/subnetpools/{id}/remove_prefixes': { readonly prefixes: readonly (string)[]; };
  'PUT /networking/v2.0/subnetpools/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /networking/v2.0/subnetpools/{id}/tags/{tag}': undefined;
  'PUT /networking/v2.0/subnets/{id}': { readonly subnet: { readonly name?: string; readonly description?: string; readonly gateway_ip?: string | null; readonly enable_dhcp?: boolean; readonly allocation_pools?: readonly ({ readonly start: string; readonly end: string; })[]; readonly dns_nameservers?: readonly (string)[] | null; readonly host_routes?: readonly ({ readonly destination: string; readonly nexthop: string; })[] | null; readonly service_types?: readonly (unknown)[]; }; };
  'PUT /networking/v2.0/subnets/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /networking/v2.0/subnets/{id}/tags/{tag}': undefined;
  'PUT /v3/domains/{scope}/users/{user}/roles/{role}': undefined;
  'PUT /v3/projects/{id}/tags': { readonly tags: readonly (string)[]; };
  'PUT /v3/projects/{id}/tags/{tag}': undefined;
  'PUT /v3/projects/{scope}/users/{user}/roles/{role}': undefined;
  'PUT /v3/system/users/{user}/roles/{role}': undefined;
  'PUT /volume/v3/attachments/{id}': { readonly attachment: { readonly connector: { readonly [name: string]: unknown }; }; };
  'PUT /volume/v3/backups/{id}': { readonly backup: { readonly name?: string | null; readonly description?: string | null; readonly metadata?: { readonly [name: string]: string } | null; }; };
  'PUT /volume/v3/default-types/{project}': { readonly default_type: { readonly volume_type: string; }; };
  'PUT /volume/v3/group_types/{id}': { readonly group_type: { readonly name?: string | null; readonly description?: string | null; readonly is_public?: boolean | number | string; }; };
  'PUT /volume/v3/group_types/{id}/group_specs/{key}': { readonly [name: string]: string };
  'PUT /volume/v3/groups/{id}': { readonly group: { readonly name?: string | null; readonly description?: string | null; readonly add_volumes?: string | null; readonly remove_volumes?: string | null; }; };
  'PUT /volume/v3/os-quota-class-sets/{id}': { readonly quota_class_set: { readonly [name: string]: number | string }; };
  'PUT /volume/v3/os-quota-sets/{project}': { readonly quota_set: { readonly [name: string]: number | string | boolean | null }; };
  'PUT /volume/v3/os-services/disable': undefined;
  'PUT /volume/v3/os-services/disable-log-reason': undefined;
  'PUT /volume/v3/os-services/enable': undefined;
  'PUT /volume/v3/os-services/failover': { readonly host: string; readonly backend_id?: string | null; readonly cluster?: string | null; };
  'PUT /volume/v3/os-services/failover_host': { readonly host: string; readonly backend_id?: string | null; readonly cluster?: string | null; };
  'PUT /volume/v3/os-services/freeze': undefined;
  'PUT /volume/v3/os-services/get-log': undefined;
  'PUT /volume/v3/os-services/set-log': undefined;
  'PUT /volume/v3/os-services/thaw': undefined;
  'PUT /volume/v3/qos-specs/{id}': { readonly qos_specs: { readonly consumer?: "front-end" | "back-end" | "both"; }; };
  'PUT /volume/v3/qos-specs/{id}/delete_keys': { readonly keys: readonly (string)[]; };
  'PUT /volume/v3/snapshots/{id}': { readonly snapshot: { readonly name?: string | null; readonly display_name?: string | null; readonly description?: string | null; readonly display_description?: string | null; readonly metadata?: { readonly [name: string]: string } | null; }; };
  'PUT /volume/v3/snapshots/{id}/metadata': { readonly metadata: { readonly [name: string]: string }; };
  'PUT /volume/v3/snapshots/{id}/metadata/{key}': { readonly meta: { readonly [name: string]: string }; };
  'PUT /volume/v3/types/{id}': { readonly volume_type: { readonly name?: string | null; readonly description?: string | null; readonly is_public?: boolean | number | string; readonly 'os-volume-type-access:is_public'?: boolean | number | string; }; };
  'PUT /volume/v3/types/{id}/encryption/{key}': { readonly encryption: { readonly provider?: string; readonly control_location?: "front-end" | "back-end"; readonly cipher?: string | null; readonly key_size?: number | null; }; };
  'PUT /volume/v3/types/{id}/extra_specs/{key}': { readonly [name: string]: string };
  'PUT /volume/v3/volumes/{id}': { readonly volume: { readonly name?: string | null; readonly display_name?: string | null; readonly description?: string | null; readonly display_description?: string | null; readonly metadata?: { readonly [name: string]: string } | null; }; };
  'PUT /volume/v3/volumes/{id}/metadata': { readonly metadata: { readonly [name: string]: string }; };
  'PUT /volume/v3/volumes/{id}/metadata/{key}': { readonly meta: { readonly [name: string]: string }; };
}

export interface AbortServerMigrationRequest { readonly server_id?: string; readonly migration_id?: string; }

export interface AbortServerMigrationResponse { readonly [name: string]: never }

export interface AcceptVolumeTransferRequest { readonly transfer_id?: string; readonly auth_key?: string; }

export interface AcceptVolumeTransferResponse { readonly transfer?: VolumeTransferView; }

export interface AddRouterInterfaceRequest { readonly router_id?: string; readonly subnet_id?: string; readonly port_id?: string; }

export interface AddRouterInterfaceResponse { readonly port?: PortView; }

export interface Advert { readonly host_id: string; readonly host_name: string; readonly epoch: number; readonly sequence: number; readonly mesh_id: string; readonly cell: string; readonly peer_address: string; readonly zone: string; readonly failure_domain: string; readonly vcpus: number; readonly memory_mib: number; readonly disk_gib: number; readonly vcpus_ratio: number; readonly memory_ratio: number; readonly disk_ratio: number; readonly vcpus_reserved: number; readonly memory_mib_reserved: number; readonly disk_gib_reserved: number; readonly vcpus_used: number; readonly memory_mib_used: number; readonly disk_gib_used: number; readonly servers: number; readonly io_ops: number; readonly build_failures: number; readonly traits: readonly (string)[]; readonly storage_pools: readonly (string)[]; readonly physical_networks: readonly (string)[]; readonly enabled: boolean; readonly disabled_reason: string; readonly hypervisor_type: string; readonly hypervisor_version: number; readonly architecture: string; readonly feature_level: number; readonly cpu_percent: number; readonly load_1m: number; readonly published_ms: number; readonly aggregates: readonly (Aggregate)[]; readonly agent_version: string; readonly host_ip: string; readonly metrics: { readonly [name: string]: number }; readonly pools: readonly (StoragePool)[]; readonly numa_cells: readonly (NumaCell)[]; readonly pci_pools: readonly (PciPool)[]; readonly capabilities: { readonly [name: string]: string }; readonly resources: readonly (ResourcePool)[]; readonly profile: number; readonly booted_ms: number; }

export interface Aggregate { readonly name: string; readonly metadata: { readonly [name: string]: string }; }

export interface AllocationPool { readonly start?: string; readonly end?: string; }

export interface AllocationPoolList { readonly values?: readonly (AllocationPool)[]; }

export interface AllowedAddressPair { readonly ip_address?: string; readonly mac_address?: string; }

export interface AllowedAddressPairList { readonly values?: readonly (AllowedAddressPair)[]; }

export interface AttachInterfaceRequest { readonly server_id?: string; readonly port_id?: string; readonly network_id?: string; readonly fixed_ip?: string; readonly tag?: string; }

export interface AttachInterfaceResponse { readonly interface?: ServerInterface; }

export interface AttachVolumeRequest { readonly server_id?: string; readonly volume_id?: string; readonly device?: string; readonly tag?: string; readonly delete_on_termination?: boolean; }

export interface AttachVolumeResponse { readonly attachment_id: string; readonly device: string; }

export interface AuthenticateRequest { readonly user?: UserReference; readonly password?: string; readonly token?: string; readonly project?: ProjectReference; readonly domain?: DomainReference; readonly system?: boolean; readonly unscoped?: boolean; }

export interface AuthenticateResponse { readonly token: string; readonly view?: TokenView; }

export interface CancelJobRequest { readonly id?: string; }

export interface CancelJobResponse { readonly job?: Job; }

export interface CloudBackupKeyOrigin { readonly kind?: string; readonly salt?: string; readonly log2_cost?: number; readonly block_size?: number; readonly parallelism?: number; }

export interface CloudBackupMade { readonly backup_id: string; readonly created_ms: number; readonly revision: number; readonly stored_bytes: number; }

export interface CloudBackupView { readonly backup_id: string; readonly mesh_id: string; readonly mesh_name: string; readonly created_ms: number; readonly revision: number; readonly version: string; readonly content_bytes: number; readonly fault: string; }

export interface CloudBackups { readonly id: string; readonly store: string; readonly every_hours: number; readonly keep: number; readonly origin?: CloudBackupKeyOrigin; readonly sealed_key: string; readonly key_epoch: number; readonly asked: string; readonly answered: string; readonly began_ms: number; readonly made?: CloudBackupMade; readonly failure: string; }

export interface ConfirmServerResizeRequest { readonly server_id?: string; }

export interface ConfirmServerResizeResponse { readonly [name: string]: never }

export interface CreateCloudBackupRequest { readonly [name: string]: never }

export interface CreateCloudBackupResponse { readonly asked: string; }

export interface CreateFloatingIpRequest { readonly floating_network_id?: string; readonly description?: string; readonly project_id?: string; readonly subnet_id?: string; readonly floating_ip_address?: string; readonly port_id?: string; readonly fixed_ip_address?: string; }

export interface CreateFloatingIpResponse { readonly floating_ip?: FloatingIpView; }

export interface CreateImageRequest { readonly name?: string; readonly visibility?: string; readonly disk_format?: string; readonly container_format?: string; readonly min_disk_gib?: number; readonly min_ram_mib?: number; readonly properties?: { readonly [name: string]: string }; readonly tags?: readonly (string)[]; readonly protected?: boolean; readonly hidden?: boolean; readonly project_id?: string; }

export interface CreateImageResponse { readonly image?: ImageView; }

export interface CreateKeypairRequest { readonly name?: string; readonly public_key?: string; readonly type?: string; readonly user_id?: string; }

export interface CreateKeypairResponse { readonly keypair?: Keypair; readonly private_key: string; }

export interface CreateNetworkRequest { readonly name?: string; readonly description?: string; readonly project_id?: string; readonly admin_state_up?: boolean; readonly shared?: boolean; readonly external?: boolean; readonly mtu?: number; readonly port_security_enabled?: boolean; readonly provider_network_type?: string; readonly provider_physical_network?: string; readonly provider_segmentation_id?: number; }

export interface CreateNetworkResponse { readonly network?: NetworkView; }

export interface CreatePortRequest { readonly network_id?: string; readonly name?: string; readonly description?: string; readonly project_id?: string; readonly mac_address?: string; readonly admin_state_up?: boolean; readonly device_id?: string; readonly device_owner?: string; readonly fixed_ips?: PortAddressList; readonly security_groups?: StringList; readonly port_security_enabled?: boolean; readonly allowed_address_pairs?: AllowedAddressPairList; }

export interface CreatePortResponse { readonly port?: PortView; }

export interface CreateProjectRequest { readonly name?: string; readonly domain_id?: string; readonly description?: string; readonly enabled?: boolean; readonly tags?: readonly (string)[]; }

export interface CreateProjectResponse { readonly project?: ProjectView; }

export interface CreateQosSpecsRequest { readonly name?: string; readonly consumer?: string; readonly specs?: { readonly [name: string]: string }; }

export interface CreateQosSpecsResponse { readonly qos_specs?: QosSpecsView; }

export interface CreateRoleAssignmentRequest { readonly user_id?: string; readonly role_id?: string; readonly project_id?: string; readonly domain_id?: string; readonly system?: boolean; }

export interface CreateRoleAssignmentResponse { readonly [name: string]: never }

export interface CreateRoleRequest { readonly name?: string; readonly description?: string; }

export interface CreateRoleResponse { readonly role?: RoleView; }

export interface CreateRouterRequest { readonly name?: string; readonly description?: string; readonly project_id?: string; readonly admin_state_up?: boolean; readonly external_gateway_info?: ExternalGatewayInfo; }

export interface CreateRouterResponse { readonly router?: RouterView; }

export interface CreateSecurityGroupRequest { readonly name?: string; readonly description?: string; readonly project_id?: string; }

export interface CreateSecurityGroupResponse { readonly security_group?: SecurityGroupView; }

export interface CreateSecurityGroupRuleRequest { readonly security_group_id?: string; readonly direction?: string; readonly ethertype?: string; readonly protocol?: string; readonly port_range_min?: number; readonly port_range_max?: number; readonly remote_ip_prefix?: string; readonly remote_group_id?: string; readonly description?: string; }

export interface CreateSecurityGroupRuleResponse { readonly security_group_rule?: SecurityGroupRuleView; }

export interface CreateServerBackupRequest { readonly server_id?: string; readonly name?: string; readonly metadata?: { readonly [name: string]: string }; readonly backup_type?: string; readonly rotation?: number; }

export interface CreateServerBackupResponse { readonly image_id: string; }

export interface CreateServerImageRequest { readonly server_id?: string; readonly name?: string; readonly metadata?: { readonly [name: string]: string }; }

export interface CreateServerImageResponse { readonly image_id: string; }

export interface CreateServerRequest { readonly name?: string; readonly flavor_id?: string; readonly image_id?: string; readonly network_ids?: readonly (string)[]; readonly key_name?: string; readonly user_data?: string; readonly metadata?: { readonly [name: string]: string }; readonly zone?: string; readonly security_group_names?: readonly (string)[]; readonly scheduler_hints?: { readonly [name: string]: string }; readonly client_token?: string; readonly min_count?: number; readonly max_count?: number; readonly ids_only?: boolean; }

export interface CreateServerResponse { readonly server?: Server; readonly servers: readonly (Server)[]; readonly server_ids: readonly (string)[]; readonly reservation_id: string; }

export interface CreateSubnetRequest { readonly network_id?: string; readonly cidr?: string; readonly name?: string; readonly description?: string; readonly project_id?: string; readonly gateway_ip?: string; readonly enable_dhcp?: boolean; readonly allocation_pools?: readonly (AllocationPool)[]; readonly dns_nameservers?: readonly (string)[]; readonly host_routes?: readonly (Route)[]; readonly ip_version?: number; readonly ipv6_address_mode?: string; readonly ipv6_ra_mode?: string; }

export interface CreateSubnetResponse { readonly subnet?: SubnetView; }

export interface CreateTicketRequest { readonly ttl_seconds?: number; }

export interface CreateTicketResponse { readonly ticket: string; readonly expires_ms: number; }

export interface CreateUserRequest { readonly name?: string; readonly domain_id?: string; readonly password?: string; readonly description?: string; readonly enabled?: boolean; readonly email?: string; readonly default_project_id?: string; }

export interface CreateUserResponse { readonly user?: UserView; }

export interface CreateVolumeBackupRequest { readonly volume_id?: string; readonly snapshot_id?: string; readonly name?: string; readonly description?: string; readonly incremental?: boolean; readonly metadata?: { readonly [name: string]: string }; readonly client_token?: string; }

export interface CreateVolumeBackupResponse { readonly backup?: VolumeBackupView; }

export interface CreateVolumeGroupRequest { readonly name?: string; readonly description?: string; readonly group_type?: string; readonly volume_types?: readonly (string)[]; readonly zone?: string; readonly source_group_id?: string; readonly group_snapshot_id?: string; }

export interface CreateVolumeGroupResponse { readonly group?: VolumeGroupView; }

export interface CreateVolumeGroupSnapshotRequest { readonly group_id?: string; readonly name?: string; readonly description?: string; }

export interface CreateVolumeGroupSnapshotResponse { readonly group_snapshot?: VolumeGroupSnapshotView; }

export interface CreateVolumeRequest { readonly size_gib?: number; readonly name?: string; readonly description?: string; readonly type?: string; readonly zone?: string; readonly metadata?: { readonly [name: string]: string }; readonly image_id?: string; readonly snapshot_id?: string; readonly source_volume_id?: string; readonly backup_id?: string; readonly client_token?: string; }

export interface CreateVolumeResponse { readonly volume?: VolumeView; }

export interface CreateVolumeSnapshotRequest { readonly volume_id?: string; readonly name?: string; readonly description?: string; readonly metadata?: { readonly [name: string]: string }; readonly client_token?: string; }

export interface CreateVolumeSnapshotResponse { readonly snapshot?: VolumeSnapshotView; }

export interface CreateVolumeTransferRequest { readonly volume_id?: string; readonly name?: string; readonly without_snapshots?: boolean; }

export interface CreateVolumeTransferResponse { readonly transfer?: VolumeTransferView; readonly auth_key: string; }

export interface CreateVolumeTypeRequest { readonly name?: string; readonly description?: string; readonly is_private?: boolean; readonly extra_specs?: { readonly [name: string]: string }; }

export interface CreateVolumeTypeResponse { readonly type?: VolumeTypeView; }

export interface DeleteFloatingIpRequest { readonly floating_ip_id?: string; }

export interface DeleteFloatingIpResponse { readonly [name: string]: never }

export interface DeleteImageRequest { readonly image_id?: string; }

export interface DeleteImageResponse { readonly [name: string]: never }

export interface DeleteKeypairRequest { readonly name?: string; readonly user_id?: string; }

export interface DeleteKeypairResponse { readonly [name: string]: never }

export interface DeleteNetworkRequest { readonly network_id?: string; }

export interface DeleteNetworkResponse { readonly [name: string]: never }

export interface DeletePortRequest { readonly port_id?: string; }

export interface DeletePortResponse { readonly [name: string]: never }

export interface DeleteProjectRequest { readonly project_id?: string; }

export interface DeleteProjectResponse { readonly [name: string]: never }

export interface DeleteQosSpecsRequest { readonly qos_specs_id?: string; readonly force?: boolean; }

export interface DeleteQosSpecsResponse { readonly [name: string]: never }

export interface DeleteRoleAssignmentRequest { readonly user_id?: string; readonly role_id?: string; readonly project_id?: string; readonly domain_id?: string; readonly system?: boolean; }

export interface DeleteRoleAssignmentResponse { readonly [name: string]: never }

export interface DeleteRoleRequest { readonly role_id?: string; }

export interface DeleteRoleResponse { readonly [name: string]: never }

export interface DeleteRouterRequest { readonly router_id?: string; }

export interface DeleteRouterResponse { readonly [name: string]: never }

export interface DeleteSecurityGroupRequest { readonly security_group_id?: string; }

export interface DeleteSecurityGroupResponse { readonly [name: string]: never }

export interface DeleteSecurityGroupRuleRequest { readonly security_group_rule_id?: string; }

export interface DeleteSecurityGroupRuleResponse { readonly [name: string]: never }

export interface DeleteServerRequest { readonly server_id?: string; }

export interface DeleteServerResponse { readonly [name: string]: never }

export interface DeleteSubnetRequest { readonly subnet_id?: string; }

export interface DeleteSubnetResponse { readonly [name: string]: never }

export interface DeleteUserRequest { readonly user_id?: string; }

export interface DeleteUserResponse { readonly [name: string]: never }

export interface DeleteVolumeBackupRequest { readonly backup_id?: string; readonly force?: boolean; }

export interface DeleteVolumeBackupResponse { readonly [name: string]: never }

export interface DeleteVolumeGroupRequest { readonly group_id?: string; readonly delete_volumes?: boolean; }

export interface DeleteVolumeGroupResponse { readonly [name: string]: never }

export interface DeleteVolumeGroupSnapshotRequest { readonly group_snapshot_id?: string; }

export interface DeleteVolumeGroupSnapshotResponse { readonly [name: string]: never }

export interface DeleteVolumeRequest { readonly volume_id?: string; readonly cascade?: boolean; readonly force?: boolean; }

export interface DeleteVolumeResponse { readonly [name: string]: never }

export interface DeleteVolumeSnapshotRequest { readonly snapshot_id?: string; }

export interface DeleteVolumeSnapshotResponse { readonly [name: string]: never }

export interface DeleteVolumeTransferRequest { readonly transfer_id?: string; }

export interface DeleteVolumeTransferResponse { readonly [name: string]: never }

export interface DeleteVolumeTypeRequest { readonly type?: string; }

export interface DeleteVolumeTypeResponse { readonly [name: string]: never }

export interface DetachInterfaceRequest { readonly server_id?: string; readonly port_id?: string; }

export interface DetachInterfaceResponse { readonly [name: string]: never }

export interface DetachVolumeRequest { readonly server_id?: string; readonly volume_id?: string; }

export interface DetachVolumeResponse { readonly [name: string]: never }

export interface DomainReference { readonly id?: string; readonly name?: string; }

export interface DrainHostRequest { readonly host?: string; readonly stop_running?: boolean; readonly timeout_seconds?: number; readonly parallel?: number; readonly zone?: string; readonly failure_domain?: string; }

export interface DrainHostResponse { readonly job?: Job; }

export interface DrainJob { readonly host_id: string; readonly stop_running: boolean; readonly was_enabled: boolean; readonly stopped_server_ids: readonly (string)[]; readonly parallel: number; readonly hosts: readonly (DrainedHost)[]; readonly scope: string; }

export interface DrainStep { readonly server_id: string; readonly server_name: string; readonly host_name: string; readonly how: string; readonly reason: string; readonly target_host_name: string; readonly memory_mib: number; }

export interface DrainedHost { readonly host_id: string; readonly was_enabled: boolean; }

export interface EvacuateServerRequest { readonly server_id?: string; readonly host_name?: string; readonly lands_stopped?: boolean; }

export interface EvacuateServerResponse { readonly [name: string]: never }

export interface ExpireVolumeBackupsRequest { readonly all_projects?: boolean; readonly volume_id?: string; readonly keep_newest?: number; readonly older_than_seconds?: number; }

export interface ExpireVolumeBackupsResponse { readonly job_id: string; }

export interface ExplainRequest { readonly flavor_id?: string; readonly image_id?: string; readonly zone?: string; readonly scheduler_hints?: { readonly [name: string]: string }; }

export interface ExplainResponse { readonly filters: readonly (FilterCount)[]; readonly hosts: readonly (HostReason)[]; }

export interface ExportVolumeBackupRequest { readonly backup_id?: string; }

export interface ExportVolumeBackupResponse { readonly service: string; readonly url: string; }

export interface ExtendVolumeRequest { readonly volume_id?: string; readonly size_gib?: number; }

export interface ExtendVolumeResponse { readonly [name: string]: never }

export interface ExternalGatewayInfo { readonly network_id?: string; readonly enable_snat?: boolean; readonly external_fixed_ips?: readonly (PortAddress)[]; }

export interface FilterCount { readonly filter: string; readonly removed: number; readonly left: number; readonly reason: string; }

export interface FinalizeUpgradeRequest { readonly [name: string]: never }

export interface FinalizeUpgradeResponse { readonly feature_level: number; }

export interface FixedIp { readonly subnet_id: string; readonly ip: string; }

export interface Flavor { readonly id: string; readonly name: string; readonly vcpus: number; readonly memory_mib: number; readonly disk_gib: number; readonly ephemeral_gib: number; readonly swap_mib: number; readonly rxtx_factor: number; readonly is_public: boolean; readonly extra_specs: { readonly [name: string]: string }; readonly description: string; readonly disabled: boolean; readonly access_project_ids: readonly (string)[]; }

export interface FloatingIpView { readonly id: string; readonly description: string; readonly project_id: string; readonly floating_network_id: string; readonly floating_ip_address: string; readonly port_id: string; readonly fixed_ip_address: string; readonly router_id: string; readonly status: string; readonly tags: readonly (string)[]; readonly created_ms: number; readonly updated_ms: number; }

export interface ForceCompleteServerMigrationRequest { readonly server_id?: string; readonly migration_id?: string; }

export interface ForceCompleteServerMigrationResponse { readonly [name: string]: never }

export interface GetConsoleLogRequest { readonly server_id?: string; readonly lines_max?: number; }

export interface GetConsoleLogResponse { readonly output: string; }

export interface GetFloatingIpRequest { readonly floating_ip_id?: string; }

export interface GetFloatingIpResponse { readonly floating_ip?: FloatingIpView; readonly stale: boolean; }

export interface GetImageRequest { readonly image_id?: string; }

export interface GetImageResponse { readonly image?: ImageView; readonly stale: boolean; }

export interface GetJobRequest { readonly id?: string; }

export interface GetJobResponse { readonly job?: Job; readonly stale: boolean; }

export interface GetKeypairRequest { readonly name?: string; readonly user_id?: string; }

export interface GetKeypairResponse { readonly keypair?: Keypair; readonly stale: boolean; }

export interface GetNetworkRequest { readonly network_id?: string; }

export interface GetNetworkResponse { readonly network?: NetworkView; readonly stale: boolean; }

export interface GetPortRequest { readonly port_id?: string; }

export interface GetPortResponse { readonly port?: PortView; readonly stale: boolean; }

export interface GetProjectRequest { readonly project_id?: string; }

export interface GetProjectResponse { readonly project?: ProjectView; readonly stale: boolean; }

export interface GetRoleRequest { readonly role_id?: string; }

export interface GetRoleResponse { readonly role?: RoleView; readonly stale: boolean; }

export interface GetRouterRequest { readonly router_id?: string; }

export interface GetRouterResponse { readonly router?: RouterView; readonly stale: boolean; }

export interface GetSecurityGroupRequest { readonly security_group_id?: string; }

export interface GetSecurityGroupResponse { readonly security_group?: SecurityGroupView; readonly stale: boolean; }

export interface GetSecurityGroupRuleRequest { readonly security_group_rule_id?: string; }

export interface GetSecurityGroupRuleResponse { readonly security_group_rule?: SecurityGroupRuleView; readonly stale: boolean; }

export interface GetServerDiagnosticsRequest { readonly server_id?: string; }

export interface GetServerDiagnosticsResponse { readonly diagnostics?: ServerDiagnostics; }

export interface GetServerRequest { readonly server_id?: string; }

export interface GetServerResponse { readonly server?: Server; readonly stale: boolean; }

export interface GetStatusRequest { readonly [name: string]: never }

export interface GetStatusResponse { readonly mesh_id: string; readonly host_id: string; readonly leader_host_id: string; readonly has_quorum: boolean; readonly term: number; readonly commit_index: number; readonly applied_index: number; readonly voters: readonly (Voter)[]; readonly version: string; readonly troubles: readonly (string)[]; }

export interface GetSubnetRequest { readonly subnet_id?: string; }

export interface GetSubnetResponse { readonly subnet?: SubnetView; readonly stale: boolean; }

export interface GetUpgradeRequest { readonly [name: string]: never }

export interface GetUpgradeResponse { readonly feature_level: number; readonly own_feature_level: number; readonly members: readonly (MemberRelease)[]; readonly stale: boolean; }

export interface GetUserRequest { readonly user_id?: string; }

export interface GetUserResponse { readonly user?: UserView; readonly stale: boolean; }

export interface GetVolumeBackupRequest { readonly backup_id?: string; }

export interface GetVolumeBackupResponse { readonly backup?: VolumeBackupView; readonly stale: boolean; }

export interface GetVolumeGroupRequest { readonly group_id?: string; }

export interface GetVolumeGroupResponse { readonly group?: VolumeGroupView; readonly stale: boolean; }

export interface GetVolumeGroupSnapshotRequest { readonly group_snapshot_id?: string; }

export interface GetVolumeGroupSnapshotResponse { readonly group_snapshot?: VolumeGroupSnapshotView; readonly stale: boolean; }

export interface GetVolumeRequest { readonly volume_id?: string; }

export interface GetVolumeResponse { readonly volume?: VolumeView; readonly stale: boolean; }

export interface GetVolumeSnapshotRequest { readonly snapshot_id?: string; }

export interface GetVolumeSnapshotResponse { readonly snapshot?: VolumeSnapshotView; readonly stale: boolean; }

export interface Host { readonly id: string; readonly name: string; readonly public_key: string; readonly raft_id: number; readonly peer_address: string; readonly grpc_address: string; readonly api_url: string; readonly gossip_address: string; readonly vtep_ip: string; readonly transit_index: number; readonly zone: string; readonly failure_domain: string; readonly disabled: boolean; readonly disabled_reason: string; readonly joined_ms: number; readonly version: string; readonly forced_down: boolean; readonly tls_key_sha256: string; readonly known_authority_sha256: string; readonly shown_authority_sha256: string; readonly holds_slices: boolean; readonly feature_level: number; }

export interface HostReason { readonly host_id: string; readonly host_name: string; readonly filter: string; readonly reason: string; readonly weight: number; }

export interface HostView { readonly host?: Host; readonly advert?: Advert; readonly condition: string; readonly clock_offset_ms?: number; readonly key_used_twice_at: string; readonly accused_by: readonly (string)[]; readonly servers_without_spare_room: readonly (string)[]; readonly without_spare_room: number; }

export interface ImageView { readonly id: string; readonly name: string; readonly project_id: string; readonly visibility: string; readonly status: "IMAGE_STATUS_UNSPECIFIED" | "IMAGE_STATUS_QUEUED" | "IMAGE_STATUS_SAVING" | "IMAGE_STATUS_ACTIVE" | "IMAGE_STATUS_KILLED" | "IMAGE_STATUS_DEACTIVATED"; readonly disk_format: string; readonly container_format: string; readonly size_bytes: number; readonly virtual_size_bytes: number; readonly sha256: string; readonly sha512: string; readonly md5: string; readonly min_disk_gib: number; readonly min_ram_mib: number; readonly properties: { readonly [name: string]: string }; readonly tags: readonly (string)[]; readonly protected: boolean; readonly hidden: boolean; readonly created_ms: number; readonly updated_ms: number; }

export interface ImportVolumeBackupRequest { readonly service?: string; readonly url?: string; }

export interface ImportVolumeBackupResponse { readonly backup?: VolumeBackupView; }

export interface InjectedFile { readonly path: string; readonly content: string; }

export interface Job { readonly id: string; readonly kind: string; readonly subject: string; readonly project_id: string; readonly user_id: string; readonly status: "JOB_STATUS_UNSPECIFIED" | "JOB_STATUS_RUNNING" | "JOB_STATUS_ROLLING_BACK" | "JOB_STATUS_SUCCEEDED" | "JOB_STATUS_FAILED" | "JOB_STATUS_CANCELLED"; readonly phase: string; readonly owner_host_id: string; readonly progress_done: number; readonly progress_total: number; readonly message: string; readonly created_ms: number; readonly updated_ms: number; readonly ended_ms: number; readonly deadline_ms: number; readonly cancel_requested: boolean; readonly failures: readonly (JobFailure)[]; readonly drain?: DrainJob; readonly rotate_authority?: RotateAuthorityJob; readonly volume_copy?: VolumeCopyJob; readonly volume_backup?: VolumeBackupJob; readonly volume_restore?: VolumeRestoreJob; readonly volume_backup_delete?: VolumeBackupDeleteJob; readonly volume_upload?: VolumeUploadJob; readonly volume_migrate?: VolumeMigrateJob; readonly volume_backup_verify?: VolumeBackupVerifyJob; readonly volume_backup_expire?: VolumeBackupExpireJob; readonly volume_swap?: VolumeSwapJob; readonly server_image?: ServerImageJob; readonly live_migration?: LiveMigrationJob; readonly volume_reimage?: VolumeReimageJob; readonly takeover?: TakeoverJob; readonly paused: boolean; }

export interface JobFailure { readonly subject: string; readonly message: string; readonly attempts: number; readonly code: string; }

export interface Keypair { readonly id: string; readonly user_id: string; readonly name: string; readonly public_key: string; readonly fingerprint: string; readonly type: string; readonly created_ms: number; }

export interface ListCloudBackupsRequest { readonly only_status?: boolean; }

export interface ListCloudBackupsResponse { readonly settings?: CloudBackups; readonly backups: readonly (CloudBackupView)[]; readonly stale: boolean; }

export interface ListFlavorsRequest { readonly [name: string]: never }

export interface ListFlavorsResponse { readonly flavors: readonly (Flavor)[]; }

export interface ListFloatingIpsRequest { readonly page_size?: number; readonly page_token?: string; readonly port_id?: string; }

export interface ListFloatingIpsResponse { readonly floating_ips: readonly (FloatingIpView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListHostsRequest { readonly [name: string]: never }

export interface ListHostsResponse { readonly hosts: readonly (HostView)[]; readonly stale: boolean; }

export interface ListImagesRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; readonly visibility?: string; readonly hidden?: boolean; }

export interface ListImagesResponse { readonly images: readonly (ImageView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListInterfacesRequest { readonly server_id?: string; }

export interface ListInterfacesResponse { readonly interfaces: readonly (ServerInterface)[]; readonly stale: boolean; }

export interface ListJobsRequest { readonly ended?: boolean; }

export interface ListJobsResponse { readonly jobs: readonly (Job)[]; readonly stale: boolean; }

export interface ListKeypairsRequest { readonly page_size?: number; readonly page_token?: string; readonly user_id?: string; }

export interface ListKeypairsResponse { readonly keypairs: readonly (Keypair)[]; readonly next_page_token: string; readonly stale: boolean; }

export interface ListMigrationsRequest { readonly server_id?: string; readonly kind?: string; readonly status?: string; readonly page_size?: number; readonly page_token?: string; }

export interface ListMigrationsResponse { readonly migrations: readonly (Migration)[]; readonly next_page_token: string; readonly stale: boolean; }

export interface ListNetworksRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; }

export interface ListNetworksResponse { readonly networks: readonly (NetworkView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListPortsRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; readonly network_id?: string; readonly device_id?: string; }

export interface ListPortsResponse { readonly ports: readonly (PortView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListProjectsRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; readonly domain_id?: string; }

export interface ListProjectsResponse { readonly projects: readonly (ProjectView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListQosSpecsRequest { readonly [name: string]: never }

export interface ListQosSpecsResponse { readonly qos_specs: readonly (QosSpecsView)[]; readonly stale: boolean; }

export interface ListRoleAssignmentsRequest { readonly page_size?: number; readonly page_token?: string; readonly user_id?: string; readonly project_id?: string; readonly domain_id?: string; readonly role_id?: string; }

export interface ListRoleAssignmentsResponse { readonly role_assignments: readonly (RoleAssignmentView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListRolesRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; }

export interface ListRolesResponse { readonly roles: readonly (RoleView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListRoutersRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; }

export interface ListRoutersResponse { readonly routers: readonly (RouterView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListSecurityGroupRulesRequest { readonly page_size?: number; readonly page_token?: string; readonly security_group_id?: string; }

export interface ListSecurityGroupRulesResponse { readonly security_group_rules: readonly (SecurityGroupRuleView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListSecurityGroupsRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; }

export interface ListSecurityGroupsResponse { readonly security_groups: readonly (SecurityGroupView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListServerActionsRequest { readonly server_id?: string; }

export interface ListServerActionsResponse { readonly actions: readonly (ServerAction)[]; readonly stale: boolean; }

export interface ListServersRequest { readonly all_projects?: boolean; readonly page_size?: number; readonly page_token?: string; }

export interface ListServersResponse { readonly servers: readonly (Server)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListStoragePoolsRequest { readonly [name: string]: never }

export interface ListStoragePoolsResponse { readonly pools: readonly (StoragePoolView)[]; readonly stale: boolean; }

export interface ListSubnetsRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; readonly network_id?: string; }

export interface ListSubnetsResponse { readonly subnets: readonly (SubnetView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListUnreadableRecordsRequest { readonly [name: string]: never }

export interface ListUnreadableRecordsResponse { readonly records: readonly (UnreadableRecord)[]; readonly stale: boolean; }

export interface ListUserProjectsRequest { readonly user_id?: string; readonly page_size?: number; readonly page_token?: string; }

export interface ListUserProjectsResponse { readonly projects: readonly (ProjectView)[]; readonly next_page_token: string; readonly stale: boolean; }

export interface ListUsersRequest { readonly page_size?: number; readonly page_token?: string; readonly name?: string; readonly domain_id?: string; }

export interface ListUsersResponse { readonly users: readonly (UserView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListVolumeBackupsRequest { readonly all_projects?: boolean; readonly volume_id?: string; readonly page_size?: number; readonly page_token?: string; }

export interface ListVolumeBackupsResponse { readonly backups: readonly (VolumeBackupView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListVolumeGroupSnapshotsRequest { readonly all_projects?: boolean; readonly group_id?: string; readonly page_size?: number; readonly page_token?: string; }

export interface ListVolumeGroupSnapshotsResponse { readonly group_snapshots: readonly (VolumeGroupSnapshotView)[]; readonly next_page_token: string; readonly stale: boolean; }

export interface ListVolumeGroupsRequest { readonly all_projects?: boolean; readonly page_size?: number; readonly page_token?: string; }

export interface ListVolumeGroupsResponse { readonly groups: readonly (VolumeGroupView)[]; readonly next_page_token: string; readonly stale: boolean; }

export interface ListVolumeSnapshotsRequest { readonly all_projects?: boolean; readonly volume_id?: string; readonly page_size?: number; readonly page_token?: string; }

export interface ListVolumeSnapshotsResponse { readonly snapshots: readonly (VolumeSnapshotView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface ListVolumeTransfersRequest { readonly all_projects?: boolean; readonly page_size?: number; readonly page_token?: string; }

export interface ListVolumeTransfersResponse { readonly transfers: readonly (VolumeTransferView)[]; readonly next_page_token: string; readonly stale: boolean; }

export interface ListVolumeTypesRequest { readonly [name: string]: never }

export interface ListVolumeTypesResponse { readonly types: readonly (VolumeTypeView)[]; }

export interface ListVolumesRequest { readonly all_projects?: boolean; readonly status?: string; readonly page_size?: number; readonly page_token?: string; }

export interface ListVolumesResponse { readonly volumes: readonly (VolumeView)[]; readonly next_page_token: string; readonly stale: boolean; readonly revision: number; }

export interface LiveMigrationJob { readonly server_id: string; readonly migration_id: string; readonly target_host_id: string; readonly generation: number; }

export interface LockServerRequest { readonly server_id?: string; readonly reason?: string; }

export interface LockServerResponse { readonly [name: string]: never }

export interface MemberRelease { readonly host_id: string; readonly host_name: string; readonly version: string; readonly feature_level: number; readonly condition: string; }

export interface MigrateServerLiveRequest { readonly server_id?: string; readonly host_name?: string; }

export interface MigrateServerLiveResponse { readonly [name: string]: never }

export interface MigrateServerRequest { readonly server_id?: string; readonly host_name?: string; }

export interface MigrateServerResponse { readonly [name: string]: never }

export interface Migration { readonly id: string; readonly number: number; readonly server_id: string; readonly project_id: string; readonly user_id: string; readonly kind: string; readonly status: string; readonly source_host_id: string; readonly target_host_id: string; readonly source_host_name: string; readonly target_host_name: string; readonly old_flavor_id: string; readonly new_flavor_id: string; readonly created_ms: number; readonly updated_ms: number; readonly generation: number; readonly memory_total_bytes: number; readonly memory_processed_bytes: number; readonly memory_remaining_bytes: number; readonly disk_total_bytes: number; readonly disk_processed_bytes: number; readonly disk_remaining_bytes: number; readonly error: string; }

export interface NetworkView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly admin_state_up: boolean; readonly shared: boolean; readonly external: boolean; readonly mtu: number; readonly subnet_ids: readonly (string)[]; readonly port_security_enabled: boolean; readonly tags: readonly (string)[]; readonly created_ms: number; readonly updated_ms: number; readonly provider_network_type: string; readonly provider_physical_network: string; readonly provider_segmentation_id: number; }

export interface NumaCell { readonly id: number; readonly cpus: number; readonly cpus_pinned: number; readonly memory_mib: number; readonly memory_used_mib: number; readonly pages: readonly (NumaPages)[]; }

export interface NumaPages { readonly size_kib: number; readonly total: number; readonly used: number; }

export interface OffloadServerRequest { readonly server_id?: string; }

export interface OffloadServerResponse { readonly [name: string]: never }

export interface OpenConsoleRequest { readonly server_id?: string; readonly kind?: "CONSOLE_KIND_UNSPECIFIED" | "CONSOLE_KIND_VNC" | "CONSOLE_KIND_SERIAL"; }

export interface OpenConsoleResponse { readonly token: string; readonly path: string; }

export interface PauseJobRequest { readonly id?: string; }

export interface PauseJobResponse { readonly job?: Job; }

export interface PauseServerRequest { readonly server_id?: string; }

export interface PauseServerResponse { readonly [name: string]: never }

export interface PciPool { readonly vendor_id: string; readonly product_id: string; readonly numa_node: number; readonly physical_network: string; readonly total: number; readonly free: number; }

export interface PlanDrainRequest { readonly host?: string; readonly stop_running?: boolean; readonly zone?: string; readonly failure_domain?: string; }

export interface PlanDrainResponse { readonly steps: readonly (DrainStep)[]; readonly warnings: readonly (string)[]; readonly refusal: string; readonly stale: boolean; }

export interface PortAddress { readonly subnet_id?: string; readonly ip_address?: string; }

export interface PortAddressList { readonly values?: readonly (PortAddress)[]; }

export interface PortView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly network_id: string; readonly mac_address: string; readonly admin_state_up: boolean; readonly status: string; readonly device_id: string; readonly device_owner: string; readonly fixed_ips: readonly (PortAddress)[]; readonly security_groups: readonly (string)[]; readonly port_security_enabled: boolean; readonly allowed_address_pairs: readonly (AllowedAddressPair)[]; readonly tags: readonly (string)[]; readonly created_ms: number; readonly updated_ms: number; readonly binding_host_id: string; }

export interface ProjectReference { readonly id?: string; readonly name?: string; readonly domain?: DomainReference; }

export interface ProjectView { readonly id: string; readonly name: string; readonly domain_id: string; readonly description: string; readonly enabled: boolean; readonly tags: readonly (string)[]; }

export interface QosSpecsView { readonly id: string; readonly name: string; readonly consumer: string; readonly specs: { readonly [name: string]: string }; readonly type_ids: readonly (string)[]; }

export interface RebootServerRequest { readonly server_id?: string; readonly hard?: boolean; }

export interface RebootServerResponse { readonly [name: string]: never }

export interface RebuildServerRequest { readonly server_id?: string; readonly image_id?: string; readonly name?: string; readonly description?: string; readonly metadata?: { readonly [name: string]: string }; readonly key_name?: string; readonly user_data?: string; readonly hostname?: string; }

export interface RebuildServerResponse { readonly server?: Server; }

export interface ReimageVolumeRequest { readonly volume_id?: string; readonly image_id?: string; readonly reserved?: boolean; }

export interface ReimageVolumeResponse { readonly [name: string]: never }

export interface RekeyRequest { readonly [name: string]: never }

export interface RekeyResponse { readonly key_epoch: number; }

export interface RemoveHostRequest { readonly host_id?: string; readonly force?: boolean; readonly trusted?: boolean; }

export interface RemoveHostResponse { readonly forgotten_server_ids: readonly (string)[]; readonly lost_image_ids: readonly (string)[]; readonly released_server_ids: readonly (string)[]; readonly lost_volume_ids: readonly (string)[]; }

export interface RemoveQosSpecsKeysRequest { readonly qos_specs_id?: string; readonly keys?: readonly (string)[]; }

export interface RemoveQosSpecsKeysResponse { readonly [name: string]: never }

export interface RemoveRouterInterfaceRequest { readonly router_id?: string; readonly subnet_id?: string; readonly port_id?: string; }

export interface RemoveRouterInterfaceResponse { readonly [name: string]: never }

export interface RemoveUnreadableRecordRequest { readonly table?: string; readonly id?: string; }

export interface RemoveUnreadableRecordResponse { readonly [name: string]: never }

export interface RemoveVolumeTypeEncryptionRequest { readonly type?: string; }

export interface RemoveVolumeTypeEncryptionResponse { readonly [name: string]: never }

export interface RemoveVolumeTypeExtraSpecRequest { readonly type?: string; readonly key?: string; }

export interface RemoveVolumeTypeExtraSpecResponse { readonly [name: string]: never }

export interface RescueServerRequest { readonly server_id?: string; readonly image_id?: string; }

export interface RescueServerResponse { readonly [name: string]: never }

export interface ResetPasswordRequest { readonly user?: string; readonly domain?: string; readonly password?: string; readonly enable?: boolean; }

export interface ResetPasswordResponse { readonly user_id: string; readonly user_name: string; readonly enabled: boolean; }

export interface ResetServerStateRequest { readonly server_id?: string; readonly error?: boolean; }

export interface ResetServerStateResponse { readonly [name: string]: never }

export interface ResizeServerRequest { readonly server_id?: string; readonly flavor_id?: string; }

export interface ResizeServerResponse { readonly [name: string]: never }

export interface ResourcePool { readonly resource_class: string; readonly total: number; readonly reserved: number; readonly allocation_ratio: number; readonly used: number; }

export interface RestoreVolumeBackupRequest { readonly backup_id?: string; readonly volume_id?: string; }

export interface RestoreVolumeBackupResponse { readonly [name: string]: never }

export interface ResumeJobRequest { readonly id?: string; }

export interface ResumeJobResponse { readonly job?: Job; }

export interface ResumeServerRequest { readonly server_id?: string; }

export interface ResumeServerResponse { readonly [name: string]: never }

export interface RevertServerResizeRequest { readonly server_id?: string; }

export interface RevertServerResizeResponse { readonly [name: string]: never }

export interface RevertVolumeRequest { readonly volume_id?: string; readonly snapshot_id?: string; }

export interface RevertVolumeResponse { readonly [name: string]: never }

export interface RevokeTokenRequest { readonly token?: string; }

export interface RevokeTokenResponse { readonly [name: string]: never }

export interface RoleAssignmentView { readonly user_id: string; readonly role_id: string; readonly project_id: string; readonly domain_id: string; readonly system: boolean; }

export interface RoleView { readonly id: string; readonly name: string; readonly description: string; }

export interface RotateAuthorityJob { readonly authority_sha256: string; readonly absent_until_ms: number; readonly keep_until_ms: number; }

export interface RotateAuthorityRequest { readonly keep_seconds?: number; readonly absent_seconds?: number; }

export interface RotateAuthorityResponse { readonly job?: Job; }

export interface Route { readonly destination?: string; readonly nexthop?: string; }

export interface RouteList { readonly values?: readonly (Route)[]; }

export interface RouterView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly admin_state_up: boolean; readonly external_gateway_info?: ExternalGatewayInfo; readonly routes: readonly (Route)[]; readonly tags: readonly (string)[]; readonly created_ms: number; readonly updated_ms: number; }

export interface SecurityGroupRuleView { readonly id: string; readonly project_id: string; readonly security_group_id: string; readonly direction: string; readonly ethertype: string; readonly protocol: string; readonly port_range_min?: number; readonly port_range_max?: number; readonly remote_ip_prefix: string; readonly remote_group_id: string; readonly description: string; readonly created_ms: number; }

export interface SecurityGroupView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly security_group_rules: readonly (SecurityGroupRuleView)[]; readonly tags: readonly (string)[]; readonly created_ms: number; readonly updated_ms: number; }

export interface Server { readonly id: string; readonly name: string; readonly project_id: string; readonly user_id: string; readonly description: string; readonly flavor?: Flavor; readonly image_id: string; readonly host_id: string; readonly generation: number; readonly power_wanted: "POWER_WANTED_UNSPECIFIED" | "POWER_WANTED_RUNNING" | "POWER_WANTED_STOPPED" | "POWER_WANTED_PAUSED" | "POWER_WANTED_SUSPENDED"; readonly status: "SERVER_STATUS_UNSPECIFIED" | "SERVER_STATUS_BUILD" | "SERVER_STATUS_ACTIVE" | "SERVER_STATUS_SHUTOFF" | "SERVER_STATUS_PAUSED" | "SERVER_STATUS_ERROR" | "SERVER_STATUS_DELETING" | "SERVER_STATUS_REBOOT" | "SERVER_STATUS_MIGRATING" | "SERVER_STATUS_SUSPENDED" | "SERVER_STATUS_RESIZE" | "SERVER_STATUS_VERIFY_RESIZE" | "SERVER_STATUS_REVERT_RESIZE" | "SERVER_STATUS_SHELVED" | "SERVER_STATUS_SHELVED_OFFLOADED" | "SERVER_STATUS_RESCUE"; readonly task_state: string; readonly reboots_wanted: number; readonly reboots_done: number; readonly reboot_hard: boolean; readonly fault?: ServerFault; readonly key_name: string; readonly public_key: string; readonly user_data: string; readonly metadata: { readonly [name: string]: string }; readonly port_ids: readonly (string)[]; readonly zone: string; readonly storage: string; readonly root_volume_id: string; readonly created_ms: number; readonly updated_ms: number; readonly launched_ms: number; readonly previous_host_id: string; readonly released_generation: number; readonly config_drive: boolean; readonly locked: boolean; readonly power_state: number; readonly reservation_id: string; readonly server_group_id: string; readonly scheduler_hints: { readonly [name: string]: string }; readonly security_group_names: readonly (string)[]; readonly tags: readonly (string)[]; readonly deleting: boolean; readonly hostname: string; readonly access_ipv4: string; readonly access_ipv6: string; readonly disk_config_auto: boolean; readonly injected_files: readonly (InjectedFile)[]; readonly key_type: string; readonly locked_reason: string; readonly actions: readonly (ServerAction)[]; readonly asked_revision: number; readonly observed_revision: number; readonly disks: readonly (ServerDisk)[]; readonly held_in_error: boolean; readonly replaced_disks: readonly (ServerDisk)[]; readonly rescue?: ServerRescue; readonly shelved_image_id: string; readonly offloading: boolean; readonly discard_host_id: string; readonly discard_generation: number; readonly move?: ServerMove; readonly image_properties: { readonly [name: string]: string }; readonly machine: string; readonly encrypted_password: string; readonly leaving_port_ids: readonly (string)[]; readonly nics: readonly (ServerNic)[]; readonly lost_host_ids: readonly (string)[]; }

export interface ServerAction { readonly action: string; readonly request_id: string; readonly user_id: string; readonly project_id: string; readonly start_ms: number; readonly message: string; readonly host_id: string; readonly events: readonly (ServerActionEvent)[]; readonly asked_revision: number; readonly updated_ms: number; }

export interface ServerActionEvent { readonly event: string; readonly host_id: string; readonly start_ms: number; readonly finish_ms: number; readonly result: string; readonly details: string; }

export interface ServerCpuDiagnostics { readonly id: number; readonly time_ns: number; }

export interface ServerDiagnostics { readonly state: string; readonly uptime_s: number; readonly memory_mib: number; readonly memory_used_mib: number; readonly cpus: readonly (ServerCpuDiagnostics)[]; readonly disks: readonly (ServerDiskDiagnostics)[]; readonly nics: readonly (ServerNicDiagnostics)[]; readonly accelerator: string; readonly config_drive: boolean; }

export interface ServerDisk { readonly volume_id: string; readonly pool: string; readonly boot_index: number; readonly device: string; readonly kind: string; readonly delete_on_termination: boolean; readonly tag: string; readonly bus: string; readonly size_gib: number; readonly size_mib: number; readonly image_id: string; readonly attachment_id: string; readonly generation: number; readonly read_only: boolean; readonly multiattach: boolean; readonly detaching: boolean; readonly attached: boolean; readonly guest_format: string; }

export interface ServerDiskDiagnostics { readonly volume_id: string; readonly read_bytes: number; readonly read_requests: number; readonly write_bytes: number; readonly write_requests: number; readonly errors: number; }

export interface ServerFault { readonly code: number; readonly message: string; readonly details: string; readonly created_ms: number; }

export interface ServerImageJob { readonly server_id: string; readonly image_id: string; readonly purpose: string; readonly backup_type: string; readonly rotation: number; readonly quiesce: boolean; readonly must_quiesce: boolean; }

export interface ServerInterface { readonly port_id: string; readonly network_id: string; readonly mac: string; readonly status: string; readonly fixed_ips: readonly (FixedIp)[]; readonly tag: string; }

export interface ServerMove { readonly migration_id: string; readonly kind: string; readonly phase: string; readonly old_flavor?: Flavor; readonly new_flavor?: Flavor; readonly confirms_itself: boolean; readonly finished_ms: number; readonly target_host_id: string; readonly hardware: string; readonly receiver_address: string; readonly receiver_port: number; readonly receiver_error: string; readonly sealed_key: string; readonly key_epoch: number; readonly must_finish: boolean; }

export interface ServerNic { readonly port_id: string; readonly tag: string; readonly arriving: boolean; readonly request_id: string; }

export interface ServerNicDiagnostics { readonly mac: string; readonly received_bytes: number; readonly received_packets: number; readonly received_errors: number; readonly received_drops: number; readonly sent_bytes: number; readonly sent_packets: number; readonly sent_errors: number; readonly sent_drops: number; }

export interface ServerRescue { readonly image_id: string; readonly disk?: ServerDisk; readonly stable: boolean; readonly ending: boolean; }

export interface SetCloudBackupsRequest { readonly store?: string; readonly every_hours?: number; readonly keep?: number; readonly origin?: CloudBackupKeyOrigin; readonly key?: string; }

export interface SetCloudBackupsResponse { readonly [name: string]: never }

export interface SetHostEnabledRequest { readonly host_id?: string; readonly enabled?: boolean; readonly reason?: string; }

export interface SetHostEnabledResponse { readonly [name: string]: never }

export interface SetServerPasswordRequest { readonly server_id?: string; readonly password?: string; }

export interface SetServerPasswordResponse { readonly [name: string]: never }

export interface SetVolumeTypeAccessRequest { readonly type?: string; readonly project_id?: string; readonly allowed?: boolean; }

export interface SetVolumeTypeAccessResponse { readonly [name: string]: never }

export interface SetVolumeTypeEncryptionRequest { readonly type?: string; readonly provider?: string; readonly cipher?: string; readonly key_bits?: number; }

export interface SetVolumeTypeEncryptionResponse { readonly [name: string]: never }

export interface SetVolumeTypeQosRequest { readonly type?: string; readonly qos_specs_id?: string; }

export interface SetVolumeTypeQosResponse { readonly [name: string]: never }

export interface ShelveServerRequest { readonly server_id?: string; }

export interface ShelveServerResponse { readonly [name: string]: never }

export interface StartServerRequest { readonly server_id?: string; }

export interface StartServerResponse { readonly [name: string]: never }

export interface StopServerRequest { readonly server_id?: string; }

export interface StopServerResponse { readonly [name: string]: never }

export interface StoragePool { readonly name: string; readonly shared: boolean; readonly free_gib?: number; readonly serves: boolean; readonly total_gib?: number; readonly condition: string; }

export interface StoragePoolAtHost { readonly host_id: string; readonly host_name: string; readonly condition: string; readonly free_gib?: number; readonly total_gib?: number; readonly pool_condition: string; }

export interface StoragePoolView { readonly name: string; readonly shared: boolean; readonly hosts: readonly (StoragePoolAtHost)[]; readonly volumes: number; readonly volumes_gib: number; readonly servers: number; }

export interface StringList { readonly values?: readonly (string)[]; }

export interface SubnetView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly network_id: string; readonly cidr: string; readonly gateway_ip: string; readonly enable_dhcp: boolean; readonly allocation_pools: readonly (AllocationPool)[]; readonly dns_nameservers: readonly (string)[]; readonly host_routes: readonly (Route)[]; readonly tags: readonly (string)[]; readonly created_ms: number; readonly updated_ms: number; readonly ip_version: number; readonly ipv6_address_mode: string; readonly ipv6_ra_mode: string; }

export interface SuspendServerRequest { readonly server_id?: string; }

export interface SuspendServerResponse { readonly [name: string]: never }

export interface TakeoverJob { readonly host_id: string; readonly confirmed_ms: number; readonly down_since_ms: number; readonly servers: readonly (TakeoverServer)[]; }

export interface TakeoverServer { readonly server_id: string; readonly tried_ms: number; readonly moved_ms: number; readonly fenced_ms: number; readonly back_ms: number; }

export interface TokenView { readonly user_id: string; readonly user_name: string; readonly user_domain_id: string; readonly project_id: string; readonly project_name: string; readonly domain_id: string; readonly system: boolean; readonly roles: readonly (string)[]; readonly issued_ms: number; readonly expires_ms: number; readonly methods: readonly (string)[]; }

export interface TracePacketRequest { readonly source?: string; readonly source_port_id?: string; readonly destination?: string; readonly protocol?: string; readonly destination_port?: number; }

export interface TracePacketResponse { readonly end: string; readonly steps: readonly (TraceStepView)[]; readonly stale: boolean; }

export interface TraceStepView { readonly host_name: string; readonly table: string; readonly passes: boolean; readonly detail: string; readonly record_id: string; }

export interface TriggerServerCrashDumpRequest { readonly server_id?: string; }

export interface TriggerServerCrashDumpResponse { readonly [name: string]: never }

export interface UndrainHostRequest { readonly host?: string; }

export interface UndrainHostResponse { readonly job?: Job; }

export interface UnlockServerRequest { readonly server_id?: string; }

export interface UnlockServerResponse { readonly [name: string]: never }

export interface UnpauseServerRequest { readonly server_id?: string; }

export interface UnpauseServerResponse { readonly [name: string]: never }

export interface UnreadableRecord { readonly table: string; readonly id: string; readonly revision: number; readonly why: string; }

export interface UnrescueServerRequest { readonly server_id?: string; }

export interface UnrescueServerResponse { readonly [name: string]: never }

export interface UnshelveServerRequest { readonly server_id?: string; readonly zone?: string; readonly host_name?: string; }

export interface UnshelveServerResponse { readonly [name: string]: never }

export interface UpdateFloatingIpRequest { readonly floating_ip_id?: string; readonly port_id?: string; readonly fixed_ip_address?: string; readonly description?: string; readonly tags?: StringList; }

export interface UpdateFloatingIpResponse { readonly floating_ip?: FloatingIpView; }

export interface UpdateImageRequest { readonly image_id?: string; readonly name?: string; readonly visibility?: string; readonly disk_format?: string; readonly container_format?: string; readonly min_disk_gib?: number; readonly min_ram_mib?: number; readonly set_properties?: { readonly [name: string]: string }; readonly remove_properties?: readonly (string)[]; readonly tags?: StringList; readonly protected?: boolean; readonly hidden?: boolean; readonly project_id?: string; }

export interface UpdateImageResponse { readonly image?: ImageView; }

export interface UpdateNetworkRequest { readonly network_id?: string; readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly shared?: boolean; readonly external?: boolean; readonly mtu?: number; readonly port_security_enabled?: boolean; readonly tags?: StringList; }

export interface UpdateNetworkResponse { readonly network?: NetworkView; }

export interface UpdatePortRequest { readonly port_id?: string; readonly name?: string; readonly description?: string; readonly mac_address?: string; readonly admin_state_up?: boolean; readonly device_id?: string; readonly device_owner?: string; readonly fixed_ips?: PortAddressList; readonly security_groups?: StringList; readonly port_security_enabled?: boolean; readonly allowed_address_pairs?: AllowedAddressPairList; readonly tags?: StringList; }

export interface UpdatePortResponse { readonly port?: PortView; }

export interface UpdateProjectRequest { readonly project_id?: string; readonly name?: string; readonly description?: string; readonly enabled?: boolean; readonly tags?: StringList; }

export interface UpdateProjectResponse { readonly project?: ProjectView; }

export interface UpdateQosSpecsRequest { readonly qos_specs_id?: string; readonly consumer?: string; readonly set_specs?: { readonly [name: string]: string }; }

export interface UpdateQosSpecsResponse { readonly qos_specs?: QosSpecsView; }

export interface UpdateRoleRequest { readonly role_id?: string; readonly name?: string; readonly description?: string; }

export interface UpdateRoleResponse { readonly role?: RoleView; }

export interface UpdateRouterRequest { readonly router_id?: string; readonly name?: string; readonly description?: string; readonly admin_state_up?: boolean; readonly external_gateway_info?: ExternalGatewayInfo; readonly routes?: RouteList; readonly tags?: StringList; }

export interface UpdateRouterResponse { readonly router?: RouterView; }

export interface UpdateSecurityGroupRequest { readonly security_group_id?: string; readonly name?: string; readonly description?: string; readonly tags?: StringList; }

export interface UpdateSecurityGroupResponse { readonly security_group?: SecurityGroupView; }

export interface UpdateSubnetRequest { readonly subnet_id?: string; readonly name?: string; readonly description?: string; readonly gateway_ip?: string; readonly enable_dhcp?: boolean; readonly allocation_pools?: AllocationPoolList; readonly dns_nameservers?: StringList; readonly host_routes?: RouteList; readonly tags?: StringList; }

export interface UpdateSubnetResponse { readonly subnet?: SubnetView; }

export interface UpdateUserRequest { readonly user_id?: string; readonly name?: string; readonly password?: string; readonly description?: string; readonly enabled?: boolean; readonly email?: string; readonly default_project_id?: string; }

export interface UpdateUserResponse { readonly user?: UserView; }

export interface UpdateVolumeGroupRequest { readonly group_id?: string; readonly name?: string; readonly description?: string; readonly add_volume_ids?: readonly (string)[]; readonly remove_volume_ids?: readonly (string)[]; }

export interface UpdateVolumeGroupResponse { readonly group?: VolumeGroupView; }

export interface UpdateVolumeRequest { readonly volume_id?: string; readonly name?: string; readonly description?: string; readonly set_metadata?: { readonly [name: string]: string }; }

export interface UpdateVolumeResponse { readonly volume?: VolumeView; }

export interface UpdateVolumeTypeRequest { readonly type?: string; readonly name?: string; readonly description?: string; readonly is_public?: boolean; readonly set_extra_specs?: { readonly [name: string]: string }; }

export interface UpdateVolumeTypeResponse { readonly type?: VolumeTypeView; }

export interface UserReference { readonly id?: string; readonly name?: string; readonly domain?: DomainReference; }

export interface UserView { readonly id: string; readonly name: string; readonly domain_id: string; readonly description: string; readonly enabled: boolean; readonly email: string; readonly default_project_id: string; }

export interface ValidateTokenRequest { readonly token?: string; }

export interface ValidateTokenResponse { readonly view?: TokenView; }

export interface VerifyCloudBackupRequest { readonly backup_id?: string; }

export interface VerifyCloudBackupResponse { readonly backup_id: string; readonly revision: number; readonly content_bytes: number; readonly keys: number; }

export interface VerifyVolumeBackupRequest { readonly backup_id?: string; }

export interface VerifyVolumeBackupResponse { readonly job_id: string; }

export interface VolumeBackupDeleteJob { readonly backup_id: string; }

export interface VolumeBackupExpireJob { readonly project_id: string; readonly volume_id: string; readonly keep_newest: number; readonly before_ms: number; readonly asked: number; }

export interface VolumeBackupJob { readonly backup_id: string; readonly volume_id: string; }

export interface VolumeBackupVerifyJob { readonly backup_id: string; }

export interface VolumeBackupView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly volume_id: string; readonly snapshot_id: string; readonly size_gib: number; readonly status: string; readonly fail_reason: string; readonly parent_id: string; readonly children: number; readonly object_count: number; readonly stored_bytes: number; readonly metadata: { readonly [name: string]: string }; readonly data_timestamp_ms: number; readonly created_ms: number; readonly verified_ms: number; readonly verify_fault: string; readonly restore_volume_id: string; }

export interface VolumeCopyJob { readonly volume_id: string; }

export interface VolumeGroupSnapshotView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly group_id: string; readonly status: string; readonly created_ms: number; }

export interface VolumeGroupView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly group_type_id: string; readonly volume_type_ids: readonly (string)[]; readonly status: string; readonly zone: string; readonly volume_ids: readonly (string)[]; readonly created_ms: number; }

export interface VolumeMigrateJob { readonly volume_id: string; readonly source_host_id: string; readonly source_pool: string; readonly target_host_id: string; readonly target_pool: string; readonly type_id: string; readonly source_generation: number; }

export interface VolumeReimageJob { readonly volume_id: string; readonly image_id: string; readonly image_metadata: { readonly [name: string]: string }; }

export interface VolumeRestoreJob { readonly backup_id: string; readonly volume_id: string; }

export interface VolumeSnapshotView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly volume_id: string; readonly size_gib: number; readonly status: string; readonly metadata: { readonly [name: string]: string }; readonly of_attached: boolean; readonly frozen: boolean; readonly created_ms: number; }

export interface VolumeSwapJob { readonly server_id: string; readonly volume_id: string; readonly target_volume_id: string; readonly source_generation: number; }

export interface VolumeTransferView { readonly id: string; readonly name: string; readonly volume_id: string; readonly project_id: string; readonly without_snapshots: boolean; readonly created_ms: number; }

export interface VolumeTypeView { readonly id: string; readonly name: string; readonly description: string; readonly is_public: boolean; readonly extra_specs: { readonly [name: string]: string }; readonly encrypted: boolean; readonly is_default: boolean; }

export interface VolumeUploadJob { readonly volume_id: string; readonly image_id: string; readonly disk_format: string; }

export interface VolumeUseView { readonly attachment_id: string; readonly server_id: string; readonly device: string; readonly status: string; }

export interface VolumeView { readonly id: string; readonly name: string; readonly description: string; readonly project_id: string; readonly user_id: string; readonly size_gib: number; readonly type_id: string; readonly zone: string; readonly pool: string; readonly status: string; readonly bootable: boolean; readonly read_only: boolean; readonly multiattach: boolean; readonly encrypted: boolean; readonly metadata: { readonly [name: string]: string }; readonly image_id: string; readonly source_snapshot_id: string; readonly source_volume_id: string; readonly source_backup_id: string; readonly uses: readonly (VolumeUseView)[]; readonly created_ms: number; readonly updated_ms: number; }

export interface Voter { readonly host_id: string; readonly host_name: string; readonly raft_id: number; readonly learner: boolean; readonly reachable: boolean; }

export interface WhatIfRequest { readonly flavor_id?: string; readonly image_id?: string; readonly zone?: string; readonly count_max?: number; readonly scheduler_hints?: { readonly [name: string]: string }; }

export interface WhatIfResponse { readonly count: number; }

export interface NativeFault { readonly error: { readonly code: number; readonly title: string; readonly message: string; readonly reason?: string; }; }

