import type { TestProject } from "vitest/node";
import { postgresServer } from "./postgres-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
    postgresDataFolder: string | null;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await postgresServer();
  project.provide("postgresUrl", postgres.url);
  project.provide("postgresDataFolder", postgres.dataFolder);
  return async () => await postgres.stop();
}
