import selfsigned from "selfsigned";
import type { Certificate } from "../../src/testing/provider-doubles/double-server.ts";

/** A certificate of 127.0.0.1 and of `name`, its own authority. */
export async function certificate(name = "localhost"): Promise<Certificate> {
  const made = await selfsigned.generate([{ name: "commonName", value: name }], {
    keyType: "ec",
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: 7, ip: "127.0.0.1" },
          { type: 2, value: name },
        ],
      },
    ],
  });
  return { key: made.private, cert: made.cert };
}
