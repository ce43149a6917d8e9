/** Where a provider listens, for HTTP and for websockets, both without a trailing slash. */
export interface Endpoint {
  readonly baseUrl: string;
  readonly websocketUrl: string;
}
