/** Bodies of the image API. */
import Type from 'typebox';

/** Id that a caller gives an image; `checkImageId` says what it may be. */
export const imageId = Type.String({ maxLength: 255 });
/** `POST /v2/images`: fields (`fieldsSchema`) and properties of the caller's own. */
export const newImageBody = Type.Record(Type.String(), Type.Unknown());

/** The fields of an image that callers set. */
export const fieldsSchema = Type.Object({
  name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  visibility: Type.Optional(Type.String()),
  disk_format: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  container_format: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  min_disk: Type.Optional(Type.Integer({ minimum: 0 })),
  min_ram: Type.Optional(Type.Integer({ minimum: 0 })),
  protected: Type.Optional(Type.Boolean()),
  os_hidden: Type.Optional(Type.Boolean()),
  tags: Type.Optional(Type.Array(Type.String(), { maxItems: 128 })),
  owner: Type.Optional(Type.String({ maxLength: 64 })),
});

/** What a change of an image does to one attribute. */
export const patchOperations = ['add', 'replace', 'remove'] as const;

/** Changes in one request: every property and tag of an image once over. */
const changesMax = 512;
const pathSchema = Type.String({ minLength: 2, maxLength: 1024 });

/** A body of `newerPatchType`. A path is one attribute; `value` is checked when the change is made. */
export const patchSchema = Type.Array(
  Type.Object({ op: Type.Enum([...patchOperations]), path: pathSchema, value: Type.Optional(Type.Unknown()) }),
  { maxItems: changesMax },
);

/** A body of `olderPatchType`. That a change has exactly one of the three operations is checked when it is read. */
export const olderPatchSchema = Type.Array(
  Type.Object({
    add: Type.Optional(pathSchema),
    replace: Type.Optional(pathSchema),
    remove: Type.Optional(pathSchema),
    value: Type.Optional(Type.Unknown()),
  }),
  { maxItems: changesMax },
);

/** `POST /v2/images/:id/members`. */
export const newMemberBody = Type.Object({ member: Type.String({ minLength: 1, maxLength: 255 }) });
/** `PUT /v2/images/:id/members/:member`. */
export const memberStatusBody = Type.Object({ status: Type.Enum(['pending', 'accepted', 'rejected']) });

const limit = Type.Optional(Type.Integer({ minimum: -1, maximum: 2 ** 31 - 1 }));
/** `PUT /v2/info/usage/:project`: images, and MiB of content; -1 for no limit. */
export const imageLimitsBody = Type.Object({
  limits: Type.Object({ image_count_total: limit, image_size_total: limit }, { additionalProperties: false }),
});
