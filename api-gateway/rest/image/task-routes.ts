/**
 * Glance's tasks: imports, exports and conversions that it does behind a request. Content comes by `PUT .../file` alone here, and is
 * there when that is answered: there is never a task, and that is what these answer. Clients look before they use an image.
 */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ImageService } from '../../../node/services/image/image.ts';
import type { Gateway } from '../kit/module.ts';

type ById = { Params: { id: string } };

/** Adds the list of all, one, and the list of an image's. */
export function addTaskRoutes(app: FastifyInstance, gateway: Gateway, images: ImageService): void {
  app.get('/v2/tasks', async () => ({ tasks: [], first: '/v2/tasks', schema: '/v2/schemas/tasks' }));
  app.get<ById>('/v2/tasks/:id', async (request) => {
    throw new ShoalError('NOT_FOUND', `Failed to find task ${request.params.id.slice(0, 64)}`);
  });
  app.get<ById>('/v2/images/:id/tasks', async (request) => {
    const reader = await gateway.readState(request);
    images.show(reader, gateway.context(request), request.params.id);
    return { tasks: [] };
  });
}
