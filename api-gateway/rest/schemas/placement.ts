/** Bodies of Shoal's own questions to placement. */
import Type from 'typebox';

const request = {
  flavor_id: Type.String({ minLength: 1, maxLength: 255 }),
  image_id: Type.Optional(Type.String({ maxLength: 255 })),
  availability_zone: Type.Optional(Type.String({ maxLength: 255 })),
  host: Type.Optional(Type.String({ maxLength: 255 })),
  scheduler_hints: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
};
/** `POST /shoal/v1/explain`. */
export const explainBody = Type.Object(request, { additionalProperties: false });
/** `POST /shoal/v1/what-if`. */
export const whatIfBody = Type.Object(
  { ...request, count_max: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })) },
  { additionalProperties: false },
);
