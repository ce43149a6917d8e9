/** Where the command line finds its database, its Redis and its keyring. A variable that is empty is one that is absent. */
export interface Environment {
  /** `postgres://…`, or the path of a SQLite file. Absent: nothing is opened. */
  readonly BYOK_DATABASE_URL?: string | undefined;
  /** The Postgres schema of byokit's tables. Absent: the first one of the connection's path. */
  readonly BYOK_SCHEMA?: string | undefined;
  /** Absent: workers learn of a change from the database alone. */
  readonly BYOK_REDIS_URL?: string | undefined;
  /** The `prefix` of the workers' `redisCache`. @default "byok:" */
  readonly BYOK_REDIS_PREFIX?: string | undefined;
  /** The path of a file, or the JSON itself. */
  readonly BYOK_KEYRING?: string | undefined;
  /** Hosts that the operator declares, as JSON: `{ "openai": "https://proxy.example/v1" }`. */
  readonly BYOK_ENDPOINTS?: string | undefined;
}
