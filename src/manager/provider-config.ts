import { listAccountFields } from "../providers/account-support.ts";
import type { Provider } from "../providers/provider.ts";
import type { ProviderConfig } from "./key-manager.ts";

/** A provider as `GET /byok/config` shows it. */
export function toProviderConfig(provider: Provider): ProviderConfig {
  const { id, name, category, docsUrl, models, voices, serves, regions = {} } = provider;
  return {
    id,
    name,
    category,
    docs_url: docsUrl,
    models,
    ...(voices === undefined ? {} : { voices }),
    serves,
    regions: Object.keys(regions),
    account_fields: listAccountFields(provider),
  };
}
