-- name: duckdb
-- description: The functions that the other files call and that engines spell differently, for DuckDB.
--   Run it once per connection; the connection's time zone is UTC.

-- The text as it is, or null where it holds nothing but blanks (also no-break, zero-width and other Unicode blanks).
CREATE OR REPLACE TEMP MACRO pf_text(t) AS
  CASE
    WHEN unicode(t) BETWEEN 33 AND 126 THEN t
    WHEN regexp_full_match(t, '[\s\x{0b}\x{85}\x{a0}\x{1680}\x{2000}-\x{200b}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}]*') THEN NULL
    ELSE t
  END;

-- The number as BIGINT where it is a whole one, else null.
CREATE OR REPLACE TEMP MACRO pf_whole(n) AS CASE WHEN n % 1 = 0 THEN TRY_CAST(n AS BIGINT) END;

-- A follower count as people write it: 467, 12k, 3M, 1.5k, 2B, 1,234, in either case, with blanks around it. Null for all
-- else and for what is not a whole number. The first three branches are only faster ways for the common forms.
CREATE OR REPLACE TEMP MACRO pf_follower_count(t) AS
  CASE
    WHEN regexp_full_match(t, '[0-9]{1,9}[kK]') THEN TRY_CAST(left(t, -1) AS BIGINT) * 1000
    WHEN regexp_full_match(t, '[0-9]{1,12}') THEN TRY_CAST(t AS BIGINT)
    WHEN regexp_full_match(t, '[0-9]{1,9}[mM]') THEN TRY_CAST(left(t, -1) AS BIGINT) * 1000000
    WHEN regexp_full_match(t, '\s*([0-9]{1,9}|[0-9]{1,3}(,[0-9]{3}){1,2})([.][0-9]{1,9})?\s?[kKmMbB]?\s*') THEN
      pf_whole(TRY_CAST(regexp_replace(t, '[\s,kKmMbB]', '', 'g') AS DECIMAL(27, 9)) *
               CASE lower(regexp_extract(t, '[kKmMbB]'))
                 WHEN 'k' THEN CAST(1000 AS DECIMAL(10, 0))
                 WHEN 'm' THEN CAST(1000000 AS DECIMAL(10, 0))
                 WHEN 'b' THEN CAST(1000000000 AS DECIMAL(10, 0))
                 ELSE CAST(1 AS DECIMAL(10, 0))
               END)
  END;

-- A point in time from YYYY-MM-DD, with a time of day behind a blank or a T, with or without a fraction, with or without Z or
-- an offset. UTC where no offset is given. Null for all else. The first branch is only a faster way for the two common forms.
CREATE OR REPLACE TEMP MACRO pf_timestamp(t) AS
  CASE
    WHEN t LIKE '____-__-__ __:__:__' OR t LIKE '____-__-__T__:__:__' THEN make_timestamptz(epoch_us(TRY_CAST(t AS TIMESTAMP)))
    WHEN regexp_full_match(t, '\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?)?\s*') THEN
      TRY_CAST(t AS TIMESTAMPTZ)
  END;

-- The year of a point in time, in UTC.
CREATE OR REPLACE TEMP MACRO pf_year(t) AS CAST(year(make_timestamp(epoch_us(t))) AS INTEGER);

-- A value that orders by a point in time (none: before all others), then by a number. One wide number orders faster than two in a row.
CREATE OR REPLACE TEMP MACRO pf_at(t, n) AS CAST(coalesce(epoch_us(t), -62135596800000000) AS HUGEINT) * 18446744073709551616 + n;

-- Whether a text reads like a way to say "nothing": N/A, No ... available, ... error.
CREATE OR REPLACE TEMP MACRO pf_says_nothing(t) AS
  regexp_full_match(t, '(?i)(none|null|nil|nan|n/a|na|undefined|unknown|error|-|no .* available.*|.* error[.]?)');

-- An array of two.
CREATE OR REPLACE TEMP MACRO pf_array2(a, b) AS [a, b];
