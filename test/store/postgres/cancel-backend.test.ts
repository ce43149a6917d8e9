import { once } from "node:events";
import { createServer } from "node:net";
import { expect, it } from "vitest";
import { cancelBackend } from "../../../src/store/postgres/cancel-backend.ts";
import { freePort } from "../../servers/free-port.ts";

it("a request to cancel stays connected until the server has closed it, as a pooler needs it", async () => {
  const port = await freePort();
  let isClosedHere = false;
  const closedBefore: boolean[] = [];
  const requests: string[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("end", () => {
      closedBefore.push(!isClosedHere);
      socket.end();
    });
    socket.once("data", (request) => {
      requests.push(request.toString("hex"));
      setTimeout(() => {
        isClosedHere = true;
        socket.end();
      }, 100);
    });
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  cancelBackend({ processID: 7, secretKey: 9, host: "127.0.0.1", port });
  const [socket] = await once(server, "connection");
  await once(socket, "close");
  server.close();
  expect(requests).toEqual(["0000001004d2162e0000000700000009"]);
  expect(closedBefore).toEqual([false]);
});
