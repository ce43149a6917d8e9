import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { etag } from "hono/etag";
import { accountFields } from "../key-account.ts";
import type { KeyManager } from "../manager/key-manager.ts";
import type { ApiEnvironment } from "./principal.ts";
import { describeFailures } from "./schemas.ts";

/** `GET /byok/config`: the providers, which change with a release only. */
export function addCatalogueRoute(api: OpenAPIHono<ApiEnvironment>, manager: KeyManager): void {
  const slot = z.enum(["llm", "stt", "tts", "realtime", "email"]);
  const model = z
    .object({ id: z.string(), name: z.string(), default: z.boolean(), slot })
    .openapi("Model", { description: "`default`: taken when an agent names no model for the slot." });
  const provider = z
    .object({
      id: z.string(),
      name: z.string(),
      category: slot,
      docs_url: z.string(),
      models: z.array(model),
      voices: z.array(z.object({ id: z.string(), name: z.string() })).optional(),
      serves: z.array(slot),
      regions: z.array(z.string()),
      account_fields: z.array(z.enum(accountFields)),
    })
    .openapi("Provider");
  const config = manager.config();

  api.openapi(
    createRoute({
      method: "get",
      path: "/byok/config",
      operationId: "getConfig",
      tags: ["Providers"],
      summary: "Get provider configurations",
      description: "The providers with their models, voices and regions. They change only with a release.",
      middleware: etag(),
      responses: {
        200: {
          description: "The providers.",
          content: { "application/json": { schema: z.object({ providers: z.array(provider) }) } },
        },
        304: { description: "Not modified since the version that If-None-Match names." },
        ...describeFailures(),
      },
    }),
    (context) => {
      context.header("cache-control", "private, no-cache");
      return context.json({ providers: config.providers }, 200);
    },
  );
}
