-- UPG: payments, and what was told to others about them.
CREATE TABLE upg.payments (
  upg_ref text PRIMARY KEY,
  order_id text NOT NULL,
  amount int8 NOT NULL,
  payment_status text NOT NULL,
  payment_method text,
  created_at timestamptz NOT NULL,
  settled_at timestamptz,
  gateway_ms int8
);
CREATE INDEX payments_window ON upg.payments (created_at, upg_ref);
CREATE INDEX payments_order ON upg.payments (order_id);
CREATE TABLE upg.callbacks (
  upg_ref text NOT NULL DEFAULT '',
  order_id text NOT NULL DEFAULT '',
  target text NOT NULL DEFAULT '',
  attempt int NOT NULL,
  sent_at timestamptz NOT NULL,
  http_status int,
  duration_ms int8,
  PRIMARY KEY (upg_ref, order_id, target, attempt)
);
CREATE INDEX callbacks_window ON upg.callbacks (sent_at, upg_ref);
CREATE INDEX callbacks_order ON upg.callbacks (order_id);
CREATE TABLE upg.vendor_limit (id int PRIMARY KEY, held int8 NOT NULL DEFAULT 0) WITH (fillfactor = 50);
INSERT INTO upg.vendor_limit (id) SELECT g FROM generate_series(0, 199) g;
CREATE SEQUENCE upg.reference AS int8;
