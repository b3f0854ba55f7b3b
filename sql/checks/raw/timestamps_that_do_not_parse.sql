-- name: timestamps_that_do_not_parse
-- description: Times of posts, as posted, that cleaning made null though they are not empty.
-- columns: ind, timestamp
SELECT CAST(ind AS BIGINT) AS ind, timestamp
FROM raw_geo
WHERE pf_timestamp(timestamp) IS NULL AND pf_text(timestamp) IS NOT NULL
ORDER BY ind;
