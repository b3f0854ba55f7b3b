-- name: user
-- description: Who posted: first and last name become one name, the day of joining a point in time, UTC.
-- columns: ind, user_name, age, date_joined, source_topic, source_partition, source_offset, arrived_at
SELECT
  CAST(ind AS BIGINT) AS ind,
  pf_text(concat_ws(' ', pf_text(first_name), pf_text(last_name))) AS user_name,
  CAST(age AS INTEGER) AS age,
  pf_timestamp(date_joined) AS date_joined,
  source_topic,
  source_partition,
  source_offset,
  arrived_at
FROM raw_user;
