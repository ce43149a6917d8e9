import { makeProblem, type RequestProblem } from "./request-problem.ts";

/** A zod issue, as far as it is told. */
interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly keys?: readonly string[];
}

/** People post keys as field names: only what looks like a name is repeated. */
const namePattern = /^[a-z_]{1,32}$/u;

/** What is wrong with a body or a query, by field and never with a value. */
export function describeIssues(target: string, issues: readonly Issue[]): RequestProblem {
  const code = target === "query" ? "query_malformed" : "body_malformed";
  const told = new Set(issues.map(describeIssue));
  return makeProblem(code, `${[...told].join(" ")} See the documented fields.`);
}

function describeIssue({ code, path, keys = [] }: Issue): string {
  if (code === "unrecognized_keys") {
    const names = keys.filter((name) => namePattern.test(name)).map((name) => `"${name}"`);
    return names.length > 0 ? `There is no field ${names.join(", ")}.` : "There is a field that is not known.";
  }
  const field = path.map(String).join(".");
  return namePattern.test(field)
    ? `"${field}" is missing or malformed.`
    : "This is not an object of the documented fields.";
}
