import { z } from "@hono/zod-openapi";
import { accountId as idForm, isNamedAccount, type KeyAccount, type NamedAccount } from "../key-account.ts";
import type { AuditEntry } from "../manager/audit-page.ts";
import type { ByokKeys, Verification } from "../manager/key-manager.ts";
import type { KeyStatus } from "../manager/key-status.ts";
import { copyOwn, isRecord } from "../own-property.ts";
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
  401: "No one is signed in.",
  403: "The principal may read only.",
  404: "There is nothing with that name.",
  408: "The body did not arrive in time.",
  409: "A later change of the same key overtook this one, or the stored key does not open.",
  413: "The body is longer than 16 KiB.",
  415: "The body is not application/json.",
  422: "The provider or the region is unknown, the account unsupported, or the key malformed or rejected.",
  429: "Too many keys of that provider are being checked; Retry-After says when the next may be.",
  500: "The service itself failed.",
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

/** What was parsed of JSON: neither it nor what its fields hold inherits anything. */
function copyFields(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const copied = Object.entries(value).map(([name, part]) => [name, copyOwn(part)]);
  return Object.assign(Object.create(null), Object.fromEntries(copied));
}

/** The schema, blind to what a request and what was parsed of it inherit: no field of either is `Object.prototype`'s. */
export function ownOnly<Schema extends z.ZodType>(schema: Schema): Schema {
  const parse = schema.safeParseAsync;
  schema.safeParseAsync = async (value, ...rest) => {
    const parsed = await parse(copyFields(value), ...rest);
    return parsed.success ? { success: true, data: copyOwn(parsed.data) } : parsed;
  };
  return schema;
}

const accountId = z.string().regex(idForm);

/** What a key works for. */
export const accountSchema: z.ZodType<KeyAccount> = z
  .object({ organization: accountId.nullable(), project: accountId.nullable() })
  .openapi("Account", { description: "The account that the key is used for, where it can be used for several." });

/** An account as it is asked for. */
export const namedAccountSchema: z.ZodType<NamedAccount> = z
  .strictObject({ organization: accountId.nullish(), project: accountId.nullish() })
  .refine((account) => isNamedAccount(account), "names an organization, a project or both")
  .openapi("NewAccount", { minProperties: 1 });

/** How a stored key stands. */
export const statusSchema: z.ZodType<KeyStatus> = z.enum([
  "ok",
  "restricted",
  "rejected",
  "exhausted",
  "needs_reentry",
  "unchecked",
]);

const checkVerdicts = ["passed", "restricted", "invalid", "unreachable", "skipped"] as const;

/** What a provider said of a key that it was asked for. */
export const checkVerdictSchema: z.ZodType<Verification["verdict"]> = z.enum(checkVerdicts);

/** What a provider said of a key that it was asked for, or that a call used. */
export const verdictSchema: z.ZodType<Verdict> = z.enum([...checkVerdicts, "exhausted"]);

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
