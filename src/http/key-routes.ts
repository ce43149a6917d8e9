import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import type { ByokKeys, KeyManager } from "../manager/key-manager.ts";
import { ownProperty } from "../own-property.ts";
import { toChangeAnswer, toDetailsAnswer } from "./key-answers.ts";
import { type ApiEnvironment, requireWriteAccess } from "./principal.ts";
import { limitBody } from "./request-body.ts";
import { makeProblem } from "./request-problem.ts";
import {
  accountSchema,
  buildByokKeysSchema,
  buildProviderIdSchema,
  describeFailures,
  namedAccountSchema,
  ownOnly,
  statusSchema,
} from "./schemas.ts";

/** `GET`, `POST` and `DELETE /byok`: an organisation's keys. */
export function addKeyRoutes(api: OpenAPIHono<ApiEnvironment>, manager: KeyManager): void {
  const providerIds = manager.config().providers.map(({ id }) => id);
  const provider = buildProviderIdSchema(providerIds);
  const byokKeys = buildByokKeysSchema(providerIds);

  const details = z
    .object({
      secret_id: z.string(),
      hint: z.string().nullable().openapi({ description: "The last four characters; null for a short key." }),
      status: statusSchema,
      region: z.string().nullable(),
      account: accountSchema.nullable(),
      created_at: z.iso.datetime(),
      created_by: z.string().nullable(),
      last_checked_at: z.iso.datetime().nullable(),
    })
    .openapi("KeyDetails");
  const keys = z.object({
    byok_keys: byokKeys,
    details: z.record(z.string(), details.nullable()).optional().openapi({ description: "With details=true." }),
  });
  const changed = z
    .object({
      success: z.literal(true),
      byok_keys: byokKeys,
      seq: z.number().int().openapi({ description: "The change's number; a call that carries it sees the change." }),
      verification: z.enum(["passed", "restricted", "unreachable", "skipped"]),
      reason: z.string().nullable().openapi({ description: "Why, as one word; never the provider's own text." }),
      region: z
        .string()
        .nullable()
        .openapi({ description: "The key's region from now on; null for the default host." }),
      account: accountSchema.nullable(),
      published: z.boolean().openapi({ description: "Whether the workers were told at once." }),
      effective_within_ms: z
        .number()
        .openapi({ description: "Milliseconds after which no worker uses the previous key." }),
    })
    .openapi("KeyChange");
  const apiKey = z.string().openapi({
    description: "The provider's key. It is never returned.",
    format: "password",
    writeOnly: true,
  });
  const input = z
    .strictObject({ provider, api_key: apiKey, region: z.string().nullish(), account: namedAccountSchema.nullish() })
    .openapi("NewKey");
  const removal = z.strictObject({ provider: provider.optional() }).openapi("KeyRemoval");

  api.openapi(
    createRoute({
      method: "get",
      path: "/byok",
      operationId: "listKeys",
      tags: ["Keys"],
      summary: "Get BYOK configurations",
      description:
        "Which providers the organisation has a key for; with details=true, also what may be shown of each key.",
      request: {
        query: ownOnly(
          z.object({
            details: z.enum(["true", "false"]).optional().openapi({ description: "Whether to describe each key." }),
          }),
        ),
      },
      responses: { 200: describeJson("The organisation's keys.", keys), ...describeFailures(400) },
    }),
    async (context) => {
      const { orgId } = context.get("principal");
      if (context.req.valid("query").details !== "true") {
        return context.json({ byok_keys: await manager.list(orgId) }, 200);
      }
      const described = new Map((await manager.describe(orgId)).map((key) => [key.provider, key]));
      const references: ByokKeys = Object.fromEntries(
        providerIds.map((id) => [`${id}_secret_id`, described.get(id)?.secretId ?? null]),
      );
      const shown = Object.fromEntries(providerIds.map((id) => [id, toDetailsAnswer(described.get(id))]));
      return context.json({ byok_keys: references, details: shown }, 200);
    },
  );

  api.openapi(
    createRoute({
      method: "post",
      path: "/byok",
      operationId: "setKey",
      tags: ["Keys"],
      summary: "Add or replace a BYOK key",
      description: "Checks the key with its provider and stores it, replacing the previous one.",
      middleware: [requireWriteAccess, limitBody] as const,
      request: {
        headers: ownOnly(
          z.object({
            "idempotency-key": z
              .string()
              .min(1)
              .max(255)
              .optional()
              .openapi({ description: "A POST that is repeated with the same value makes the change only once." }),
          }),
        ),
        body: { required: true, content: { "application/json": { schema: ownOnly(input) } } },
      },
      responses: {
        200: describeJson("The key is stored.", changed),
        ...describeFailures(400, 403, 408, 409, 413, 415, 422, 429),
      },
    }),
    async (context) => {
      const { orgId, actor } = context.get("principal");
      const { provider: id, api_key: apiKey, region, account } = context.req.valid("json");
      const idempotencyKey = context.req.valid("header")["idempotency-key"];
      const key = {
        provider: id,
        apiKey,
        signal: context.req.raw.signal,
        ...(region === undefined ? {} : { region }),
        ...(account === undefined ? {} : { account }),
        ...(actor === undefined ? {} : { actor }),
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      };
      return context.json(toChangeAnswer(await manager.set(orgId, key)), 200);
    },
  );

  api.openapi(
    createRoute({
      method: "delete",
      path: "/byok",
      operationId: "removeKey",
      tags: ["Keys"],
      summary: "Delete a BYOK key",
      description:
        "The provider is named in the body or, for proxies that drop the body of a DELETE, in the query. Repeating the request is safe.",
      middleware: [requireWriteAccess, limitBody] as const,
      request: {
        query: ownOnly(z.object({ provider: provider.optional() })),
        body: { required: false, content: { "application/json": { schema: ownOnly(removal) } } },
      },
      responses: {
        200: describeJson("There is no such key any more.", changed),
        ...describeFailures(400, 403, 408, 409, 413, 415, 422),
      },
    }),
    async (context) => {
      const { orgId, actor } = context.get("principal");
      const id = chooseProvider(
        context.req.valid("query").provider,
        ownProperty(context.req.valid("json"), "provider"),
      );
      const change = await manager.remove(orgId, {
        provider: id,
        signal: context.req.raw.signal,
        ...(actor === undefined ? {} : { actor }),
      });
      return context.json(toChangeAnswer(change), 200);
    },
  );
}

function describeJson<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

function chooseProvider(inQuery: string | undefined, inBody: string | undefined): string {
  const id = inBody ?? inQuery;
  if (id === undefined) throw makeProblem("body_malformed", 'Name the "provider" in the body or the query.');
  if (inQuery === undefined || inQuery === id) return id;
  throw makeProblem("body_malformed", "The body and the query name two providers. Name one.");
}
