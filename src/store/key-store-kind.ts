import { type OptionKind, withMethods } from "../option-kinds.ts";
import type { KeyStore } from "./key-store.ts";

const methods: Readonly<Record<Exclude<keyof KeyStore, "noteUse" | "warnings">, true>> = {
  migrate: true,
  snapshots: true,
  poll: true,
  takePlaces: true,
  put: true,
  putMany: true,
  remove: true,
  describe: true,
  noteCheck: true,
  noteAttempt: true,
  audit: true,
  findContradictions: true,
  close: true,
};

export const keyStoreKind: OptionKind = withMethods(
  "a store, as of postgresStore({ pool }) or sqliteStore({ path })",
  Object.keys(methods),
);
