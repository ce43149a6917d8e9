import type { AccountField } from "../key-account.ts";
import { listAccountFields } from "../providers/account-support.ts";
import type { Model, Provider, Voice } from "../providers/provider.ts";
import type { Category } from "../slot.ts";

/** A provider as `GET /byok/config` shows it; `slot`, `serves`, `regions` and `account_fields` stand beside the documented fields. */
export interface ProviderConfig {
  readonly id: string;
  readonly name: string;
  readonly category: Category;
  readonly docs_url: string;
  readonly models: readonly Model[];
  readonly voices?: readonly Voice[];
  readonly serves: readonly string[];
  readonly regions: readonly string[];
  /** What a key of it may be stored with as its account: `organization`, `project`. */
  readonly account_fields: readonly AccountField[];
}

/** What `GET /byok/config` shows of a provider. */
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
