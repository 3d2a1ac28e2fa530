-- Head Office: the books. A business date is a day in Jakarta.
CREATE TABLE ho.ho_payments (
  ho_ref text PRIMARY KEY,
  upg_ref text,
  order_id text,
  amount int8 NOT NULL,
  recorded_at timestamptz NOT NULL,
  business_date date GENERATED ALWAYS AS ((recorded_at AT TIME ZONE 'Asia/Jakarta')::date) STORED
);
CREATE INDEX ho_payments_window ON ho.ho_payments (recorded_at, ho_ref);
CREATE INDEX ho_payments_upg ON ho.ho_payments (upg_ref);
CREATE INDEX ho_payments_order ON ho.ho_payments (order_id);
CREATE TABLE ho.day_book (id int PRIMARY KEY, held int8 NOT NULL DEFAULT 0) WITH (fillfactor = 50);
INSERT INTO ho.day_book (id) SELECT g FROM generate_series(0, 199) g;
CREATE SEQUENCE ho.record_number AS int8;
