type NodeCrypto = typeof import("node:crypto");

let loaded: NodeCrypto | undefined;

/** `node:crypto`, loaded when a key is first made or opened: Node takes milliseconds for it, which an import need not. */
export function nodeCrypto(): NodeCrypto {
  loaded ??= process.getBuiltinModule("node:crypto");
  return loaded;
}
