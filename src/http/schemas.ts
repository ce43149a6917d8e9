import { z } from "@hono/zod-openapi";
import type { AuditEntry, ByokKeys } from "../manager/key-manager.ts";
import type { KeyStatus } from "../manager/key-status.ts";
import { copyOwn } from "../own-property.ts";
import type { Problem, ProblemStatus } from "./problem.ts";

const problemSchema: z.ZodType<Problem> = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string().openapi({ description: "One word for the reason; never changes." }),
    detail: z.string().openapi({ description: "What happened and what to do." }),
    retryable: z.boolean(),
    reason: z.string().optional().openapi({ description: "Why a provider does not take a key." }),
  })
  .openapi("Problem");

/** 405 is no route's: it answers methods that have none. */
type DescribedStatus = Exclude<ProblemStatus, 405 | 499>;

const problems = {
  400: "The body or the query is malformed.",
  401: "Nobody's request.",
  403: "The principal may read only.",
  404: "There is nothing of that name.",
  408: "The body did not arrive in time.",
  409: "Another change of the key was asked for meanwhile, or the stored key does not open.",
  413: "The body is longer than 16 KiB.",
  415: "The body is not application/json.",
  422: "The provider or the region is unknown, or the key is malformed or rejected.",
  429: "Too many keys of that provider are being checked; Retry-After says when the next may be.",
  500: "A fault of the service's own.",
  503: "An outage; Retry-After says when to try again.",
} satisfies Record<DescribedStatus, string>;

type Verdict = NonNullable<AuditEntry["verdict"]>;

interface ProblemResponse {
  readonly description: string;
  readonly content: { readonly "application/problem+json": { readonly schema: z.ZodType<Problem> } };
}

/** The responses of a route that fails with these statuses; 401, 500 and 503 are everybody's. */
export function describeFailures(...statuses: readonly DescribedStatus[]): Record<number, ProblemResponse> {
  const content = { "application/problem+json": { schema: problemSchema } };
  return Object.fromEntries(
    ([...statuses, 401, 500, 503] as const).map((status) => [status, { description: problems[status], content }]),
  );
}

/** The schema, blind to what a request and what was parsed of it inherit: no field of either is `Object.prototype`'s. */
export function ownOnly<Schema extends z.ZodType>(schema: Schema): Schema {
  const parse = schema.safeParseAsync;
  schema.safeParseAsync = async (value, ...rest) => {
    const parsed = await parse(copyOwn(value), ...rest);
    return parsed.success ? { success: true, data: copyOwn(parsed.data) } : parsed;
  };
  return schema;
}

/** How a stored key stands. */
export const statusSchema: z.ZodType<KeyStatus> = z.enum([
  "ok",
  "restricted",
  "rejected",
  "needs_reentry",
  "unchecked",
]);

/** What a provider said of a key. */
export const verdictSchema: z.ZodType<Verdict> = z.enum(["passed", "restricted", "invalid", "unreachable", "skipped"]);

/** `{ <provider>_secret_id: string | null }`, every provider named. */
export function buildByokKeysSchema(providerIds: readonly string[]): z.ZodType<ByokKeys> {
  const reference = z.string().nullable().openapi({ description: "The key's reference; null where there is no key." });
  return z
    .object(Object.fromEntries(providerIds.map((id) => [`${id}_secret_id` as const, reference])))
    .openapi("ByokKeys") as unknown as z.ZodType<ByokKeys>;
}

/** A provider's id. Any text passes, so that an unknown one is told apart from a malformed body. */
export function buildProviderIdSchema(providerIds: readonly string[]): z.ZodType<string, string> {
  return z.string().openapi({ enum: [...providerIds], description: "A provider's id." });
}
