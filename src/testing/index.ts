export { keyStoreContract, type Test } from "./key-store-contract.ts";
export type { DoubleId, Grant } from "./provider-doubles/double.ts";
export type { Certificate } from "./provider-doubles/double-server.ts";
export {
  type Misbehaviour,
  type ProviderDoubles,
  type ProviderDoublesOptions,
  type RecordedRequest,
  startProviderDoubles,
} from "./provider-doubles/start-provider-doubles.ts";
