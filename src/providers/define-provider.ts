import { ByokError } from "../errors.ts";
import { isAccountField } from "../key-account.ts";
import { callback, list, type OptionKind, recordOf, text } from "../option-kinds.ts";
import { isRecord } from "../own-property.ts";
import { type OptionRules, readOptions, required } from "../read-options.ts";
import type { Slot } from "../slot.ts";
import type { Catalogue, Provider } from "./provider.ts";

/**
 * Declares a provider, typed through to the slot: `resolve()` knows the client of every slot that it fills.
 *
 * @throws ByokError `options_invalid`, as for a name that is misspelt: `chekc` would store keys unchecked.
 */
export function defineProvider<const Id extends string, const S extends Slot, C, R = unknown>(
  provider: Provider<Id, S, C, R>,
): Provider<Id, S, C, R> {
  readProvider(provider);
  return provider;
}

/**
 * The provider with another catalogue: `withCatalogue(xai, { models: [{ id: "grok-voice-latest", … }] })`. What is not
 * given stays as it is.
 */
export function withCatalogue<Id extends string, S extends Slot, C, R>(
  provider: Provider<Id, S, C, R>,
  catalogue: Partial<Catalogue>,
): Provider<Id, S, C, R> {
  return {
    ...provider,
    models: catalogue.models ?? provider.models,
    ...(catalogue.voices === undefined ? {} : { voices: catalogue.voices }),
  };
}

/** @throws ByokError `options_invalid` when two providers share an id, or one has no id that fits everywhere. */
export function indexProviders(providers: readonly Provider[]): ReadonlyMap<string, Provider> {
  const byId = new Map<string, Provider>();
  for (const provider of providers.map(readProvider)) {
    if (!/^[a-z][a-z0-9_]{0,31}$/u.test(provider.id)) {
      throw new ByokError(
        "options_invalid",
        "A provider's id is lower case, starts with a letter, and has at most 32 characters.",
      );
    }
    if (byId.has(provider.id)) {
      throw new ByokError("options_invalid", `Two providers have the id "${provider.id}". Leave one out.`);
    }
    byId.set(provider.id, provider);
  }
  return byId;
}

const accountHeadersKind: OptionKind = {
  form: 'headers in lower case by the account\'s field: { organization: "x-organization", project: "x-project" }',
  fits: (value) =>
    isRecord(value) &&
    Object.entries(value).every(
      ([field, header]) => isAccountField(field) && /^[a-z][a-z\d-]{0,63}$/u.test(`${header}`),
    ),
};

const rules: OptionRules<Provider> = {
  id: required(text),
  name: required(text),
  category: required(text),
  docsUrl: required(text),
  serves: required(list),
  endpoint: required(recordOf("an endpoint: { baseUrl, websocketUrl }")),
  models: required(list),
  voices: list,
  otherHosts: list,
  regions: recordOf("endpoints by region"),
  keyHeader: recordOf('how a request shows its key: { name: "authorization", scheme: "Bearer" }'),
  accountHeaders: accountHeadersKind,
  headers: list,
  repeatable: { form: "a regular expression", fits: (value) => value instanceof RegExp },
  idempotent: { form: "a regular expression", fits: (value) => value instanceof RegExp },
  accountState: recordOf("what names an account's own: { path, body }"),
  refusals: recordOf("the provider's words: { read, known }"),
  sdk: text,
  load: callback,
  canary: recordOf("what proves its SDK: { sdk, versions, steps }"),
  connect: required(callback),
  realtime: callback,
  check: callback,
  keyVariable: text,
  otherKeyVariables: list,
  keyPrefixes: list,
  refusedPrefixes: recordOf("reasons by prefix"),
};
const methods = ["load", "connect", "realtime", "check"] as const;

/** A provider that inherits nothing. One of a class goes on as itself: its methods keep their `this`. */
function readProvider(given: Provider): Provider {
  const provider = readOptions("defineProvider()", given, rules, "may pass");
  const bound = Object.entries(provider).map(([name, value]) =>
    methods.some((method) => method === name) ? [name, value.bind(given)] : [name, value],
  );
  return Object.assign(new OwnProvider(), Object.fromEntries(bound)) as unknown as Provider;
}

/** Inherits nothing. A class, because objects that are made without a prototype are slow, and every call reads some of it. */
class OwnProvider {}
Object.setPrototypeOf(OwnProvider.prototype, null);
