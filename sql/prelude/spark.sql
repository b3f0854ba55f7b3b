-- name: spark
-- description: The functions that the other files call and that engines spell differently, for Spark 4 and Databricks.
--   Run it once per session, statement by statement. What each function means is said in duckdb.sql.

SET TIME ZONE 'UTC';

CREATE OR REPLACE TEMPORARY FUNCTION pf_text(t STRING) RETURNS STRING RETURN
  CASE
    WHEN ascii(t) BETWEEN 33 AND 126 THEN t
    WHEN t RLIKE r'\A[\s\x{0b}\x{85}\x{a0}\x{1680}\x{2000}-\x{200b}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}]*\z' THEN NULL
    ELSE t
  END;

CREATE OR REPLACE TEMPORARY FUNCTION pf_whole(n DECIMAL(38, 9)) RETURNS BIGINT RETURN
  CASE WHEN n % 1 = 0 THEN TRY_CAST(n AS BIGINT) END;

CREATE OR REPLACE TEMPORARY FUNCTION pf_follower_count(t STRING) RETURNS BIGINT RETURN
  CASE
    WHEN t RLIKE r'\A[0-9]{1,12}\z' THEN TRY_CAST(t AS BIGINT)
    WHEN t RLIKE r'\A\s*([0-9]{1,9}|[0-9]{1,3}(,[0-9]{3}){1,2})([.][0-9]{1,9})?\s?[kKmMbB]?\s*\z' THEN
      pf_whole(TRY_CAST(regexp_replace(t, r'[\s,kKmMbB]', '') AS DECIMAL(27, 9)) *
               CASE lower(regexp_extract(t, '[kKmMbB]', 0))
                 WHEN 'k' THEN CAST(1000 AS DECIMAL(10, 0))
                 WHEN 'm' THEN CAST(1000000 AS DECIMAL(10, 0))
                 WHEN 'b' THEN CAST(1000000000 AS DECIMAL(10, 0))
                 ELSE CAST(1 AS DECIMAL(10, 0))
               END)
  END;

CREATE OR REPLACE TEMPORARY FUNCTION pf_timestamp(t STRING) RETURNS TIMESTAMP RETURN
  CASE
    WHEN t RLIKE r'\A\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?\s*\z' THEN
      TRY_CAST(trim(t) AS TIMESTAMP)
  END;

CREATE OR REPLACE TEMPORARY FUNCTION pf_year(t TIMESTAMP) RETURNS INT RETURN year(t);

CREATE OR REPLACE TEMPORARY FUNCTION pf_at(t TIMESTAMP, n BIGINT) RETURNS STRUCT<at: TIMESTAMP, number: BIGINT> RETURN
  named_struct('at', coalesce(t, CAST('0001-01-01' AS TIMESTAMP)), 'number', n);

CREATE OR REPLACE TEMPORARY FUNCTION pf_says_nothing(t STRING) RETURNS BOOLEAN RETURN
  t RLIKE r'(?i)\A(none|null|nil|nan|n/a|na|undefined|unknown|error|-|no .* available.*|.* error[.]?)\z';

CREATE OR REPLACE TEMPORARY FUNCTION pf_array2(a DOUBLE, b DOUBLE) RETURNS ARRAY<DOUBLE> RETURN array(a, b);
