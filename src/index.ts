export { byokErrorOf } from "./byok-error-of.ts";
export type { CacheEvent, EntryRefusedReason, SnapshotOrigin } from "./coherence/cache-event.ts";
export type { LostHistory } from "./coherence/lost-history.ts";
export type { FlushReason } from "./coherence/page-outcome.ts";
export { ByokError, type ByokErrorCode, type ByokErrorDetails, isByokError, type SlotFailure } from "./errors.ts";
export type { AccountField, KeyAccount, NamedAccount } from "./key-account.ts";
export type { EntryCipher } from "./keyring/entry-cipher.ts";
export type { UnopenedReason } from "./keyring/explain-unopened.ts";
export type { EncryptionContext, Keyring, SealedText } from "./keyring/keyring.ts";
export { generateKeyring, type Jwk, type KeyringJson } from "./keyring/keyring-json.ts";
export { createKeyring } from "./keyring/local-keyring.ts";
export type { AuditEntry, AuditPage, AuditPageOptions } from "./manager/audit-page.ts";
export type { CheckLimits } from "./manager/check-limiter.ts";
export { createKeyManager } from "./manager/create-key-manager.ts";
export type { KeyDescription } from "./manager/key-description.ts";
export type { ChangedBy, KeyImport, KeyInput, KeyRemoval } from "./manager/key-inputs.ts";
export type { ByokKeys, ImportedKey, KeyChange, KeyManager, Verification } from "./manager/key-manager.ts";
export type { KeyStatus } from "./manager/key-status.ts";
export type { KeyManagerOptions, ManagerEvent } from "./manager/manager-settings.ts";
export type { ProviderConfig } from "./manager/provider-config.ts";
export { type BuiltinProvider, builtinProviders } from "./providers/builtin.ts";
export { deepgram } from "./providers/deepgram.ts";
export { defineProvider, withCatalogue } from "./providers/define-provider.ts";
export type { Egress } from "./providers/egress/egress.ts";
export type { SlotWebSocket, SlotWebSocketClass } from "./providers/egress/slot-websocket.ts";
export type { AccountHeaders, KeyHeader, Vendor } from "./providers/egress/vendor.ts";
export { elevenlabs } from "./providers/elevenlabs.ts";
export type { Endpoint } from "./providers/endpoint.ts";
export type { EndpointOption } from "./providers/endpoints.ts";
export { openai } from "./providers/openai.ts";
export { platformKeysFromEnv } from "./providers/platform-keys.ts";
export type { Catalogue, Credential, KeyCheck, Model, Provider, RealtimeSession, Voice } from "./providers/provider.ts";
export { resend } from "./providers/resend.ts";
export { xai } from "./providers/xai.ts";
export { parseAgent } from "./resolver/agent-config.ts";
export { createResolver } from "./resolver/create-resolver.ts";
export type { FailedKey, FallbackDecision, FallbackPolicy, KeyFailure } from "./resolver/fallback-policy.ts";
export type { ConnectOptions, KeySource, ResolvedSlot, SlotCredential } from "./resolver/resolved-slot.ts";
export type {
  AgentConfig,
  ClientOptions,
  Resolution,
  ResolveOptions,
  Resolver,
  ResolverHealth,
  SlotConfig,
} from "./resolver/resolver.ts";
export type { ResolverEvent } from "./resolver/resolver-event.ts";
export type { Clients, ExcludedBy, ResolverOptions } from "./resolver/resolver-options.ts";
export { Secret } from "./secret.ts";
export type {
  CacheFailure,
  CacheFailureReason,
  CacheOperation,
  CacheSubscription,
  ChangeNotice,
  KeyCache,
} from "./shared-cache/key-cache.ts";
export type { Category, Slot } from "./slot.ts";
export type { LogCursor, LogPage, LogRow } from "./store/change-log.ts";
export type {
  Attribution,
  NewKey,
  NotedCheck,
  NotedUse,
  PlacedKey,
  StoreChange,
  StoredKey,
  Verdict,
} from "./store/key-change.ts";
export type { AuditRow, Contradiction, KeyRecord } from "./store/key-record.ts";
export type { KeyStore } from "./store/key-store.ts";
export { memoryStore } from "./store/memory-store.ts";
export type {
  PostgresPool,
  PostgresPoolClient,
  PostgresQuery,
  TakeConnection,
} from "./store/postgres/postgres-client.ts";
export type { KeyRef, KeySnapshot, SealedKey, StoredReference } from "./store/sealed-key.ts";
