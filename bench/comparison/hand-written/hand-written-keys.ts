import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { Pool } from "pg";

/** A table of keys as it is often written: AES-256-GCM by one key of the platform's, bound to the organisation. */
export class HandWrittenKeys {
  readonly #pool: Pool;
  readonly #key = randomBytes(32);

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async migrate(): Promise<void> {
    await this.#pool.query(
      "CREATE TABLE provider_key (org_id text, provider text, sealed bytea NOT NULL, PRIMARY KEY (org_id, provider))",
    );
  }

  async set(orgId: string, apiKey: string): Promise<void> {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv).setAAD(Buffer.from(orgId));
    const sealed = Buffer.concat([iv, cipher.update(apiKey), cipher.final(), cipher.getAuthTag()]);
    await this.#pool.query("INSERT INTO provider_key VALUES ($1, 'openai', $2)", [orgId, sealed]);
  }

  async get(orgId: string): Promise<string> {
    const { rows } = await this.#pool.query<{ sealed: Buffer }>({
      name: "key",
      text: "SELECT sealed FROM provider_key WHERE org_id = $1 AND provider = 'openai'",
      values: [orgId],
    });
    const sealed = rows[0]?.sealed;
    if (sealed === undefined) throw new Error(`${orgId} has no key.`);
    const decipher = createDecipheriv("aes-256-gcm", this.#key, sealed.subarray(0, 12)).setAAD(Buffer.from(orgId));
    decipher.setAuthTag(sealed.subarray(-16));
    return decipher.update(sealed.subarray(12, -16), undefined, "utf8") + decipher.final("utf8");
  }
}
