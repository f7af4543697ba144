/** JSON schemas that clients fetch to know which fields there are (`GET /v2/schemas/...`). */
import { containerFormats, diskFormats, visibilities } from '../../../node/services/image/draft.ts';

const text = (description: string, extra: object = {}) => ({ type: 'string', description, ...extra });
const readOnly = { readOnly: true };

const imageProperties = {
  id: text('Identifier of the image', { pattern: '^[0-9a-fA-F-]{36}$' }),
  name: { type: ['null', 'string'], maxLength: 255, description: 'Name for people' },
  status: text('State of the image', {
    ...readOnly,
    enum: [
      'queued',
      'saving',
      'active',
      'killed',
      'deleted',
      'uploading',
      'importing',
      'pending_delete',
      'deactivated',
    ],
  }),
  visibility: text('Who may see the image', { enum: [...visibilities] }),
  protected: { type: 'boolean', description: 'Whether deleting is refused' },
  os_hidden: { type: 'boolean', description: 'Whether lists leave it out' },
  checksum: { type: ['null', 'string'], maxLength: 32, description: 'MD5 of the content', ...readOnly },
  os_hash_algo: { type: ['null', 'string'], maxLength: 64, description: 'Algorithm of os_hash_value', ...readOnly },
  os_hash_value: {
    type: ['null', 'string'],
    maxLength: 128,
    description: 'Hash of the content, in hexadecimal',
    ...readOnly,
  },
  owner: { type: ['null', 'string'], maxLength: 255, description: 'Project that owns the image' },
  size: { type: ['null', 'integer'], description: 'Size of the content in bytes', ...readOnly },
  virtual_size: { type: ['null', 'integer'], description: 'Size of the disk inside in bytes', ...readOnly },
  container_format: { type: ['null', 'string'], enum: [null, ...containerFormats], description: 'What wraps the disk' },
  disk_format: { type: ['null', 'string'], enum: [null, ...diskFormats], description: 'Format of the disk' },
  created_at: text('When it was made', readOnly),
  updated_at: text('When it was last changed', readOnly),
  tags: { type: 'array', items: { type: 'string', maxLength: 255 }, description: 'Words attached to the image' },
  self: text('Path of the image', readOnly),
  file: text('Path of its content', readOnly),
  schema: text('Path of this schema', readOnly),
  min_ram: { type: 'integer', description: 'Memory needed to boot it, MiB' },
  min_disk: { type: 'integer', description: 'Disk needed to boot it, GiB' },
};

const imageSchema = {
  name: 'image',
  properties: imageProperties,
  additionalProperties: { type: 'string' },
  links: [
    { rel: 'self', href: '{self}' },
    { rel: 'enclosure', href: '{file}' },
    { rel: 'describedby', href: '{schema}' },
  ],
};

const memberSchema = {
  name: 'member',
  properties: {
    created_at: text('When it was made'),
    image_id: text('The image', { pattern: '^[0-9a-fA-F-]{36}$' }),
    member_id: text('The project that it is shared with'),
    schema: text('Path of this schema'),
    status: text('What that project made of it', { enum: ['pending', 'accepted', 'rejected'] }),
    updated_at: text('When it was last changed'),
  },
};

const taskSchema = {
  name: 'task',
  properties: {
    id: text('Identifier of the task'),
    type: text('What it does', { enum: ['import', 'api_image_import', 'location_import'] }),
    status: text('How far it is', { enum: ['pending', 'processing', 'success', 'failure'] }),
    image_id: text('The image that it is for'),
    owner: text('Project that owns it'),
    created_at: text('When it was made'),
    updated_at: text('When it was last changed'),
    expires_at: text('When it is forgotten'),
    message: text('What became of it'),
    schema: text('Path of this schema', readOnly),
    self: text('Path of the task', readOnly),
  },
};

const listOf = (name: string, item: object) => ({
  name,
  properties: {
    [name]: { type: 'array', items: item },
    first: { type: 'string' },
    next: { type: 'string' },
    schema: { type: 'string' },
  },
  links: [
    { rel: 'first', href: '{first}' },
    { rel: 'next', href: '{next}' },
    { rel: 'describedby', href: '{schema}' },
  ],
});

/**
 * By the last part of the path: `image`, `images`, `member`, `members`, `task`, `tasks`. They follow Glance's and are for clients;
 * bodies are not checked by them.
 */
export const schemaDocuments: Readonly<Record<string, object>> = {
  image: imageSchema,
  images: listOf('images', imageSchema),
  member: memberSchema,
  task: taskSchema,
  tasks: listOf('tasks', taskSchema),
  members: { ...listOf('members', memberSchema), links: [{ rel: 'describedby', href: '{schema}' }] },
};
