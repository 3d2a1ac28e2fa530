-- MRG: the orders as they stand, and the stock they fight for.
CREATE TABLE mrg.orders (
  order_id text PRIMARY KEY,
  created_at timestamptz NOT NULL,
  status text NOT NULL,
  amount int8,
  payment_method text,
  region text,
  service_type text,
  saga_step text,
  trace_id text,
  version int NOT NULL DEFAULT 1,
  pod text,
  updated_at timestamptz
);
CREATE INDEX orders_window ON mrg.orders (created_at, order_id);
CREATE INDEX orders_changed ON mrg.orders (updated_at);
CREATE TABLE mrg.stock (id int PRIMARY KEY, held int8 NOT NULL DEFAULT 0) WITH (fillfactor = 50);
INSERT INTO mrg.stock (id) SELECT g FROM generate_series(0, 199) g;
CREATE SEQUENCE mrg.order_number AS int4;
