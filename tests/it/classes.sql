-- The classes of every order, their sums and their flags, worked out from the tables alone in one statement.
-- Written for itself: it shares nothing with the program but the meaning of the classes.
WITH
  clock AS (SELECT $1::timestamptz AS now, interval '15 min' AS hang, interval '10 min' AS settle),
  -- What UPG took, gave back, waits for, and what it says in words that nobody explained.
  money AS (
    SELECT order_id,
           count(*) FILTER (WHERE status = 'PAID') AS kept,
           sum(amount) FILTER (WHERE status = 'PAID') AS sum,
           bool_or(amount IS NULL) FILTER (WHERE status = 'PAID') AS blank,
           min(coalesce(settled_at, created_at)) FILTER (WHERE status = 'PAID') AS settled,
           bool_or(status IN ('INITIATED', 'PENDING', 'AUTHORIZED')) AS waits,
           bool_or(status NOT IN ('INITIATED', 'PENDING', 'AUTHORIZED', 'PAID', 'REFUNDED', 'FAILED')) AS odd,
           min(created_at) AS begun
    FROM payments GROUP BY order_id),
  -- HO's records, by the payment first and by the order they name second.
  books AS (
    SELECT coalesce(p.order_id, h.order_id) AS order_id, count(*) AS records, sum(h.amount) AS sum,
           bool_or(h.amount IS NULL) AS blank, max(h.recorded_at) AS newest
    FROM ho_payments h LEFT JOIN payments p USING (upg_ref) GROUP BY 1),
  calls AS (
    SELECT order_id, count(*) AS tries, bool_or(http_status BETWEEN 200 AND 299) AS heard, max(sent_at) AS last,
           max(sent_at) FILTER (WHERE http_status BETWEEN 200 AND 299) AS heard_last
    FROM callbacks WHERE target = 'HO' GROUP BY order_id),
  one AS (
    SELECT o.order_id IS NULL AS stray, o.status, o.amount AS price, o.updated_at,
           coalesce(m.kept, 0) AS p, coalesce(m.sum, 0) AS paid, coalesce(m.blank, false) AS paid_blank, m.settled,
           coalesce(m.waits, false) AS waits, coalesce(m.odd, false) AS odd,
           coalesce(b.records, 0) AS h, coalesce(b.sum, 0) AS booked, coalesce(b.blank, false) AS booked_blank, b.newest,
           coalesce(c.tries, 0) AS c, coalesce(c.heard, false) AS heard, c.last, c.heard_last,
           o.status = 'ACTIVE' AND k.now - o.created_at > k.hang AS hangs,
           k.now - coalesce(m.settled, k.now - k.settle) < k.settle AS fresh,
           k.now, k.settle
    FROM orders o
    FULL JOIN money m USING (order_id)
    LEFT JOIN books b USING (order_id)
    LEFT JOIN calls c USING (order_id)
    CROSS JOIN clock k
    WHERE o.order_id IS NOT NULL OR k.now - m.begun >= k.settle),
  judged AS (
    SELECT *, CASE
      WHEN stray THEN 'orphan_payment'
      WHEN p > 1 THEN 'duplicate_charge'
      WHEN odd THEN 'unmapped_payment_status'
      WHEN p = 0 AND h > 0 THEN CASE WHEN now - newest < settle THEN 'settling' ELSE 'recorded_not_charged' END
      WHEN h > p THEN 'duplicate_record'
      WHEN p = 1 AND h >= 1 AND NOT paid_blank AND NOT booked_blank AND booked <> paid THEN 'amount_mismatch_upg_ho'
      WHEN p = 1 AND NOT paid_blank AND paid <> price THEN 'amount_mismatch_order_upg'
      WHEN status NOT IN ('CREATED', 'ACTIVE', 'COMPLETE', 'FAILED', 'CANCELLED', 'EXPIRED') THEN 'unmapped_status'
      WHEN p = 1 AND h = 0 AND fresh THEN 'settling'
      WHEN hangs AND p = 1 AND h = 0 AND c = 0 THEN 'paid_stuck_unrecorded_never_sent'
      WHEN hangs AND p = 1 AND h = 0 AND NOT heard THEN 'paid_stuck_unrecorded_callback_failed'
      WHEN p = 1 AND h = 0 AND heard THEN 'acked_not_recorded'
      WHEN hangs AND p = 1 AND h >= 1 THEN 'paid_stuck_recorded'
      WHEN status = 'COMPLETE' AND p = 1 AND h = 0 THEN 'charged_not_recorded'
      WHEN status = 'COMPLETE' AND p = 0 AND now - updated_at < settle THEN 'settling'
      WHEN status = 'COMPLETE' AND p = 0 THEN 'complete_not_charged'
      WHEN status IN ('FAILED', 'CANCELLED', 'EXPIRED') AND p >= 1 THEN 'failed_but_charged'
      WHEN hangs AND waits THEN 'payment_pending_stuck'
      WHEN hangs AND p = 0 THEN 'unpaid_stuck'
      WHEN status IN ('ACTIVE', 'CREATED') THEN 'in_flight'
      ELSE 'ok' END AS class
    FROM one)
SELECT class, count(*)::int8 AS orders,
       sum(CASE WHEN p > 0 THEN paid ELSE coalesce(price, 0) END)::int8 AS amount,
       sum(paid)::int8 AS paid, sum(booked)::int8 AS recorded,
       (count(*) FILTER (WHERE CASE WHEN p > 0 THEN paid_blank ELSE NOT stray AND price IS NULL END))::int8 AS blank,
       (count(*) FILTER (WHERE hangs))::int8 AS hanging,
       (count(*) FILTER (WHERE p > h AND NOT fresh))::int8 AS missing,
       (count(*) FILTER (WHERE h > greatest(p, 1)))::int8 AS twice,
       (count(*) FILTER (WHERE last - settled > settle
           OR heard_last > updated_at AND status NOT IN ('ACTIVE', 'CREATED')))::int8 AS late
FROM judged GROUP BY class ORDER BY class
