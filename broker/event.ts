/** What the embedded broker reports to its caller; for logs, never for decisions. */
export type BrokerEvent =
  | { readonly kind: 'connected' | 'disconnected'; readonly client: string }
  | {
      readonly kind: 'login-denied';
      readonly client: string;
      readonly user: string | undefined;
      readonly reason: string;
    }
  | { readonly kind: 'publish-denied'; readonly client: string; readonly topic: string; readonly reason: string }
  | { readonly kind: 'subscribe-denied'; readonly client: string; readonly filter: string; readonly reason: string }
  /** A connection that broke or sent invalid data; `client` is empty if it never identified itself. */
  | { readonly kind: 'connection-failed'; readonly client: string; readonly reason: string }
  /** The broker itself failed at something, such as writing its store. */
  | { readonly kind: 'fault'; readonly reason: string };
