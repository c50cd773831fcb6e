-- People and safety: sessions that can be listed and proven again, authenticator codes, invitations,
-- scoped keys, projects that can be deleted, and an audit log that shows tampering.

ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE projects ADD COLUMN deleted_at BIGINT;
ALTER TABLE project_members ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- Sessions from before have no public id and no proof: everybody signs in once more.
DELETE FROM sessions;
ALTER TABLE sessions ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN method SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN source TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
-- A node of the version before writes sessions without one while all are being replaced.
CREATE UNIQUE INDEX sessions_id ON sessions (id) WHERE id <> '';

-- Scope words separated by spaces; null is everything the role allows.
ALTER TABLE api_keys ADD COLUMN scopes TEXT;
ALTER TABLE api_keys ADD COLUMN created_by_id TEXT;
CREATE INDEX api_keys_maker ON api_keys (created_by_id) WHERE created_by_id IS NOT NULL;

-- The user a link is about.
ALTER TABLE one_time_links ADD COLUMN subject TEXT;

CREATE TABLE invitations (
  id TEXT NOT NULL PRIMARY KEY,
  hash BYTEA NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  role SMALLINT NOT NULL,
  email TEXT,
  created_by TEXT NOT NULL,
  created_by_id TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT,
  used_by TEXT
){table};
CREATE INDEX invitations_project ON invitations (project_id);

-- One authenticator a person; not confirmed yet while confirmed_at is null.
CREATE TABLE user_totp (
  user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
  sealed BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  confirmed_at BIGINT,
  last_step BIGINT NOT NULL
){table};

CREATE TABLE user_recovery_codes (
  user_id TEXT NOT NULL REFERENCES users (id),
  hash BYTEA NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (user_id, hash)
){table};

-- Keys that the installation made for itself, sealed like every secret.
CREATE TABLE sealed_keys (
  name TEXT NOT NULL PRIMARY KEY,
  sealed BYTEA NOT NULL
){table};

-- Rows up to begins_after were written before the chain and are not covered by it.
ALTER TABLE admin_logs ADD COLUMN hash BYTEA;
CREATE TABLE audit_head (
  id SMALLINT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  hash BYTEA NOT NULL,
  begins_after BIGINT NOT NULL
){table};
INSERT INTO audit_head (id, seq, hash, begins_after)
  SELECT 1, COALESCE(MAX(seq), 0), {no_bytes}, COALESCE(MAX(seq), 0) FROM admin_logs;
CREATE INDEX admin_logs_actor ON admin_logs (actor_id, seq) WHERE actor_id IS NOT NULL;
CREATE INDEX admin_logs_target ON admin_logs (target, seq);
CREATE INDEX admin_logs_refused ON admin_logs (seq) WHERE result <> 'ok';
