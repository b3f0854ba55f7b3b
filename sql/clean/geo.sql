-- name: geo
-- description: Places and times of posts: latitude and longitude become one array, in this order; times become points in time, UTC.
-- columns: ind, country, coordinates, timestamp, source_topic, source_partition, source_offset, arrived_at
SELECT
  CAST(ind AS BIGINT) AS ind,
  pf_text(country) AS country,
  CASE WHEN latitude IS NOT NULL AND longitude IS NOT NULL THEN pf_array2(CAST(latitude AS DOUBLE), CAST(longitude AS DOUBLE)) END AS coordinates,
  pf_timestamp(timestamp) AS timestamp,
  source_topic,
  source_partition,
  source_offset,
  arrived_at
FROM raw_geo;
