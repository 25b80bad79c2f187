/** What the embedded broker tells whoever runs it; for logs, never for decisions. */
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
  /** A connection that broke or spoke nonsense; `client` is empty when it never said who it was. */
  | { readonly kind: 'connection-failed'; readonly client: string; readonly reason: string }
  /** The broker itself has a fault, such as a store that cannot be written. */
  | { readonly kind: 'fault'; readonly reason: string };
