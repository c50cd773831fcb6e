-- What an integration proves itself with where that is fetched: tokens, and where they stand.
CREATE TABLE integration_connections (
  integration_id TEXT NOT NULL PRIMARY KEY REFERENCES project_integrations (id),
  kind TEXT NOT NULL,
  -- Which client and hosts the tokens are for, hashed: for others they are never used.
  home TEXT NOT NULL,
  account_id TEXT,
  account_name TEXT,
  -- Granted, and asked for but not granted; with blanks between them.
  scopes TEXT NOT NULL,
  missing TEXT NOT NULL,
  access_sealed BYTEA,
  refresh_sealed BYTEA,
  obtained_at BIGINT,
  expires_at BIGINT,
  refresh_expires_at BIGINT,
  -- When to refresh ahead, or to try again; NULL while that is nobody's but a person's to do.
  refresh_at BIGINT,
  state SMALLINT NOT NULL,
  -- Why it stands so: a stable name and a redacted sentence.
  reason TEXT,
  message TEXT,
  failures BIGINT NOT NULL,
  -- A call ended without an answer: whether the refresh token was used up is not known.
  doubt BOOLEAN NOT NULL,
  -- A refresh under way: written before the call, so that a crash leaves a trace.
  intent_hash BYTEA,
  intent_fence BIGINT,
  intent_at BIGINT,
  intent_tries BIGINT NOT NULL,
  lease_owner TEXT NOT NULL,
  lease_fence BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  -- Grows with every new token.
  version BIGINT NOT NULL
){table};
CREATE INDEX integration_connections_due ON integration_connections (refresh_at) WHERE refresh_at IS NOT NULL;

-- People on their way to a provider's consent page and back.
CREATE TABLE connect_flows (
  -- Hash of the state in the address.
  id TEXT NOT NULL PRIMARY KEY,
  integration_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  session_hash BYTEA NOT NULL,
  verifier_sealed BYTEA NOT NULL,
  redirect_uri TEXT NOT NULL,
  expires_at BIGINT NOT NULL
){table};
