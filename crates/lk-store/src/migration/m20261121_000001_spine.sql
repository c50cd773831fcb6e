-- The tables of the spine. Written once, in PostgreSQL's words; see mod.rs for what the few
-- tokens in braces become on each database. Times are milliseconds since 1970, always passed in.
-- Small numbers (kind, outcome, category, severity, state, role ...) are the codes of lk_core::words.

CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
){table};

CREATE TABLE projects (
  rid {row_number},
  id TEXT NOT NULL UNIQUE,
  slug TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  flags TEXT NOT NULL,
  created_at BIGINT NOT NULL
){table};

CREATE TABLE users (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  password_hash TEXT,
  operator BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  disabled_at BIGINT
){table};

CREATE TABLE project_members (
  project_id TEXT NOT NULL REFERENCES projects (id),
  user_id TEXT NOT NULL REFERENCES users (id),
  role SMALLINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (project_id, user_id)
){table};
CREATE INDEX project_members_user ON project_members (user_id);

CREATE TABLE sessions (
  id_hash BYTEA NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  csrf TEXT NOT NULL
){table};
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  project_id TEXT NOT NULL REFERENCES projects (id),
  name TEXT NOT NULL,
  role SMALLINT NOT NULL,
  operator BOOLEAN NOT NULL,
  hash BYTEA NOT NULL UNIQUE,
  last4 TEXT NOT NULL,
  created_by TEXT,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  last_used_at BIGINT,
  revoked_at BIGINT
){table};
CREATE INDEX api_keys_project ON api_keys (project_id);

CREATE TABLE one_time_links (
  hash BYTEA NOT NULL PRIMARY KEY,
  purpose TEXT NOT NULL,
  project_id TEXT REFERENCES projects (id),
  payload TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
){table};

CREATE TABLE admin_logs (
  seq {row_number},
  at BIGINT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor_id TEXT,
  actor_name TEXT NOT NULL,
  project_id TEXT,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  summary TEXT NOT NULL,
  result TEXT NOT NULL,
  source TEXT
){table};
CREATE INDEX admin_logs_project ON admin_logs (project_id, seq);

