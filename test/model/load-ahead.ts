/** Loads what the code loads with its first call otherwise, in turns of the event loop that no schedule has. */
export async function loadAhead(): Promise<void> {
  await Promise.all([
    import("ws"),
    import("../../src/providers/egress/egress.ts"),
    import("../../src/providers/canary/prove-sdk.ts"),
    import("../../src/providers/create-credential.ts"),
  ]);
}
