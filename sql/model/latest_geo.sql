-- name: latest_geo
-- description: One row per post of the cleaned places and times (clean_geo): of repeats, the one latest in the log.
-- columns: ind, country, coordinates, timestamp, source_topic, source_partition, source_offset, arrived_at
SELECT ind, country, coordinates, timestamp,
  source_topic, source_partition, source_offset, arrived_at
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY ind ORDER BY source_offset DESC, source_partition DESC, source_topic) AS place
  FROM clean_geo
) AS placed
WHERE place = 1;