CREATE TABLE project_integrations (
  rid {row_number},
  id TEXT NOT NULL UNIQUE,
  project_id TEXT NOT NULL REFERENCES projects (id),
  project_rid BIGINT NOT NULL,
  provider TEXT NOT NULL,
  service TEXT,
  name TEXT NOT NULL,
  settings TEXT NOT NULL,
  enabled BOOLEAN NOT NULL,
  demo BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  version BIGINT NOT NULL,
  deleted_at BIGINT
){table};
CREATE INDEX project_integrations_project ON project_integrations (project_rid, provider);
CREATE INDEX project_integrations_deleted ON project_integrations (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE webhook_endpoints (
  key_hash BYTEA NOT NULL PRIMARY KEY,
  key_sealed BYTEA NOT NULL,
  integration_id TEXT NOT NULL REFERENCES project_integrations (id),
  created_at BIGINT NOT NULL,
  retired_at BIGINT
){table};
CREATE INDEX webhook_endpoints_integration ON webhook_endpoints (integration_id);

CREATE TABLE webhook_aliases (
  provider TEXT NOT NULL PRIMARY KEY,
  integration_id TEXT NOT NULL REFERENCES project_integrations (id)
){table};
CREATE INDEX webhook_aliases_integration ON webhook_aliases (integration_id);

CREATE TABLE webhook_secrets (
  id TEXT NOT NULL PRIMARY KEY,
  integration_id TEXT NOT NULL REFERENCES project_integrations (id),
  sealed BYTEA NOT NULL,
  last4 TEXT NOT NULL,
  state SMALLINT NOT NULL,
  source SMALLINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  retired_at BIGINT
){table};
CREATE INDEX webhook_secrets_integration ON webhook_secrets (integration_id);

-- What the secret fields of an integration's form hold.
CREATE TABLE integration_credentials (
  integration_id TEXT NOT NULL REFERENCES project_integrations (id),
  field TEXT NOT NULL,
  sealed BYTEA NOT NULL,
  last4 TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (integration_id, field)
){table};

CREATE TABLE webhook_rejections (
  integration_rid BIGINT NOT NULL,
  reason TEXT NOT NULL,
  count BIGINT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at BIGINT NOT NULL,
  detail TEXT NOT NULL,
  PRIMARY KEY (integration_rid, reason)
){table};

-- How many deliveries were rejected in each hour, so that "in the last 24 hours" can be said.
CREATE TABLE webhook_rejection_hours (
  integration_rid BIGINT NOT NULL,
  hour BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (hour, integration_rid)
){clustered};

-- The journal. seq is monotonic; every index below holds only what never changes.
CREATE TABLE integration_events (
  seq {event_number},
  project_rid BIGINT NOT NULL,
  integration_rid BIGINT NOT NULL,
  problem_rid BIGINT,
  occurred_at BIGINT NOT NULL,
  received_at BIGINT NOT NULL,
  kind SMALLINT NOT NULL,
  outcome SMALLINT,
  severity SMALLINT,
  category SMALLINT,
  http_status SMALLINT,
  confidence SMALLINT,
  flags SMALLINT NOT NULL,
  transient BOOLEAN,
  doc TEXT,
  event_type TEXT NOT NULL,
  message TEXT NOT NULL,
  code TEXT,
  operation TEXT
){table};
CREATE INDEX integration_events_integration ON integration_events (integration_rid, seq);
CREATE INDEX integration_events_failures ON integration_events (project_rid, seq) WHERE outcome = 1;
CREATE INDEX integration_events_problem ON integration_events (problem_rid, seq) WHERE problem_rid IS NOT NULL;

CREATE TABLE integration_event_payloads (
  seq {row_number_given},
  headers TEXT NOT NULL,
  body TEXT,
  body_bytes BIGINT NOT NULL,
  body_hash BYTEA NOT NULL,
  content_type TEXT
){table};

CREATE TABLE delivery_keys (
  integration_rid BIGINT NOT NULL,
  bucket BIGINT NOT NULL,
  key BYTEA NOT NULL,
  PRIMARY KEY (integration_rid, bucket, key)
){clustered};

CREATE TABLE integration_health_checks (
  integration_rid {row_number_given},
  project_rid BIGINT NOT NULL,
  status SMALLINT NOT NULL,
  status_since BIGINT NOT NULL,
  state BYTEA NOT NULL,
  version BIGINT NOT NULL,
  wake_at BIGINT,
  last_check_at BIGINT,
  next_check_at BIGINT,
  consecutive_failures BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
){table};
CREATE INDEX integration_health_checks_project ON integration_health_checks (project_rid);

CREATE TABLE problems (
  rid {row_number},
  id TEXT NOT NULL UNIQUE,
  project_rid BIGINT NOT NULL,
  integration_rid BIGINT NOT NULL,
  fingerprint BYTEA NOT NULL,
  fp_version SMALLINT NOT NULL,
  state SMALLINT NOT NULL,
  doc TEXT NOT NULL,
  category SMALLINT NOT NULL,
  severity SMALLINT NOT NULL,
  transient BOOLEAN NOT NULL,
  confidence SMALLINT NOT NULL,
  operation TEXT NOT NULL,
  code TEXT,
  http_status SMALLINT,
  message TEXT NOT NULL,
  count BIGINT NOT NULL,
  first_seen BIGINT NOT NULL,
  last_seen BIGINT NOT NULL,
  owner_user_id TEXT,
  pinned_category SMALLINT,
  helpful BIGINT NOT NULL,
  not_helpful BIGINT NOT NULL,
  resolved_at BIGINT,
  version BIGINT NOT NULL,
  UNIQUE (integration_rid, fingerprint)
){table};
CREATE INDEX problems_project ON problems (project_rid, state);

CREATE TABLE event_feedback (
  id TEXT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL,
  problem_rid BIGINT,
  project_rid BIGINT NOT NULL,
  user_id TEXT NOT NULL,
  helpful BOOLEAN,
  category SMALLINT,
  comment TEXT,
  at BIGINT NOT NULL,
  UNIQUE (seq, user_id)
){table};
CREATE INDEX event_feedback_project ON event_feedback (project_rid);

CREATE TABLE outbox (
  id {row_number},
  kind SMALLINT NOT NULL,
  rule SMALLINT NOT NULL,
  idem_key TEXT,
  payload TEXT NOT NULL,
  due_at BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  state SMALLINT NOT NULL,
  created_at BIGINT NOT NULL,
  last_error TEXT
){table};
CREATE INDEX outbox_open ON outbox (due_at) WHERE state < 2;
CREATE UNIQUE INDEX outbox_idem ON outbox (idem_key) WHERE idem_key IS NOT NULL;

CREATE TABLE outbox_attempts (
  outbox_id BIGINT NOT NULL,
  n BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT,
  outcome TEXT,
  PRIMARY KEY (outbox_id, n)
){clustered};

CREATE TABLE journal_marks (
  node TEXT NOT NULL PRIMARY KEY,
  batch_id BIGINT NOT NULL
){table};

INSERT INTO meta (key, value) VALUES ('generation', '1');
