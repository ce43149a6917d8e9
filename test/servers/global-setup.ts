import type { TestProject } from "vitest/node";
import { postgresServer } from "./postgres-server.ts";
import { installRedis, ownRedisServer } from "./redis-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
    postgresDataFolder: string | null;
    redisUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  installRedis();
  const given = process.env["REDIS_URL"];
  const redis = given ? { url: given, stop: async () => {} } : await ownRedisServer();
  project.provide("redisUrl", redis.url);
  const postgres = await postgresServer().catch(async (error: unknown) => {
    // What is still running would keep the run from ending.
    await redis.stop();
    throw error;
  });
  project.provide("postgresUrl", postgres.url);
  project.provide("postgresDataFolder", postgres.dataFolder);
  return async () => {
    await postgres.stop();
    await redis.stop();
  };
}
