import type { CacheFailure, CacheFailureReason, CacheOperation } from "./key-cache.ts";

/** What Redis' own errors begin with. */
const replies: readonly (readonly [RegExp, CacheFailureReason])[] = [
  [/^(?:NOAUTH|WRONGPASS)\b|^ERR (?:invalid password|AUTH\b|Client sent AUTH)/u, "unauthenticated"],
  [/^NOPERM\b/u, "forbidden"],
  [/^(?:READONLY|MASTERDOWN|NOREPLICAS)\b/u, "read_only"],
  [/^(?:OOM|MISCONF)\b/u, "full"],
  [/^(?:LOADING|CLUSTERDOWN|BUSY)\b|^ERR max number of clients/u, "unreachable"],
  [/^Command timed out/u, "slow"],
  [
    /Stream isn't writeable|Connection is closed|max retries per request|ETIMEDOUT|sentinels are unreachable/u,
    "unreachable",
  ],
];
const certificateCode = /CERT|UNABLE_TO_(?:VERIFY|GET)|HOSTNAME_MISMATCH/u;

const lacking: Readonly<Record<CacheOperation, string>> = {
  connect: "+info and +hello",
  read: "+getrange on its keys",
  write: "+set and +del on its keys",
  publish: "+publish, and the channel of its prefix",
  subscribe: "+subscribe, and the channel of its prefix",
};

const advice: Readonly<Record<CacheFailureReason, (operation: CacheOperation) => string>> = {
  unreachable: () => "Redis cannot be reached. Check its address, and redis:// against rediss://.",
  untrusted_certificate: () =>
    "Redis shows a certificate that is not trusted. Give the client its authority in tls.ca.",
  unauthenticated: () => "Redis does not accept the client's name and password. Correct them, or pass them.",
  forbidden: (operation) => `Redis forbids the client to ${operation}. Grant its user ${lacking[operation]}.`,
  read_only: () => "Redis is a replica, which takes no changes. Connect to the primary, and set reconnectOnError.",
  full: () => "Redis takes no more writes. Give it more memory or disk, and an eviction policy.",
  slow: (operation) => `Redis does not answer in time when asked to ${operation}. Check its load and the network.`,
  other: (operation) => `Redis refuses to ${operation}. Check its log, and that its version is 6 or newer.`,
};

/** What an ioredis error means for an operator. Its own text is not repeated: it may hold anything. */
export function describeRedisFailure(operation: CacheOperation, error: unknown): CacheFailure {
  const reason = findReason(error);
  return { operation, reason, advice: advice[reason](operation) };
}

/** Whether it is that no answer came in time, in place of one of any kind. */
export function isSilence(error: unknown): boolean {
  return findReason(error) === "slow";
}

function findReason(error: unknown): CacheFailureReason {
  if (!(error instanceof Error)) return "other";
  // A cluster's error holds that of the node that was asked last.
  if ("lastNodeError" in error && error.lastNodeError instanceof Error) return findReason(error.lastNodeError);
  const reply = replies.find(([pattern]) => pattern.test(error.message));
  if (reply !== undefined) return reply[1];
  const code = "code" in error ? String(error.code) : "";
  if (certificateCode.test(code)) return "untrusted_certificate";
  return code === "" ? "other" : "unreachable";
}
