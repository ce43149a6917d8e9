export { keyCacheContract } from "./key-cache-contract.ts";
export { keyStoreContract } from "./key-store-contract.ts";
export type { KeyStoreFaults, OpenedKeyStore, Test } from "./opened-key-store.ts";
export { type ProviderExercise, providerContract } from "./provider-contract.ts";
export type { DoubleId, Grant, Misbehaviour, OpenRefusal, RecordedRequest } from "./provider-doubles/double.ts";
export type { Certificate } from "./provider-doubles/double-server.ts";
export type {
  CutFault,
  DripFault,
  Fault,
  FaultScope,
  FrameFault,
  OpenRefusalFault,
  PaceFault,
  RefusalFault,
  StallFault,
  StatusFault,
} from "./provider-doubles/fault.ts";
export {
  type ProviderDoubles,
  type ProviderDoublesOptions,
  startProviderDoubles,
} from "./provider-doubles/start-provider-doubles.ts";
