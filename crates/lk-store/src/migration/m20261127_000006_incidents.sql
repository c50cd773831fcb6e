-- Provider incidents: one stretch in which a provider, or our own way out (provider ''), is in
-- trouble. One is open at a time.
CREATE TABLE provider_incidents (
  id TEXT NOT NULL PRIMARY KEY,
  provider TEXT NOT NULL,
  cause SMALLINT NOT NULL,
  summary TEXT NOT NULL,
  affected BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  closed_at BIGINT
){table};
CREATE UNIQUE INDEX provider_incidents_open ON provider_incidents (provider) WHERE closed_at IS NULL;
CREATE INDEX provider_incidents_time ON provider_incidents (opened_at);

CREATE TABLE provider_incident_updates (
  incident_id TEXT NOT NULL REFERENCES provider_incidents (id),
  at BIGINT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (incident_id, at)
){clustered};
