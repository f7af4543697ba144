/** What each list can be filtered by, as `GET /resource_filters` tells it. `service.test.ts` compares it with the lists themselves. */

export const resourceFilters = {
  volume: [
    'name',
    'status',
    'metadata',
    'bootable',
    'migration_status',
    'availability_zone',
    'group_id',
    'size',
    'created_at',
    'updated_at',
  ],
  snapshot: ['name', 'status', 'volume_id', 'metadata', 'availability_zone'],
  backup: ['name', 'status', 'volume_id', 'size'],
  group: ['name', 'status', 'availability_zone', 'group_type'],
  group_snapshot: ['name', 'status', 'group_id'],
  attachment: ['volume_id', 'instance_id', 'attach_status'],
  message: ['resource_uuid', 'resource_type', 'event_id', 'request_id', 'message_level'],
  pool: ['name', 'volume_type'],
  volume_type: ['is_public', 'extra_specs'],
} as const;
