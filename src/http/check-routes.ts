import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { KeyManager } from "../manager/key-manager.ts";
import { type ApiEnvironment, writers } from "./principal.ts";
import { boundedBody } from "./request-body.ts";
import { failures, providerIdSchema, statusSchema, verdictSchema } from "./schemas.ts";

/** `POST /byok/verify` and `GET /byok/audit`: how keys stand, and who changed them. */
export function addCheckRoutes(api: OpenAPIHono<ApiEnvironment>, manager: KeyManager): void {
  const provider = providerIdSchema(manager.config().providers.map(({ id }) => id));

  const verification = z
    .object({
      success: z.literal(true),
      provider: z.string(),
      secret_id: z.string(),
      verification: verdictSchema,
      status: statusSchema,
      reason: z.string().nullable().openapi({ description: "One word; never the provider's own text." }),
    })
    .openapi("Verification");
  const entry = z
    .object({
      seq: z.number().int(),
      at: z.iso.datetime(),
      actor: z.string().nullable(),
      provider: z.string(),
      action: z.enum(["added", "replaced", "removed"]),
      secret_id: z.string().nullable(),
      previous_secret_id: z.string().nullable(),
      region: z.string().nullable(),
      verification: verdictSchema.nullable(),
      hint: z.string().nullable(),
    })
    .openapi("AuditEntry");
  const page = z.object({
    audit: z.array(entry),
    next: z.number().int().nullable().openapi({ description: "Pass it as `before` for the next page." }),
  });

  api.openapi(
    createRoute({
      method: "post",
      path: "/byok/verify",
      summary: "Check a stored key with its provider",
      middleware: [writers, boundedBody] as const,
      request: {
        body: { required: true, content: { "application/json": { schema: z.strictObject({ provider }) } } },
      },
      responses: {
        200: {
          description: "What the provider said; kept as the key's status.",
          content: { "application/json": { schema: verification } },
        },
        ...failures(400, 403, 404, 408, 409, 413, 415, 422),
      },
    }),
    async (context) => {
      const { orgId } = context.get("principal");
      const checked = await manager.verify(orgId, context.req.valid("json").provider);
      const { provider: id, secretId, verdict, status, reason = null } = checked;
      const success = true as const;
      return context.json({ success, provider: id, secret_id: secretId, verification: verdict, status, reason }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "get",
      path: "/byok/audit",
      summary: "Get the audit trail",
      request: {
        query: z.object({
          before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
          limit: z.coerce.number().int().min(1).max(200).optional(),
        }),
      },
      responses: {
        200: { description: "Changes, the newest first.", content: { "application/json": { schema: page } } },
        ...failures(400),
      },
    }),
    async (context) => {
      const { before, limit } = context.req.valid("query");
      const { entries, next } = await manager.audit(context.get("principal").orgId, {
        ...(before === undefined ? {} : { before }),
        ...(limit === undefined ? {} : { limit }),
      });
      const audit = entries.map(({ secretId, previousSecretId, verdict, ...rest }) => ({
        ...rest,
        verification: verdict,
        secret_id: secretId,
        previous_secret_id: previousSecretId,
      }));
      return context.json({ audit, next }, 200);
    },
  );
}
