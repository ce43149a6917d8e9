import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { KeyManager } from "../manager/key-manager.ts";
import type { ApiEnvironment } from "./principal.ts";
import { accountSchema, describeFailures, ownOnly, verdictSchema } from "./schemas.ts";

/** `GET /byok/audit`: who changed an organisation's keys. */
export function addAuditRoute(api: OpenAPIHono<ApiEnvironment>, manager: KeyManager): void {
  const entry = z
    .object({
      id: z.number().int(),
      seq: z
        .number()
        .int()
        .nullable()
        .openapi({ description: "The number of the change; null where nothing changed." }),
      at: z.iso.datetime(),
      actor: z.string().nullable(),
      provider: z.string(),
      name: z.string(),
      action: z.enum(["added", "replaced", "removed", "verified", "observed", "attempted"]),
      secret_id: z.string().nullable(),
      previous_secret_id: z.string().nullable(),
      region: z.string().nullable(),
      account: accountSchema.nullable(),
      verification: verdictSchema.nullable(),
      hint: z.string().nullable(),
      times: z.number().int().openapi({ description: "How often: attempts within one minute are counted together." }),
    })
    .openapi("AuditEntry");
  const page = z.object({
    audit: z.array(entry),
    next: z.number().int().nullable().openapi({ description: "Pass it as `before` for the next page." }),
  });

  api.openapi(
    createRoute({
      method: "get",
      path: "/byok/audit",
      operationId: "listAuditEntries",
      tags: ["Audit"],
      summary: "Get the audit trail",
      description: "Who changed, checked and tried which key and when, and what calls found out, the newest first.",
      request: {
        query: ownOnly(
          z.object({
            before: z.coerce
              .number()
              .int()
              .min(1)
              .max(Number.MAX_SAFE_INTEGER)
              .optional()
              .openapi({ description: "`next` of the previous page." }),
            limit: z.coerce
              .number()
              .int()
              .min(1)
              .max(200)
              .optional()
              .openapi({ description: "The most entries of a page." }),
          }),
        ),
      },
      responses: {
        200: { description: "Changes, the newest first.", content: { "application/json": { schema: page } } },
        ...describeFailures(400),
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
