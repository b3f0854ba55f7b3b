-- name: joining_dates_that_do_not_parse
-- description: Moments of joining, as posted, that cleaning made null though they are not empty.
-- columns: ind, date_joined
SELECT CAST(ind AS BIGINT) AS ind, date_joined
FROM raw_user
WHERE pf_timestamp(date_joined) IS NULL AND pf_text(date_joined) IS NOT NULL
ORDER BY ind;
