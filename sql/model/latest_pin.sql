-- name: latest_pin
-- description: One row per post of the cleaned posts (clean_pin): of repeats, the one latest in the log.
-- columns: ind, unique_id, title, description, follower_count, poster_name, tag_list, is_image_or_video, image_src, save_location, category, source_topic, source_partition, source_offset, arrived_at
SELECT ind, unique_id, title, description, follower_count, poster_name, tag_list, is_image_or_video, image_src, save_location, category,
  source_topic, source_partition, source_offset, arrived_at
FROM (
  SELECT
    *,
    row_number() OVER (PARTITION BY ind ORDER BY source_offset DESC, source_partition DESC, source_topic) AS place
  FROM clean_pin
) AS placed
WHERE place = 1;
