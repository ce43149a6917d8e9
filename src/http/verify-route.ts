import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { KeyManager } from "../manager/key-manager.ts";
import { type ApiEnvironment, requireWriteAccess } from "./principal.ts";
import { limitBody } from "./request-body.ts";
import { buildProviderIdSchema, checkVerdictSchema, describeFailures, ownOnly, statusSchema } from "./schemas.ts";

/** `POST /byok/verify`: checks a stored key with its provider. */
export function addVerifyRoute(api: OpenAPIHono<ApiEnvironment>, manager: KeyManager): void {
  const provider = buildProviderIdSchema(manager.config().providers.map(({ id }) => id));

  const verification = z
    .object({
      success: z.literal(true),
      provider: z.string(),
      secret_id: z.string(),
      verification: checkVerdictSchema,
      status: statusSchema,
      reason: z.string().nullable().openapi({ description: "One word; never the provider's own text." }),
    })
    .openapi("Verification");

  api.openapi(
    createRoute({
      method: "post",
      path: "/byok/verify",
      operationId: "verifyKey",
      tags: ["Keys"],
      description: "Checks the stored key with its provider again, and keeps the answer as its status.",
      summary: "Check a stored key with its provider",
      middleware: [requireWriteAccess, limitBody] as const,
      request: {
        body: { required: true, content: { "application/json": { schema: ownOnly(z.strictObject({ provider })) } } },
      },
      responses: {
        200: {
          description: "What the provider answered, which is kept as the key's status.",
          content: { "application/json": { schema: verification } },
        },
        ...describeFailures(400, 403, 404, 408, 409, 413, 415, 422, 429),
      },
    }),
    async (context) => {
      const { orgId, actor } = context.get("principal");
      const answer = await manager.verify(
        orgId,
        context.req.valid("json").provider,
        actor === undefined ? {} : { actor },
      );
      const { provider: id, secretId, verdict, status, reason = null } = answer;
      const success = true as const;
      return context.json({ success, provider: id, secret_id: secretId, verification: verdict, status, reason }, 200);
    },
  );
}
