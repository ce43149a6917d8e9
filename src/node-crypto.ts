type NodeCrypto = Pick<
  typeof import("node:crypto"),
  "createCipheriv" | "createDecipheriv" | "createHmac" | "createSecretKey" | "randomBytes" | "randomUUID"
>;

let loaded: NodeCrypto | undefined;

/**
 * What is used of `node:crypto`, loaded when it is first needed: Node takes milliseconds for it, which an import need not. A
 * copy, and not the global `crypto`, because tests and polyfills replace what they find there: equal ids would lose changes.
 */
export function nodeCrypto(): NodeCrypto {
  loaded ??= load();
  return loaded;
}

function load(): NodeCrypto {
  const { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes, randomUUID } =
    process.getBuiltinModule("node:crypto");
  return { createCipheriv, createDecipheriv, createHmac, createSecretKey, randomBytes, randomUUID };
}
