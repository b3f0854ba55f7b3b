-- name: latest_user
-- description: One row per post of the cleaned user records (clean_user): of repeats, the one latest in the log.
-- columns: ind, user_name, age, date_joined, source_topic, source_partition, source_offset, arrived_at
SELECT ind, user_name, age, date_joined,
  source_topic, source_partition, source_offset, arrived_at
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY ind ORDER BY source_offset DESC, source_partition DESC, source_topic) AS place
  FROM clean_user
) AS placed
WHERE place = 1;
