import { syncBuiltinESMExports } from "node:module";
import tls from "node:tls";

/** Trusts a certificate beside what this process trusts already, until the returned function is called. */
export function trust(certificate: string): () => void {
  if (tls.setDefaultCACertificates !== undefined) {
    const trusted = tls.getCACertificates("default");
    tls.setDefaultCACertificates([...trusted, certificate]);
    return () => tls.setDefaultCACertificates(trusted);
  }
  // Node 22 before 22.19 cannot be told while it runs.
  const { createSecureContext } = tls;
  const replace = (create: typeof createSecureContext): void => {
    tls.createSecureContext = create;
    syncBuiltinESMExports();
  };
  replace((options) => {
    const made = createSecureContext(options);
    (made.context as { addCACert(pem: string): void }).addCACert(certificate);
    return made;
  });
  return () => replace(createSecureContext);
}
