import type { Guard } from "./guard.ts";
import { guardsOfAccounts } from "./guards-of-accounts.ts";
import { guardsOfCalls } from "./guards-of-calls.ts";
import { guardsOfHeldSlots } from "./guards-of-held-slots.ts";
import { guardsOfImports } from "./guards-of-imports.ts";
import { guardsOfNotedUses } from "./guards-of-noted-uses.ts";
import { guardsOfOptions } from "./guards-of-options.ts";
import { guardsOfProviders } from "./guards-of-providers.ts";
import { guardsOfRedis } from "./guards-of-redis.ts";
import { guardsOfRefusedKeys } from "./guards-of-refused-keys.ts";
import { guardsOfRestores } from "./guards-of-restores.ts";
import { guardsOfStartingWorkers } from "./guards-of-starting-workers.ts";
import { guardsOfTheApi } from "./guards-of-the-api.ts";
import { guardsOfTheCache } from "./guards-of-the-cache.ts";
import { guardsOfTheCommandLine } from "./guards-of-the-command-line.ts";
import { guardsOfTheDoor } from "./guards-of-the-door.ts";
import { guardsOfTheDoubles } from "./guards-of-the-doubles.ts";
import { guardsOfTheEgress } from "./guards-of-the-egress.ts";
import { guardsOfTheModel } from "./guards-of-the-model.ts";
import { guardsOfTheResolver } from "./guards-of-the-resolver.ts";
import { guardsOfTheSdks } from "./guards-of-the-sdks.ts";
import { guardsOfTheServer } from "./guards-of-the-server.ts";
import { guardsOfTheSockets } from "./guards-of-the-sockets.ts";
import { guardsOfTheVault } from "./guards-of-the-vault.ts";

/** Every guard of a promise, by the rooms that it stands in. */
export const allGuards: readonly (readonly [rooms: string, guards: readonly Guard[]])[] = [
  ["providers", guardsOfProviders],
  ["the egress", guardsOfTheEgress],
  ["keyring and store", guardsOfTheVault],
  ["coherence", guardsOfTheCache],
  ["the resolver and the manager", guardsOfTheResolver],
  ["the model check", guardsOfTheModel],
  ["the shared cache", guardsOfRedis],
  ["the API", guardsOfTheApi],
  ["the server", guardsOfTheServer],
  ["the command line", guardsOfTheCommandLine],
  ["an import", guardsOfImports],
  ["a restored database", guardsOfRestores],
  ["the door", guardsOfTheDoor],
  ["options", guardsOfOptions],
  ["sockets", guardsOfTheSockets],
  ["a starting worker", guardsOfStartingWorkers],
  ["the SDKs", guardsOfTheSdks],
  ["slots that calls hold", guardsOfHeldSlots],
  ["accounts of keys", guardsOfAccounts],
  ["calls of ten turns", guardsOfCalls],
  ["refused keys", guardsOfRefusedKeys],
  ["the doubles", guardsOfTheDoubles],
  ["what calls find out of keys", guardsOfNotedUses],
];
