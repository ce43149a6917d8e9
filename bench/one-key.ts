import { createKeyring, generateKeyring, Secret } from "byokit";
import { compactDecrypt } from "jose";
import { type Compared, compare } from "./compare.ts";

/** Opens one key at rest, beside jose, which opens the same JWE. */
export async function fromOneKey(): Promise<Compared> {
  const json = generateKeyring();
  const keyring = createKeyring(json);
  const secret = Buffer.from(json.keys[0]?.k ?? "", "base64url");
  const context = { orgId: "org", provider: "openai", secretId: "secret", region: null, account: null };
  const { sealed } = await keyring.seal(new Secret("key-of-openai"), context);
  return await compare({
    what: "opening one key",
    bare: "`jose`",
    goal: { us: 30 },
    ours: () => keyring.open(sealed, context),
    theirs: () => compactDecrypt(sealed, secret),
  });
}
