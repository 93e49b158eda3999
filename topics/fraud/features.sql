-- The features of a payment: what its customer did in the last days, and how its terminal fared.
-- One row leaves per payment, at once. Windows are kept up to date by payments and, days later, by their labels.

-- Both sources as one stream of rows. `payment` tells whose row it is; `fraud` is known of labels alone. A label is
-- placed at its payment's time (tx_time), though it comes days after it (label_time is its record time).
WITH events AS (
    SELECT tx_id, tx_time, customer_id, terminal_id, country, amount, TRUE AS payment, FALSE AS fraud
    FROM transactions
    UNION ALL
    SELECT tx_id, tx_time, customer_id, terminal_id, NULL, NULL, FALSE, fraud
    FROM labels
),

windows AS (
    SELECT *,
           -- How often the customer paid, and how much on average, this payment included.
           COUNT(*)    FILTER (WHERE payment) OVER customer_1d  AS customer_tx_1d,
           AVG(amount) FILTER (WHERE payment) OVER customer_1d  AS customer_avg_1d,
           COUNT(*)    FILTER (WHERE payment) OVER customer_7d  AS customer_tx_7d,
           AVG(amount) FILTER (WHERE payment) OVER customer_7d  AS customer_avg_7d,
           COUNT(*)    FILTER (WHERE payment) OVER customer_30d AS customer_tx_30d,
           AVG(amount) FILTER (WHERE payment) OVER customer_30d AS customer_avg_30d,

           -- How many payments the terminal saw, and how many of them were fraud. Labels come within a week, so these
           -- windows end 7 days ago: by then it is known.
           COUNT(*) FILTER (WHERE payment) OVER terminal_1d  AS terminal_tx_1d,
           COUNT(*) FILTER (WHERE fraud)   OVER terminal_1d  AS terminal_frauds_1d,
           COUNT(*) FILTER (WHERE payment) OVER terminal_7d  AS terminal_tx_7d,
           COUNT(*) FILTER (WHERE fraud)   OVER terminal_7d  AS terminal_frauds_7d,
           COUNT(*) FILTER (WHERE payment) OVER terminal_30d AS terminal_tx_30d,
           COUNT(*) FILTER (WHERE fraud)   OVER terminal_30d AS terminal_frauds_30d

    FROM events

    -- Times are whole seconds, and a payment exactly one day ago does not count: (t - 1 day, t] is 86,399 s back.
    WINDOW customer_1d  AS (PARTITION BY customer_id ORDER BY tx_time
                            RANGE BETWEEN INTERVAL '86399' SECOND PRECEDING AND CURRENT ROW),
           customer_7d  AS (PARTITION BY customer_id ORDER BY tx_time
                            RANGE BETWEEN INTERVAL '604799' SECOND PRECEDING AND CURRENT ROW),
           customer_30d AS (PARTITION BY customer_id ORDER BY tx_time
                            RANGE BETWEEN INTERVAL '2591999' SECOND PRECEDING AND CURRENT ROW),
           -- With the delay: (t - 7 days - 1 day, t - 7 days], and so on.
           terminal_1d  AS (PARTITION BY terminal_id ORDER BY tx_time
                            RANGE BETWEEN INTERVAL '691199' SECOND PRECEDING AND INTERVAL '604800' SECOND PRECEDING),
           terminal_7d  AS (PARTITION BY terminal_id ORDER BY tx_time
                            RANGE BETWEEN INTERVAL '1209599' SECOND PRECEDING AND INTERVAL '604800' SECOND PRECEDING),
           terminal_30d AS (PARTITION BY terminal_id ORDER BY tx_time
                            RANGE BETWEEN INTERVAL '3196799' SECOND PRECEDING AND INTERVAL '604800' SECOND PRECEDING)
)

SELECT tx_id,
       tx_time,
       customer_id,
       terminal_id,
       country,

       -- The 15 inputs of the model, in its order.
       amount,

       -- Saturday or Sunday, and at night (until 6:59), of UTC.
       CASE WHEN EXTRACT(DOW FROM tx_time) IN (0, 6) THEN 1 ELSE 0 END AS weekend,
       CASE WHEN EXTRACT(HOUR FROM tx_time) <= 6 THEN 1 ELSE 0 END     AS night,

       customer_tx_1d,
       customer_avg_1d,
       customer_tx_7d,
       customer_avg_7d,
       customer_tx_30d,
       customer_avg_30d,

       -- A terminal's risk is the share of its payments that were fraud, 0 where it had none.
       terminal_tx_1d,
       COALESCE(CAST(terminal_frauds_1d AS DOUBLE) / NULLIF(terminal_tx_1d, 0), 0.0)   AS terminal_risk_1d,
       terminal_tx_7d,
       COALESCE(CAST(terminal_frauds_7d AS DOUBLE) / NULLIF(terminal_tx_7d, 0), 0.0)   AS terminal_risk_7d,
       terminal_tx_30d,
       COALESCE(CAST(terminal_frauds_30d AS DOUBLE) / NULLIF(terminal_tx_30d, 0), 0.0) AS terminal_risk_30d

FROM windows

-- Labels only change what the windows know. They are dropped here, after the windows; a WHERE beneath would drop them
-- before any window saw them.
WHERE payment
