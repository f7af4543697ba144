/** Glance's policy, by Glance's names. Whose an image is, is asked of the image itself by the image service. */
import { anyToken, cloudAdmin, type PolicyRule, projectMember, projectReader, rule } from './rule.ts';

export const imagePolicies: readonly PolicyRule[] = [
  rule('get_images', projectReader, ['GET /v2/images']),
  rule('get_image', projectReader, ['GET /v2/images/:id']),
  rule('add_image', projectMember, ['POST /v2/images']),
  rule('modify_image', projectMember, [
    'PATCH /v2/images/:id',
    'PUT /v2/images/:id/tags/:tag',
    'DELETE /v2/images/:id/tags/:tag',
  ]),
  rule('delete_image', projectMember, ['DELETE /v2/images/:id']),
  rule('upload_image', projectMember, ['PUT /v2/images/:id/file']),
  rule('download_image', projectReader, ['GET /v2/images/:id/file']),
  rule('get_members', projectReader, ['GET /v2/images/:id/members']),
  rule('get_member', projectReader, ['GET /v2/images/:id/members/:member']),
  rule('add_member', projectMember, ['POST /v2/images/:id/members']),
  rule('modify_member', projectMember, ['PUT /v2/images/:id/members/:member']),
  rule('delete_member', projectMember, ['DELETE /v2/images/:id/members/:member']),
  rule('get_usage', projectReader, ['GET /v2/info/usage', 'GET /v2/info/usage/:project']),
  // Keystone's unified limits in an OpenStack cloud, and administrators' there.
  rule('set_limits', cloudAdmin, ['PUT /v2/info/usage/:project']),
  rule('deactivate', cloudAdmin, ['POST /v2/images/:id/actions/deactivate']),
  rule('reactivate', cloudAdmin, ['POST /v2/images/:id/actions/reactivate']),
  // What the service consists of; Glance shows it to everybody.
  rule('get_schemas', anyToken, ['GET /v2/schemas/:name']),
  rule('get_info', anyToken, ['GET /v2/info/import', 'GET /v2/info/stores']),
];
