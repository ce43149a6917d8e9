/** Makes a server that is told a port alone listen on the loopback interface. */
import { Server } from "node:net";

const listen = Server.prototype.listen as (this: Server, ...given: unknown[]) => Server;

Server.prototype.listen = function onLoopback(this: Server, port: unknown, ...others: unknown[]): Server {
  const rest = others.filter((one) => typeof one === "function");
  return listen.call(this, Number(port), "127.0.0.1", ...rest);
} as Server["listen"];
