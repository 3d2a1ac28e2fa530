-- The Orchestrator: every transition of an order, and where its saga stands.
CREATE TABLE orch.order_events (
  order_id text NOT NULL,
  at timestamptz NOT NULL,
  from_status text,
  to_status text NOT NULL,
  actor text NOT NULL DEFAULT '',
  version int8,
  PRIMARY KEY (order_id, at, to_status, actor)
);
CREATE INDEX order_events_window ON orch.order_events (at, order_id);
CREATE TABLE orch.saga (
  order_id text NOT NULL,
  step text NOT NULL,
  attempt int NOT NULL DEFAULT 1,
  state text NOT NULL,
  at timestamptz NOT NULL,
  error text,
  PRIMARY KEY (order_id, step, attempt)
);
CREATE INDEX saga_window ON orch.saga (at, order_id);
CREATE TABLE orch.lease (id int PRIMARY KEY, held int8 NOT NULL DEFAULT 0) WITH (fillfactor = 50);
INSERT INTO orch.lease (id) SELECT g FROM generate_series(0, 199) g;
CREATE SEQUENCE orch.saga_number AS int8;
