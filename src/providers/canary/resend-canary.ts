import type { Resend } from "resend";
import type { Canary } from "./canary.ts";

export const resendCanary: Canary<Resend> = {
  sdk: "resend",
  versions: ">=6.0.0 <7",
  steps: [
    { sends: "a request", run: (client) => client.domains.list() },
    {
      sends: "an e-mail",
      run: (client) =>
        client.emails.send({
          from: "canary@example.com",
          to: "canary@example.com",
          subject: "canary",
          text: "canary",
          attachments: [{ filename: "canary.txt", content: Buffer.from("canary") }],
        }),
    },
  ],
};
