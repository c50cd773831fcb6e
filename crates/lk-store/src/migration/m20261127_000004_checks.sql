-- Checks: what is shown of the last one, every result, and what becomes of old ones.

ALTER TABLE integration_health_checks ADD COLUMN response_time_ms BIGINT;
-- The ladder of the last check, JSON text.
ALTER TABLE integration_health_checks ADD COLUMN last_check TEXT;

-- Every result. The key is all there is: a check costs one append.
CREATE TABLE integration_health_history (
  integration_rid BIGINT NOT NULL,
  checked_at BIGINT NOT NULL,
  status SMALLINT NOT NULL,
  outcome SMALLINT NOT NULL,
  response_time_ms BIGINT NOT NULL,
  rung SMALLINT,
  category SMALLINT,
  error_code TEXT,
  error_message TEXT,
  -- When the check after it was planned: how long this result speaks for the integration.
  next_at BIGINT,
  PRIMARY KEY (integration_rid, checked_at)
){by_month};
{rest_partition}

-- What was left of each limit of a provider.
CREATE TABLE integration_quota_history (
  integration_rid BIGINT NOT NULL,
  at BIGINT NOT NULL,
  name TEXT NOT NULL,
  limit_calls BIGINT,
  remaining BIGINT NOT NULL,
  resets_at BIGINT,
  own_count BOOLEAN NOT NULL,
  PRIMARY KEY (integration_rid, at, name)
){clustered};

-- Summaries of closed hours and months. What none of the *_ms says is unknown.
CREATE TABLE integration_health_hourly (
  integration_rid BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  ok BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  sum_ms BIGINT NOT NULL,
  healthy_ms BIGINT NOT NULL,
  degraded_ms BIGINT NOT NULL,
  down_ms BIGINT NOT NULL,
  sketch BYTEA NOT NULL,
  PRIMARY KEY (integration_rid, from_at)
){clustered};

CREATE TABLE integration_health_monthly (
  integration_rid BIGINT NOT NULL,
  from_at BIGINT NOT NULL,
  ok BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  sum_ms BIGINT NOT NULL,
  healthy_ms BIGINT NOT NULL,
  degraded_ms BIGINT NOT NULL,
  down_ms BIGINT NOT NULL,
  sketch BYTEA NOT NULL,
  PRIMARY KEY (integration_rid, from_at)
){clustered};

-- How far the summaries have come.
CREATE TABLE rollup_marks (
  name TEXT NOT NULL PRIMARY KEY,
  done_until BIGINT NOT NULL,
  next_rid BIGINT NOT NULL
){table};

-- Which nodes check; a node that has not been seen for a while counts for nothing.
CREATE TABLE check_nodes (
  node TEXT NOT NULL PRIMARY KEY,
  seen_until BIGINT NOT NULL
){table};

-- Which node checks which of the 64 shards of integrations.
CREATE TABLE check_leases (
  shard SMALLINT NOT NULL PRIMARY KEY,
  owner TEXT NOT NULL,
  fence BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
){table};
