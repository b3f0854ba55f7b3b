-- name: follower_counts_that_do_not_parse
-- description: Follower counts, as posted, that cleaning made null though they are neither empty nor the known text for "nothing".
-- columns: ind, follower_count
SELECT CAST(index AS BIGINT) AS ind, follower_count
FROM raw_pin
WHERE pf_follower_count(follower_count) IS NULL AND pf_text(follower_count) IS NOT NULL AND follower_count <> 'User Info Error'
ORDER BY ind;
