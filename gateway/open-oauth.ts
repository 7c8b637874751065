// The resources of the OAuth routes: the file of clients, the event stream, and a connection to IssuerService.

import type { Logger } from '../src/platform/log.js';
import type { TlsPeer } from '../src/platform/tls/channel.js';
import type { AuthClient } from './auth-client.js';
import type { GatewaySettings } from './config.js';
import { ClientsFile } from './oauth/clients-file.js';
import { EventSource } from './revocations/event-source.js';
import { RevokerClient } from './revoker-client.js';
import type { OAuthParts } from './routes/oauth.js';
import { ServiceConnection } from './service-connection.js';

export interface OpenOAuth {
  readonly parts: OAuthParts;
  /** Ends the event streams: they would last as long as their clients. */
  endStreams(): void;
  close(): void;
}

export interface OAuthNeeds {
  readonly log: Logger;
  readonly client: AuthClient;
  /** The connection to AuthService. IssuerService is there, too, unless it has an address of its own. */
  readonly connection: ServiceConnection;
  /** The TLS identity of the service at a host; undefined: plain text. */
  readonly peerAt: (host: string) => TlsPeer | undefined;
}

/** @returns undefined if there are no routes for OAuth clients */
export function openOAuth(
  { oauth, issuerAddress, limits }: GatewaySettings,
  { log, client, connection, peerAt }: OAuthNeeds,
): OpenOAuth | undefined {
  if (!oauth) return undefined;
  const { clientsFile: path, rights, issuer, urls, revokerToken } = oauth;
  const file = new ClientsFile({ path, rights }, log);
  const apart =
    revokerToken && issuerAddress && new ServiceConnection(issuerAddress, limits.callMs, peerAt(issuerAddress.host));
  const revoker = revokerToken && new RevokerClient(apart ?? connection, revokerToken);
  const events = new EventSource(() => client.watchRevocations());
  return {
    parts: { client, clients: () => file.clients, issuer, urls, revoker, events },
    endStreams: () => events.stop(),
    close: () => {
      file.close();
      apart?.close();
    },
  };
}
