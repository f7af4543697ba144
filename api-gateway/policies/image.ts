/** Glance's policy, by Glance's names, for the image API and for `shoal.v1.ImageService`. Whose an image is, is asked of the image itself by the image service. */
import { administrator, anyToken, cloudAdmin, type PolicyRule, projectMember, projectReader, rule } from './rule.ts';

const rpc = (name: string): string => `rpc shoal.v1.ImageService/${name}`;

/**
 * Every image operation, REST and gRPC. They say which role a caller needs; the image service checks whose the image
 * is.
 */
export const imagePolicies: readonly PolicyRule[] = [
  rule('get_images', projectReader, ['GET /v2/images', rpc('ListImages')]),
  rule('get_image', projectReader, ['GET /v2/images/:id', 'GET /v2/images/:id/tasks', rpc('GetImage')]),
  rule('tasks_api_access', cloudAdmin, ['GET /v2/tasks', 'GET /v2/tasks/:id']),
  rule('add_image', projectMember, ['POST /v2/images', rpc('CreateImage')]),
  // Asked by the image service for an image that is made public.
  rule('publicize_image', administrator, []),
  rule('modify_image', projectMember, [
    'PATCH /v2/images/:id',
    'PUT /v2/images/:id/tags/:tag',
    'DELETE /v2/images/:id/tags/:tag',
    rpc('UpdateImage'),
  ]),
  rule('delete_image', projectMember, ['DELETE /v2/images/:id', rpc('DeleteImage')]),
  rule('upload_image', projectMember, ['PUT /v2/images/:id/file', rpc('UploadImage')]),
  rule('download_image', projectReader, ['GET /v2/images/:id/file', rpc('DownloadImage')]),
  rule('get_members', projectReader, ['GET /v2/images/:id/members']),
  rule('get_member', projectReader, ['GET /v2/images/:id/members/:member']),
  rule('add_member', projectMember, ['POST /v2/images/:id/members']),
  rule('modify_member', projectMember, ['PUT /v2/images/:id/members/:member']),
  rule('delete_member', projectMember, ['DELETE /v2/images/:id/members/:member']),
  rule('get_usage', projectReader, ['GET /v2/info/usage', 'GET /v2/info/usage/:project']),
  // Keystone's unified limits in an OpenStack cloud, and administrators' there.
  rule('set_limits', cloudAdmin, ['PUT /v2/info/usage/:project']),
  rule('deactivate', projectMember, ['POST /v2/images/:id/actions/deactivate']),
  rule('reactivate', projectMember, ['POST /v2/images/:id/actions/reactivate']),
  // What the service consists of; Glance shows it to everybody.
  rule('get_schemas', anyToken, ['GET /v2/schemas/:name']),
  rule('get_info', anyToken, ['GET /v2/info/import', 'GET /v2/info/stores']),
];
